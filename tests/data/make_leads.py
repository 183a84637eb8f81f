"""Write leads_1000.csv, leads_1000.xlsx and leads_1000.truth.json beside this file.

A thousand leads as channels deliver them: choices by label or code, telephone numbers in many
spellings, dates in several forms. 943 are to become leads, 37 are faulty, and 20 are there
already, as the form's match rule sees it; near misses stand among the good ones. Everything is
made up; the numbers begin with 199 000.

    python tests/data/make_leads.py
"""

import csv
import json
import random
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from openpyxl import Workbook

HERE = Path(__file__).parent
HEADERS = ("渠道", "称呼", "手机号", "意向项目", "业务线", "接收时间", "城市", "诉求描述")
HEADERS += ("平台线索号", "个人信息同意")
GOOD, DUPLICATES, BAD = 943, 20, 37
FIRST_DAY = datetime(2026, 3, 2, 9, 0)

CHANNELS = {
    "meituan": "美团",
    "dianping": "大众点评",
    "douyin": "抖音",
    "xiaohongshu": "小红书",
    "baidu_sem": "百度竞价",
    "mini_program": "小程序",
    "wechat_oa": "微信公众号/服务号",
    "website": "官网",
    "hotline_400": "400电话",
    "school_screening": "校园筛查",
}
PROJECTS = {
    "den_exam_first": "初诊检查",
    "den_scaling": "超声洁治",
    "den_filling": "树脂充填",
    "den_rct_molar": "磨牙根管治疗",
    "den_crown_zir": "全瓷冠",
    "den_ext_wisdom": "阻生智齿拔除",
    "den_implant_std": "单颗种植(标准)",
    "den_aligner": "隐形矫治",
    "den_ortho_early": "儿童早期矫治",
    "den_whitening_office": "诊室冷光美白",
    "den_fluoride": "涂氟",
}
CITIES = ("杭州", "宁波", "绍兴", "嘉兴", "湖州", "")
DEMANDS = {
    "den_scaling": "想洗牙，最近刷牙出血",
    "den_ext_wisdom": "智齿发炎，想尽快拔",
    "den_implant_std": "后牙缺了一颗，问种植要多少时间",
    "den_aligner": "上班族，想做隐形的，怕影响说话",
    "den_fluoride": "孩子 6 岁，学校筛查说要涂氟",
}
SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂英华玉兰"


@dataclass(frozen=True)
class Lead:
    """One row; `received` a moment or, where it is faulty, the text that stands there."""

    channel: str
    name: str
    mobile: str
    projects: tuple[str, ...]
    received: datetime | str
    external_id: str
    line: str = "口腔"
    city: str = "杭州"
    demand: str = ""
    consent: str = "是"
    faults: tuple[tuple[str, str], ...] = field(default=())  # (header, code)


def mobile(number: int) -> str:
    """The n-th made-up number: 199 0000 0000 and on."""
    return f"1990{number:07d}"


def good_leads(chance: random.Random) -> list[Lead]:
    """943 leads of which no two are the same by the match rule."""
    leads = near_misses()
    for number in range(GOOD - len(leads)):
        channel = chance.choice(list(CHANNELS))
        projects = tuple(chance.sample(list(PROJECTS), chance.choice((1, 1, 1, 2))))
        numbered = chance.random() < 0.65
        reachable = not numbered or chance.random() < 0.95
        leads.append(
            Lead(
                channel,
                chance.choice(SURNAMES) + "".join(chance.sample(GIVEN, chance.choice((1, 2)))),
                mobile(1000 + number) if reachable else "",
                projects,
                FIRST_DAY + timedelta(minutes=chance.randrange(6 * 24 * 60)),
                f"{channel[:2].upper()}{2603000000 + number}" if numbered else "",
                city=chance.choice(CITIES),
                demand=DEMANDS.get(projects[0], ""),
                consent="是" if reachable else chance.choice(("是", "否")),
            )
        )
    return leads


def near_misses() -> list[Lead]:
    """Pairs that look the same and are not."""
    morning = datetime(2026, 3, 4, 10, 20)
    family = Lead("meituan", "陈建国", mobile(1), ("den_implant_std",), morning, "")
    next_day = Lead("douyin", "沈秋", mobile(2), ("den_aligner",), datetime(2026, 3, 4, 23, 30), "")
    numbered = Lead("dianping", "许岚", mobile(3), ("den_scaling",), morning, "DP-77001")
    return [
        family,
        replace(family, name="陈小雨", projects=("den_fluoride",)),  # one telephone, two people
        next_day,
        # Half past eleven at night and seven in the morning: two days here, one in UTC.
        replace(next_day, received=datetime(2026, 3, 5, 7, 0)),
        numbered,
        # The same number from another channel is another lead.
        replace(numbered, channel="meituan", name="许兰", mobile=mobile(4)),
    ]


def duplicates(chance: random.Random, leads: list[Lead]) -> list[tuple[int, Lead]]:
    """20 leads that are there already, each with the place of the first one."""
    numbered = [place for place, lead in enumerate(leads) if lead.external_id and lead.mobile]
    unnumbered = [place for place, lead in enumerate(leads[6:], 6) if not lead.external_id]
    found = []
    for place in chance.sample(numbered[2:], 12):
        again = leads[place]
        later = again.received + timedelta(days=2) if isinstance(again.received, datetime) else ""
        found.append((place, replace(again, received=later, demand="再次留言：" + again.demand)))
    for place in chance.sample(unnumbered, DUPLICATES - 12):
        again = leads[place]
        assert isinstance(again.received, datetime)
        # The same day, though before and after eight in the morning it is another day in UTC.
        first = replace(again, received=again.received.replace(hour=7, minute=40))
        leads[place] = first
        channel = "website" if again.channel != "website" else "hotline_400"
        found.append((place, replace(again, received=first.received, channel=channel)))
        later = again.received.replace(hour=20, minute=5)
        found[-1] = (place, replace(found[-1][1], received=later))
    return found


def faulty_leads(chance: random.Random) -> list[Lead]:
    """37 leads with something wrong, and what."""
    changes: list[tuple[dict[str, object], str, str]] = []
    for value in ("美团外卖", "抖音极速版", "tiktok", "微博", "58同城"):
        changes.append(({"channel": value}, "渠道", "E_OPTION"))
    for value in ("1990000123", "199000012345", "12345678901", "0571-87654321", "一九九零"):
        changes.append(({"mobile": value}, "手机号", "E_PHONE"))
    for value in ("1.99E+10", "1.990001E+10", "2E+10"):
        changes.append(({"mobile": value}, "手机号", "E_PHONE_ROUNDED"))
    for value in ("", "  ", "\u200b"):
        changes.append(({"name": value}, "称呼", "E_REQUIRED"))
    for value in ("周" * 501, "客户自述" * 150):
        changes.append(({"name": value}, "称呼", "E_TOO_LONG"))
    for value in ("吴\x7f刚", "郑\u0085爽"):
        changes.append(({"name": value}, "称呼", "E_TEXT"))
    for value in ("2026-02-30 10:00", "2026/13/01 09:00", "昨天下午", "2026-03-05 25:10"):
        changes.append(({"received": value}, "接收时间", "E_DATETIME"))
    changes += [({"received": ""}, "接收时间", "E_REQUIRED")] * 2
    for projects in (("心脏搭桥",), ("全屋整装",), ("超声洁治", "双眼皮")):
        changes.append(({"projects": projects}, "意向项目", "E_OPTION"))
    changes.append(({"projects": ()}, "意向项目", "E_REQUIRED"))
    for value, code in (("牙科", "E_OPTION"), ("宠物", "E_OPTION"), ("", "E_REQUIRED")):
        changes.append(({"line": value}, "业务线", code))
    consents = (("", "E_REQUIRED"), ("待确认", "E_YESNO"), ("否", "E_CONSENT"), ("0", "E_CONSENT"))
    for value, code in consents:
        changes.append(({"consent": value}, "个人信息同意", code))
    leads = []
    for number, (change, header, code) in enumerate(changes):
        received = FIRST_DAY + timedelta(minutes=chance.randrange(6 * 24 * 60))
        lead = Lead("meituan", "错误行", mobile(3000 + number), ("den_scaling",), received, "")
        lead = replace(lead, external_id=f"BAD{number}", faults=((header, code),))
        leads.append(replace(lead, **change))  # type: ignore[arg-type]
    # Two rows with two faults each: both are told.
    for place in (0, 1):
        both = (*leads[place].faults, ("接收时间", "E_DATETIME"))
        leads[place] = replace(leads[place], received="2026-02-29", faults=both)
    assert len(leads) == BAD
    return leads


def in_one_file(chance: random.Random) -> list[tuple[Lead, bool]]:
    """Rows in their order, each with whether it is a duplicate; a duplicate follows its first."""
    good = good_leads(chance)
    again = duplicates(chance, good)
    places: list[tuple[float, Lead, bool]] = []
    for place, lead in enumerate(good):
        places.append((float(place), lead, False))
    for place, lead in again:
        places.append((chance.uniform(place + 1, GOOD), lead, True))
    for lead in faulty_leads(chance):
        places.append((chance.uniform(0, GOOD), lead, False))
    return [(lead, is_again) for _, lead, is_again in sorted(places, key=lambda row: row[0])]


def spelt(chance: random.Random, lead: Lead) -> list[object]:
    """One row as a channel might write it."""
    by_code = chance.random() < 0.2
    channel = lead.channel if by_code else CHANNELS.get(lead.channel, lead.channel)
    projects = [key if by_code else PROJECTS.get(key, key) for key in lead.projects]
    line = "dental" if by_code and lead.line == "口腔" else lead.line
    consent = (
        chance.choice(("是", "是", "同意", "true", "1")) if lead.consent == "是" else lead.consent
    )
    return [
        channel,
        lead.name,
        spelt_mobile(chance, lead),
        chance.choice(("；", ";")).join(projects),
        line,
        lead.received,
        lead.city,
        lead.demand,
        lead.external_id,
        consent,
    ]


def spelt_mobile(chance: random.Random, lead: Lead) -> str:
    number = lead.mobile
    if any(header == "手机号" for header, _ in lead.faults) or not number or chance.random() < 0.7:
        return number
    wide = str.maketrans("0123456789", "０１２３４５６７８９")
    spellings = (
        f"+86 {number}",
        f"{number[:3]}-{number[3:7]}-{number[7:]}",
        number.translate(wide),
    )
    return chance.choice((*spellings, f"{number[:3]} {number[3:7]} {number[7:]}"))


def written(chance: random.Random, moment: object) -> object:
    """A moment as a CSV file has it: one of several forms."""
    if not isinstance(moment, datetime):
        return moment
    short = f"{moment.year}/{moment.month}/{moment.day} {moment.hour}:{moment:%M}"
    chinese = f"{moment.year}年{moment.month}月{moment.day}日 {moment:%H:%M}"
    return chance.choice((f"{moment:%Y-%m-%d %H:%M}", f"{moment:%Y-%m-%d %H:%M}", short, chinese))


def make(folder: Path = HERE) -> None:
    """Write the three files."""
    chance = random.Random(943)
    leads = in_one_file(chance)
    rows = [spelt(chance, lead) for lead, _ in leads]
    write_csv(folder / "leads_1000.csv", chance, rows)
    write_xlsx(folder / "leads_1000.xlsx", rows)
    problems = [
        {"row": number, "column": header, "code": code}
        for number, (lead, _) in enumerate(leads, 2)  # the header is row 1
        for header, code in lead.faults
    ]
    truth = {"rows": len(rows), "good": GOOD, "bad": BAD, "duplicates": DUPLICATES}
    text = json.dumps(truth | {"problems": problems}, ensure_ascii=False, indent=1)
    (folder / "leads_1000.truth.json").write_text(text + "\n", encoding="utf-8")


def write_csv(path: Path, chance: random.Random, rows: list[list[object]]) -> None:
    """UTF-8 with a mark, as spreadsheet programs write it."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADERS)
        writer.writerows([*row[:5], written(chance, row[5]), *row[6:]] for row in rows)


def write_xlsx(path: Path, rows: list[list[object]]) -> None:
    """Moments as moments; plain telephone numbers as numbers in every third row."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "线索"
    sheet.append(HEADERS)
    for number, row in enumerate(rows):
        cells = list(row)
        if number % 3 == 0 and len(str(cells[2])) == 11 and str(cells[2]).isascii():
            cells[2] = int(str(cells[2])) if str(cells[2]).isdigit() else cells[2]
        sheet.append(cells)
    book.save(path)


if __name__ == "__main__":
    make()
