"""Pages of packs: those installed, those that come with Careloom, a plan in words, applying it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Flask, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from ..definitions.published import published
from ..definitions.understood import not_understood
from ..identity.permissions import allowed
from ..packs.apply import apply_pack
from ..packs.bring_in import judge, look
from ..packs.library import at_hand, shipped_pack
from ..packs.model import InstalledPack, PackObject
from ..packs.plan import ACTIONS, Plan, Step
from ..packs.read import Pack
from ..packs.rollback import last_apply, roll_back
from ..packs.story import Told
from ..packs.uploads import keep_upload, uploaded
from ..store.errors import Malformed, NotUnderstood, Problem, Refusal
from .body import number
from .context import local
from .differences import told as change_told
from .navigation import Place, add_places
from .packs_api import names
from .parts import Trouble
from .request import close_reading, current_database, language, reading, who, write
from .routes import route
from .story_words import story_json
from .told import said, told
from .words import phrase, say, say_or, text

area = Blueprint("packs", __name__)

COLOURS = {
    "add": "badge-ok",
    "upgrade": "badge-info",
    "take": "badge-info",
    "taken": "badge-late",
    "conflict": "badge-soon",
    "keep": "badge-soon",
    "remove": "badge-soon",
}


def plug_in(app: Flask) -> None:
    """The way to this page, for those who may read packs."""
    add_places(app, [Place("/packs", "package", "nav.packs", needs="packs.read", order=80)])


area.plug_in = plug_in  # type: ignore[attr-defined]


@route(area, "/packs", needs="packs.read", endpoint="packs")
def packs() -> ResponseReturnValue:
    """`pages/packs.html`: packs (key, title, version, at, parts,
    back: the version that rolling back leads to), may_apply, available (key, title, version,
    newer: than what is installed), problems: the definitions that this version cannot read."""
    session = reading()
    return _draw(session, [_fault_line(fault) for fault in not_understood(session)])


def _fault_line(fault: NotUnderstood) -> Trouble:
    words = said(fault.code, fault.params)
    where = " ".join(_line(problem).words for problem in fault.problems[:1])
    return Trouble(f"{words} ({where.strip()})")


def _draw(session: Session, problems: Sequence[Trouble]) -> str:
    tongue = language()
    installed = session.scalars(select(InstalledPack).order_by(InstalledPack.applied_at)).all()
    available = [
        {"key": pack.key, "title": _title(pack), "version": pack.version, "newer": here is not None}
        for pack, here in at_hand(session)
    ]
    return render_template(
        "pages/packs.html",
        packs=[
            {
                "title": text(row.manifest.get("title"), tongue) or row.key,
                "version": row.version,
                "at": local(row.applied_at),
                "parts": _parts(session, row.key),
                "key": row.key,
                "back": last.before if (last := last_apply(session, row.key)) else None,
            }
            for row in installed
        ],
        may_apply=allowed(session, who(), "packs.apply"),
        available=available,
        problems=problems,
    )


def _parts(session: Session, pack_key: str) -> list[str]:
    kinds = Counter(session.scalars(select(PackObject.kind).where(PackObject.pack == pack_key)))
    return [
        say(language(), "page.packs.part", kind=kind_words(kind), count=count)
        for kind, count in sorted(kinds.items())
    ]


def kind_words(kind: str) -> str:
    """A kind of definition in words; an area's own kind without words by its name."""
    return say_or(language(), f"page.packs.kind.{kind}", kind)


def _title(pack: Pack) -> str:
    return text(pack.manifest.get("title"), language()) or pack.key


@dataclass(frozen=True)
class _Chosen:
    """The pack that was asked for: of those that come with Careloom, or an upload by its id."""

    pack: Pack
    upload: int | None = None

    @property
    def named(self) -> dict[str, str]:
        """What the next page has to send to mean the same."""
        if self.upload is not None:
            return {"upload": str(self.upload)}
        return {"pack": self.pack.key}


def _chosen() -> _Chosen:
    """What the form chose. Raises NotFound, Malformed."""
    file = request.files.get("file")
    if file is not None and file.filename:
        upload, pack = keep_upload(current_database(), who(), file.stream)
        return _Chosen(pack, upload)
    if request.form.get("upload"):
        upload = number(request.form["upload"])
        return _Chosen(uploaded(current_database(), who(), upload), upload)
    return _Chosen(shipped_pack(request.form.get("pack", "")))


@route(area, "/packs/plan", methods=("POST",), needs="packs.apply", endpoint="plan")
def show_plan() -> ResponseReturnValue:
    """`pages/pack_plan.html`: title, version, before, steps (act, colour, title, kind, name,
    changes, powers, warnings, choose: may the pack's be taken), problems, counts, stories, passed,
    named (hidden fields), may_apply, nothing (it is installed just so), signed (state, by)."""
    try:
        chosen = _chosen()
    except Malformed as refusal:
        return _draw(reading(), told(refusal)), refusal.status
    close_reading()
    return _draw_plan(chosen, *look(current_database(), chosen.pack))


def _draw_plan(
    chosen: _Chosen, found: Plan, stories: Sequence[Told], refused: Sequence[Problem] = ()
) -> str:
    tongue, session = language(), reading()
    problems = [_line(problem) for problem in refused or found.problems]
    blocking = [problem for problem in found.problems if problem.code != "E_PACK_TAKEN"]
    return render_template(
        "pages/pack_plan.html",
        title=_title(chosen.pack),
        version=chosen.pack.version,
        before=found.before,
        steps=[_step(session, chosen.pack, step) for step in found.steps],
        counts=[
            say(tongue, "page.packs.part", kind=say(tongue, f"page.plan.act.{action}"), count=count)
            for action in ACTIONS
            if (count := found.count(action))
        ],
        stories=[story_json(tongue, each) for each in stories],
        passed=sum(each.passed for each in stories),
        problems=problems,
        named=chosen.named,
        signed=found.signed,
        nothing=not problems and found.count("same") == len(found.steps),
        may_apply=not blocking,
    )


def _step(session: Session, pack: Pack, step: Step) -> dict[str, Any]:
    tongue = language()
    at = step.kind, step.key
    document = pack.objects.get(at) or published(session, *at).document
    return {
        "act": say(tongue, f"page.plan.act.{step.action}"),
        "colour": COLOURS.get(step.action, ""),
        "title": _name(document),
        "kind": kind_words(step.kind),
        "name": f"{step.kind}/{step.key}",
        "changes": [change_told(tongue, change) for change in step.changes],
        "powers": [phrase(tongue, power) for power in step.powers],
        "warnings": list(
            dict.fromkeys(
                say(tongue, f"problem.{warning.code}", **warning.params)
                for warning in step.warnings
            )
        ),
        "choose": step.action in ("conflict", "keep", "taken"),
    }


def _name(document: Mapping[str, Any]) -> str:
    title = text(document.get("x-title") or document.get("title"), language())
    return title or str(document.get("key", ""))


def _line(problem: Problem) -> Trouble:
    words = said(problem.code, problem.params)
    return Trouble(f"{problem.path} {words}")


@route(area, "/packs/apply", methods=("POST",), needs="packs.apply", endpoint="apply")
def apply() -> ResponseReturnValue:
    """Carry the plan out, all of it or nothing."""
    chosen, actor = _chosen(), who()
    take = names(request.form.getlist("take"))
    despite = request.form.get("despite") == "yes"
    unsigned = request.form.get("despite_signature") == "yes"
    close_reading()
    try:
        _, stories = judge(current_database(), actor, chosen.pack, take, despite, unsigned)
        write(lambda session: apply_pack(session, actor, chosen.pack, take, stories))
    except Refusal as refusal:
        if not refusal.problems:
            raise
        plan, played = look(current_database(), chosen.pack)
        return _draw_plan(chosen, plan, played, refusal.problems), refusal.status
    flash(say(language(), "page.packs.applied", title=_title(chosen.pack)), "ok")
    return redirect("/packs", 303)


@route(area, "/packs/<key>/rollback", methods=("POST",), needs="packs.apply", endpoint="rollback")
def rollback(key: str) -> ResponseReturnValue:
    """Take the last apply back."""
    actor = who()
    try:
        taken = write(lambda session: roll_back(session, actor, key))
    except Refusal as refusal:
        return _draw(reading(), told(refusal)), refusal.status
    counts = {word: len(getattr(taken, word)) for word in ("back", "kept", "stay")}
    flash(say(language(), "page.packs.rolled_back", version=taken.version, **counts), "ok")
    return redirect("/packs", 303)
