"""What was played, told in a few lines: each with how often it happened, how much it was, and its first entry.

It is told from what is recorded, notes and their outcomes, as it is recorded: what isn't there is told as `0`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, NamedTuple

from tallystick.demo import cast, market
from tallystick.signing import canonical_json
from tallystick.signing.note import Note
from tallystick.vouchers.entry import Header

Json = Mapping[str, Any]


class Played(Enum):
    """What the demo is there to show, in the order of a year."""

    FILED = "applications filed"
    DISTRICT = "verdicts of the district's bureau"
    EXPERTS = "verdicts of the expert panel"
    BUREAU = "verdicts of the city's bureau"
    SIGNED = "contracts signed by both sides"
    DOMESTIC = "lines on domestic chips"
    FOREIGN = "lines on foreign chips"
    SHARED = "lines that a city and a district paid together"
    MODEL = "lines and services of a filed model"
    ENDED = "contracts ended early"
    CLAIMED = "claims of a quarter"
    SETTLED = "claims settled"
    WITHHELD = "of them with a part withheld"
    DISALLOWED = "withheld for good"
    DEMANDED = "improper payments asked back"
    SET_OFF = "of them set off in a later settlement"
    RECEIVED = "of them come back by bank"
    EXPIRED = "vouchers expired"
    SEALED = "quarters sealed"


@dataclass(slots=True)
class Told:
    """How often something happened, how much it was (fen), and its first entry; None where no entry tells it."""

    times: int = 0
    amount_fen: int = 0
    first_index: int | None = None


class Part(NamedTuple):
    """Something that an entry tells: how often, and how much (fen)."""

    what: Played
    times: int
    amount_fen: int


class Narrative:
    """What was played so far."""

    def __init__(self) -> None:
        """Nothing was."""
        self.told: Final = {what: Told() for what in Played}

    def take(self, index: int, header: Header, note: bytes) -> None:
        """Take in an entry; kinds of which nothing is told aren't even read."""
        tell = _TOLD.get(header.kind)
        if tell is not None:
            command = canonical_json.decode(Note.from_bytes(note).text[:-1])
            assert isinstance(command, dict)
            for part in tell(command, header.outcome):
                self.add(index, *part)

    def add(self, index: int, what: Played, times: int, amount_fen: int) -> None:
        """Tell of something that happened in an entry; what happened no time isn't told."""
        if times:
            told = self.told[what]
            told.times += times
            told.amount_fen += amount_fen
            told.first_index = index if told.first_index is None else told.first_index


def parts_of_lines(
    lines: Mapping[int, str], fees_fen: list[int], paid: Json, treasury_of: Callable[[str], str]
) -> Iterator[Part]:
    """Yield what is told of a statement's accepted lines.

    Args:
        lines: by number, their items.
        fees_fen: by number, what each costs.
        paid: by reservation, what it paid by line.
        treasury_of: returns whose programme a reservation is of.
    """
    told = {Played.DOMESTIC: list[int](), Played.FOREIGN: list[int](), Played.MODEL: list[int]()}
    for number, name in lines.items():
        item = market.ITEM_OF[name]
        if item.filing is not None:
            told[Played.MODEL].append(number)
        elif item.origin is not None:
            told[Played.DOMESTIC if item.origin == "domestic" else Played.FOREIGN].append(number)
    for what, numbers in told.items():
        yield Part(what, len(numbers), sum(fees_fen[number] for number in numbers))
    treasuries = {reservation: treasury_of(reservation) for reservation in paid}
    if len(set(treasuries.values())) > 1:
        shared = [
            number
            for number in lines
            if len({treasuries[name] for name, by_line in paid.items() if by_line[number]}) > 1
        ]
        yield Part(Played.SHARED, len(shared), sum(by_line[number] for by_line in paid.values() for number in shared))


def _filed(command: Json, _: Json) -> Iterator[Part]:
    yield Part(Played.FILED, 1, command["amount_fen"])


def _attested(command: Json, _: Json) -> Iterator[Part]:
    reviewers = {cast.BUREAU: Played.DISTRICT, cast.EXPERTS: Played.EXPERTS, cast.CITY_BUREAU: Played.BUREAU}
    if command["subject_type"] == "application":
        yield Part(reviewers[command["party"]], 1, 0)


def _signed(command: Json, _: Json) -> Iterator[Part]:
    yield Part(Played.SIGNED, 1, command["amount_fen"])


def _amended(command: Json, _: Json) -> Iterator[Part]:
    yield Part(Played.ENDED, int("last_day" in command), 0)


def _served(command: Json, outcome: Json) -> Iterator[Part]:
    is_filed = market.ITEM_OF[command["item"]].filing is not None
    yield Part(Played.MODEL, int(is_filed), sum(outcome["fee_fen"]))


def _claimed(_: Json, outcome: Json) -> Iterator[Part]:
    yield Part(Played.CLAIMED, 1, outcome["amount_fen"])


def _settled(command: Json, _: Json) -> Iterator[Part]:
    yield Part(Played.SETTLED, 1, sum(row["paid_fen"] for row in command["rows"]))
    withheld_fen = sum(row.get("withheld_fen", 0) for row in command["rows"])
    yield Part(Played.WITHHELD, int(withheld_fen > 0), withheld_fen)
    offsets = command.get("offsets", ())
    yield Part(Played.SET_OFF, len(offsets), sum(one["amount_fen"] for one in offsets))


def _disallowed(command: Json, _: Json) -> Iterator[Part]:
    yield Part(Played.DISALLOWED, 1, command["amount_fen"])


def _demanded(command: Json, _: Json) -> Iterator[Part]:
    yield Part(Played.DEMANDED, 1, command["amount_fen"])


def _received(command: Json, _: Json) -> Iterator[Part]:
    yield Part(Played.RECEIVED, 1, command["payment"]["amount_fen"])


def _expired(_: Json, outcome: Json) -> Iterator[Part]:
    amounts_fen = [amount_fen for kind, _, amount_fen, _ in outcome["rows"] if kind == "voucher"]
    yield Part(Played.EXPIRED, len(amounts_fen), sum(amounts_fen))


def _sealed(_: Json, __: Json) -> Iterator[Part]:
    yield Part(Played.SEALED, 1, 0)


_TOLD: Final[Mapping[str, Callable[[Json, Json], Iterator[Part]]]] = {
    "application.filed/1": _filed,
    "attestation.given/1": _attested,
    "contract.signed/1": _signed,
    "contract.amended/1": _amended,
    "service.burned/1": _served,
    "redemption.claimed/1": _claimed,
    "redemption.settled/1": _settled,
    "redemption.disallowed/1": _disallowed,
    "recovery.demanded/1": _demanded,
    "recovery.received/1": _received,
    "book.expired/1": _expired,
    "book.sealed/1": _sealed,
}
