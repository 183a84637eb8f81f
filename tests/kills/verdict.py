"""Lost or doubled? Asked of the database in plain SQL, past the application's own code."""

from dataclasses import dataclass, field

from sqlalchemy import Engine, create_engine, text

from .acknowledged import Acknowledged

FLOW = "den_lead_followup"


@dataclass
class Verdict:
    """Sentences, one for each thing lost, doubled, or left in a state nobody moves on from."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        return not (self.lost or self.doubled or self.stuck)


DOUBLED = {
    "lead by channel and id": """
        SELECT channel || ' ' || external_id FROM form_lead_intake
        WHERE external_id IS NOT NULL GROUP BY channel, external_id HAVING count(*) > 1""",
    "lead by name and mobile": """
        SELECT name || ' ' || mobile FROM form_lead_intake GROUP BY name, mobile
        HAVING count(*) > 1""",
    "customer": """
        SELECT name || ' ' || mobile FROM form_customer_profile GROUP BY name, mobile
        HAVING count(*) > 1""",
    "instance": """
        SELECT CAST(subject_id AS VARCHAR(20)) FROM instance WHERE flow_key = :flow
        GROUP BY subject_id HAVING count(*) > 1""",
    "submission": """
        SELECT subject_kind || ' ' || CAST(subject_id AS VARCHAR(20)) FROM event
        WHERE name = 'record:submitted' GROUP BY subject_kind, subject_id HAVING count(*) > 1""",
    "task": """
        SELECT CAST(t.instance_id AS VARCHAR(20)) || ' ' || t.step_key FROM task t
        GROUP BY t.instance_id, t.token_id, t.step_key HAVING count(*) > (
            SELECT count(*) FROM step_taken s WHERE s.instance_id = t.instance_id
            AND s.token_id = t.token_id AND s.step_key = t.step_key)""",
    "follow-up of one task": """
        SELECT CAST(record_id AS VARCHAR(20)) FROM task
        WHERE record_id IS NOT NULL AND form_key = 'followup_log'
        GROUP BY record_id HAVING count(*) > 1""",
    "appointment of one task": """
        SELECT CAST(record_id AS VARCHAR(20)) FROM task
        WHERE record_id IS NOT NULL AND form_key = 'appointment'
        GROUP BY record_id HAVING count(*) > 1""",
}
STUCK = {
    "lead without an instance": """
        SELECT CAST(_id AS VARCHAR(20)) FROM form_lead_intake
        WHERE pack_kind = 'dental' AND _id NOT IN (
            SELECT subject_id FROM instance WHERE flow_key = :flow)""",
    "instance that waits for nobody": """
        SELECT CAST(i.id AS VARCHAR(20)) FROM instance i WHERE i.state = 'running'
        AND NOT EXISTS (SELECT 1 FROM task t WHERE t.instance_id = i.id AND t.state = 'open')
        AND NOT EXISTS (SELECT 1 FROM timer m WHERE m.instance_id = i.id)""",
    "incident": """
        SELECT CAST(instance_id AS VARCHAR(20)) || ' ' || code FROM incident
        WHERE closed_at IS NULL""",
    "handoff": "SELECT CAST(event_id AS VARCHAR(20)) || ' ' || consumer FROM handoff",
    "event that is not sealed": "SELECT CAST(id AS VARCHAR(20)) FROM event WHERE seq IS NULL",
    "follow-up that no task knows": """
        SELECT CAST(_id AS VARCHAR(20)) FROM form_followup_log WHERE _id NOT IN (
            SELECT record_id FROM task WHERE record_id IS NOT NULL)""",
}


def judge(url: str, acknowledged: Acknowledged) -> Verdict:
    """Look at a database in which all work is done."""
    engine = _engine(url)
    verdict = Verdict()
    try:
        for what, query in DOUBLED.items():
            verdict.doubled += [f"{what}: {which}" for which in _column(engine, query)]
        for what, query in STUCK.items():
            verdict.stuck += [f"{what}: {which}" for which in _column(engine, query)]
        verdict.lost = _lost(engine, acknowledged)
    finally:
        engine.dispose()
    return verdict


def absent(url: str, leads: set[int]) -> list[str]:
    """Which of these leads are not there: the one question that is cheap enough for every kill."""
    if not leads:
        return []
    engine = _engine(url)
    try:
        numbers = ", ".join(str(int(lead)) for lead in leads)
        there = _column(engine, f"SELECT _id FROM form_lead_intake WHERE _id IN ({numbers})")
    finally:
        engine.dispose()
    return [f"lead {one}" for one in sorted(leads - {int(one) for one in there})]


def _engine(url: str) -> Engine:
    return create_engine(url.replace("postgresql://", "postgresql+psycopg://"))


def _lost(engine: Engine, acknowledged: Acknowledged) -> list[str]:
    leads = {int(one) for one in _column(engine, "SELECT _id FROM form_lead_intake")}
    rows = set(_column(engine, "SELECT external_id FROM form_lead_intake"))
    done = "SELECT id, record_id FROM task WHERE state = 'done'"
    with engine.connect() as connection:
        tasks = {int(task): record for task, record in connection.execute(text(done))}
    records: set[int | None] = {None} | leads
    for form in ("followup_log", "appointment"):
        records |= {int(one) for one in _column(engine, f"SELECT _id FROM form_{form}")}
    lost = [f"lead {one}" for one in sorted(acknowledged.leads - leads)]
    lost += [f"row of a file {one}" for one in sorted(acknowledged.file_rows - rows)]
    for task, record in acknowledged.tasks.items():
        if task not in tasks or tasks[task] != record or record not in records:
            lost.append(f"task {task} with record {record}")
    return lost


def _column(engine: Engine, query: str) -> list[str]:
    with engine.connect() as connection:
        parameters = {"flow": FLOW} if ":flow" in query else {}
        return [one for (one,) in connection.execute(text(query), parameters)]
