"""The API under random requests made from its own document: no 500, no status, type or answer
that the document does not tell. As an administrator, as an agent, and as nobody.

Three examples for each operation; `make fuzz` is the long form with 50. The seed is fixed.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from served import TUESDAY, Site, site_in
from sqlalchemy import select

from careloom.platform.identity import access_tokens
from careloom.platform.identity.actor import SYSTEM
from careloom.platform.identity.model import AccessToken, Person, Unit
from careloom.platform.records.lists import list_records
from careloom.platform.store.clock import TurnedClock
from careloom.runtime.flows.model import instances
from careloom.runtime.tasks.model import tasks

OTHERS = Person.login.in_(("nurse", "doctor"))  # who may come to be disabled by a request
EXAMPLES = int(os.environ.get("CARELOOM_FUZZ", "3"))
SEED = 20260303
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def site(demo_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The demo clinic with some leads, their tasks and their flows under way."""
    with site_in(demo_home, tmp_path_factory.mktemp("clinic"), TurnedClock(TUESDAY)) as opened:
        opened.bring_leads(12)
        yield opened


def token(site: Site, login: str) -> dict[str, str]:
    """A fresh token: the requests before may have revoked any other."""
    number = site.actor(login).person_id or 0

    def deed(session: Any) -> str:
        for row in session.scalars(select(AccessToken).where(AccessToken.person_id == number)):
            session.delete(row)
        session.flush()
        return access_tokens.issue(session, SYSTEM, number, "proof")[1]

    return {"Authorization": f"Bearer {site.database.write(deed)}"}


def there(site: Site) -> dict[str, list[str]]:
    """What stands in addresses, as it is in this clinic."""
    with site.database.read() as session:
        leads = list_records(session, SYSTEM, "lead_intake", limit=5).items
        return {
            "record_id": [str(record.id) for record in leads],
            "form": ["lead_intake", "customer_profile", "appointment"],
            "kind": ["form", "list", "role", "flow", "report"],
            "key": ["lead_intake", "channel", "den_lead_followup", "leads_by_channel"],
            "task_id": [str(at) for at in session.scalars(select(tasks.c.id).limit(5))],
            "instance_id": [str(at) for at in session.scalars(select(instances.c.id).limit(5))],
            "person_id": [str(at) for at in session.scalars(select(Person.id).where(OTHERS))],
            "role": ["online_consultant", "it_admin", "no_such_role"],
            "unit_id": [str(at) for at in session.scalars(select(Unit.id))],
        }


def document(site: Site, login: str) -> Any:
    """The API's document as somebody gets it, ready to make requests from."""
    headers = token(site, login)
    return schemathesis.openapi.from_wsgi("/api/openapi.json", site.app, headers=headers)


@pytest.mark.parametrize("login", ["admin", "agent"])
def test_the_document_is_lawful(site: Site, login: str) -> None:
    OpenAPIV31SpecValidator(document(site, login).raw_schema).validate()


@pytest.mark.timeout(3000)
@pytest.mark.parametrize("login", ["admin", "agent", ""], ids=["admin", "agent", "anonymous"])
def test_no_request_gets_an_answer_that_is_not_told(
    site: Site, login: str, record_property: Any
) -> None:
    schema = document(site, login or "admin")
    real, wrong, count, answered = there(site), [], 0, 0
    for result in schema.get_all_operations():
        operation = result.ok()
        headers = token(site, login) if login else {}
        count += 1
        try:
            answered += any(status < 300 for status in ask(operation, headers, real))
        except (AssertionError, FailureGroup, BaseExceptionGroup) as failure:
            wrong.append(f"{operation.label}\n{told(failure)}")
    record_property("operations", count)
    assert not wrong, "\n\n".join(wrong)
    assert count > 40
    assert answered > {"admin": 15, "agent": 8, "": 0}[login], "not everything is refused"


def ask(operation: Any, headers: dict[str, str], real: dict[str, list[str]]) -> set[int]:
    """Requests to one operation: lawful and unlawful, about what is there and what is not; the
    statuses that came back."""
    statuses: set[int] = set()
    lawful = operation.as_strategy()
    cases = st.one_of(lawful, lawful, operation.as_strategy(GenerationMode.NEGATIVE))

    @seed(SEED)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases, st.data())
    def send(case: Any, data: Any) -> None:
        for name in case.path_parameters or {}:
            if name in real and data.draw(st.integers(0, 3)):
                case.path_parameters[name] = data.draw(st.sampled_from(real[name]))
        if "If-Match" in (case.headers or {}) and data.draw(st.booleans()):
            case.headers["If-Match"] = '"1"'
        statuses.add(case.call_and_validate(headers=headers, checks=CHECKS).status_code)

    send()
    if os.environ.get("CARELOOM_FUZZ_SAID"):
        print(operation.label, sorted(statuses))
    return statuses


def told(failure: BaseException) -> str:
    """A failure in few lines: what went wrong, and the request that shows it."""
    parts = getattr(failure, "exceptions", None) or [failure]
    return "\n".join(str(part)[:700] for part in parts[:3])
