"""The service is as docs/openapi.json describes it, whatever it is asked within the description, or beside it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from support.schedules import schedule
from support.serving import Running, service_in_thread
from support.small_ledger import LOG_KEY, write_small_ledger
from tallystick.publishing import read_ledger
from tallystick.web import reads
from tallystick.web.application import described_app
from tallystick.web.description import describe, to_json

FILE = Path(__file__).parents[2] / "docs" / "openapi.json"
DESCRIPTION: dict[str, Any] = orjson.loads(FILE.read_bytes())


def test_the_file_is_the_description() -> None:
    """`make docs-tables` writes it."""
    assert FILE.read_bytes() == to_json(describe(described_app()))


def test_every_operation_has_a_name_of_its_own() -> None:
    """Clients that are generated call their functions by them."""
    names = [one["operationId"] for path in DESCRIPTION["paths"].values() for one in path.values()]
    assert len(names) > 50
    assert sorted(set(names)) == sorted(names)


@schemathesis.serializer("application/jsonl")
def as_lines(_: schemathesis.SerializationContext, value: object) -> bytes:
    """A body of JSON lines is made as the text that the description says it is."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


SLOW_ONES = {"events"}  # an answer without an end; test_following.py has it
schema = schemathesis.openapi.from_dict(DESCRIPTION).exclude(operation_id=sorted(SLOW_ONES))


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A small ledger, open to all, that waits for nothing long."""
    folder = tmp_path_factory.mktemp("openapi")
    write_small_ledger(folder)
    with read_ledger(folder) as reader:
        at = reader.state().at
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reads, "MIN_SIZE_SECONDS", 0.01)
        with service_in_thread(folder, LOG_KEY, clock=lambda: at, reading="open") as running:
            yield running


@pytest.mark.long
@schema.parametrize()
@settings(
    max_examples=schedule(2, 60),
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    database=None,
)
def test_what_is_asked_is_answered_as_described(case: Case[Any], service: Running) -> None:
    """No fault of the service's own, and the status, type and shape that the description says."""
    if case.query and "wait" in case.query:
        case.query["wait"] = 0
    response = case.call(base_url=service.url)
    checks = [status_code_conformance, content_type_conformance, response_schema_conformance]
    case.validate_response(response, checks=checks)
    assert response.status_code != 500
    assert response.headers["request-id"]


def test_the_description_is_served(service: Running) -> None:
    """As the file has it."""
    answer = service.http.get("/openapi.json")
    assert answer.content == FILE.read_bytes()
    assert answer.headers["content-type"] == "application/json"


def test_no_page_of_the_service_loads_anything_from_elsewhere(service: Running) -> None:
    """There is none that would: FastAPI's own page is off."""
    for place in ("/docs", "/redoc"):
        assert service.http.get(place).status_code == 404
