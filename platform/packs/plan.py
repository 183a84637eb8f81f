"""A pack against what is installed -> the steps that applying it would take."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from ..definitions.check import check
from ..definitions.kinds import KINDS
from ..definitions.known import coming
from ..definitions.published import entries, published
from ..store.errors import Malformed, Problem
from .model import InstalledPack, PackObject
from .read import Pack

#: what a step does: add a new definition; upgrade one nobody changed here; same: nothing to do;
#: keep the local one, which was changed here and has not changed in the pack; conflict: both did
ACTIONS = ("add", "upgrade", "same", "keep", "conflict")


@dataclass(frozen=True)
class Step:
    """One definition's part of a plan."""

    action: str
    kind: str
    key: str


@dataclass(frozen=True)
class Plan:
    """What applying a pack will do. `before`: the version installed now, if any.

    problems: what keeps it from being applied; each path begins with the definition's place.
    """

    pack: Pack
    before: str | None
    steps: tuple[Step, ...]
    problems: tuple[Problem, ...]

    def count(self, action: str) -> int:
        return sum(step.action == action for step in self.steps)


def plan(session: Session, pack: Pack) -> Plan:
    """Compare, and check every document against the others as they are about to be."""
    installed = session.get(InstalledPack, pack.key)
    problems = _requirements(session, pack)
    in_force = {(entry.kind, entry.key): entry.version for entry in entries(session)}
    steps = []
    with coming(pack.objects):
        for kind, key in ordered(pack):
            document = pack.objects[kind, key]
            steps.append(Step(_action(session, pack, kind, key, in_force), kind, key))
            for problem in check(session, kind, document):
                place = f"/{kind}s/{key}{problem.path}"
                problems.append(Problem(place, problem.code, problem.params))
    return Plan(pack, installed.version if installed else None, tuple(steps), tuple(problems))


def ordered(pack: Pack) -> list[tuple[str, str]]:
    """What a definition rests on comes before it; tables in key order, lest two wait crosswise."""
    unknown = sorted({kind for kind, _ in pack.objects} - set(KINDS))
    if unknown:
        raise Malformed("E_PACK", [Problem("", "E_PACK_KIND", {"kind": unknown[0]})])
    return sorted(pack.objects, key=lambda at: (KINDS[at[0]].order, at[1]))


def _requirements(session: Session, pack: Pack) -> list[Problem]:
    problems = []
    for key, wanted in sorted(pack.manifest.get("requires", {}).items()):
        least = str(wanted).removeprefix(">=")
        installed = session.get(InstalledPack, key)
        if installed is None or version_of(installed.version) < version_of(least):
            params = {"pack": key, "version": least}
            problems.append(Problem("/pack.json/requires", "E_PACK_REQUIRES", params))
    return problems


def version_of(text: str) -> tuple[int, ...]:
    """ "0.10.2" -> (0, 10, 2)."""
    return tuple(int(part) for part in text.split(".") if part.isdigit())


def _action(
    session: Session, pack: Pack, kind: str, key: str, in_force: dict[tuple[str, str], int]
) -> str:
    now = in_force.get((kind, key))
    if now is None:
        return "add"
    document = pack.objects[kind, key]
    shipped = session.get(PackObject, (kind, key))
    local = published(session, kind, key).document
    if local == document:
        return "same"
    if shipped is None or shipped.pack != pack.key:
        return "conflict"
    changed_here = local != shipped.document
    if not changed_here:
        return "upgrade"
    return "keep" if shipped.document == document else "conflict"
