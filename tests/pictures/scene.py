"""The clinic that is pictured: past weeks behind it, and somebody's work at every desk.

It is a Thursday, five to ten. Leads of the days before wait at each step of the first visit, one
run is stuck, somebody was told something. All of it went through the doors that people take.
"""

import io
import time
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from served import PASSWORD, Site
from sqlalchemy import select
from sqlalchemy.orm import Session

from careloom.platform.definitions.publish import publish_document
from careloom.platform.events.model import Event, Handoff
from careloom.platform.identity import access_tokens, grants, invitations, second_factor, totp
from careloom.platform.identity.actor import SYSTEM, actor_of
from careloom.platform.identity.passwords import hashed
from careloom.platform.identity.people import add_person
from careloom.platform.identity.tree import unit_by_code
from careloom.platform.records.shape import shape_of
from careloom.platform.records.sheet import read_sheet
from careloom.platform.records.submit import retire
from careloom.platform.store.files import put_body
from careloom.platform.store.session import moment
from careloom.platform.web.routes import PUBLIC, route
from careloom.platform.web.uploads import bodies
from careloom.runtime.demo.present import write_present
from careloom.runtime.demo.write import write_past
from careloom.runtime.flows.follow import CONSUMER
from careloom.runtime.forms.carry import begin
from careloom.runtime.forms.import_pages import guessed
from careloom.runtime.forms.uploads import Upload, keep
from careloom.runtime.stories.cast import Cast
from careloom.runtime.stories.deeds import DEEDS, turn_to, work
from careloom.runtime.tasks.model import tasks
from careloom.runtime.tasks.worklist import worklist

from .asked import ask_for_exports
from .far import tell_others
from .ways import IN_TWO_STEPS, leads

SECRET = hashed(PASSWORD)
TODAY = "2026-03-05"
NOW = f"{TODAY}T09:55"
#: Who comes today: what each waits for, and what they want.
VISITORS = (
    ("陈建国", "greet", "den_implant_std"),
    ("李春燕", "register", "den_filling"),
    ("周小满", "exam", "den_scaling"),
    ("吴思远", "present", "den_implant_std"),
    ("郑雅文", "approval", "den_implant_full"),
    ("孙浩然", "pay", "den_crown_zir"),
    ("何丽娜", "nothing", "den_scaling"),
)
VISIT = ("greet", "register", "exam", "present", "pay")
BEFORE = {
    **{step: VISIT[:at] for at, step in enumerate(VISIT)},
    "approval": VISIT[:4],
    "nothing": VISIT,
}
EXAM = {
    "complexity": "c2",
    "diagnosis": ["K08_1"],
    "doctor_advice": "建议种植修复，术前拍 CBCT",
    "face_symmetry": "normal",
    "mouth_opening_mm": 40,
    "mucosa": "normal",
    "risk_caries": "low",
    "risk_perio": "low",
    "tmj": ["normal"],
}
PLAN = {
    "decision": "accept",
    "diagnosis": "牙列缺损",
    "goals": "恢复咀嚼功能",
    "limits": "不做则邻牙移位",
    "risks": "已当面说明",
}
#: Flows of the pictures' own, begun by hand: one tells its readers, one cannot go on.
NEWS = {
    "format": 1,
    "key": "news",
    "title": {"zh-CN": "客户提醒", "en": "Customer alert"},
    "subject": "lead_intake",
    "steps": [
        {
            "key": "tell",
            "kind": "notify",
            "title": {"zh-CN": "通知同事", "en": "Tell colleagues"},
            "text": {
                "zh-CN": "客户来电要求改到下周，请先确认医生排班再回复。",
                "en": "The customer asks to come next week instead: see who is free, then answer.",
            },
            "who": [
                {"key": "agents", "role": "online_consultant"},
                {"key": "boss", "role": "clinic_manager"},
            ],
        },
        {
            "key": "blank",
            "kind": "action",
            "title": {"zh-CN": "清空渠道", "en": "Clear the channel"},
            "do": [{"key": "cleared", "action": "set", "values": {"channel": "NULL"}}],
        },
        {"key": "end", "kind": "end"},
    ],
}


def prepare(site: Site, days: int) -> dict[str, str]:
    """Make the day; days: how many before it. Returns addresses that no link leads to, by name."""
    cast = Cast(site.database, ZoneInfo("Asia/Shanghai"))
    write_past(site.database, days, cast.moment(NOW), lambda _done, _all: None)
    for number, (name, _, project) in enumerate(VISITORS):
        _invited(cast, number, name, project)
    stopped = _carried(site, "stopped")
    turn_to(cast, cast.moment(NOW))
    write_present(site.database, cast.clock.now())
    for number, (name, until, _) in enumerate(VISITORS):
        _visits(cast, number, name, until)
    site.bring_leads(14)
    site.database.write(lambda session: publish_document(session, SYSTEM, "flow", NEWS))
    _do(cast, "start", "news", key="told", of="lead0")
    tell_others(site.app, site.database, *(cast.records[f"lead{n}"][1] for n in (1, 3)))
    gone = _lead("重复登记", 90, "den_scaling")
    _do(cast, "submit", "lead_intake", key="gone", values=gone, unit="R1-B01")
    route(site.app, "/broken", needs=PUBLIC)(_broken)
    imports = {
        "stopped": stopped,
        "importing": _carried(site, "importing"),
        "imported": _imported(site),
    }
    exports = ask_for_exports(site)
    return {**site.database.write(lambda s: _places(s, cast)), **imports, **exports}


def _broken() -> str:
    """A page of the pictures' own that fails, as none should."""
    raise RuntimeError("the pictures want an error that nobody expected")


def _upload(site: Site, name: str, rows: slice) -> Upload:
    """A file of the supervisor's, to be brought in."""
    content, actor = leads(rows), site.actor("supervisor")
    with site.app.app_context():
        home = bodies()
    body = put_body(home, f"{name}.csv", io.BytesIO(content))
    sheet = read_sheet(f"{name}.csv", content)
    assert actor.person_id is not None
    args = (site.database, home, body, actor.person_id, actor.unit_id, "lead_intake", sheet)
    return keep(*args)


def _carried(site: Site, name: str) -> str:
    """A file that somebody is writing just now; its page."""
    upload = _upload(site, name, slice(1, 400))
    upload.take({**upload.note(), "state": "writing", "done": 320, "of": 800}, anew=True)
    return f"/records/lead_intake/import/{upload.token}"


def _imported(site: Site) -> str:
    """A file that was brought in; its page."""
    upload = _upload(site, "imported", slice(420, 440))
    with site.database.read() as session:
        form = shape_of(session, "lead_intake").form
    begin(upload, guessed(form, upload.sheet()), write=True, good=True)
    while upload.note()["state"] == "writing":
        time.sleep(0.1)
    site.work()
    return f"/records/lead_intake/import/{upload.token}"


def _do(cast: Cast, deed: str, what: str, **item: Any) -> None:
    """One deed of a story, and everything that follows from it."""
    DEEDS[deed](cast, {deed: what, **item})
    work(cast)


def _invited(cast: Cast, number: int, name: str, project: str) -> None:
    """A lead that was called and has an appointment."""
    lead, values = f"lead{number}", _lead(name, number, project)
    _do(cast, "submit", "lead_intake", key=lead, values=values, unit="R1-B01")
    call = {
        "result": "answered",
        "summary": "想尽快检查，周四上午方便",
        "grade_after": "B",
        "next_action": "invite",
        "next_at": "2026-03-04T10:00",
    }
    _do(
        cast, "complete", "first_call", key=f"call{number}", of=lead, values=call, **{"as": "agent"}
    )
    start = {"start_at": f"{TODAY}T{10 + number // 2:02}:{30 * (number % 2):02}"}
    visit = {"key": f"visit{number}", "of": lead, "outcome": "booked", "values": start}
    _do(cast, "complete", "invite", **visit, **{"as": "agent"})


def _lead(name: str, number: int, project: str) -> dict[str, Any]:
    return {
        "channel": ("meituan", "douyin", "dianping")[number % 3],
        "consent_privacy": True,
        "mobile": f"1990000{4000 + number}",
        "name": name,
        "pack_kind": "dental",
        "project": [project],
        "received_at": "2026-03-03T10:00",
    }


def _visits(cast: Cast, number: int, name: str, until: str) -> None:
    """The customer arrives and goes through the steps before this one."""
    visit, customer = f"visit{number}", f"customer{number}"
    mobile = f'mobile = "{_lead(name, number, "")["mobile"]}"'
    _do(cast, "find", "customer_profile", key=customer, where=mobile)
    arrival = {
        "appointment": {"$record": visit},
        "customer": {"$record": customer},
        "how_know": "meituan",
        "id_checked": True,
        "privacy_signed": True,
        "triage": "den_general",
        "visit_kind": "first",
    }
    _do(cast, "submit", "checkin", key=f"arrival{number}", values=arrival, **{"as": "desk"})
    deeds = _deeds(large=until == "approval")
    for step in BEFORE[until]:
        login, values = deeds[step]
        item = {"key": f"{step}{number}", "of": visit, "values": values, "as": login}
        _do(cast, "complete", step, **item)
    if until in ("present", "pay"):
        _do(cast, "claim", until, of=visit, **{"as": deeds[until][0]})


def _deeds(large: bool) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """Who does each step of a visit, and what they fill in; a large plan needs approval."""
    listed, net = ("28000.00", "26600.00") if large else ("9800.00", "9310.00")
    implant = {"item": "den_implant_std", "site": "46", "list_price": listed, "discount": "0.05"}
    items = [{**implant, "qty": "1", "phase": 1, "visits": 4, "est_weeks": 16}]
    return {
        "greet": ("desk", {}),
        "register": ("desk", {"birth_date": "1988-08-08"}),
        "exam": ("doctor", EXAM),
        "present": ("consultant", {**PLAN, "items": items}),
        "pay": ("desk", {"methods": [{"method": "wechat", "amount": net}], "status": "paid"}),
    }


def _places(session: Session, cast: Cast) -> dict[str, str]:
    """Somebody who is invited, a record out of sight; where those and others are found."""
    unit = unit_by_code(session, "R1-B01").id
    add_person(session, SYSTEM, "newcomer", "白露", unit, SECRET)
    invited = add_person(session, SYSTEM, "invited", "林小雨", unit)
    _in_two_steps(session, unit)
    token = invitations.invite(session, SYSTEM, invited.id).token
    agent = cast.person(session, "agent")
    access_tokens.issue(session, SYSTEM, agent, "排班表同步")
    retire(session, SYSTEM, *cast.records["gone"])
    found = {name: f"/records/{form}/{key}" for name, (form, key) in cast.records.items()}
    lead = cast.records["lead2"][1]
    ours = {key for _, key in cast.records.values()}  # the demo has visitors of its own today
    for login in ("agent", "desk", "doctor", "consultant", "manager"):
        rows = worklist(session, cast.actor(session, login)).items
        for row in sorted(rows, key=lambda row: row.subject_id not in ours):
            found.setdefault(f"task_{row.step_key}", f"/tasks/{row.id}")
            if row.step_key == "approval":  # what was presented, and nobody has judged yet
                done = tasks.c.instance_id == row.instance_id, tasks.c.step_key == "present"
                presented = session.scalars(select(tasks.c.id).where(*done)).one()
                found.setdefault("task_done", f"/tasks/{presented}")
    why = f"/people/{agent}/why?form=lead_intake&record={lead}"
    _set_aside(session, lead)
    return {
        **found,
        "invitation": f"/invitation?token={token}",
        "why": why,
        "agent": f"/people/{agent}",
    }


def _set_aside(session: Session, lead: int) -> None:
    """As a worker leaves an event of this lead that it could not follow up."""
    event = select(Event.id).where(Event.subject_kind == "form:lead_intake")
    number = session.scalars(event.where(Event.subject_id == lead).order_by(Event.id)).first()
    its = {"subject_kind": "form:lead_intake", "subject_id": lead, "due_at": moment(session)}
    error = "DefinitionError: E_STEP_KIND at /steps/0"
    handoff = Handoff(event_id=number, consumer=CONSUMER, **its, tries=5, error=error)
    handoff.parked_at = moment(session)
    session.add(handoff)


def _in_two_steps(session: Session, unit: int) -> None:
    """People who sign in in two steps, and somebody who must and has yet to begin."""
    secret = totp.new_secret()
    code = totp.code_at(secret, totp.step_of(moment(session)))
    for login in IN_TWO_STEPS:
        careful = add_person(session, SYSTEM, login, "沈静", unit, SECRET)
        second_factor.set_up(session, actor_of(session, careful.id), secret, code, [])
    title = {"zh-CN": "财务", "en": "Accounts"}
    role = {"format": 1, "key": "accounts", "title": title, "second_factor": True}
    publish_document(session, SYSTEM, "role", role)
    led = add_person(session, SYSTEM, "led", "方文", unit, SECRET)
    grants.give(session, SYSTEM, led.id, "accounts", unit)
