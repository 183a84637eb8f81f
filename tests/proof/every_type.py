"""The planted form with a field of each type that there is, and what each row holds in them.

Texts are searched for in answers: no value is in two rows, and none is part of another.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import make
from PIL import Image
from sqlalchemy.orm import Session

from careloom.platform.definitions.fields import FIELD_TYPES
from careloom.platform.identity.actor import SYSTEM
from careloom.platform.identity.people import add_person
from careloom.platform.identity.units import add_unit
from careloom.platform.records.submit import submit
from careloom.platform.store.bodies import Folder
from careloom.platform.store.files import Body, add_file, put_body

from .planted import COMPUTED, GUARDED, SECRET

ROWS = 12
TAGS = [f"Tag{n:02d}zz" for n in range(ROWS)]
#: beside those of `planted`, so that every type of field there is has one
FURTHER = {
    "count": make.field("number"),
    "weight": make.field("number", x_scale=3),
    "share": make.field("percent", x_scale=4),
    "tags": make.field("choices", x_options=make.fixed(*TAGS)),
    "agreed": make.field("yesno"),
    "hour": make.field("time"),
    "at": make.field("datetime"),
    "whose": make.field("person"),
    "ward": make.field("unit"),
    "mail": make.field("email"),
    "web": make.field("url"),
    "friend": make.link("friend"),
    "number": make.field("serial", x_serial="Serial{seq:5}zz"),
    "paper": make.field("file"),
    "photo": make.field("image"),
    "parts": make.rows({"part": make.field(), "price": make.field("money", x_scale=2)}),
}
KEYS = (*GUARDED, *FURTHER)
FRIEND = make.form("friend", {"name": make.field()}, x_label="name")
FORM = make.form(
    "secret",
    {**SECRET["properties"], **FURTHER},
    x_label="name",
    x_owner="owner",
    x_unit="unit",
)
assert {its["x-widget"] for its in FORM["properties"].values()} == set(FIELD_TYPES)


def bodies(home: Path) -> list[tuple[Body, Body]]:
    """A paper and a picture for each row, their bytes in place."""
    folder, made = Folder(home / "files"), []
    for n in range(ROWS):
        picture = BytesIO()
        Image.new("RGB", (2, 2)).save(picture, "PNG")
        paper = put_body(folder, f"Paper{n:02d}zz.pdf", BytesIO(b"%PDF-1.7\n"))
        made.append((paper, put_body(folder, f"Photo{n:02d}zz.png", picture)))
    return made


def further_of(session: Session, n: int, files: tuple[Body, Body], under: int) -> dict[str, Any]:
    """What is planted in a row's further fields, as JSON; people, units and records are made.

    under: the unit below which a row's own unit is made.
    """
    for body in files:
        add_file(session, body, None, None)
    friend = submit(session, SYSTEM, "friend", {"name": f"Friend{n:02d}zz"})
    return {
        "count": 730_011_000 + n * 37,
        "weight": f"{51_000 + n * 7}.4{n + 11}",
        "share": f"{6_100 + n * 3}.77{n + 11}",
        "tags": [TAGS[n]],
        "agreed": n % 3 == 0,
        "hour": f"{n + 3:02d}:47:{n + 13:02d}",
        "at": f"1993-{n + 1:02d}-19T07:41:{n + 17:02d}Z",
        "whose": str(add_person(session, SYSTEM, f"helper{n:02d}", f"Helper{n:02d}zz", under).id),
        "ward": str(add_unit(session, SYSTEM, f"W{n:02d}", f"Ward{n:02d}zz", "ward", under).id),
        "mail": f"mail{n:02d}zz@example.cn",
        "web": f"https://example.cn/page{n:02d}zz",
        "friend": str(friend.id),
        "paper": [files[0].id],
        "photo": [files[1].id],
        "parts": [{"part": f"Part{n:02d}zz", "price": f"{8_300 + n}.{n + 21}"}],
    }


def told_of(n: int, values: Mapping[str, Any]) -> Iterator[str]:
    """Every text that tells of a row's further fields: as JSON, and as files show it to people.

    What is yes or no has none, and is asked after by its name.
    """
    for key in ("count", "weight", "share", "hour", "at", "mail", "web", "number"):
        yield str(values[key])
    for key in ("whose", "ward", "friend"):
        yield from (values[key], f"{key_of(key)}{n:02d}zz")
    for key in ("paper", "photo"):
        yield from (values[key][0], f"{key.title()}{n:02d}zz")
    yield from (TAGS[n], values["parts"][0]["part"], values["parts"][0]["price"])
    at = datetime.fromisoformat(values["at"]).astimezone(ZoneInfo("Asia/Shanghai"))
    yield f"{at:%Y-%m-%d %H:%M}"


def asked_as(field: str, values: Mapping[str, Any]) -> str:
    """A planted value as a list's filter takes it."""
    value = values["name"].upper() if field == COMPUTED else values[field]
    if field == "share":
        return str(Decimal(value) * 100)
    if field == "at":
        return str(value)[:10]
    if isinstance(value, list):
        value = value[0]
    return str(value).lower() if isinstance(value, bool) else str(value)


def key_of(field: str) -> str:
    """How the names begin of what a field leads to."""
    return {"whose": "Helper", "ward": "Ward", "friend": "Friend"}[field]
