"""A large export on the pages: asked for from the list, answered by the manager, taken once."""

from dataclasses import replace
from html import unescape

import pytest
from served import Site

LEADS = "/records/lead_intake"
ASK = "w.channel=meituan&w.channel=douyin&sort=-received_at"
REASON = "节后回访名单，网电组用，用完即删"


@pytest.fixture
def clinic(site: Site) -> Site:
    """Two leads leave freely here."""
    settings = site.app.extensions["careloom.settings"]
    site.app.extensions["careloom.settings"] = replace(settings, export_free=2)
    site.bring_leads(20)
    return site


def asked(clinic: Site) -> str:
    """The page of what the supervisor asked."""
    boss = clinic.client("supervisor")
    answer = boss.get(f"{LEADS}/export?file=csv&{ASK}")
    assert answer.status == 303
    page = boss.get(answer.to)
    assert page.status == 200 and "美团" in page.text and "超过 2 条" in page.text
    sent = boss.post(answer.to, file="csv", reason=REASON)
    assert sent.status == 303, sent.text
    return sent.to


def test_who_asks_is_answered_on_the_home_page_and_takes_the_file_once(clinic: Site) -> None:
    number = asked(clinic)
    boss, manager = clinic.client("supervisor"), clinic.client("manager")
    assert "等待答复" in boss.get(number).text and 'value="take"' not in boss.get(number).text
    home = manager.get("/").text
    assert "有 1 个导出申请等您答复" in home and f'href="{number}"' in home
    assert "导出申请等您答复" not in boss.get("/").text
    page = manager.get(number).text
    assert REASON in page and "美团" in unescape(page) and "抖音" in page
    said = manager.post(number, act="allow", words="只用到周五")
    assert (said.status, said.to) == (303, "/exports")
    assert "导出申请等您答复" not in manager.get("/").text
    assert f'href="{number}"' in boss.get("/").text and "申请已同意" in boss.get("/").text
    assert "只用到周五" in boss.get(number).text
    file = boss.post(number, act="take")
    assert file.status == 200 and "attachment" in file.headers["Content-Disposition"]
    lines = file.text.strip().split("\n")
    assert len(lines) > 3 and all("美团" in line or "抖音" in line for line in lines[1:])
    boss.get(number)
    again = boss.post(number, act="take")
    assert again.status == 409 and "已经导出过一次" in again.text
    assert "申请已同意" not in boss.get("/").text
    trail = clinic.client("admin").get("/trail?about=export").text
    assert f"条记录，事由：{REASON}" in trail and "同意了导出" in trail and "导出了文件" in trail


def test_who_asked_does_not_answer_and_hears_a_no(clinic: Site) -> None:
    number = asked(clinic)
    boss, manager = clinic.client("supervisor"), clinic.client("manager")
    boss.get(number)
    assert boss.post(number, act="allow").status == 403
    assert manager.get(number).status == 200
    assert manager.post(number, act="nothing").status == 422
    assert manager.post(number, act="refuse").status == 303
    assert "没有被同意" in boss.get("/").text
    assert manager.post(number, act="allow").status == 409


def test_an_export_without_a_reason_is_not_asked_for(clinic: Site) -> None:
    boss = clinic.client("supervisor")
    boss.get(f"{LEADS}/export/ask?{ASK}")
    answer = boss.post(f"{LEADS}/export/ask?{ASK}", file="csv", reason="  ")
    assert answer.status == 422 and "美团" in answer.text
    assert boss.post(f"{LEADS}/export/ask?{ASK}", file="exe", reason=REASON).status == 400
    assert boss.get(f"{LEADS}/export/ask?file=exe").status == 400
    assert clinic.client("agent").get(f"{LEADS}/export/ask").status == 403


def test_nobody_else_sees_what_was_asked(clinic: Site) -> None:
    number = asked(clinic)
    for login in ("agent", "desk", "manager2"):
        assert clinic.client(login).get(number).status == 404, login
    assert clinic.client("admin").get(number).status == 200, "who reads the trail"
    assert REASON in clinic.client("group").get(number).text, "who may say yes there too"


def test_me_is_who_asked_whoever_reads(clinic: Site) -> None:
    boss, manager = clinic.client("supervisor"), clinic.client("manager")
    unit = "w.unit=me" if "w.unit" in boss.get(LEADS).text else "w.clinic=me"
    address = f"{LEADS}/export/ask?w.owner=me&w.owner={clinic.actor('agent').person_id}&{unit}"
    boss.get(address)
    number = boss.post(address, file="csv", reason=REASON).to
    assert clinic.actor("supervisor").name in manager.get(number).text


def test_few_are_taken_as_ever(clinic: Site) -> None:
    boss = clinic.client("supervisor")
    got = boss.get(f"{LEADS}/export?file=csv&w.mobile=19900000000&o.mobile=is")
    assert got.status == 200 and len(got.text.strip().split("\n")) <= 3
    answer = boss.http.get(
        f"{LEADS}/export?file=csv&view=all", headers={"Accept": "application/json"}
    )
    assert (answer.status_code, answer.json["code"]) == (403, "E_EXPORT_WANTS_YES")
