"""Which home files' bytes have: the folder `files` of the data folder, or the bucket named."""

from pathlib import Path

from .bodies import Bodies, Folder


def open_bodies(url: str, home: Path) -> Bodies:
    """The home at `s3://…`; without an address, the folder. Raises ValueError, saying why."""
    if not url:
        return Folder(home / "files")
    from .bucket import Bucket  # needs an extra that a clinic with one machine does without

    return Bucket(url)
