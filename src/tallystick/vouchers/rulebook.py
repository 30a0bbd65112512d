"""Every command, and what follows from the list: how a command's text and an event's outcome are read and written.

A command is the text of a note: one line of canonical JSON (RFC 8785) and a newline. `parse_command` takes just that
encoding. Field names are docs/rules.md's; in Python `from` and `to` of a burn line are `starts_at` and `ends_at`. A
command is published for good: a change of meaning is a new kind with a higher number after the slash, so a rule more.
"""

import dataclasses
from functools import reduce
from operator import or_
from typing import Annotated, Any, Final, cast, get_args

from pydantic import Field, TypeAdapter, ValidationError

from tallystick.errors import CanonicalJsonError, MalformedError
from tallystick.field_faults import first_fault
from tallystick.signing import canonical_json
from tallystick.vouchers.fields import IN_WORDS
from tallystick.vouchers.meanings import meaning_of
from tallystick.vouchers.outcomes import Nothing, Outcome
from tallystick.vouchers.refusals import Reason
from tallystick.vouchers.rules import (
    accreditations,
    applications,
    attestations,
    books,
    burning,
    capacity,
    checkpoints,
    claiming,
    contracts,
    editions,
    endings,
    importing,
    items,
    keys,
    log_keys,
    mandates,
    network,
    programmes,
    recovery,
    reservations,
    service_burning,
    settlement,
    suspensions,
    vouchers,
    withdrawals,
)
from tallystick.vouchers.rules.rule import Rule

RULES: Final[tuple[type[Rule], ...]] = (
    *network.RULES,
    *suspensions.RULES,
    *editions.RULES,
    *checkpoints.RULES,
    *log_keys.RULES,
    *keys.RULES,
    *items.RULES,
    *capacity.RULES,
    *programmes.RULES,
    *accreditations.RULES,
    *withdrawals.RULES,
    *mandates.RULES,
    *contracts.RULES,
    *applications.RULES,
    *attestations.RULES,
    *vouchers.RULES,
    *importing.RULES,
    *endings.RULES,
    *reservations.RULES,
    *burning.RULES,
    *service_burning.RULES,
    *claiming.RULES,
    *settlement.RULES,
    *recovery.RULES,
    *books.RULES,
)


class Rulebook:
    """What follows from a list of rules.

    Attributes:
        rules: by kind of command, in the order of the list.
        event_kinds: by kind of command.
        outcomes: by kind of event, how its outcome is read and written; of those that have one.
        any_command: the type of a command of the list.
    """

    def __init__(self, rules: tuple[type[Rule], ...]) -> None:
        """Derive the tables.

        Raises:
            ValueError: two rules have the same kind of command or of event.
        """
        self.rules = {kind_of(rule): rule for rule in rules}
        self.event_kinds = {kind: rule.event_kind for kind, rule in self.rules.items()}
        if not len(rules) == len(self.rules) == len(set(self.event_kinds.values())):
            raise ValueError("two rules have the same kind of command or of event")
        self.outcomes: dict[str, TypeAdapter[Any]] = {
            rule.event_kind: TypeAdapter(rule.outcome) for rule in rules if rule.outcome is not Nothing
        }
        self.any_command = cast(Any, Annotated[reduce(or_, rules), Field(discriminator="kind")])
        self.commands: TypeAdapter[Rule] = TypeAdapter(self.any_command)


def kind_of(rule: type[Rule]) -> str:
    """Return the kind that a rule's commands have: the one value that their field takes."""
    (kind,) = get_args(rule.model_fields["kind"].annotation)
    return str(kind)


RULEBOOK: Final = Rulebook(RULES)
EVENT_KINDS: Final = RULEBOOK.event_kinds
_NOTHING: Final = Nothing()


def parse_command(text: bytes, edition: int | None = None) -> Rule:
    """Return the command that a note's text is.

    Args:
        text: canonical JSON in UTF-8 and a final newline.
        edition: of the rules, whose algorithms alone it may name; without one, all.

    Raises:
        CanonicalJsonError: another encoding of JSON, or none.
        MalformedError: not a command of the closed list, with the field that is wrong.
    """
    if not text.endswith(b"\n"):
        raise CanonicalJsonError("the text does not end in a newline")
    line = text[:-1]
    canonical_json.decode(line)
    try:
        command: Rule = RULEBOOK.commands.validator.validate_json(line, context=edition)
    except ValidationError as error:
        raise MalformedError(_first_fault(error, canonical_json.decode(line))) from None
    return command


def command_text(fields: dict[str, Any]) -> bytes:
    """Return the text to sign of a command given as JSON values.

    Raises:
        CanonicalJsonError: a value that canonical JSON can't hold.
        MalformedError: as `parse_command`.
    """
    text = canonical_json.encode(fields) + b"\n"
    parse_command(text)
    return text


def outcome_to_json(kind: str, outcome: Outcome) -> dict[str, Any]:
    """Return an outcome of an event of this kind as JSON values."""
    adapter = RULEBOOK.outcomes.get(kind)
    return adapter.dump_python(outcome, mode="json") if adapter else {}


def outcome_to_bytes(kind: str, outcome: Outcome) -> bytes:
    """Return an outcome's canonical JSON: pydantic's own output is (outcomes.py)."""
    adapter = RULEBOOK.outcomes.get(kind)
    return adapter.serializer.to_json(outcome) if adapter else b"{}"


def outcome_from_json(kind: str, fields: dict[str, Any]) -> Outcome:
    """Return the outcome that an event of this kind has in an entry.

    Raises:
        ValueError: not of this kind's form.
    """
    adapter = RULEBOOK.outcomes.get(kind)
    if adapter is not None:
        try:
            # As JSON: in strict Python a list would not do for a tuple.
            outcome: Outcome = adapter.validate_json(canonical_json.encode(fields))
        except ValidationError as error:
            raise ValueError(f"in an outcome of {kind}, {first_fault(error, IN_WORDS, fields)}") from None
        return outcome
    if fields:
        raise ValueError(f"an event {kind} has an empty outcome")
    return _NOTHING


def believed_outcome(kind: str, data: bytes) -> Outcome:
    """Return the outcome that an event of this kind has in an entry that is believed to be canonical.

    Raises:
        ValueError: not of this kind's form.
    """
    adapter = RULEBOOK.outcomes.get(kind)
    if adapter is not None:
        outcome: Outcome = adapter.validate_json(data)
        return outcome
    if data != b"{}":
        raise ValueError(f"an event {kind} has an empty outcome")
    return _NOTHING


def _first_fault(error: ValidationError, value: canonical_json.JsonValue) -> str:
    """Say in one line where the first fault is and what it is; what a stranger wrote is shown short and escaped."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    if first["type"] == "union_tag_invalid" and not first["loc"]:
        return "kind: no command of the closed list is called so"
    return first_fault(error, IN_WORDS, value)


def described() -> dict[str, Any]:
    """Return the rulebook as JSON values: each command with its form, event, signers, touches and refusals.

    What is common to all commands stands once, under `every_command`.
    """
    rules = RULEBOOK.rules
    declared = {reason for rule in rules.values() for reason in rule.refusals}
    return {
        "commands": [_description(kind, rule) for kind, rule in rules.items()],
        "every_command": {
            "fields": list(Rule.model_fields),
            "refusals": [reason.value for reason in Reason if reason not in declared],
        },
    }


def _description(kind: str, rule: type[Rule]) -> dict[str, Any]:
    own = {name: field for name, field in rule.model_fields.items() if name not in Rule.model_fields}
    return {
        "kind": kind,
        "meaning": rule.__doc__,
        "fields": [
            {"name": name, "required": field.is_required(), "meaning": meaning_of(rule.__name__, name)}
            for name, field in own.items()
        ],
        "event": rule.event_kind,
        "outcome": [field.name for field in dataclasses.fields(rule.outcome)],
        "roles": sorted(rule.roles),
        "signers": rule.signers.__doc__,
        "touches": rule.touches.__doc__,
        "refusals": [reason.value for reason in rule.refusals],
    }
