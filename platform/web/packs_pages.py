"""Pages of packs: those installed, those that come with Careloom, a plan in words, applying it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from ..identity.permissions import allowed
from ..packs.apply import apply_pack
from ..packs.model import InstalledPack, PackObject
from ..packs.plan import Plan, plan, version_of
from ..packs.read import Pack, read_pack
from ..store.errors import NotFound, Problem, Refusal
from .context import local
from .navigation import Place, add_places
from .request import language, reading, who, write
from .routes import route
from .words import knows, say, text

area = Blueprint("packs", __name__)

SHIPPED = Path(__file__).resolve().parents[2] / "blueprints"
COLOURS = {
    "add": "badge-ok",
    "upgrade": "badge-info",
    "conflict": "badge-late",
    "keep": "badge-soon",
}


def plug_in(app: Flask) -> None:
    """The way to this page, for those who may read packs."""
    add_places(app, [Place("/packs", "package", "nav.packs", needs="packs.read", order=80)])


area.plug_in = plug_in  # type: ignore[attr-defined]


def shipped() -> dict[str, Path]:
    """The packs that come with Careloom: key -> folder."""
    return {path.parent.name: path.parent for path in sorted(SHIPPED.glob("*/pack.json"))}


@route(area, "/packs", needs="packs.read", endpoint="packs")
def packs() -> ResponseReturnValue:
    """`pages/packs.html`: packs (title, version, at, parts), may_apply, available (key, title,
    version), problems."""
    session = reading()
    return _draw(session, [])


def _draw(session: Session, problems: Sequence[dict[str, str]]) -> str:
    tongue = language()
    installed = session.scalars(select(InstalledPack).order_by(InstalledPack.applied_at)).all()
    versions = {row.key: row.version for row in installed}
    available = []
    for key, folder in shipped().items():
        pack = read_pack(folder)
        if key not in versions or version_of(pack.version) > version_of(versions[key]):
            available.append({"key": key, "title": _title(pack), "version": pack.version})
    return render_template(
        "pages/packs.html",
        packs=[
            {
                "title": text(row.manifest.get("title"), tongue) or row.key,
                "version": row.version,
                "at": local(row.applied_at),
                "parts": _parts(session, row.key),
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
    key = f"page.packs.kind.{kind}"
    return say(language(), key) if knows(language(), key) else kind


def _title(pack: Pack) -> str:
    return text(pack.manifest.get("title"), language()) or pack.key


def _chosen() -> Pack:
    """The pack that was asked for. Raises NotFound, Malformed."""
    folder = shipped().get(request.form.get("pack", ""))
    if folder is None:
        raise NotFound()
    return read_pack(folder)


@route(area, "/packs/plan", methods=("POST",), needs="packs.apply", endpoint="plan")
def show_plan() -> ResponseReturnValue:
    """`pages/pack_plan.html`: title, version, before, steps (act, colour, title, kind), problems,
    counts, pack (its key), may_apply, nothing (it is installed just so)."""
    pack = _chosen()
    return _draw_plan(plan(reading(), pack))


def _draw_plan(found: Plan, refused: Sequence[Problem] = ()) -> str:
    tongue = language()
    steps = [
        {
            "act": say(tongue, f"page.plan.act.{step.action}"),
            "colour": COLOURS.get(step.action, ""),
            "title": _name(found.pack.objects[step.kind, step.key]),
            "kind": kind_words(step.kind),
        }
        for step in found.steps
    ]
    problems = [_line(problem) for problem in refused or found.problems]
    return render_template(
        "pages/pack_plan.html",
        title=_title(found.pack),
        version=found.pack.version,
        before=found.before,
        steps=steps,
        counts=[
            say(tongue, "page.packs.part", kind=say(tongue, f"page.plan.act.{action}"), count=count)
            for action in ("add", "upgrade", "same", "keep", "conflict")
            if (count := found.count(action))
        ],
        problems=problems,
        pack=found.pack.key,
        nothing=not problems and found.count("same") == len(found.steps),
        may_apply=not problems and not found.count("conflict"),
    )


def _name(document: dict[str, Any]) -> str:
    return text(document.get("x-title") or document.get("title"), language()) or document["key"]


def _line(problem: Problem) -> dict[str, str]:
    words = say(language(), f"problem.{problem.code}", **problem.params)
    return {"key": "", "title": "", "words": f"{problem.path} {words}"}


@route(area, "/packs/apply", methods=("POST",), needs="packs.apply", endpoint="apply")
def apply() -> ResponseReturnValue:
    """Carry the plan out, all of it or nothing."""
    pack, actor = _chosen(), who()
    try:
        write(lambda session: apply_pack(session, actor, pack))
    except Refusal as refusal:
        if not refusal.problems:
            raise
        return _draw_plan(plan(reading(), pack), refusal.problems), refusal.status
    flash(say(language(), "page.packs.applied", title=_title(pack)), "ok")
    return redirect("/packs", 303)
