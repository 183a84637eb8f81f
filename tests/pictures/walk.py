"""Every page there is, each in the states people meet it in.

`rule` is the route a picture shows, as the application writes it; test_walk.py keeps this whole.
"""

from dataclasses import dataclass

from .ways import (
    Way,
    at,
    by_hand,
    by_password,
    changed_pack,
    file,
    first,
    leads,
    posted,
    press,
    see,
    sign_in,
    then,
    to_fill,
)

FORM, RECORD = "/records/<form_key>", "/records/<form_key>/<id:record_id>"
EXPORT = "/exports/<id:export_id>"
TASK, INSTANCE = "/tasks/<id:task_id>", "/instances/<id:instance_id>"
REPORT, IMPORT = "/reports/<key>", "/records/<form_key>/import/<token>"
NOWHERE = "(no route)"
STALE = "document.querySelectorAll('[name=_revision]').forEach(each => each.value = 1)"
OPEN_ALL = "document.querySelectorAll('main details').forEach(each => each.open = true)"
CALENDAR = "/records/appointment?view=all&as=calendar&by=start_at&until=end_at"
RUN = "a[href^='/instances/']"
STUCK = f"{RUN}:has-text('客户提醒'), {RUN}:has-text('Customer alert')"


TRIED, MAIN = "/rehearse/den_lead_followup", "main form .button-main"
TOLD = f"{RUN}:has-text('登记到其他系统'), {RUN}:has-text('Told to other systems')"


@dataclass(frozen=True)
class Picture:
    """One page in one state. login: who sees it, empty for nobody; way: how to get there."""

    name: str
    rule: str
    login: str
    way: Way
    status: int = 200


DOOR = (
    Picture("sign-in", "/sign-in", "", at("/sign-in")),
    Picture(
        "sign-in-refused",
        "/sign-in",
        "",
        lambda page, clinic: sign_in(page, clinic.url, "nobody", "not-the-password"),
        status=401,
    ),
    Picture("sign-in-code", "/sign-in/code", "", by_password),
    Picture(
        "sign-in-code-refused",
        "/sign-in/code",
        "",
        then(
            by_password,
            press("details summary"),
            to_fill("#recovery", "aaaa-bbbb-cccc"),
            press("details .button"),
        ),
        status=401,
    ),
    Picture("invitation", "/invitation", "", at("{invitation}")),
    Picture("invitation-over", "/invitation", "", at("/invitation?token=gone"), status=404),
)
WORK = (
    Picture("work-list", "/", "agent", at("/")),
    Picture("work-list-desk", "/", "desk", at("/")),
    Picture("work-list-escalated", "/", "supervisor", at("/")),
    Picture("work-list-exports", "/", "manager", at("/")),
    Picture("work-list-empty", "/", "nurse", at("/")),
    Picture("task-call", TASK, "agent", at("{task_first_call}")),
    Picture(
        "task-refused",
        TASK,
        "agent",
        then(at("{task_first_call}"), press(".submit-bar .button-main"), see("#problems")),
    ),
    Picture("task-greet", TASK, "desk", at("{task_greet}")),
    Picture("task-pay", TASK, "desk", at("{task_pay}")),
    Picture("task-exam", TASK, "doctor", at("{task_exam}")),
    Picture("task-plan", TASK, "consultant", at("{task_present}")),
    Picture("task-approve", TASK, "manager", at("{task_approval}")),
    Picture("task-take-back", f"{TASK}/take-back", "consultant", at("{task_done}/take-back")),
    Picture("task-return", f"{TASK}/return", "consultant", at("{task_present}/return")),
    Picture("task-hand-over", f"{TASK}/hand-over", "agent", at("{task_first_call}/hand-over")),
    Picture("hand-over-approval", f"{TASK}/hand-over", "manager", at("{task_approval}/hand-over")),
    Picture("messages", "/messages", "manager", at("/messages")),
    Picture("messages-empty", "/messages", "nurse", at("/messages")),
    Picture("run", INSTANCE, "manager", first("{lead2}", RUN)),
    Picture("run-visit", INSTANCE, "manager", first("{visit4}", RUN)),
    Picture("run-stuck", INSTANCE, "manager", first("{lead0}", STUCK)),
    Picture("mending", "/incidents", "manager", at("/incidents")),
    Picture("work-list-mending", "/", "manager", at("/")),
    Picture("run-calls", INSTANCE, "manager", then(first("{lead1}", TOLD), by_hand(OPEN_ALL))),
    Picture("run-waiting", INSTANCE, "manager", first("{lead3}", TOLD)),
)
RECORDS = (
    Picture("forms", "/records", "manager", at("/records")),
    Picture("forms-none", "/records", "newcomer", at("/records")),
    Picture("records", FORM, "manager", at("/records/lead_intake?view=all")),
    Picture(
        "records-filtered",
        FORM,
        "manager",
        then(
            at("/records/lead_intake?view=all&w.channel=meituan&q=1"),
            press("details.filters > summary"),
        ),
    ),
    Picture(
        "records-none-found", FORM, "manager", at("/records/lead_intake?view=all&q=没有这个人")
    ),
    Picture("records-empty", FORM, "manager2", at("/records/den_exam_first")),
    *(
        Picture(f"records-{name}", FORM, login, at(f"/records/{form}"))
        for name, form, login in (
            ("customers", "customer_profile", "consultant"),
            ("appointments", "appointment", "nurse"),
            ("arrivals", "checkin", "desk"),
            ("calls", "followup_log", "agent"),
            ("exams", "den_exam_first", "doctor"),
            ("plans", "treatment_plan", "manager"),
            ("bills", "payment", "desk"),
        )
    ),
    Picture("records-masked", FORM, "nurse", at("/records/customer_profile")),
    Picture(
        "records-columns", FORM, "manager", then(at("/records/payment"), press("details.extra"))
    ),
    Picture("board", FORM, "manager", at("/records/lead_intake?view=all&as=board&by=status")),
    Picture("calendar-day", FORM, "desk", at(f"{CALENDAR}&rows=doctor&span=day")),
    Picture("calendar-week", FORM, "desk", at(f"{CALENDAR}&rows=doctor&span=week")),
    Picture("calendar-month", FORM, "desk", at(f"{CALENDAR}&span=month")),
    Picture("record", RECORD, "manager", at("{lead2}")),
    Picture("record-customer", RECORD, "consultant", at("{customer6}")),
    Picture("record-masked", RECORD, "nurse", at("{customer6}")),
    Picture("record-plan", RECORD, "manager", at("{present4}")),
    Picture("record-prints", RECORD, "doctor", then(at("{present4}"), press("details.prints"))),
    Picture("print", f"{RECORD}/print/<key>", "doctor", at("{present4}/print/plan_quote")),
    Picture(
        "print-consent",
        f"{RECORD}/print/<key>",
        "doctor",
        at("{present4}/print/den_treatment_consent"),
    ),
    Picture(
        "print-withheld",
        f"{RECORD}/print/<key>",
        "consultant",
        at("{present4}/print/den_treatment_consent"),
    ),
    Picture("record-past", RECORD, "manager", at("{lead6}?revision=1")),
    Picture("record-retired", RECORD, "supervisor", at("{gone}")),
    Picture("new-record", f"{FORM}/new", "agent", at("/records/lead_intake/new")),
    Picture("edit-record", f"{RECORD}/edit", "supervisor", at("{lead0}/edit")),
    Picture(
        "edit-stale",
        f"{RECORD}/edit",
        "supervisor",
        then(
            at("{lead0}/edit"),
            by_hand(STALE),
            press(".submit-bar .button-main"),
        ),
        status=412,
    ),
)
COME_IN = "/records/lead_intake/import"
LOOK = then(at(COME_IN), file("leads.csv", leads(slice(200, 320))), press("form .button-main"))
BROUGHT = then(LOOK, see(".counts"))
IMPORTS = (
    Picture("import", f"{FORM}/import", "supervisor", at(COME_IN)),
    Picture("import-looked-at", IMPORT, "supervisor", BROUGHT),
    Picture("import-columns", IMPORT, "supervisor", then(BROUGHT, press("details.fold"))),
    Picture("import-under-way", IMPORT, "supervisor", at("{importing}")),
    Picture("import-stopped", IMPORT, "supervisor", at("{stopped}")),
    Picture("import-done", IMPORT, "supervisor", at("{imported}")),
    Picture(
        "import-no-table",
        f"{FORM}/import",
        "supervisor",
        then(at(COME_IN), file("照片.xlsx", b"no table"), press("form .button-main")),
        status=422,
    ),
)
REPORTS = (
    Picture("reports", "/reports", "manager", at("/reports")),
    Picture("reports-none", "/reports", "newcomer", at("/reports")),
    Picture("report-bars", REPORT, "manager", at("/reports/leads_by_channel")),
    Picture("report-funnel", REPORT, "manager", at("/reports/channel_funnel?period=all")),
    Picture("report-leaders", REPORT, "manager", at("/reports/consultant_board?period=all")),
    Picture("report-times", REPORT, "manager", at("/reports/response_time?period=all")),
    Picture(
        "report-explained",
        REPORT,
        "manager",
        then(at("/reports/channel_funnel?period=all"), by_hand(OPEN_ALL)),
    ),
    Picture(
        "report-empty",
        REPORT,
        "manager",
        at("/reports/channel_funnel?period=custom&from=2020-01-01&until=2020-01-02"),
    ),
    Picture(
        "report-records",
        FORM,
        "manager",
        first("/reports/channel_funnel?period=all", ".funnel-count a"),
    ),
    Picture(
        "dashboard",
        "/reports/dashboards/<key>",
        "group",
        at("/reports/dashboards/leads?period=all"),
    ),
)
HOUSE = (
    Picture("packs", "/packs", "ops", at("/packs")),
    Picture(
        "pack-plan-nothing",
        "/packs/plan",
        "ops",
        then(at("/packs"), posted("/packs/plan", {"pack": "clinic"})),
    ),
    Picture(
        "pack-plan",
        "/packs/plan",
        "ops",
        then(
            at("/packs"),
            file("dental.zip", changed_pack()),
            press("form[enctype] .button-main"),
            see(".plan"),
            by_hand(OPEN_ALL),
        ),
    ),
    Picture("exports", "/exports", "manager", at("/exports")),
    Picture("exports-empty", "/exports", "nurse", at("/exports")),
    Picture(
        "export-ask",
        "/records/<form_key>/export/ask",
        "supervisor",
        at(
            "/records/lead_intake/export/ask?w.channel=meituan&w.channel=douyin&o.received_at=last_30"
        ),
    ),
    Picture("export-to-answer", EXPORT, "manager", at("{export_to_answer}")),
    Picture("export-narrow", EXPORT, "manager", at("{export_narrow}")),
    Picture("export-to-take", EXPORT, "supervisor", at("{export_to_take}")),
    Picture("export-refused", EXPORT, "supervisor", at("{export_refused}")),
    Picture("connections", "/connections", "admin", at("/connections")),
    Picture("connection", "/connections/<key>", "admin", at("/connections/his")),
    Picture("connection-new", "/connections/<key>", "admin", at("/connections/wecom")),
    Picture(
        "connection-tried",
        "/connections/<key>",
        "admin",
        then(at("/connections/finance"), press("[value=try]")),
    ),
    Picture("rehearsals", "/rehearse", "ops", at("/rehearse")),
    Picture("rehearsal", "/rehearse/<key>", "ops", then(at(TRIED), press(MAIN))),
    Picture("rehearsal-sample", "/rehearse/<key>", "ops", at(TRIED)),
    Picture(
        "rehearsal-sample-refused",
        "/rehearse/<key>",
        "ops",
        then(at(TRIED), to_fill("#f-name", ""), press(MAIN)),
    ),
    Picture(
        "rehearsal-late",
        "/rehearse/<key>",
        "ops",
        then(at(TRIED), press(MAIN), press("form:has([value='7d']) button")),
    ),
    Picture(
        "rehearsal-task-refused",
        "/rehearse/<key>",
        "ops",
        then(at(TRIED), press(MAIN), press(MAIN)),
    ),
    Picture("people", "/people", "admin", at("/people")),
    Picture("people-none-found", "/people", "admin", at("/people?q=nobody")),
    Picture("person", "/people/<id:person_id>", "admin", at("{agent}")),
    Picture("person-tasks", "/people/<id:person_id>/tasks", "supervisor", at("{agent}/tasks")),
    Picture("person-new", "/people/new", "admin", at("/people/new")),
    Picture(
        "person-refused",
        "/people/new",
        "admin",
        then(
            at("/people/new"),
            to_fill("#f-name", "李"),
            to_fill("#f-login", "agent"),
            press("form .button-main"),
        ),
        status=409,
    ),
    Picture("units", "/people/units", "admin", at("/people/units")),
    Picture("unit", "/people/units/<id:unit_id>", "admin", first("/people/units", ".plan a")),
    Picture("roles", "/people/roles", "admin", at("/people/roles")),
    Picture("role", "/people/roles/<role>", "admin", at("/people/roles/online_consultant")),
    Picture("why", "/people/<id:person_id>/why", "admin", at("{why}")),
    Picture("account", "/me", "agent", at("/me")),
    Picture(
        "account-token",
        "/me/tokens",
        "ops",
        then(
            at("/me"), to_fill("#f-title", "报表导出"), press("form[action='/me/tokens'] .button")
        ),
        status=201,
    ),
    Picture("second-factor", "/me/second-factor", "agent", at("/me/second-factor")),
    Picture("second-factor-led", "/me/second-factor", "led", at("/people")),
    Picture(
        "second-factor-refused",
        "/me/second-factor",
        "led",
        then(
            at("/me/second-factor"),
            to_fill("#f-code", "000000"),
            to_fill("#f-password", "not-the-password"),
            press("form .button-main"),
        ),
        status=422,
    ),
    Picture("trail", "/trail", "admin", at("/trail")),
    Picture("trail-found", "/trail", "admin", at("/trail?by=agent")),
)
TROUBLE = (
    Picture("not-allowed", "/people", "agent", at("/people"), status=403),
    Picture("not-found", NOWHERE, "agent", at("/no-such-page"), status=404),
    Picture("record-not-found", RECORD, "agent2", at("{lead2}"), status=404),
    Picture(
        "out-of-date",
        RECORD,
        "supervisor",
        then(at("{lead6}"), by_hand(STALE), press("details.fold summary"), press(".fold .button")),
    ),
    Picture("broken", "/broken", "agent", at("/broken"), status=500),
)
PICTURES = (*DOOR, *WORK, *RECORDS, *IMPORTS, *REPORTS, *HOUSE, *TROUBLE)
CHAPTERS = {
    "The door": DOOR,
    "Work": WORK,
    "Records": RECORDS,
    "Imports": IMPORTS,
    "Reports": REPORTS,
    "The house": HOUSE,
    "Trouble": TROUBLE,
}

#: States that draw what their route's first picture does not.
MORE = (
    "work-list-desk",
    "task-plan",
    "task-approve",
    "run-stuck",
    "records-filtered",
    "board",
    "calendar-day",
    "calendar-month",
    "record-customer",
    "edit-stale",
    "report-leaders",
    "rehearsal-sample",
    "not-allowed",
)


def each_route() -> list[Picture]:
    """One picture of every route, and a few more: what the gate looks at."""
    known: dict[str, Picture] = {}
    for one in PICTURES:
        known.setdefault(one.rule, one)
    return [one for one in PICTURES if one in known.values() or one.name in MORE]
