"""Bringing in a file through the pages: what it would do is shown before it is done."""

import io
import re
import threading
from datetime import timedelta

import make
import pytest
from served import LEADS, Answer, Client, Site

from careloom.platform.identity.actor import SYSTEM
from careloom.platform.records.lists import list_records
from careloom.platform.store.errors import Unavailable
from careloom.runtime.forms import carry

HEADERS = "渠道,称呼,手机号,意向项目,业务线,接收时间,个人信息同意"
GOOD = "美团,王女士,19900000901,超声洁治,口腔,2026-03-03 09:00,是"
FAULTY = "美囤,李先生,199,超声洁治,口腔,2026-03-03 09:00,是"
BASE = "/records/lead_intake/import"


def send(client: Client, lines: list[str] | bytes, name: str = "leads.csv") -> Answer:
    client.get(BASE)
    content = lines if isinstance(lines, bytes) else "\n".join(lines).encode()
    answer = client.post(BASE, file=(io.BytesIO(content), name))
    return settled(client, answer)


def settled(client: Client, answer: Answer) -> Answer:
    """The page a file's note comes to when checking or writing is over."""
    where = ""
    while answer.status == 303:
        where = answer.to
        answer = client.get(where)
    while answer.headers.get("Refresh"):
        answer = client.get(where)
    return answer


def action(answer: Answer) -> str:
    found = re.search(rf'action="({BASE}/[0-9a-f]+)"', answer.text)
    assert found
    return found[1]


def leads_of(client: Client) -> int:
    found = re.search(r"共 (\d+) 条", client.get("/records/lead_intake").text)
    return int(found[1]) if found else 0


def test_a_file_is_shown_with_its_faulty_rows_and_nothing_is_written(site: Site) -> None:
    supervisor = site.client("supervisor")
    answer = send(supervisor, [HEADERS, GOOD, FAULTY])
    assert "美囤" in answer.text and "行有错误" in answer.text
    assert re.search(r'<td class="number">3</td>\s*<td>手机号', answer.text)
    assert leads_of(supervisor) == 0


def test_faulty_rows_are_left_out_only_when_that_is_ticked(site: Site) -> None:
    supervisor = site.client("supervisor")
    look = send(supervisor, [HEADERS, GOOD, FAULTY])
    refused = supervisor.post(action(look), act="write")
    assert refused.status == 422 and leads_of(supervisor) == 0
    done = settled(supervisor, supervisor.post(action(look), act="write", accept_good="yes"))
    assert "已导入 1 行" in done.text
    assert leads_of(supervisor) == 1


def test_the_same_file_again_adds_nothing(site: Site) -> None:
    supervisor = site.client("supervisor")
    settled(supervisor, supervisor.post(action(send(supervisor, [HEADERS, GOOD])), act="write"))
    again = send(supervisor, [HEADERS, GOOD])
    assert re.search(r"<b>1</b><span>行已有，跳过", again.text)


def test_a_header_that_fits_nothing_can_be_mapped_by_hand(site: Site) -> None:
    supervisor = site.client("supervisor")
    look = send(supervisor, [HEADERS.replace("手机号", "联系方式甲"), GOOD])
    headers = HEADERS.split(",")
    fields = ["channel", "name", "mobile", "project", "pack_kind", "received_at", "consent_privacy"]
    chosen = {f"map.{at}": fields[at] for at in range(len(headers))}
    again = settled(supervisor, supervisor.post(action(look), act="look", **chosen))
    assert re.search(r"<b>1</b><span>行可以导入", again.text)
    done = settled(supervisor, supervisor.post(action(again), act="write", **chosen))
    assert "已导入 1 行" in done.text


def test_what_is_no_table_is_refused_in_words(site: Site) -> None:
    supervisor = site.client("supervisor")
    for content, name in ((b"\x89PNG\r\n", "picture.png"), (b"", "empty.csv"), (b"PK", "a.xlsx")):
        answer = send(supervisor, content, name)
        assert answer.status == 422, name
        assert 'id="problems"' in answer.text
        assert "problem.E_" not in answer.text


def test_an_upload_is_its_persons_own(site: Site) -> None:
    look = send(site.client("supervisor"), [HEADERS, GOOD])
    answer = site.client("manager").get(action(look))
    assert answer.status in (403, 404)
    assert "王女士" not in answer.text


def test_whoever_may_not_import_is_not_offered_it(site: Site) -> None:
    doctor = site.client("doctor")
    assert doctor.get(BASE).status == 403


def test_the_lead_file_comes_in_as_its_truth_says(site: Site) -> None:
    lines = LEADS.read_bytes().decode().split("\n")[:121]
    answer = send(site.client("supervisor"), "\n".join(lines).encode())
    rows, good, bad, doubles = (
        int(found) for found in re.findall(r'class="count[^"]*"><b>(\d+)</b>', answer.text)
    )
    assert rows == good + bad + doubles and bad > 0


def test_the_faulty_rows_are_downloaded_with_what_is_wrong(site: Site) -> None:
    supervisor = site.client("supervisor")
    look = send(supervisor, [HEADERS, GOOD, FAULTY])
    answer = supervisor.get(f"{action(look)}/problems")
    lines = answer.text.removeprefix("\ufeff").splitlines()
    assert lines[0] == f"行号,问题,{HEADERS}"
    assert len(lines) == 2 and lines[1].startswith("3,") and FAULTY in lines[1]
    assert site.client("manager").get(f"{action(look)}/problems").status in (403, 404)


def test_a_mapping_is_remembered_for_files_with_the_same_headers(site: Site) -> None:
    supervisor = site.client("supervisor")
    other = HEADERS.replace("手机号", "联系方式甲")
    look = send(supervisor, [other, GOOD])
    fields = ["channel", "name", "mobile", "project", "pack_kind", "received_at", "consent_privacy"]
    chosen = {f"map.{at}": key for at, key in enumerate(fields)}
    look = settled(supervisor, supervisor.post(action(look), act="look", **chosen))
    settled(supervisor, supervisor.post(action(look), act="write", **chosen))
    again = send(supervisor, [other, GOOD.replace("王女士", "赵女士")])
    assert re.search(r"<b>1</b><span>行可以导入", again.text)


class Killed(BaseException):
    """The process is gone, in the middle of anything."""


FORM = make.form("note", {"text": make.field()})  # nothing tells its records apart


@pytest.mark.parametrize("trouble", [Killed(), Unavailable("E_COMMIT_UNKNOWN")], ids=str)
def test_an_import_goes_on_after_the_last_row_written(
    site: Site, monkeypatch: pytest.MonkeyPatch, trouble: BaseException
) -> None:
    make.publish(site.database, "form", FORM)
    rules = {"note": [make.rule("all", "read", "create", "import")]}
    make.publish(site.database, "role", make.role("receptionist", rules))
    desk, base = site.client("desk"), "/records/note/import"
    desk.get(base)
    rows = "\n".join(["text", *(f"row {at}" for at in range(35))]).encode()
    place = desk.post(base, file=(io.BytesIO(rows), "notes.csv")).to
    carried()
    desk.get(place)

    written = []
    keep = carry.Upload.settled

    def killed_later(upload: carry.Upload, session: object, place: int, count: int) -> None:
        written.append(place)
        if len(written) == 3:  # two chunks are committed; the third is never
            raise trouble
        keep(upload, session, place, count)  # type: ignore[arg-type]

    monkeypatch.setattr(carry.Upload, "settled", killed_later)
    monkeypatch.setattr(threading, "excepthook", lambda _args: None)
    desk.post(place, act="write")
    carried()
    monkeypatch.setattr(carry.Upload, "settled", keep)
    assert notes(site) == 20
    site.clock.turn(timedelta(minutes=1))  # type: ignore[attr-defined]
    assert "导入中断了" in desk.get(place).text
    (upload,) = carry.stopped(site.database, site.app.extensions["careloom.files"])
    carry.resume(upload)
    carried()
    assert notes(site) == 35, "nothing twice, nothing missing"
    assert "已导入 35 行" in desk.get(place).text


def carried() -> None:
    """Wait for whatever carries a file, however slow the machine is."""
    for thread in threading.enumerate():
        if thread.name == "import":
            thread.join()


def notes(site: Site) -> int:
    with site.database.read() as session:
        found = list_records(session, SYSTEM, "note", limit=1, count=True)
        return found.total or 0


def test_whoever_is_slower_finds_the_file_taken(site: Site) -> None:
    supervisor = site.client("supervisor")
    look = send(supervisor, [HEADERS, GOOD])
    token = action(look).rpartition("/")[2]
    person = site.actor("supervisor").person_id or 0
    first = carry.Upload(site.database, site.app.extensions["careloom.files"], token, person)
    slower = first.take({"state": "writing"}, anew=True)
    first.take({"state": "writing"}, anew=False)
    with pytest.raises(carry.Taken):
        slower.tell({"state": "done"})
