"""The names of files, for words: where a list's items have labels, files have names."""

from sqlalchemy.orm import Session

from ..store.files import file_rows


class FileLabels:
    """The names of files as `Choices`, looked up when one is shown.

    Only for ids out of a record's field that its reader may read.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def has(self, key: str) -> bool:
        return key in file_rows(self._session, [key])

    def find(self, text: str) -> str | None:
        # two files may have one name
        return None

    def nearest(self, text: str) -> str:
        return ""

    def label(self, key: str, language: str) -> str:
        row = file_rows(self._session, [key]).get(key)
        return row.name if row is not None else key
