"""The commands of platform/PRODUCTION.md, taken from the page itself."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "platform" / "PRODUCTION.md"
DEPLOY = ROOT / "platform" / "deploy"


def blocks() -> list[tuple[str, str]]:
    """Each block marked `sh`, with the heading it stands under."""
    found, heading = [], ""
    for part in re.split(r"(?ms)^(```sh\n.*?^```$|^## .*?$)", PAGE.read_text("utf-8")):
        if part.startswith("## "):
            heading = part.removeprefix("## ")
        elif part.startswith("```sh"):
            found.append((heading, part.removeprefix("```sh\n").removesuffix("```")))
    return found


def script() -> str:
    """All of it for one shell, which says where it is and stops at the first fault."""
    told = ["set -euo pipefail", "export DEBIAN_FRONTEND=noninteractive"]
    for heading, words in blocks():
        told += [f"echo '=== {heading}' >&2", "cd /root", words]
    return "\n".join(told)
