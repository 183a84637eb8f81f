"""What went wrong is said in the asker's words, and nothing of ours with it."""

import json
import logging
from pathlib import Path

import pytest
from visitors import Site

from careloom.platform.store.errors import Refusal
from careloom.platform.web.logs import Lines, masked
from careloom.platform.web.settings import SETTINGS, BadSetting, settings_from
from careloom.platform.web.words import LANGUAGES, catalogue, knows, say, text


def test_a_programs_refusal_is_problem_json_in_its_language(site: Site) -> None:
    token = site.token(site.person("lina"))
    for language, title in (("zh-CN", "有内容需要更正"), ("en", "Something needs correcting")):
        answer = site.visitor().get(
            "/api/trial/refused/invalid", headers={**token, "Accept-Language": language}
        )
        assert answer.status_code == 422
        assert answer.mimetype == "application/problem+json"
        assert answer.headers["Content-Language"] == language
        problem = answer.json
        assert problem["title"] == title
        assert problem["type"] == "urn:careloom:problem:E_INVALID"
        assert problem["problems"] == [
            {"path": "/name", "code": "E_NAME", "message": say(language, "problem.E_NAME")}
        ]


@pytest.mark.parametrize(
    ("what", "status", "header", "value"),
    [
        ("conflict", 409, "Content-Type", "application/problem+json"),
        ("many", 429, "Retry-After", "7"),
        ("stale", 412, "Content-Type", "application/problem+json"),
    ],
)
def test_each_refusal_has_its_status(
    site: Site, what: str, status: int, header: str, value: str
) -> None:
    token = site.token(site.person("lina"))
    answer = site.visitor().get(f"/api/trial/refused/{what}", headers=token)
    assert answer.status_code == answer.json["status"] == status
    assert answer.headers[header].startswith(value)
    assert what != "stale" or answer.json["current"] == {"revision": 2}


@pytest.mark.parametrize("path", ["/trial/broken", "/api/trial/broken"])
def test_a_fault_of_ours_shows_an_id_and_nothing_else(
    site: Site, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = site.visitor().get(path)
    assert answer.status_code == 500
    for secret in ("RuntimeError", "secret", "19912345678", "199****5678", "Traceback", ".py"):
        assert secret not in answer.text
    record = next(r for r in caplog.records if r.name == "careloom.web")
    assert record.reference in answer.text  # type: ignore[attr-defined]
    line = Lines().format(record)
    assert "the secret of 199****5678" in line and "19912345678" not in line


def test_an_unknown_address_is_said_in_the_askers_language(site: Site) -> None:
    page = site.visitor().get("/nowhere", headers={"Accept-Language": "en"})
    assert page.status_code == 404 and "There is nothing at this address" in page.text
    api = site.visitor().get("/api/nowhere")
    assert api.status_code == 404 and api.json["code"] == "E_HTTP_404"


def test_a_wrong_method_says_which_are_right(site: Site) -> None:
    answer = site.visitor().client.delete("/healthz")
    assert answer.status_code == 405 and "GET" in answer.headers["Allow"]


def test_what_was_asked_for_is_not_repeated_in_the_page(site: Site) -> None:
    answer = site.visitor().get('/no"><img src=x onerror=alert(1)>?a="><script>alert(1)</script>')
    assert "<img src=x" not in answer.text and "<script>alert" not in answer.text


def codes(kind: type[Refusal]) -> set[str]:
    return {kind.code} | {code for each in kind.__subclasses__() for code in codes(each)}


def test_every_refusal_has_words_in_each_language() -> None:
    for code in codes(Refusal):
        for language in LANGUAGES:
            assert knows(language, f"problem.{code}"), f"{language}: {code}"


def test_both_languages_say_the_same_things_with_the_same_gaps() -> None:
    ours, theirs = (catalogue(language) for language in LANGUAGES)
    assert set(ours) == set(theirs)
    import re

    gaps = re.compile(r"\{(\w+)\}")
    differing = {
        key for key in ours if set(gaps.findall(ours[key])) != set(gaps.findall(theirs[key]))
    }
    assert not differing


def test_words_fill_their_gaps_with_text_only() -> None:
    assert say("en", "problem.E_LOGIN_TAKEN", login="{login.__class__}") == (
        "The login {login.__class__} is taken."
    )
    assert say("en", "no.such.key", a=1) == "no.such.key"
    assert text({"zh-CN": "线索", "en": "Lead"}, "en") == "Lead"
    assert text({"zh-CN": "线索"}, "en") == "线索"
    assert text(None, "en") == ""


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("call 19912345678 now", "call 199****5678 now"),
        ("id 11010519900307123X.", "id 110***********X."),
        ("token clm_0123456789ab_" + "A" * 43, "token clm_0123456789ab_***"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
        ('{"password": "hunter2 hunter2"}', None),
        ("record 7304189265408000001 at /api/records/lead/199123456781", "same"),
    ],
)
def test_a_log_line_masks_what_is_nobodys_business(words: str, wanted: str | None) -> None:
    found = masked(words)
    if wanted is None:
        assert '"hunter2' not in found
    else:
        assert found == (words if wanted == "same" else wanted)


def test_a_log_line_is_one_line_whatever_is_in_it() -> None:
    words = "x\n2026-01-01 admin login ok\x1b[31m" + "y" * 100_000
    record = logging.LogRecord("n", logging.INFO, "", 1, words, None, None)
    line = Lines().format(record)
    assert "\n" not in line and "\x1b" not in line and len(line) < 10_000
    assert json.loads(line)["words"].startswith("x\n2026")


def test_requests_are_logged_without_their_query(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "careloom.request")
    site.visitor().get("/healthz?q=19912345678", headers={"User-Agent": "x" * 100_000})
    lines = [Lines().format(r) for r in caplog.records if r.name == "careloom.request"]
    assert len(lines) == 1
    assert json.loads(lines[0])["path"] == "/healthz" and "1991234" not in lines[0]


# --- settings --------------------------------------------------------------------------------


def test_every_setting_is_explained_and_has_a_default(tmp_path: Path) -> None:
    assert all(setting.says.endswith(".") for setting in SETTINGS)
    found = settings_from({"CARELOOM_HOME": str(tmp_path)})
    assert found.port == 8000 and found.database_url.startswith("sqlite:///")


def test_the_first_run_makes_a_secret_that_only_we_read(tmp_path: Path) -> None:
    made = settings_from({"CARELOOM_HOME": str(tmp_path)}).secret
    file = tmp_path / "keys" / "secret"
    assert len(made) == 64 and file.stat().st_mode & 0o777 == 0o600
    assert settings_from({"CARELOOM_HOME": str(tmp_path)}).secret == made
    file.write_text("dev")
    with pytest.raises(BadSetting, match="secret"):
        settings_from({"CARELOOM_HOME": str(tmp_path)})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CARELOOM_SECRET", "dev"),
        ("CARELOOM_SECRET", "secret" * 6),
        ("CARELOOM_SECRET", "a" * 64),
        ("CARELOOM_SECRET", "changeme" + "0" * 40),
        ("PORT", "0"),
        ("PORT", "http"),
        ("CARELOOM_PUBLIC_URL", "care.example.com"),
        ("CARELOOM_PUBLIC_URL", "https://care.example.com/path"),
        ("CARELOOM_PUBLIC_URL", "javascript:alert(1)"),
        ("CARELOOM_LANGUAGE", "fr"),
        ("CARELOOM_PROXIES", "99"),
        ("CARELOOM_SESSION_HOURS", "0"),
    ],
)
def test_a_setting_that_cannot_be_meant_keeps_the_house_from_opening(
    tmp_path: Path, name: str, value: str
) -> None:
    with pytest.raises(BadSetting, match=name):
        settings_from({"CARELOOM_HOME": str(tmp_path), name: value})
