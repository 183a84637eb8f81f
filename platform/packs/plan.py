"""A pack against what is installed -> the steps that applying it would take."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..definitions.check import check
from ..definitions.compare import Change, compare
from ..definitions.kinds import KINDS
from ..definitions.known import coming
from ..definitions.leaving import warnings
from ..definitions.powers import new_powers
from ..definitions.powers import told as said_of
from ..definitions.published import entries, published
from ..store.errors import Malformed, Phrase, Problem
from .model import InstalledPack, PackObject
from .read import Document, Pack
from .signers import Signed, signed

#: what a step does: add a new definition; upgrade one nobody changed here; same: nothing to do;
#: keep the local one, which was changed here and has not changed in the pack; conflict: both did,
#: and the local one is kept unless the pack's is taken; take: it is; taken: one of that key is
#: here and is not the pack's, which nobody overwrites unasked; remove: the pack no longer has it,
#: it stays in force here and is the clinic's own
ACTIONS = ("add", "upgrade", "take", "same", "keep", "conflict", "taken", "remove")
GOES_IN = ("add", "upgrade", "take")

Name = tuple[str, str]
"""A definition's kind and key."""


@dataclass(frozen=True)
class Step:
    """One definition's part of a plan. changes: from what is in force to what the pack brings.
    powers: what it will let happen that it does not yet (`definitions/powers`), in words. warnings:
    what it takes out of the reach of rights (`definitions/leaving`)."""

    action: str
    kind: str
    key: str
    changes: tuple[Change, ...] = ()
    powers: tuple[Phrase, ...] = ()
    warnings: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Plan:
    """What applying a pack will do. `before`: the version installed now, if any.

    problems: what keeps it from being applied; each path begins with the definition's place.
    signed: what its signature is worth.
    """

    pack: Pack
    before: str | None
    steps: tuple[Step, ...]
    problems: tuple[Problem, ...]
    signed: Signed

    def count(self, action: str) -> int:
        return sum(step.action == action for step in self.steps)


def plan(session: Session, pack: Pack, take: Collection[Name] = ()) -> Plan:
    """Compare, and check every document that goes in, and those changed here that stay, against
    the others as they are about to be.

    take: the definitions of which the pack's is wanted, although the local one was changed.
    """
    installed = session.get(InstalledPack, pack.key)
    problems = [*_requirements(session, pack), *_older(pack, installed)]
    steps = compared(session, pack, take)
    for step in steps:
        if step.action == "taken":
            problems.append(Problem(f"/{step.kind}s/{step.key}", "E_PACK_TAKEN"))
    with coming(going_in(pack, steps)):
        for number, step in enumerate(steps):
            if step.action in GOES_IN:
                document = pack.objects[step.kind, step.key]
                problems += (faults := _checked(session, step, document))
                if not faults:
                    new = new_powers(session, step.kind, document)
                    leaving = tuple(warnings(session, step.kind, document))
                    powers = tuple(said_of(session, new))
                    steps[number] = replace(step, powers=powers, warnings=leaving)
    problems += _broken(session, pack, steps)
    before = installed.version if installed else None
    return Plan(pack, before, tuple(steps), tuple(problems), signed(session, pack))


def compared(session: Session, pack: Pack, take: Collection[Name] = ()) -> list[Step]:
    """A pack against what is in force, unchecked."""
    in_force = {(entry.kind, entry.key) for entry in entries(session)}
    steps = [_step(session, pack, name, in_force, take) for name in ordered(pack)]
    return steps + _removed(session, pack)


def going_in(pack: Pack, steps: Collection[Step]) -> dict[Name, Document]:
    """The documents that will be in force; of those kept as they are here, none."""
    return {
        (step.kind, step.key): pack.objects[step.kind, step.key]
        for step in steps
        if step.action in GOES_IN
    }


def _checked(session: Session, step: Step, document: Document) -> list[Problem]:
    place = f"/{step.kind}s/{step.key}"
    return [
        Problem(place + problem.path, problem.code, problem.params)
        for problem in check(session, step.kind, document)
    ]


def _broken(session: Session, pack: Pack, steps: Collection[Step]) -> list[Problem]:
    """What was right about the definitions kept here, and no longer would be."""
    kept = [
        (step, dict(published(session, step.kind, step.key).document))
        for step in steps
        if step.action in ("keep", "conflict")
    ]
    before = [problem for each in kept for problem in _checked(session, *each)]
    with coming(going_in(pack, steps)):
        after = [problem for each in kept for problem in _checked(session, *each)]
    return [problem for problem in after if problem not in before]


def ordered(pack: Pack) -> list[Name]:
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


def _older(pack: Pack, installed: InstalledPack | None) -> Iterator[Problem]:
    """What was mended in a later version is not brought back by an older one that is good in all
    else; going back is `rollback`."""
    if installed is not None and version_of(pack.version) < version_of(installed.version):
        params = {"version": pack.version, "installed": installed.version}
        yield Problem("/pack.json/version", "E_PACK_OLDER", params)


def version_of(text: str) -> tuple[int, ...]:
    """ "0.10.2" -> (0, 10, 2)."""
    return tuple(int(part) for part in text.split(".") if part.isdigit())


def _step(
    session: Session, pack: Pack, name: Name, in_force: Collection[Name], take: Collection[Name]
) -> Step:
    if name not in in_force:
        return Step("add", *name)
    document = pack.objects[name]
    local = dict(published(session, *name).document)
    if local == document:
        return Step("same", *name)
    changes = tuple(compare(local, document))
    shipped = session.get(PackObject, name)
    if name in take:
        return Step("take", *name, changes)
    if shipped is None or shipped.pack != pack.key:
        return Step("taken", *name, changes)
    if local == shipped.document:
        return Step("upgrade", *name, changes)
    return Step("keep" if shipped.document == document else "conflict", *name, changes)


def _removed(session: Session, pack: Pack) -> list[Step]:
    query = select(PackObject.kind, PackObject.key).where(PackObject.pack == pack.key)
    rows = session.execute(query.order_by(PackObject.kind, PackObject.key))
    return [Step("remove", row.kind, row.key) for row in rows if tuple(row) not in pack.objects]
