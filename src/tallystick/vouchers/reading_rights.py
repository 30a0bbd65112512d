"""Who may read what of a log, where it is served: docs/privacy.md, "Who reads what of a service".

    sight            one thing: all of it, its terms, or nothing
    may_read_entry   an entry: by who may read what it is about
    reads_all        everything

Which parties a thing concerns is given (`Concerned`): the state forgets what has ended, so it is looked up elsewhere.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final, Literal, NamedTuple, TypeAlias, get_args

from tallystick.vouchers.fields import Role
from tallystick.vouchers.rules.attestations import AttestationGive
from tallystick.vouchers.rules.rule import EVERY_PARTY, Event, Rule
from tallystick.vouchers.rules.withdrawals import PartyRecord, RecordWithdraw

ThingKind: TypeAlias = Literal[
    "party",
    "holder",
    "provider",
    "treasury",
    "programme",
    "voucher",
    "reservation",
    "contract",
    "application",
    "claim",
    "demand",
    "mandate",
    "payee",
    "statement",
    "review",
    "item",
    "tariff",
    "capacity",
    "accreditation",
    "edition",
    "seal",
    "checkpoint",
    "log_key",
]
"""What can be read. A `payee` is one of a programme, a `statement` one of a provider's references up to an entry, a
`review` what one attester says of providers or holders: ids of several words."""
THING_KINDS: Final = frozenset[ThingKind](get_args(ThingKind))


class Reading(StrEnum):
    """Who may read a log where it is served.

    Attributes:
        OPEN: everybody, without a login.
        PARTIES: every party, all of it.
        OWN: a party what concerns it; the network, operators and auditors all of it.
    """

    OPEN = "open"
    PARTIES = "parties"
    OWN = "own"


class Sight(IntEnum):
    """How much of a thing a reader sees."""

    NOTHING = 0
    TERMS = 1
    ALL = 2


class Reader(NamedTuple):
    """A party that logged in, and its role."""

    party: str
    role: Role


@dataclass(frozen=True, slots=True)
class Concerned:
    """The parties that a thing concerns: those that see all of it, those that see its terms, and what every party does.

    What every party sees of all things of a kind is in `TO_EVERY_PARTY`.
    """

    parties: frozenset[str] = frozenset()
    terms: frozenset[str] = frozenset()
    every_party: Sight = Sight.NOTHING


class Subject(NamedTuple):
    """A thing that an entry is about, and how much of it its readers must see to read the entry."""

    kind: ThingKind
    id: str
    least: Sight = Sight.ALL


LookUp: TypeAlias = Callable[[ThingKind, str], Concerned | None]
"""Finds whom a thing of a kind and an id concerns; None if there is none."""


READS_ALL: Final = frozenset[Role]({"network", "auditor", "operator"})
"""An auditor is admitted to read. An operator runs the log or issues by mandates, and books what time has ended of all:
it has the log, whatever a service says."""
TO_EVERY_PARTY: Final[Mapping[ThingKind, Sight]] = {
    # What commands are written with, and what is needed to verify them and proofs.
    "item": Sight.ALL,
    "tariff": Sight.ALL,
    "capacity": Sight.ALL,
    "accreditation": Sight.ALL,
    "edition": Sight.ALL,
    "seal": Sight.ALL,
    "checkpoint": Sight.ALL,
    "log_key": Sight.ALL,
    "programme": Sight.TERMS,
}


def reads_all(reading: Reading, reader: Reader | None) -> bool:
    """Return whether a reader sees all of everything; without a login, there is no reader."""
    if reading is Reading.OPEN:
        return True
    return reader is not None and (reading is Reading.PARTIES or reader.role in READS_ALL)


def sight(reading: Reading, reader: Reader | None, kind: ThingKind, concerned: Concerned) -> Sight:
    """Return how much of a thing a reader sees.

    Args:
        reading: of the service.
        reader: who asks; None without a login.
        kind: of the thing, which is there.
        concerned: the parties that it concerns.
    """
    if reads_all(reading, reader):
        return Sight.ALL
    if reader is None:
        return Sight.NOTHING
    if reader.party in concerned.parties:
        return Sight.ALL
    named = Sight.TERMS if reader.party in concerned.terms else Sight.NOTHING
    return max(named, concerned.every_party, TO_EVERY_PARTY.get(kind, Sight.NOTHING))


# -- entries ----------------------------------------------------------------------------------------------------------

_PARTY_FIELDS: Final = frozenset({"admitted", "party", "subject"})
_BY_FIELD: Final[Mapping[str, ThingKind]] = {
    "voucher": "voucher",
    "into": "voucher",
    "reservation": "reservation",
    "contract": "contract",
    "application": "application",
    "claim": "claim",
    "demand": "demand",
    "mandate": "mandate",
}


def is_for_every_party(command: Rule) -> bool:
    """Return whether every party may read the entry of a command, whatever it is about."""
    if isinstance(command, RecordWithdraw):  # what is withdrawn was for every party, but a party
        return not isinstance(command.record, PartyRecord)
    return EVERY_PARTY in command.about


def subjects_of(event: Event) -> Iterable[Subject]:
    """Return the things that an entry is about; one whose reader the party is lets it read the entry."""
    command = event.command
    if not is_for_every_party(command):
        for field in command.about:
            yield from _subjects(event, field, getattr(command, field))


def _subjects(event: Event, field: str, value: object) -> Iterable[Subject]:
    command = event.command
    if isinstance(value, PartyRecord):
        yield Subject("party", value.party, Sight.TERMS)
    elif isinstance(command, AttestationGive):
        yield Subject(command.subject_type, command.subject_id)
        yield Subject("review", f"{command.subject_type} {command.party}")
    elif field in _PARTY_FIELDS:
        yield Subject("party", str(value), Sight.TERMS)
    elif field == "statement":
        yield Subject("statement", f"{command.party} {value} {event.index}")
    else:
        yield Subject(_BY_FIELD[field], str(value))


def parties_of(event: Event) -> frozenset[str]:
    """Return the parties that an entry names as those who gave, signed, or are to be given something."""
    signed = {name.partition("/")[0] for name in event.key_names}
    return frozenset({*signed, event.command.party, *event.command.parties_named()})


def readers_of_entry(event: Event, look_up: LookUp) -> frozenset[str] | None:
    """Return the parties that may read an entry, beside those that read all; None for every party.

    Args:
        event: the entry's.
        look_up: finds whom a thing concerns.
    """
    if is_for_every_party(event.command):
        return None
    readers = set(parties_of(event))
    for subject in subjects_of(event):
        concerned = look_up(subject.kind, subject.id)
        if concerned is not None:
            least_for_all = max(concerned.every_party, TO_EVERY_PARTY.get(subject.kind, Sight.NOTHING))
            if least_for_all >= subject.least:
                return None
            readers |= concerned.parties | (concerned.terms if subject.least is Sight.TERMS else frozenset())
    return frozenset(readers)


def may_read_entry(reading: Reading, reader: Reader | None, event: Event, look_up: LookUp) -> bool:
    """Return whether a reader may read an entry: command, signatures and outcome, as they lie in the log.

    Args:
        reading: of the service.
        reader: who asks; None without a login.
        event: the entry's.
        look_up: finds whom a thing concerns.
    """
    if reads_all(reading, reader):
        return True
    if reader is None:
        return False
    if reader.party in parties_of(event):
        return True
    readers = readers_of_entry(event, look_up)
    return readers is None or reader.party in readers
