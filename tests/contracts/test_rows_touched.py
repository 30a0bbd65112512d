"""Figures are asked by indexes: no question reads through a table that grows with the log's lines."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from support.voucher_year import Story
from tallystick.publishing.growing_log import GrowingLog
from tallystick.views.served_views import Answering, ServedViews

GROWING = {
    *("vouchers", "reservations", "voucher_history", "statements", "statement_lots", "claim_lots", "claims", "days"),
    *("applications", "recorded", "concerning", "indexed_names", "reversed_lines", "seal_leaves", "seals"),
    *("contracts", "contract_payments", "demands"),
}
OF_WHAT_IS_OPEN = ("USING INDEX applications_by_filed_index",)
"""Indexes of some rows alone, read as far as rows are counted."""
THINGS = {
    "treasury": "city",
    "programme": "city/p",
    "provider": "dc",
    "holder": "acme",
    "voucher": "city/v1",
    "contract": "acme/k1",
    "claim": "acme/c1",
    "reservation": "acme/r1",
}


def about(kind: str, ask: Callable[[Answering, Any], object]) -> Callable[[Answering], object]:
    """Return a question about the thing of a kind."""
    return lambda views: ask(views, kind)


QUESTIONS: dict[str, Callable[[Answering], object]] = {
    "days of the network": lambda views: views.days("network"),
    **{
        f"days of a {kind}": about(kind, lambda views, of: views.days(of, THINGS[of]))
        for kind in ("treasury", "programme", "provider", "holder", "voucher", "contract")
    },
    "usage by item": lambda views: views.usage_by_item("network"),
    "usage of providers": lambda views: views.usage_rows("provider"),
    "what waits": lambda views: views.waiting("network", None, 30),
    **{
        f"what waits of a {kind}": about(kind, lambda views, of: views.waiting(of, THINGS[of], 30))
        for kind in ("treasury", "programme", "provider", "holder")
    },
    **{
        f"ageing of a {kind}": about(kind, lambda views, of: views.ageing(of, THINGS[of]))
        for kind in ("treasury", "programme", "provider", "holder")
    },
    **{
        f"lines of a {kind}": about(kind, lambda views, of: views.lines(10, None, **{of: THINGS[of]}))
        for kind in ("provider", "holder", "contract")
    },
    **{
        f"timeline of a {kind}": about(kind, lambda views, of: views.timeline(of, THINGS[of], 10))
        for kind in ("voucher", "contract", "claim", "reservation", "programme")
    },
}


@pytest.fixture(scope="module")
def views(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedViews]:
    """Those of a quarter in which everything happens, followed."""
    story = Story(tmp_path_factory.mktemp("touched") / "ledger")
    story.year()
    story.ledger.close()
    with closing(GrowingLog(story.folder)) as log, closing(ServedViews(log, story.folder / "views.db")) as views:
        views.follow()
        yield views


@pytest.mark.parametrize("question", QUESTIONS)
def test_no_growing_table_is_read_through(views: ServedViews, question: str) -> None:
    with views.asked() as answering:
        connection: Any = answering.ask(lambda c: c.sqlite_cursor.connection)
        asked: list[str] = []
        connection.set_trace_callback(asked.append)
        QUESTIONS[question](answering)
        connection.set_trace_callback(None)
        assert asked
        plans = [row[3] for sql in asked if sql.startswith("SELECT") for row in _plan(connection, sql)]
    through = [one for one in plans if one.split()[0] == "SCAN" and one.split()[1] in GROWING]
    assert [one for one in through if not one.endswith(OF_WHAT_IS_OPEN)] == []


def _plan(connection: Any, sql: str) -> list[tuple[Any, ...]]:
    cursor = connection.cursor()
    cursor.row_factory = None
    found: list[tuple[Any, ...]] = cursor.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall()
    return found


def test_a_table_that_is_read_through_is_seen(views: ServedViews) -> None:
    """Or the test above would say nothing."""
    with views.asked() as answering:
        connection: Any = answering.ask(lambda c: c.sqlite_cursor.connection)
        assert [row[3].split()[:2] for row in _plan(connection, "SELECT * FROM statements")] == [["SCAN", "statements"]]
