"""The two homes of files' bytes keep the same promises."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest

from careloom.platform.store.bodies import Bodies, Folder, Missing
from careloom.platform.store.bucket import read_address
from careloom.platform.store.errors import Unavailable
from careloom.platform.store.open_bodies import open_bodies

Make = Callable[[], Bodies]


def new_id() -> str:
    return secrets.token_hex(16)


def test_what_is_put_is_read_back_whole(bodies: Bodies) -> None:
    file_id, content = new_id(), secrets.token_bytes(3_000_000)
    bodies.put(file_id, BytesIO(content))
    with bodies.open(file_id) as opened:
        assert opened.read() == content


def test_what_is_read_can_be_read_again_from_its_beginning(bodies: Bodies) -> None:
    file_id = new_id()
    bodies.put(file_id, BytesIO(b"abc"))
    with bodies.open(file_id) as opened:
        assert opened.read() == b"abc"
        opened.seek(0)
        assert opened.read() == b"abc"


def test_what_was_never_put_is_missing(bodies: Bodies) -> None:
    with pytest.raises(Missing):
        bodies.open(new_id())


def test_what_is_removed_is_missing_and_may_be_removed_again(bodies: Bodies) -> None:
    file_id = new_id()
    bodies.put(file_id, BytesIO(b"abc"))
    bodies.remove(file_id)
    bodies.remove(file_id)
    with pytest.raises(Missing):
        bodies.open(file_id)


def test_all_that_is_there_is_listed_with_its_time(bodies: Bodies) -> None:
    ids = {new_id() for _ in range(3)}
    for file_id in ids:
        bodies.put(file_id, BytesIO(b"abc"))
    listed = dict(bodies.listed())
    assert set(listed) == ids
    assert all(abs(at - datetime.now(UTC)) < timedelta(minutes=1) for at in listed.values())


@pytest.mark.parametrize("id", ["../../etc/passwd", "", "A" * 32, "0" * 31, "0" * 32 + "\n"])
def test_a_body_has_no_other_name_than_an_id(bodies: Bodies, id: str) -> None:
    for touch in (bodies.open, bodies.remove, lambda id: bodies.put(id, BytesIO(b"x"))):
        with pytest.raises(ValueError):
            touch(id)


class Breaks(BytesIO):
    """A source that ends in the middle, as a full disk or a lost line would."""

    def read(self, size: int | None = -1, /) -> bytes:
        found = super().read(10)
        if not found:
            raise OSError("gone")
        return found


def test_a_put_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    folder, file_id = Folder(tmp_path), new_id()
    with pytest.raises(Unavailable, match="E_FILES_AWAY"):
        folder.put(file_id, Breaks(b"x" * 100))
    assert list(folder.listed()) == []
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_what_a_killed_writer_left_half_written_is_tidied_and_never_listed(tmp_path: Path) -> None:
    folder, part = Folder(tmp_path), tmp_path / "parts" / f"{new_id()}.ab12cd34"
    part.parent.mkdir()
    part.write_bytes(b"half")
    assert list(folder.listed()) == []
    folder.tidy(datetime.now(UTC) - timedelta(days=1))
    assert part.exists()
    folder.tidy(datetime.now(UTC) + timedelta(seconds=1))
    assert not part.exists()


def test_files_are_for_the_service_alone(tmp_path: Path) -> None:
    folder, file_id = Folder(tmp_path / "files"), new_id()
    folder.put(file_id, BytesIO(b"abc"))
    path = tmp_path / "files" / file_id[:2] / file_id
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_bucket_that_does_not_answer_is_away_and_holds_no_missing_file(tmp_path: Path) -> None:
    away = open_bodies("s3://b?endpoint=http://127.0.0.1:9", tmp_path)
    with pytest.raises(Unavailable):
        away.open(new_id())
    with pytest.raises(Unavailable):
        away.put(new_id(), BytesIO(b"abc"))


def test_without_an_address_files_lie_in_the_data_folder(tmp_path: Path) -> None:
    bodies, file_id = open_bodies("", tmp_path), new_id()
    bodies.put(file_id, BytesIO(b"abc"))
    assert (tmp_path / "files" / file_id[:2] / file_id).read_bytes() == b"abc"


def test_an_address_names_bucket_prefix_endpoint_and_region() -> None:
    found = read_address("s3://scans/a/b/?endpoint=http://127.0.0.1:9000&region=cn-north-1")
    assert found == ("scans", "a/b/", {"endpoint": "http://127.0.0.1:9000", "region": "cn-north-1"})
    assert read_address("s3://scans") == ("scans", "", {})


@pytest.mark.parametrize(
    "url", ["http://x", "s3://", "s3://b?public=yes", "s3://key:secret@b", "files", "s3://b?x"]
)
def test_another_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError):
        read_address(url)
