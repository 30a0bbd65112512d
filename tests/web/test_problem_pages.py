"""Every reason that a problem can have leads to a page: what it means, and what to do."""

import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.burning import NOW
from support.serving import Running, service_in_thread
from tallystick import errors
from tallystick.errors import TallystickError
from tallystick.vouchers.refusals import Reason
from tallystick.wire import problem_advice
from tallystick.wire.problem_advice import all_advice
from tallystick.wire.problems import code_of
from tallystick.wire.statuses import HttpReason

KINDS = [value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, TallystickError)]
REASONS = sorted({*(one.value for one in (*Reason, *HttpReason)), *map(code_of, KINDS)})


@pytest.fixture
def service(folder: Path) -> Iterator[Running]:
    """A service that shows nothing of the log without a login."""
    with service_in_thread(folder, clock=lambda: NOW, reading="own") as running:
        yield running


def test_every_reason_has_a_page_for_people_and_for_programs(service: Running) -> None:
    """Without a login, and nothing more in the one than in the other."""
    for reason in REASONS:
        said = service.http.get(f"/problems/{reason}")
        assert (said.status_code, said.headers["content-type"]) == (200, "application/json"), reason
        one = said.json()
        assert one["reason"] == reason
        page = service.http.get(f"/problems/{reason}", headers={"Accept": "text/html,*/*;q=0.8"})
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert page.headers["content-security-policy"] == "default-src 'none'"
        assert f"<h1>{reason}</h1>" in page.text
        plain = page.text.replace("<code>", "`").replace("</code>", "`").replace("&lt;", "<").replace("&gt;", ">")
        plain = plain.replace("&#x27;", "'").replace("&quot;", '"')
        assert [one[part] in plain for part in ("title", "advice", "again")] == [True] * 3, reason
        assert str(one["status"]) in page.text


def test_each_says_a_meaning_and_something_to_do() -> None:
    """In sentences; of the closed lists the meaning and the status are theirs."""
    found = all_advice()
    assert sorted(found) == REASONS
    for reason, said in found.items():
        assert len(str(said["title"])) > 10, reason
        assert str(said["advice"]).endswith("."), reason
        assert said["again"] or reason == "already_recorded", reason
    assert {one.value: found[one.value]["transient"] for one in Reason} == {one.value: one.transient for one in Reason}


def test_nothing_is_advised_on_that_is_no_reason() -> None:
    """A reason that was renamed leaves no advice behind, and none is advised on twice."""
    for table, known in (
        (problem_advice._OF_REASONS, [one.value for one in Reason]),
        (problem_advice._OF_REQUESTS, [*{*(one.value for one in HttpReason), *map(code_of, KINDS)}]),
    ):
        assert sorted(reason for reasons in table.values() for reason in reasons.split()) == sorted(known)


def test_what_is_no_reason_is_not_found(service: Running) -> None:
    """As a problem, whose own type leads to a page."""
    answer = service.http.get("/problems/%3Cscript%3E", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.json()["reason"]) == (404, "not_found")
    assert service.http.get(answer.json()["type"]).status_code == 200
