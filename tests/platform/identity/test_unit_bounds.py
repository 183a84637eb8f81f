"""What the organisation tree refuses: names nobody can read, levels without end."""

import make
import pytest

from careloom.platform.identity.actor import SYSTEM
from careloom.platform.identity.units import DEEPEST, add_unit, change_unit, move_unit
from careloom.platform.store.database import Database
from careloom.platform.store.errors import Invalid


@pytest.mark.parametrize("title", ["", "  ", "x" * 101, {}, {"fr": "x"}, {"en": ""}, {"en": 5}, []])
def test_a_unit_has_a_name_that_can_be_read(sqlite: Database, title: object) -> None:
    at = make.organisation(sqlite)
    with pytest.raises(Invalid):
        sqlite.write(lambda s: add_unit(s, SYSTEM, "X", title, "branch", at["R"]))
    with pytest.raises(Invalid):
        sqlite.write(lambda s: change_unit(s, SYSTEM, at["B1"], title))


def test_the_tree_grows_only_so_deep(sqlite: Database) -> None:
    at = make.organisation(sqlite)
    under = at["B1"]
    for level in range(DEEPEST - 3):
        under = sqlite.write(
            lambda s, n=level, u=under: add_unit(s, SYSTEM, f"L{n}", "Level", "room", u).id
        )
    for deed in (
        lambda s: add_unit(s, SYSTEM, "LX", "Level", "room", under).id,
        lambda s: move_unit(s, SYSTEM, at["B1"], at["B2"]),
    ):
        with pytest.raises(Invalid) as refusal:
            sqlite.write(deed)
        assert refusal.value.problems[0].code == "E_UNIT_DEEP"
