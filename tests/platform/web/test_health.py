"""What a proxy and whoever watches are told."""

from pathlib import Path

import pytest
from own_redis import OwnRedis
from visitors import Site

from careloom.platform.web.app import create_app
from careloom.platform.web.settings import BadSetting, settings_from

NOBODY = "redis://127.0.0.1:1/0"


def ready(site: Site, redis_url: str) -> tuple[int, dict[str, str]]:
    settings = settings_from(
        {"CARELOOM_HOME": str(site.database.home), "CARELOOM_REDIS_URL": redis_url}
    )
    answer = create_app(site.database, settings, plugged=()).test_client().get("/readyz")
    return answer.status_code, answer.get_json()


def test_with_all_it_needs_it_is_ready(site: Site, redis_url: str) -> None:
    ok = {"status": "ok", "database": "ok", "queue": "ok"}
    assert ready(site, redis_url) == (200, ok)
    assert ready(site, "") == (200, ok)


def test_without_redis_it_goes_on_and_says_that_it_is_degraded(site: Site) -> None:
    degraded = {"status": "degraded", "database": "ok", "queue": "failed"}
    assert ready(site, NOBODY) == (200, degraded)


def test_a_wrong_password_is_told_and_not_repeated(
    site: Site, redis_url: str, tmp_path: Path
) -> None:
    server = OwnRedis(tmp_path, "the-right-one")
    server.start()
    try:
        assert ready(site, server.url)[1]["queue"] == "ok"
        assert ready(site, server.url_with("another"))[1]["queue"] == "failed"
    finally:
        server.stop()


def test_without_its_database_it_is_not_ready(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("careloom.platform.web.health._database", lambda: "failed")
    failed = {"status": "failed", "database": "failed", "queue": "ok"}
    assert ready(site, "") == (503, failed)


@pytest.mark.parametrize("address", ["localhost:6379", "http://localhost", "redis"])
def test_an_address_that_is_none_of_redis_is_refused_at_the_start(address: str) -> None:
    with pytest.raises(BadSetting, match="CARELOOM_REDIS_URL"):
        settings_from({"CARELOOM_REDIS_URL": address})
