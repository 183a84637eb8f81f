"""A file's name as it may be kept and shown: one line, no path, nothing that turns it round."""

import re
import unicodedata

LONGEST = 200
NAMELESS = "file"
#: what a folder of one system or another does not take in a name
_FORBIDDEN = re.compile(r'[<>:"|?*]')
#: names that are devices on Windows, whatever their ending
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?=\.|$)", re.IGNORECASE)


def clean_name(given: str | None) -> str:
    """The name without its path, without control, bidi and unseen characters, 200 at most.

    `..\\invoice\\u202efdp.exe` -> `invoicefdp.exe`: what is shown ends as the file really ends.
    """
    letters = (
        letter
        for letter in unicodedata.normalize("NFC", given or "")
        if unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
    )
    last = re.split(r"[/\\]", "".join(letters))[-1]
    name = _FORBIDDEN.sub("_", " ".join(last.split())).strip(" .")
    if _DEVICE.match(name):
        name = "_" + name
    stem, dot, ending = name.rpartition(".")
    if len(name) > LONGEST and dot and len(ending) < 20:
        name = stem[: LONGEST - len(ending) - 1].rstrip() + dot + ending
    return name[:LONGEST] or NAMELESS
