"""What is shown of a value its reader may see only in part."""

from typing import Any


def mask(value: Any, type: str) -> str | None:
    """A masked value: enough to recognise, too little to use.

    phone `199****0001` · id_card first and last letter of 18 · email `a***@x.cn` · other text its
    first character and `*`. What is not text (numbers, dates, choices of many) shows nothing.
    """
    if not isinstance(value, str) or not value:
        return None
    if type == "phone":
        return f"{value[:3]}****{value[-4:]}" if len(value) >= 11 else "*" * len(value)
    if type == "id_card":
        return f"{value[0]}{'*' * (len(value) - 2)}{value[-1]}" if len(value) > 4 else "****"
    if type == "email" and "@" in value:
        return f"{value[0]}***@{value.rpartition('@')[2]}"
    if type in ("text", "longtext"):
        return f"{value[0]}*"
    return None
