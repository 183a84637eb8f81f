"""Files in a field: a list of ids, each 32 hex digits; the bytes came before, by an upload.

Whether a file is the writer's to use, and a picture where one is wanted, the door asks.
"""

import re
from typing import Any

from .faults import Fault

ID = re.compile(r"[0-9a-f]{32}")
MOST = 20


def read_files(value: Any, least: int, most: int) -> list[str]:
    """The ids, each once, in their order. Raises Fault for anything but a list of ids."""
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise Fault("E_FILE_IDS")
    ids = list(dict.fromkeys(value))
    if not all(ID.fullmatch(each) for each in ids):
        raise Fault("E_FILE_IDS")
    if len(ids) > most:
        raise Fault("E_FILES_MOST", most=most)
    if len(ids) < least:
        raise Fault("E_FILES_LEAST", least=least)
    return ids


def bring_files(cell: Any) -> list[str]:
    """A cell holds no file. Raises Fault."""
    raise Fault("E_FILE_CELL")
