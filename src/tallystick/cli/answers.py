"""An entry, or an answer to a note, is said in one shape: by `check`, `submit` and `verify`, in words and in JSON.

    {"accepted": true, "index", "at", "kind", "outcome": {...}}       or of a statement, instead of the outcome,
    {..., "lines": [{"line", "job", "reservation", "accepted", "fee_fen", "from_voucher_fen"}, ...]}
    {"accepted": false, "reason", "detail", "later"}                  of a note or of a line
    {..., "index", "key", "limit_fen", "not_before"}                  those that a note's refusal has (`Refusal`)

`later` says that the same may be accepted another time.
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from tallystick.cli import output, streams
from tallystick.printing.text import escaped, yuan

if TYPE_CHECKING:
    from tallystick.ledger import Admitted
    from tallystick.vouchers.outcomes import Burned
    from tallystick.vouchers.refusals import Reason, Refusal
    from tallystick.vouchers.rules.burns import TimeBurn
    from tallystick.vouchers.rules.rule import Event

Answer = dict[str, Any]
"""JSON values, as in this module's docstring."""


def show_faults() -> None:
    """Say what the ledger logs on standard error, in a line each; with TALLYSTICK_TRACEBACK=1 all of it."""
    import logging

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            first, *rest = record.getMessage().splitlines()
            if os.environ.get("TALLYSTICK_TRACEBACK"):
                for line in (f"tallystick: {first}", *rest):
                    sys.stderr.write(f"{escaped(line, sys.stderr.encoding)}\n")
                sys.stderr.flush()
            else:  # what an exception says may be a stranger's words
                streams.say(f"tallystick: {first}; TALLYSTICK_TRACEBACK=1 shows where, which is worth reporting")

    logging.getLogger("tallystick").handlers = [Lines()]


def refused(refusal: "Refusal") -> Answer:
    """Return what is said of a note that is refused."""
    return _reason(refusal.reason) | ({"detail": refusal.detail} if refusal.detail else {}) | refusal.fields()


def accepted(event: "Event") -> Answer:
    """Return what is said of an entry; of a statement, line by line."""
    from tallystick.vouchers.outcomes import Burned
    from tallystick.vouchers.quantities import format_instant
    from tallystick.vouchers.rulebook import outcome_to_json
    from tallystick.vouchers.rules.burns import TimeBurn

    answer = {"accepted": True, "index": event.index, "at": format_instant(event.at), "kind": event.kind}
    if isinstance(event.command, TimeBurn) and isinstance(event.outcome, Burned):
        return answer | {"lines": _lines(event.command, event.outcome)}
    return answer | {"outcome": outcome_to_json(event.kind, event.outcome)}


def answered(answer: "Admitted | Refusal") -> Answer:
    """Return what is said of a note that a ledger answered."""
    from tallystick.vouchers.entry import Entry
    from tallystick.vouchers.refusals import Refusal

    if isinstance(answer, Refusal):
        return refused(answer)
    return accepted(Entry.from_bytes(answer.entry).event) | {"is_new": answer.is_new}


def words_for(outcome: dict[str, Any], zone: Callable[[], int]) -> str:
    """Return an outcome in words, nothing for an empty one; `zone` returns the network's offset, if there are times."""
    from tallystick.cli.moments import TIMES, with_local_times, zone_name

    in_zone = ""
    if not TIMES.isdisjoint(outcome):
        outcome = with_local_times(outcome, zone())
        in_zone = f" ({zone_name(zone())})"
    words = [f"{output.words(name)} {output.readable(name, value)}" for name, value in outcome.items()]
    return (": " + ", ".join(words) if words else "") + in_zone


def print_lines(lines: Sequence[Answer], *, wide: bool = False) -> None:
    """Print a statement's lines as a table."""
    rows = [
        (
            line["line"],
            line["job"],
            line["reservation"],
            yuan(line["fee_fen"]) if line["accepted"] else "",
            yuan(line["from_voucher_fen"]) if line["accepted"] else "",
            "burned" if line["accepted"] else f"refused: {line['reason']}",
        )
        for line in lines
    ]
    columns = ("line ", "job", "reservation", "fee ", "from voucher ", "decision")
    output.table("lines, in yuan", columns, rows, wide=wide)


def _lines(command: "TimeBurn", outcome: "Burned") -> list[Answer]:
    reasons = dict(outcome.refused)
    answers = []
    for number, line in enumerate(command.lines):
        said: Answer = {"line": number, "job": line.job, "reservation": line.reservation}
        if number in reasons:
            said |= _reason(reasons[number])
        else:
            said |= {"accepted": True, "fee_fen": outcome.fee_fen[number]}
            said |= {"from_voucher_fen": outcome.from_voucher_fen[number]}
        answers.append(said)
    return answers


def _reason(reason: "Reason") -> Answer:
    return {"accepted": False, "reason": reason.value, "detail": reason.meaning, "later": reason.later}
