"""What becomes of a note, said in one shape by `check`, `submit` and `writer`.

    {"accepted": true, "index", "at", "kind", "outcome": {...}}       or of a statement, instead of the outcome,
    {..., "lines": [{"line", "item", "job", "accepted", "fee_fen", "paid_fen", "absorbed_fen"}, ...]}
                                                                      a service is a line without a job
    {"accepted": false, "reason", "detail", "transient"}              of a note or of a line
    {..., "index", "key", "limit_fen", "not_before"}                  those that a note's refusal has (`Refusal`)

`transient` says that the same may be accepted another time. `is_new` is false of an entry that was recorded before.
"""

from collections.abc import Iterable

from tallystick.errors import ProblemError
from tallystick.vouchers.outcomes import Burned
from tallystick.vouchers.quantities import format_instant
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rulebook import outcome_to_json
from tallystick.vouchers.rules.burning import TimeBurn
from tallystick.vouchers.rules.rule import Event
from tallystick.vouchers.rules.service_burning import ServiceBurn
from tallystick.wire import JsonObject


def refused(refusal: Refusal) -> JsonObject:
    """Return what is said of a note that is refused."""
    return _reason(refusal.reason) | ({"detail": refusal.detail} if refusal.detail else {}) | refusal.fields()


def refused_by(problem: ProblemError) -> JsonObject:
    """Return the same of a note that a server refuses."""
    said: JsonObject = {"accepted": False, "reason": str(problem.reason), "detail": problem.detail}
    return said | {"transient": problem.transient} | problem.fields


def accepted(event: Event) -> JsonObject:
    """Return what is said of an entry; of a statement, line by line."""
    answer = {"accepted": True, "index": event.index, "at": format_instant(event.at), "kind": event.kind}
    if isinstance(event.command, TimeBurn | ServiceBurn) and isinstance(event.outcome, Burned):
        return answer | {"lines": _lines(event.command, event.outcome)}
    return answer | {"outcome": outcome_to_json(event.kind, event.outcome)}


def recorded(event: Event, *, is_new: bool) -> JsonObject:
    """Return what is said of a note that is an entry, or would be."""
    return accepted(event) | {"is_new": is_new}


def answers_to(named: Iterable[tuple[str, JsonObject]]) -> JsonObject:
    """Return the answers to notes, each with what its note is called."""
    return {"notes": [{"note": note} | answer for note, answer in named]}


def _lines(command: TimeBurn | ServiceBurn, outcome: Burned) -> list[JsonObject]:
    reasons, absorbed_fen, paid_fen = dict(outcome.refused), dict(outcome.absorbed), outcome.paid_fen()
    answers = []
    if isinstance(command, ServiceBurn):
        lines: list[JsonObject] = [{"item": command.item}]
    else:
        lines = [{"item": item, "job": line.job} for item, line in command.lines()]
    for number, what in enumerate(lines):
        said: JsonObject = {"line": number} | what
        if number in reasons:
            said |= _reason(reasons[number])
        else:
            said |= {"accepted": True, "fee_fen": outcome.fee_fen[number]}
            said |= {"paid_fen": paid_fen[number], "absorbed_fen": absorbed_fen.get(number, 0)}
        answers.append(said)
    return answers


def _reason(reason: Reason) -> JsonObject:
    return {"accepted": False, "reason": reason.value, "detail": reason.meaning, "transient": reason.transient}
