"""A claim's way, from what was burned to the bank's payment; a demand's, from what is asked back to what came back."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from tallystick.web.pages.cells import table_of
from tallystick.web.pages.page import Asked, Page, PageRoute, Table
from tallystick.web.pages.words import N_, Words
from tallystick.web.seen import Seen


class Step(NamedTuple):
    """A step of a thing's way.

    Attributes:
        tone: the class of its mark.
        at: when (RFC 3339), or a day; None of what is still to come.
        is_day: whether it is a day.
        text: what happened.
        entry: the one that says so.
        amount_fen: of how much.
        note: more about it.
    """

    tone: str
    at: str | None
    is_day: bool
    text: str
    entry: int | None = None
    amount_fen: int | None = None
    note: str = ""


# -- a claim ----------------------------------------------------------------------------------------------------------

_LINES: Final = (
    *("index", "line", "day", "contract", "voucher", "item", "job", "gpu_milliseconds", "quantity", "fee_fen"),
    *("amount_fen", "reversed"),
)


def _claim(seen: Seen, asked: Asked) -> Page:
    words, id_ = asked.words, asked.owned_id
    said: Mapping[str, Any] = seen.one("claim", id_)["claim"]
    balance = said["balance"]
    tables = [
        table_of("rows", words.gettext("Contract by contract"), said["rows"], words),
        asked.part_of(table_of("lots", words.gettext("What it is made of: vouchers and days"), said["lots"], words)),
        asked.part_of(_lines(said["lines"], words)),
    ]
    if said["offsets"]:
        tables.append(table_of("offsets", words.gettext("Set off against what is asked back"), said["offsets"], words))
    if said["gates"]:
        columns = ("before", "topic", "passes", "asked", "passed", "missing")
        tables.append(table_of("gates", words.gettext("Who must still agree"), said["gates"], words, columns=columns))
    if said["verdicts"]:
        tables.append(table_of("verdicts", words.gettext("What attesters said"), said["verdicts"], words))
    values = {
        "id": id_,
        "balance": balance,
        "lead": _lead_of_claim(balance),
        "steps": _steps_of_claim(balance, said["verdicts"], words),
        "statements": len({line["index"] for line in said["lines"]}),
        "lines": len(said["lines"]),
        "withheld_because": [row for row in said["rows"] if row["reason"]],
    }
    return Page(id_, values, tables)


def _lead_of_claim(balance: Mapping[str, Any]) -> str:
    """Return which sentence the page begins with."""
    if balance["status"] == "open":
        return "open"
    return "paid" if not balance["withheld_fen"] else "part" if balance["paid_fen"] else "withheld"


def _lines(rows: Sequence[Mapping[str, Any]], words: Words) -> Table:
    shown = [name for name in _LINES if not rows or any(row[name] not in (None, 0, False) for row in rows)]
    return table_of("lines", words.gettext("Line by line"), rows, words, columns=shown)


def _steps_of_claim(balance: Mapping[str, Any], verdicts: Sequence[Mapping[str, Any]], words: Words) -> list[Step]:
    day, party = balance["last_day"], balance["claimant"]
    claimed = words.gettext("%(party)s claims what was burned up to %(day)s", party=party, day=day)
    steps = [Step("is-good", balance["claimed_at"], False, claimed, balance["claimed_index"], balance["amount_fen"])]
    for one in verdicts:
        tone = "is-good" if one["verdict"] == "pass" else "is-bad"
        text = words.gettext("%(party)s: %(verdict)s", party=one["attester"], verdict=words.verdict(one["verdict"]))
        steps.append(Step(tone, one["at"], False, text, one["index"], None, one["reason"]))
    steps.sort(key=lambda step: step.at or "")
    if balance["status"] == "open":
        return [*steps, Step("is-wait", None, False, words.gettext("The treasury has not settled it yet"))]
    return [*steps, *_settled(balance, words)]


def _settled(balance: Mapping[str, Any], words: Words) -> Iterator[Step]:
    withheld_fen, set_off_fen = balance["withheld_fen"], balance["set_off_fen"]
    tone, settles = "is-warn" if withheld_fen else "is-good", words.gettext("The treasury settles it")
    yield Step(tone, balance["settled_at"], False, settles, balance["settled_index"], balance["paid_fen"])
    if withheld_fen:
        text = words.gettext("Withheld; it can be claimed again, or is disallowed")
        yield Step("is-warn", None, False, text, None, withheld_fen)
    if set_off_fen:
        yield Step("is-good", None, False, words.gettext("Set off against what is asked back"), None, set_off_fen)
    if balance["payment_fen"]:
        text = words.gettext("The bank pays, under %(reference)s", reference=balance["payment_reference"] or "–")
        yield Step("is-good", balance["payment_day"], True, text, None, balance["payment_fen"])


# -- a demand ---------------------------------------------------------------------------------------------------------

_ACTS: Final[Mapping[str, str]] = {
    "recovery.received/1": N_("Came back by bank: %(text)s"),
    "redemption.settled/1": N_("Set off in the settlement of %(text)s"),
    "recovery.cancelled/1": N_("Not asked back any more: %(text)s"),
}


def _demand(seen: Seen, asked: Asked) -> Page:
    words, id_ = asked.words, asked.owned_id
    said: Mapping[str, Any] = seen.one("demand", id_)["demand"]
    balance = said["balance"]
    asks = words.gettext("Asked back: %(reason)s", reason=balance["reason"])
    steps = [Step("is-warn", balance["demanded_at"], False, asks, balance["demanded_index"], balance["amount_fen"])]
    for act in said["acts"]:
        text = _ACTS.get(act["kind"])
        shown = words.kind(act["kind"]) if text is None else words.gettext(text, text=act["text"])
        tone = "is-ended" if act["kind"] == "recovery.cancelled/1" else "is-good"
        steps.append(Step(tone, act["at"], False, shown, act["index"], act["amount_fen"]))
    if balance["left_fen"]:
        steps.append(Step("is-wait", None, False, words.gettext("Still to come back"), None, balance["left_fen"]))
    columns = ("index", "at", "kind", "amount_fen", "text")
    tables = [table_of("acts", words.gettext("What became of it"), said["acts"], words, columns=columns)]
    return Page(id_, {"id": id_, "balance": balance, "steps": steps}, tables)


PAGES: Final = (
    PageRoute("/claims/{owner}/{number}", "claim.html", _claim),
    PageRoute("/demands/{owner}/{number}", "demand.html", _demand),
)
