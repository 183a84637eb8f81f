"""FX1: every figure of the worked example to the digit, and as many records behind each."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from sqlalchemy.orm import Session

from careloom.platform.identity.actor import Actor
from careloom.platform.records.behind import arguments_of, behind
from careloom.platform.records.lists import list_records
from careloom.platform.store.errors import Malformed, NotAllowed, NotFound
from careloom.runtime.reports.behind import url_behind
from careloom.runtime.reports.question import Question
from careloom.runtime.reports.run import Answer, Group, run_report

from .fx1 import FX1

TOTAL = {
    "leads": "10",
    "contacted": "9",
    "invited": "8",
    "arrived": "7",
    "consulted": "6",
    "deals": "5",
    "revenue": "20340",
    "contact_rate": "0.9",
    "invite_rate": "0.8889",
    "show_rate": "0.875",
    "consult_rate": "0.8571",
    "deal_rate": "0.8333",
    "overall_rate": "0.5",
    "avg_first_ticket": "4068",
}
RATES = ("contact_rate", "invite_rate", "show_rate", "consult_rate", "deal_rate", "overall_rate")
COUNTS = ("leads", "contacted", "invited", "arrived", "consulted", "deals", "revenue")
BY_CHANNEL = {
    "baidu_sem": ("3 3 2 1 1 1 8800", "1 0.6667 0.5 1 1 0.3333"),
    "douyin": ("3 2 2 2 2 1 1980", "0.6667 1 1 1 0.5 0.3333"),
    "meituan": ("2 2 2 2 1 1 2980", "1 1 1 0.5 1 0.5"),
    "old_brings_new": ("2 2 2 2 2 2 6580", "1 1 1 1 1 1"),
}
BOARD = [
    # consultant, rank, leads, consulted, orders, sales, conversion, avg_ticket
    ("C1", 1, "4", "3", "3", "11160", "1", "3720"),
    ("C3", 2, "3", "2", "2", "9180", "1", "4590"),
    ("C2", 3, "3", "1", "0", "0", "0", None),
]


def ask(fx1: FX1, login: str, key: str, **asked: Any) -> Answer:
    with fx1.database.read() as session:
        return run_report(session, fx1.people[login], key, Question("all", **asked))


def rounded(number: Decimal | None) -> Decimal | None:
    """To four decimals, as the example gives them."""
    return None if number is None else number.quantize(Decimal("0.0001"), ROUND_HALF_UP)


def figures(group: Group, *keys: str) -> list[Decimal | None]:
    return [rounded(group.numbers[key]) for key in keys]


def of(*texts: str | None) -> list[Decimal | None]:
    return [None if text is None else Decimal(text) for text in texts]


def records_behind(session: Session, actor: Actor, url: str) -> int:
    """How many records stand on the page that an address leads to."""
    parts = urlsplit(url)
    form = parts.path.removeprefix("/records/")
    found = behind(session, actor, form, arguments_of(dict(parse_qsl(parts.query))), "zh-CN")
    assert found is not None
    page = list_records(session, actor, form, extra=found.conditions, count=True, limit=200)
    assert page.total == len(page.items)
    return page.total


def test_the_funnel_comes_out_to_the_digit(fx1: FX1) -> None:
    answer = ask(fx1, "manager", "channel_funnel")
    assert {key: rounded(answer.total.numbers[key]) for key in TOTAL} == {
        key: Decimal(text) for key, text in TOTAL.items()
    }
    by_channel = {group.keys[0]: group for group in answer.groups}
    assert set(by_channel) == set(BY_CHANNEL)
    for channel, (counts, rates) in BY_CHANNEL.items():
        assert figures(by_channel[channel], *COUNTS) == of(*counts.split())
        assert figures(by_channel[channel], *RATES) == of(*rates.split())


def test_the_leaderboard_comes_out_to_the_digit(fx1: FX1) -> None:
    answer = ask(fx1, "manager", "consultant_board")
    names = answer.names["consultant"]
    keys = ("leads", "consulted", "orders", "sales", "conversion", "avg_ticket")
    board = [(names[group.keys[0]], group.rank, figures(group, *keys)) for group in answer.groups]
    assert board == [(name, rank, of(*texts)) for name, rank, *texts in BOARD]


def test_first_contacts_are_timed_in_the_contact_centres_hours(fx1: FX1) -> None:
    """Received at 8:30 and called at 9:14 is 14 minutes; at 9:30 and before that is none."""
    answer = ask(fx1, "manager", "response_time", by="hour")
    assert [group.keys[0] for group in answer.groups] == ["8", "9"]
    eight, nine = answer.groups
    assert figures(eight, "answered", "in_time", "median") == of("5", "5", "14")
    assert figures(nine, "answered", "in_time", "median") == of("4", "4", "0")
    assert figures(answer.total, "in_time_rate", "median") == of("1", "14")


@pytest.mark.parametrize("key", ["channel_funnel", "consultant_board", "response_time"])
@pytest.mark.parametrize("login", ["manager", "group"])
def test_as_many_records_stand_behind_a_number_as_it_says(fx1: FX1, key: str, login: str) -> None:
    """For every count of every group, by every dimension; the list is the reader's own."""
    looked_at = 0
    with fx1.database.read() as session:
        actor = fx1.people[login]
        report = run_report(session, actor, key).report
        counts = [measure.key for measure in report.measures if measure.kind == "count"]
        for dimension in report.dimensions:
            answer = run_report(session, actor, key, Question("all", by=dimension.key))
            groups = [(group, {dimension.key: group.keys[0]}) for group in answer.groups]
            for (group, at), count in (
                (pair, count) for pair in [*groups, (answer.total, {})] for count in counts
            ):
                url = url_behind(report, answer.question, count, at)
                assert records_behind(session, actor, url) == group.numbers[count], url
                looked_at += 1
    assert looked_at >= 14


def test_the_manager_of_the_other_branch_sees_only_hers(fx1: FX1) -> None:
    hers = ask(fx1, "manager2", "channel_funnel", by="branch")
    assert [group.keys for group in hers.groups] == [(str(fx1.at["B2"]),)]
    assert figures(hers.total, "leads", "contacted", "revenue") == of("2", "0", "0")
    assert hers.total.numbers["invite_rate"] is None, "nothing to divide by"
    every = ask(fx1, "group", "channel_funnel", by="branch")
    assert {group.keys[0]: group.count for group in every.groups} == {
        str(fx1.at["B1"]): 10,
        str(fx1.at["B2"]): 2,
    }
    with fx1.database.read() as session:
        url = url_behind(hers.report, every.question, "leads", {"branch": str(fx1.at["B1"])})
        assert records_behind(session, fx1.people["group"], url) == 10
        assert records_behind(session, fx1.people["manager2"], url) == 0
        with pytest.raises(NotAllowed):
            records_behind(session, fx1.people["C1"], url)


def test_filters_narrow_and_a_unit_takes_in_what_is_below(fx1: FX1) -> None:
    one = ask(fx1, "group", "channel_funnel", filters={"target_clinic": str(fx1.at["B1"])})
    region = ask(fx1, "group", "channel_funnel", filters={"target_clinic": str(fx1.at["R"])})
    owner = str(fx1.people["C1"].person_id)
    mine = ask(fx1, "group", "channel_funnel", filters={"owner": owner, "channel": "baidu_sem"})
    assert [answer.total.count for answer in (one, region, mine)] == [10, 12, 2]
    nobody = ask(fx1, "group", "channel_funnel", filters={"owner": "0", "target_clinic": "x"})
    assert nobody.total.count == 0
    with pytest.raises(Malformed):
        ask(fx1, "group", "channel_funnel", filters={"mobile": "19900000001"})


def test_a_day_is_one_on_the_clock_of_the_records_branch(fx1: FX1) -> None:
    """Half past midnight in Shanghai is the evening before in Urumqi."""
    with fx1.database.read() as session:
        actor = fx1.people["group"]
        march = Question("this_month")
        assert run_report(session, actor, "channel_funnel", march).total.count == 11
        hours = run_report(session, actor, "response_time", Question("all", by="hour"))
        assert {group.keys[0]: group.count for group in hours.groups} == {"8": 5, "9": 5, "22": 2}


def test_a_question_that_the_report_does_not_answer_is_refused(fx1: FX1) -> None:
    with fx1.database.read() as session:
        actor = fx1.people["manager"]
        with pytest.raises(Malformed):
            run_report(session, actor, "channel_funnel", Question(by="mobile"))
        for query in ("of.number=mobile", "of.g.branch=x", "of.period=ever", "of.f.mobile=1"):
            with pytest.raises(Malformed):
                records_behind(
                    session, actor, f"/records/lead_intake?of=report:channel_funnel&{query}"
                )
        for of_ in ("report:channel_funnel", "report:nothing", "elsewhere:x"):
            with pytest.raises((NotFound, NotAllowed)):
                records_behind(session, actor, f"/records/payment?of={of_}")
