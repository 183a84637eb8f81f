"""Exports that were asked for: one waits, one was allowed, one was not."""

from served import Site
from sqlalchemy.orm import Session

from careloom.platform.exports.ask import answer, ask
from careloom.platform.exports.question import Question
from careloom.platform.records.narrow import Condition

REASONS = {
    "export_to_answer": "三月种植节名单，交给短信平台发一次邀约，发完即删除。",
    "export_to_take": "节后回访，网电组内部使用，一周后删除。",
    "export_refused": "备份到自己的电脑。",
}


def ask_for_exports(site: Site) -> dict[str, str]:
    """The page of each, by name."""
    boss, manager = site.actor("supervisor"), site.actor("manager")
    question = Question(
        "lead_intake",
        "xlsx",
        sort=("-received_at",),
        where="lead_score >= 0",
        conditions=(
            Condition("owner", "is", ("me", str(site.actor("agent").person_id))),
            Condition("channel", "not", ("douyin",)),
        ),
    )
    everything = Question("lead_intake", "csv")

    def deed(session: Session) -> dict[str, str]:
        made = {
            name: ask(session, boss, everything, reason, free=0).id
            for name, reason in REASONS.items()
        }
        answer(session, manager, made["export_to_take"], True, "只在店内用，周五前删除")
        answer(session, manager, made["export_refused"], False, "请用系统里的名单")
        made["export_narrow"] = ask(session, boss, question, "核对网电组的客户", free=0).id
        return {name: f"/exports/{number}" for name, number in made.items()}

    return site.database.write(deed)
