"""Bringing in a file through the pages: what it would do is shown before it is done."""

import io
import re

from served import LEADS, Answer, Client, Site

HEADERS = "渠道,称呼,手机号,意向项目,业务线,接收时间,个人信息同意"
GOOD = "美团,王女士,19900000901,超声洁治,口腔,2026-03-03 09:00,是"
FAULTY = "美囤,李先生,199,超声洁治,口腔,2026-03-03 09:00,是"
BASE = "/records/lead_intake/import"


def send(client: Client, lines: list[str] | bytes, name: str = "leads.csv") -> Answer:
    client.get(BASE)
    content = lines if isinstance(lines, bytes) else "\n".join(lines).encode()
    answer = client.post(BASE, file=(io.BytesIO(content), name))
    return settled(client, answer)


def settled(client: Client, answer: Answer) -> Answer:
    """The page a file's note comes to when checking or writing is over."""
    while answer.status == 303:
        answer = client.get(answer.to)
    where = re.search(rf'action="({BASE}/[0-9a-f]+)"', answer.text)
    while answer.headers.get("Refresh"):
        assert where
        answer = client.get(where[1])
    return answer


def action(answer: Answer) -> str:
    found = re.search(rf'action="({BASE}/[0-9a-f]+)"', answer.text)
    assert found
    return found[1]


def leads_of(client: Client) -> int:
    found = re.search(r"共 (\d+) 条", client.get("/records/lead_intake").text)
    return int(found[1]) if found else 0


def test_a_file_is_shown_with_its_faulty_rows_and_nothing_is_written(site: Site) -> None:
    supervisor = site.client("supervisor")
    answer = send(supervisor, [HEADERS, GOOD, FAULTY])
    assert "美囤" in answer.text and "行有错误" in answer.text
    assert re.search(r'<td class="number">3</td>\s*<td class="nowrap">手机号', answer.text)
    assert leads_of(supervisor) == 0


def test_faulty_rows_are_left_out_only_when_that_is_ticked(site: Site) -> None:
    supervisor = site.client("supervisor")
    look = send(supervisor, [HEADERS, GOOD, FAULTY])
    refused = supervisor.post(action(look), act="write")
    assert refused.status == 422 and leads_of(supervisor) == 0
    done = settled(supervisor, supervisor.post(action(look), act="write", accept_good="yes"))
    assert "已导入 1 行" in done.text
    assert leads_of(supervisor) == 1


def test_the_same_file_again_adds_nothing(site: Site) -> None:
    supervisor = site.client("supervisor")
    settled(supervisor, supervisor.post(action(send(supervisor, [HEADERS, GOOD])), act="write"))
    again = send(supervisor, [HEADERS, GOOD])
    assert re.search(r"<b>1</b><span>行已有，跳过", again.text)


def test_a_header_that_fits_nothing_can_be_mapped_by_hand(site: Site) -> None:
    supervisor = site.client("supervisor")
    look = send(supervisor, [HEADERS.replace("手机号", "联系方式甲"), GOOD])
    headers = HEADERS.split(",")
    fields = ["channel", "name", "mobile", "project", "pack_kind", "received_at", "consent_privacy"]
    chosen = {f"map.{at}": fields[at] for at in range(len(headers))}
    again = settled(supervisor, supervisor.post(action(look), act="look", **chosen))
    assert re.search(r"<b>1</b><span>行可以导入", again.text)
    done = settled(supervisor, supervisor.post(action(again), act="write", **chosen))
    assert "已导入 1 行" in done.text


def test_what_is_no_table_is_refused_in_words(site: Site) -> None:
    supervisor = site.client("supervisor")
    for content, name in ((b"\x89PNG\r\n", "picture.png"), (b"", "empty.csv"), (b"PK", "a.xlsx")):
        answer = send(supervisor, content, name)
        assert answer.status == 422, name
        assert 'id="problems"' in answer.text
        assert "problem.E_" not in answer.text


def test_an_upload_is_its_persons_own(site: Site) -> None:
    look = send(site.client("supervisor"), [HEADERS, GOOD])
    answer = site.client("manager").get(action(look))
    assert answer.status in (403, 404)
    assert "王女士" not in answer.text


def test_whoever_may_not_import_is_not_offered_it(site: Site) -> None:
    doctor = site.client("doctor")
    assert doctor.get(BASE).status == 403


def test_the_lead_file_comes_in_as_its_truth_says(site: Site) -> None:
    lines = LEADS.read_bytes().decode().split("\n")[:121]
    answer = send(site.client("supervisor"), "\n".join(lines).encode())
    rows, good, bad, doubles = (
        int(found) for found in re.findall(r'class="count[^"]*"><b>(\d+)</b>', answer.text)
    )
    assert rows == good + bad + doubles and bad > 0
