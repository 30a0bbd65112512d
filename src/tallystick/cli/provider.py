"""What a provider, or any other bringer of notes, does: check them, submit them.

    check SOURCE NOTE...     what would be decided, line by line, and nothing written
    submit SOURCE NOTE...    decided, recorded, and answered with receipts
    submit URL NOTE...       the same by a service, whose receipts are verified before anything is said

`check` is how a provider knows before it runs a job that it will be paid: the same function decides, on a copy of the
state. The answers to both commands have one shape; `docs/rules.md` lists the reasons.
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from tallystick.cli import answers, kinds, output, over_http, parameters, reading
from tallystick.cli.statuses import REFUSED
from tallystick.errors import LedgerError, UsageError
from tallystick.named_files import NamedFile
from tallystick.sources import StaticUrl

if TYPE_CHECKING:
    from tallystick.forms.words import Names
    from tallystick.publishing import Reader
    from tallystick.transparency.receipt import Receipt
    from tallystick.vouchers.entry import Entry
    from tallystick.vouchers.refusals import Refusal
    from tallystick.vouchers.state import State
    from tallystick.wire import JsonObject


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(check)
    app.command()(submit)


class _Words(NamedTuple):
    """What plain words depend on: returns the network's offset in seconds, and what things are called, if known."""

    zone: Callable[[], int]
    names: "Names | None"


def check(
    source: parameters.ReadSource,
    notes: parameters.Notes,
    log_time: Annotated[
        str | None,
        typer.Option("--log-time", help="Decide as if it were then, for a job yet to run: 2026-01-05T08:00:00Z."),
    ] = None,
    as_json: parameters.AsJson = False,
    key: parameters.LoginKey = None,
    passphrase_file: parameters.LoginPassphrase = None,
    passphrase_command: parameters.PassphraseCommand = None,
) -> None:
    """Say what `submit` would decide, line by line, and write nothing; status 1 if a note would be refused."""
    from tallystick.cli.lookups import name_in
    from tallystick.cli.moments import zone_in
    from tallystick.publishing.reader import read_ledger
    from tallystick.wire.answers import refused_by

    answers.show_faults()
    data = [reading.read_file(note) for note in notes]
    with over_http.served(source, over_http.Login(key, passphrase_file, passphrase_command)) as service:
        if service is not None:
            if log_time is not None:
                raise UsageError(f"{source} decides by its own time: leave --log-time out")
            said = [refused_by(one.problem) if one.problem else one.answer for one in service.questions.check(data)]
            _report(notes, data, said, _Words(lambda: service.zone, service.names()), as_json=as_json)
            return
    with read_ledger(source) as reader:
        said, state = _decided(reader, data, reading.clock(log_time, lambda: zone_in(reader))())
        words = _Words(lambda: zone_in(reader), lambda kind, id_: name_in(state(), kind, id_))
        _report(notes, data, said, words, as_json=as_json)


def _decided(reader: "Reader", data: Sequence[bytes], instant: int) -> "tuple[list[JsonObject], Callable[[], State]]":
    """Say what would become of notes at an instant (microseconds), one after the other.

    Returns:
        What is said of each, and what returns the state that it was decided against.
    """
    from tallystick.ledger.checking import check_notes
    from tallystick.publishing.recorded import find_recorded

    with output.progress("Reading the ledger") as progress:
        recorded = find_recorded(reader, data)
        new = [note for number, note in enumerate(data) if number not in recorded]
        states: list[State] = []

        def load() -> "State":
            states[:] = [reader.state(progress=progress)]
            return states[0]

        decided = check_notes(load, new, instant) if new else []
        remaining = iter(decided)
        said = [
            _recorded(recorded[number]) if number in recorded else _checked(next(remaining), decided, reader)
            for number in range(len(data))
        ]
        return said, cache(lambda: states[0] if states else reader.state())


def submit(
    source: parameters.SubmitSource,
    notes: parameters.Notes,
    log_key: parameters.LogKey = None,
    next_log_key: parameters.NextLogKey = None,
    passphrase_file: parameters.LogKeyPassphrase = None,
    passphrase_command: parameters.PassphraseCommand = None,
    receipts: Annotated[
        parameters.Folder | None,
        typer.Option(parser=reading.folder_named, help="Write <index>.tlog-proof there for each entry."),
    ] = None,
    log_time: parameters.LogTime = None,
    accept_clock_jump: parameters.AcceptClockJump = False,
    trust: parameters.ServiceTrust = None,
    auditors: parameters.AuditorUrls = None,
    as_json: parameters.AsJson = False,
) -> None:
    """Record notes, or say why not; submitting again is harmless. Status 1 if a note was refused."""
    from tallystick.cli.lookups import name_in
    from tallystick.cli.moments import zone_of
    from tallystick.ledger.opening import open_ledger
    from tallystick.vouchers.refusals import Refusal

    answers.show_faults()
    data = [reading.read_file(note) for note in notes]
    if isinstance(source, StaticUrl):
        if (log_key, next_log_key, log_time) != (None, None, None) or accept_clock_jump:
            raise UsageError(f"{source} has its own key and time: leave the options that name them out")
        _submit_over_http(source, notes, data, trust, receipts, auditors, as_json=as_json)
        return
    if trust is not None or auditors:
        raise UsageError("--trust and --auditor go with a service's URL: a ledger on this machine is believed")
    clock = reading.clock(log_time, lambda: zone_of(source))
    key, next_key = reading.load_log_keys(source, log_key, next_log_key, passphrase_file, passphrase_command)
    guard = reading.clock_guard(source, log_time, accept_jump=accept_clock_jump)
    if receipts is not None:
        receipts.mkdir(parents=True, exist_ok=True)
    said: list[JsonObject] = []
    with open_ledger(source, key, next_log_key=next_key, clock=clock, guard=guard) as ledger:
        for answer in ledger.submit(data):
            said.append(answers.answered(answer))
            if receipts is not None and not isinstance(answer, Refusal):
                said[-1]["receipt"] = _write_receipt(receipts, answer.index, answer.receipt())
        names = None
        with suppress(LedgerError):  # the answers stand, whatever becomes of the store
            names = partial(name_in, ledger.state)
    _report(notes, data, said, _Words(lambda: zone_of(source), names), as_json=as_json)


def _recorded(answer: "Entry | Refusal") -> "JsonObject":
    """Say what is answered to a note whose reference was used before the log came to where it is."""
    from tallystick.vouchers.refusals import Refusal
    from tallystick.wire.answers import recorded, refused

    return refused(answer) if isinstance(answer, Refusal) else recorded(answer.event, is_new=False)


def _checked(answer: "Entry | Refusal", decided: "Sequence[Entry | Refusal]", reader: "Reader") -> "JsonObject":
    """Say what would become of a note; one that is recorded already would be answered with its entry."""
    from tallystick.vouchers.entry import Entry
    from tallystick.vouchers.refusals import Reason
    from tallystick.wire.answers import recorded, refused

    if isinstance(answer, Entry):
        return recorded(answer.event, is_new=True)
    index = answer.index
    if answer.reason is not Reason.ALREADY_RECORDED or index is None:
        return refused(answer)
    if index < reader.size:
        event = Entry.from_bytes(next(reader.entries(index, index + 1))).event
    else:
        event = next(one.event for one in decided if isinstance(one, Entry) and one.event.index == index)
    return recorded(event, is_new=False)


def _submit_over_http(
    source: StaticUrl,
    notes: Sequence[str],
    data: Sequence[bytes],
    trust: Path | None,
    receipts: Path | None,
    auditors: list[str] | None,
    *,
    as_json: bool,
) -> None:
    """Have a service record notes, and report what was verified of them."""
    from tallystick.client import Recorded
    from tallystick.wire.answers import refused_by

    with ExitStack() as opened:
        service = opened.enter_context(over_http.served(source, over_http.Login()))
        if service is None:
            reading.ledger_of(source.url)  # which says that it can't be written
        client = opened.enter_context(over_http.client_of(source, trust, receipts, auditors))
        names = None if service is None else service.names()
        said: list[JsonObject] = []
        for answer in client.submit(data):
            if not isinstance(answer, Recorded):
                said.append(refused_by(answer))
                continue
            said.append(answer.answer)
            if receipts is not None:
                said[-1]["receipt"] = _write_receipt(receipts, answer.index, answer.receipt)
        for trouble in client.auditor_troubles:
            output.notice(f"an auditor was not given every receipt: {trouble}")
        _report(notes, data, said, _Words(lambda: over_http.zone_in(client.info()), names), as_json=as_json)


def _write_receipt(folder: Path, index: int, receipt: "Receipt") -> str:
    """Write an entry's receipt, and return its path."""
    path = folder / f"{index}.tlog-proof"
    try:
        NamedFile(path, kinds.RECEIPT).write(receipt.to_bytes())
    except (OSError, UsageError) as error:
        trouble = f"{path} can't be written ({error.strerror})" if isinstance(error, OSError) else error
        raise UsageError(
            f"the notes are answered and recorded, but {trouble}: submit the same notes again for answers and receipts"
        ) from None
    return str(path)


def _report(
    notes: Sequence[str],
    data: Sequence[bytes],
    said: "Sequence[JsonObject]",
    words: "_Words",
    *,
    as_json: bool,
) -> None:
    """Print the answers to the notes, and end with the status for them."""
    from tallystick.wire.answers import answers_to

    if as_json:
        output.print_json(answers_to(zip(notes, said, strict=True)))
    else:
        for note, whole, answer in zip(notes, data, said, strict=True):
            _print(note, whole, answer, words)
    if not all(answer["accepted"] for answer in said):
        raise typer.Exit(REFUSED)


def _print(note: str, whole: bytes, answer: "JsonObject", words: "_Words") -> None:
    """Print the answer to a note in one line, and a table of a statement's lines."""
    if not answer["accepted"]:
        again = "; the same may be accepted later" if answer["transient"] else ""
        output.line(f"{note}: refused: {answer['reason']}: {answer['detail']}{again}")
        answers.print_sentence(whole, words.zone, words.names)
        return
    again = "" if answer["is_new"] else " (recorded before)"
    outcome = answers.readable(answer.get("outcome", {}))
    tables = {name: outcome.pop(name) for name in ("ended", "claimed") if name in outcome}
    came_to = answers.words_for(outcome, words.zone)
    output.line(f"{note}: {answer['index']} {answer['kind']}{came_to}{again}")
    answers.print_sentence(whole, words.zone, words.names)
    if "lines" in answer:
        answers.print_lines(answer["lines"])
    for name, rows in tables.items():
        output.rows(f"{name}, in yuan", rows)
