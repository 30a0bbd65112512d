"""What a log comes to: balances, and all about one voucher, holder, programme, claim and so on.

    {"by": "voucher", "entries", "balances": [{...}, ...]}
    {"list": "item", "entries", "rows": [{...}, ...]}
    {"entries", "recorded": [{"index", "at", "kind", "party", "ref"}, ...]}          newest first
    {"q", "entries", "hits": [{"kind", "id", "by"}, ...]}                           exact ones first
    {"voucher": {"balance": {...}, "history": [...], ...}}

The members are the fields of the views' answers. What answers them is given: nothing here knows where it is kept.
"""

from collections.abc import Iterable
from dataclasses import asdict

from tallystick.wire import DataclassValue, JsonObject


def rows(answers: Iterable[DataclassValue]) -> list[JsonObject]:
    """Return answers of one kind, in their order."""
    return [asdict(answer) for answer in answers]


def balances(by: str, size: int, answers: Iterable[DataclassValue]) -> JsonObject:
    """Return balances by programme, holder, provider and so on, after so many entries."""
    return {"by": by, "entries": size, "balances": rows(answers)}


def listing(kind: str, size: int, answers: Iterable[DataclassValue]) -> JsonObject:
    """Return a list of parties, keys, items and so on, after so many entries."""
    return {"list": kind, "entries": size, "rows": rows(answers)}


def recorded(size: int, answers: Iterable[DataclassValue]) -> JsonObject:
    """Return entries in short, after so many entries."""
    return {"entries": size, "recorded": [{"index": row.pop("entry_index")} | row for row in rows(answers)]}


def search(text: str, size: int, hits: Iterable[DataclassValue]) -> JsonObject:
    """Return what a text leads to, after so many entries."""
    return {"q": text, "entries": size, "hits": rows(hits)}


def resource(kind: str, answer: DataclassValue) -> JsonObject:
    """Return all about one voucher, holder, programme, provider, contract, application, claim, treasury and so on."""
    return {kind: asdict(answer)}
