"""Leads of a day that is over, with all that came of them; the same for the same seed.

Rates per channel are those of `blueprints/demo_leads.json`: the share of leads, then each step on
condition of the one before. Whatever would lie after `until` has not happened yet.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from random import Random
from typing import Any

Values = dict[str, Any]
STEPS = ("contacted", "invited", "arrived", "consulted", "deal")


@dataclass
class Story:
    """One lead and what came of it: JSON-shaped values by form, links left out.

    calls: follow-up logs in order. appointment, checkin, plan, payment: empty where it did not
    come to that. people: which of the branch's people stand in which field.
    """

    customer: Values
    lead: Values
    calls: list[Values] = field(default_factory=list)
    appointment: Values = field(default_factory=dict)
    checkin: Values = field(default_factory=dict)
    plan: Values = field(default_factory=dict)
    payment: Values = field(default_factory=dict)


def stories(
    content: Mapping[str, Any], seed: int, branch: str, day: date, until: datetime, zone: tzinfo
) -> Iterator[Story]:
    """The leads of a branch's day, in the order they came in."""
    chance = Random(f"{seed}/{branch}/{day}")  # nosec B311 # the same each time
    expected = content["leads_a_day"] * content["weekdays"][day.weekday()]
    count = int(expected) + (chance.random() < expected % 1)
    moments = sorted(_moment(content, chance, day, zone) for _ in range(count))
    for number, at in enumerate(moments):
        yield _Life(content, chance, f"demo-{branch}-{day}-{number}", at, until).story()


def _moment(content: Mapping[str, Any], chance: Random, day: date, zone: tzinfo) -> datetime:
    hours = content["hours"]
    hour = int(chance.choices(list(hours), list(hours.values()))[0])
    return datetime.combine(day, time(hour, chance.randrange(60)), zone)


class _Life:
    """Lives one lead through, step by step, until it is lost or the present is reached."""

    def __init__(
        self, content: Mapping[str, Any], chance: Random, key: str, at: datetime, until: datetime
    ) -> None:
        self.content, self.chance, self.at, self.until = content, chance, at, until
        channels = content["channels"]
        weights = [rates[0] for rates in channels.values()]
        self.channel = chance.choices(list(channels), weights)[0]
        self.rates = dict(zip(STEPS, channels[self.channel][1:], strict=True))
        projects = content["projects"]
        weights = [about[0] for about in projects.values()]
        self.project = chance.choices(list(projects), weights)[0]
        self.made = Story(*self._person(key))

    def _person(self, key: str) -> tuple[Values, Values]:
        chance, content = self.chance, self.content
        name = chance.choice(content["family_names"]) + chance.choice(content["given_names"])
        known = {
            "name": name,
            "mobile": f"1990000{chance.randrange(10_000):04d}",
            "gender": "female" if chance.random() < 0.56 else "male",
        }
        customer = known | {
            "first_channel": self.channel,
            "owner_channel": self.channel,
            "first_touch_at": self.at.isoformat(),
            "intended_projects": [self.project],
            "kind": "person",
            "birth_date": str(date(self.at.year - chance.randrange(19, 71), 5, 15)),
            "lifecycle_stage": "lead",
        }
        lead = known | {
            "external_id": key,
            "channel": self.channel,
            "project": [self.project],
            "pack_kind": "dental",
            "received_at": self.at.isoformat(),
            "city": chance.choice(content["cities"]),
            "demand": content["projects"][self.project][2],
            "consent_privacy": True,
            "consent_marketing": chance.random() < 0.7,
            "assigned_at": (self.at + timedelta(seconds=20)).isoformat(),
            "status": "assigned",
        }
        return customer, lead

    def story(self) -> Story:
        """The whole of it."""
        for step in (self._contact, self._invite, self._arrive, self._consult, self._pay):
            if not step():
                break
        return self.made

    def _goes_on(self, step: str, at: datetime) -> bool:
        """Whether a step is taken, and by now; time passes up to it."""
        self.at = at
        if at > self.until:
            return False
        return bool(self.chance.random() < self.rates[step])

    def _lost(self, reason: str) -> bool:
        self.made.lead |= {"status": "closed", "lost_reason": reason}
        self.made.customer["lifecycle_stage"] = "lost"
        return False

    def _reach(self, step: str, status: str, stage: str) -> None:
        self.made.lead |= {f"{step}_at": self.at.isoformat(), "status": status}
        self.made.customer["lifecycle_stage"] = stage

    def _call(self, result: str, minutes: float, **more: Any) -> None:
        said = self.content["summaries"].get(result, self.content["summaries"]["lost"])
        began = self.at + timedelta(minutes=minutes)
        if began > self.until:
            return
        self.made.calls.append(
            {
                "direction": "out",
                "method": "call",
                "result": result,
                "started_at": began.isoformat(),
                "duration_s": self.chance.randrange(20, 400) if result == "answered" else 0,
                "summary": self.chance.choice(said),
            }
            | more
        )

    def _contact(self) -> bool:
        wait = min(self.chance.lognormvariate(2.08, 0.8), 600)
        grade = self.chance.choices("ABCD", (3, 4, 2, 1))[0]
        if self._goes_on("contacted", self.at + timedelta(minutes=wait)):
            self.made.lead["grade"] = grade
            self._reach("contacted", "following", "contacted")
            soon = (self.at + timedelta(hours=3)).isoformat()
            self._call("answered", 0, next_action="invite", next_at=soon, grade_after=grade)
            return True
        for attempt in range(self.chance.randrange(1, 5)):
            after = (self.at + timedelta(hours=20 * attempt + 22)).isoformat()
            self._call("no_answer", attempt * 1200, next_action="call", next_at=after)
        if self.until - self.at < timedelta(days=5):
            return False
        return self._lost("unreachable")

    def _invite(self) -> bool:
        hours = self.chance.uniform(0.1, 30)
        if not self._goes_on("invited", self.at + timedelta(hours=hours)):
            fresh = self.until - self.at < timedelta(days=7)
            return False if fresh else self._lost(self.chance.choice(self.content["losses"]))
        self._reach("invited", "invited", "invited")
        day = (self.at + timedelta(days=self.chance.choice((1, 1, 2, 3, 4)))).date()
        slot = time(self.chance.choice((9, 10, 11, 14, 15, 16)), self.chance.choice((0, 30)))
        start = datetime.combine(day, slot, self.at.tzinfo)
        self.made.appointment = {
            "appt_type": "first_visit",
            "start_at": start.isoformat(),
            "end_at": (start + timedelta(minutes=30)).isoformat(),
            "items": [self.project],
            "dept": "den_general",
            "source": "phone",
            "status": "booked",
        }
        self.at = start
        return True

    def _arrive(self) -> bool:
        if not self._goes_on("arrived", self.at + timedelta(minutes=self.chance.uniform(-12, 10))):
            if self.at < self.until - timedelta(hours=1):
                missed = {"status": "no_show", "no_show_reason": self._missed()}
                self.made.appointment |= missed
            return False
        self._reach("arrived", "arrived", "arrived")
        self.made.appointment |= {
            "status": "done",
            "resource": f"{self.chance.randrange(1, 7)} 号椅",
        }
        greeted = self.at + timedelta(minutes=self.chance.uniform(0.2, 6))
        self.made.checkin = {
            "arrived_at": self.at.isoformat(),
            "greeted_at": greeted.isoformat(),
            "method": "phone",
            "visit_kind": "first",
            "how_know": self.channel,
            "triage": "den_general",
            "id_checked": True,
            "privacy_signed": True,
        }
        return True

    def _missed(self) -> str:
        return self.chance.choice(("forgot", "work", "fear", "price", "other_clinic", "unknown"))

    def _consult(self) -> bool:
        if not self._goes_on("consulted", self.at + timedelta(minutes=self.chance.uniform(25, 70))):
            return False
        self._reach("consulted", "arrived", "consulted")
        listed = _money(
            self.content["projects"][self.project][1] * self.chance.lognormvariate(0, 0.1)
        )
        off = self.chance.choices((0, 0.08, 0.15), (62, 28, 10))[0]
        item = {"item": self.project, "qty": "1", "list_price": str(listed)}
        if off:
            item["discount"] = str(off)
        self.net = _money(listed * (1 - Decimal(str(off))))
        self.made.plan = {
            "option_no": "a",
            "items": [item],
            "complexity": "c2",
            "diagnosis": self.content["projects"][self.project][2],
            "goals": "解决主诉，恢复功能",
            "limits": "以检查结果为准",
            "risks": "已当面说明",
            "presented_at": self.at.isoformat(),
            "status": "presented",
        }
        return True

    def _pay(self) -> bool:
        presented = self.at
        if not self._goes_on("deal", self.at + timedelta(minutes=self.chance.uniform(5, 40))):
            later = (presented + timedelta(days=2)).isoformat()
            reason = self.chance.choice(self.content["losses"])
            self.made.plan |= {
                "decision": "think",
                "undecided_reason": reason,
                "next_followup": later,
            }
            return False
        item, amount = self.made.plan["items"][0], str(self.net)
        line = {"item": self.project, "qty": "1", "price": item["list_price"]}
        if "discount" in item:
            line["discount"] = str(Decimal(item["list_price"]) - self.net)
        self._reach("deal", "converted", "deal")
        self.made.lead["deal_amount"] = amount
        self.made.plan |= {"decision": "accept", "status": "confirmed"}
        self.made.payment = {
            "pay_kind": "full",
            "lines": [line],
            "methods": [
                {
                    "method": self.chance.choice(("wechat", "alipay", "card", "cash")),
                    "amount": amount,
                }
            ],
            "paid_at": self.at.isoformat(),
            "status": "paid",
        }
        return True


def _money(amount: Decimal | float) -> Decimal:
    return Decimal(amount).quantize(Decimal("0.01"))
