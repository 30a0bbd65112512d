"""An answer to a note (`tallystick.wire.answers`) in words: an outcome, and a statement's lines as a table."""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from tallystick.cli import output, streams
from tallystick.forms.amounts import yuan
from tallystick.printing.text import escaped

if TYPE_CHECKING:
    from tallystick.forms.words import Names
    from tallystick.ledger import Admitted
    from tallystick.vouchers.refusals import Refusal
    from tallystick.wire import JsonObject

_TABLES = ("ended", "claimed")
_LINES_SHOWN = 20


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


def answered(answer: "Admitted | Refusal") -> "JsonObject":
    """Return what is said of a note that a ledger answered."""
    from tallystick.vouchers.refusals import Refusal
    from tallystick.wire.answers import recorded, refused

    return refused(answer) if isinstance(answer, Refusal) else recorded(answer.event, is_new=answer.is_new)


def print_sentence(note: bytes, zone: Callable[[], int], names: "Names | None" = None) -> None:
    """Print what a note's command says in plain words, below the answer to it; nothing of what is no command.

    Args:
        note: signed.
        zone: returns the network's offset in seconds.
        names: what things are called; without it their ids alone are said.
    """
    from tallystick.forms.words import command_in, in_words

    fields = command_in(note)
    if fields is not None:
        output.indented(f"  {in_words(fields, zone(), names).sentence}")


def words_of(answer: "JsonObject", zone: Callable[[], int]) -> str:
    """Return what an accepted note came to in words: of a statement how many lines are burned, else its outcome."""
    if "lines" in answer:
        burned = [line for line in answer["lines"] if line["accepted"]]
        fee_fen = sum(line["fee_fen"] for line in burned)
        return f": {len(burned):,} of {len(answer['lines']):,} lines burned, for {yuan(fee_fen)} yuan"
    outcome = readable(answer.get("outcome", {}))
    return words_for({name: value for name, value in outcome.items() if name not in _TABLES}, zone)


def print_tables(answer: "JsonObject") -> None:
    """Print what an accepted note came to in rows: what is claimed, what ended; of a statement which lines it has.

    Of a long statement the lines that are refused are printed alone.
    """
    lines = answer.get("lines", [])
    shown = lines if len(lines) <= _LINES_SHOWN else [line for line in lines if not line["accepted"]]
    if shown:
        print_lines(shown)
    outcome = readable(answer.get("outcome", {}))
    for name in _TABLES:
        if outcome.get(name):
            output.rows(f"{name}, in yuan", outcome[name])


def words_for(outcome: dict[str, Any], zone: Callable[[], int]) -> str:
    """Return an outcome in words, nothing for an empty one; `zone` returns the network's offset, if there are times."""
    from tallystick.forms.times import TIMES, with_local_times, zone_name

    in_zone = ""
    if not TIMES.isdisjoint(outcome):
        outcome = with_local_times(outcome, zone())
        in_zone = f" ({zone_name(zone())})"
    words = [f"{output.words(name)} {output.readable(name, value)}" for name, value in outcome.items()]
    return (": " + ", ".join(words) if words else "") + in_zone


def readable(outcome: "JsonObject") -> "JsonObject":
    """Return an outcome whose rows are named: what time ended, or what is claimed under which contract."""
    if "rows" not in outcome:
        return dict(outcome)
    said = {name: value for name, value in outcome.items() if name != "rows"}
    if "amount_fen" in outcome:
        return said | {"claimed": [{"contract": name, "claimed_fen": fen} for name, fen in outcome["rows"]]}
    ended = [{"what": f"{kind} {name}", "amount_fen": fen, "to": to} for kind, name, fen, to in outcome["rows"]]
    return said | {"ended": ended}


def print_lines(lines: "Sequence[JsonObject]", *, wide: bool = False) -> None:
    """Print a statement's lines as a table."""
    rows = [
        (
            line["line"],
            line["item"],
            line.get("job", ""),
            *[yuan(line[amount]) if line["accepted"] else "" for amount in ("fee_fen", "paid_fen", "absorbed_fen")],
            "burned" if line["accepted"] else f"refused: {line['reason']}",
        )
        for line in lines
    ]
    columns = ("line ", "item", "job", "fee ", "from vouchers ", "other support ", "decision")
    output.table("lines, in yuan", columns, rows, wide=wide)
