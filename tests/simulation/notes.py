"""Signed notes, made by the walk of the property tests from what the independent model knows, and given to nobody yet.

`NoteMaker` is that walk, but for one thing: where it would submit a command, the note is only kept. The simulator sends
it when and where it likes.
"""

import functools
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from random import Random
from typing import Any

from properties.naive_ledger import DAY, NaiveLedger, instant_text
from properties.test_against_naive_ledger import (
    HOLDERS,
    MOVES,
    NETWORK,
    PROVIDERS,
    SHAPES,
    START,
    TREASURIES,
    Pair,
    Walk,
)
from simulation.connection import Record, quiet
from simulation.disk import Disk, Image
from support.actors import ORIGIN, Json, key_of, label_of, note_of, text_of
from tallystick.ledger.log_signing import LogSigner
from tallystick.ledger.opening import _ledger
from tallystick.ledger.pending import Admitted

LOG_KEY = key_of(ORIGIN)
OWN_MOVES = {Walk.send_again, Walk.rekey_log, Walk.play_scene}
"""Notes are sent again here by submitters who got no answer, or who make sure; the log keeps its one key; and nobody
can go on with a scene whose notes have no answer yet."""
SELDOM_MET = {Walk.amend_programme, Walk.extend, Walk.serve}
"""What longer walks get to."""
OFTEN = 30
ENOUGH = 8
MUCH = 120


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """A note, and what the model must be told of it.

    Attributes:
        note: its bytes.
        text: what is signed; empty if the note can't be read.
        command: as JSON; empty if the note can't be read.
        signers: labels of the keys that signed it well.
        spoiled: labels of the keys whose lines are not theirs.
        reason: why nobody can read it; empty if it is a command.
    """

    note: bytes
    text: bytes
    command: Json
    signers: tuple[str, ...]
    spoiled: tuple[str, ...]
    reason: str = ""

    @property
    def name(self) -> str:
        """A name for the trace."""
        if self.reason:
            return self.reason
        return f"{self.command['party']}:{self.command['ref']}({self.command['kind'].removesuffix('/1')})"


class _Catch(Pair):
    """Stands where the walk expects both ledgers, and catches what it would give them."""

    def __init__(self, model: NaiveLedger) -> None:
        super().__init__()
        self.oracle = model
        self.caught: list[Made] = []

    def submit(self, command: Json, keys: Sequence[str], at: int, spoiled: Sequence[str] = ()) -> tuple[str, Any]:
        """Sign the command as told."""
        note = note_of(command, *keys, spoiled=tuple(spoiled))
        signers, wrong = tuple(map(label_of, keys)), tuple(map(label_of, spoiled))
        self.caught.append(Made(note, text_of(command), command, signers, wrong))
        return "sent", None

    def read_only(self, note: bytes) -> str:
        """Keep a note that nobody can read."""
        reason = super().read_only(note)
        self.caught.append(Made(note, b"", {}, (), (), reason))
        return reason


class NoteMaker:
    """Makes notes that are mostly sensible as the log stands, and often just beyond a limit."""

    def __init__(self, model: NaiveLedger, chance: Random, sent: Sequence[tuple[Json, list[str]]]) -> None:
        self._catch = _Catch(model)
        self._walk = Walk(self._catch)
        self._walk.chance = chance
        self._walk.refs = self._walk.names = 1_000  # beyond those of the founding
        self._walk.sent = [*sent]
        self._moves = [move for move in MOVES if move not in OWN_MOVES]
        self._model = model
        self._chip = "none"

    def make(self, at: int) -> list[Made]:
        """One of the walk's moves, at a time: mostly one note."""
        self._walk.at = at
        self._walk.chance.choices(self._moves, self._weights())[0](self._walk)
        return self._caught()

    def make_cause(self, at: int) -> list[Made]:
        """A note that brings something new into the world."""
        self._walk.at = at
        self._chip = f"chip-{self._walk.refs}"
        self._walk.send(NETWORK, "item.register", item=self._chip, unit="gpu_time", name="x", origin="domestic")
        return self._caught()

    def make_consequence(self, at: int) -> list[Made]:
        """A note that only stands if the newest of those causes is an entry."""
        self._walk.at = at
        tariff = {"item": self._chip, "price_fen": 3_600, "valid_from": instant_text(at + DAY)}
        self._walk.send(self._walk.pick(PROVIDERS), "tariff.publish", **tariff)
        return self._caught()

    def _caught(self) -> list[Made]:
        caught, self._catch.caught = self._catch.caught, []
        return caught

    def _weights(self) -> list[int]:
        """The walk's own, but a short run should soon have something to burn, and book what time has ended."""
        is_wanted: dict[Callable[[Walk], None], bool] = {
            Walk.issue: len(self._model.vouchers) < ENOUGH,
            Walk.reserve: len(self._model.reservations) < ENOUGH <= len(self._model.vouchers),
            Walk.burn: len(self._model.lines) < ENOUGH <= len(self._model.reservations),
            Walk.expire: bool(self._model.due(None, self._walk.at)),
        }
        much = dict.fromkeys([move for move, is_so in is_wanted.items() if is_so], MUCH)
        return [MOVES[move] + much.get(move, 0) + (OFTEN if move in SELDOM_MET else 0) for move in self._moves]

    def was_kept(self, made: Made) -> None:
        """Some commands come again in another shape."""
        self._walk.sent.append((made.command, [label.rsplit("+", 1)[0] for label in made.signers]))


@dataclass(frozen=True, slots=True)
class Founding:
    """A network that stands: the log, the model of it, and the notes that made it."""

    image: Image
    model: NaiveLedger
    notes: tuple[Made, ...]

    def sent(self) -> list[tuple[Json, list[str]]]:
        """The commands and the names of their keys, as a walk remembers them."""
        return [(made.command, [label.rsplit("+", 1)[0] for label in made.signers]) for made in self.notes]

    def model_copy(self) -> NaiveLedger:
        """A model of one's own."""
        return deepcopy(self.model)


def _hand_out(walk: Walk) -> None:
    """A voucher under each programme that asks nobody first, most of it reserved: it can be burned at once."""
    now = instant_text(walk.at)
    for number, rules in enumerate(SHAPES):
        if any(gate["before"] == "issue" for gate in rules.get("gates", ())):
            continue
        party, holder = TREASURIES[number % 2], HOLDERS[number % len(HOLDERS)]
        issue = {"voucher": f"{party}/v{number}", "programme": f"{party}/p{number}", "holder": holder}
        walk.must(party, "voucher.issue", face_fen=600, valid_from=now, **issue)
        contract = f"{holder}/k-{number % 2}" if rules["basis"] == "metered" else f"{holder}/i-0"
        reserve = {"reservation": f"{holder}/r{number}", "voucher": f"{party}/v{number}", "amount_fen": 400}
        until = instant_text(walk.at + 20 * DAY)
        walk.must(holder, "voucher.reserve", contract=contract, until=until, **reserve)


class _Founder(_Catch):
    """Catches notes, and decides them too, because each move of the founding builds on those before."""

    def submit(self, command: Json, keys: Sequence[str], at: int, spoiled: Sequence[str] = ()) -> tuple[str, Any]:
        """Catch, and let the model decide."""
        super().submit(command, keys, at, spoiled)
        made = self.caught[-1]
        return self.oracle.submit(command, list(made.signers), at, note_size=len(made.note))


@functools.cache
def founding() -> Founding:
    """The founding that every seed begins with; the model decides it on its own, and the ledger on its own."""
    model = NaiveLedger(ORIGIN)
    founder = _Founder(model)
    walk = Walk(founder)
    walk.found()
    _hand_out(walk)
    disk = Disk(Image(), Random(0), lambda _: None)
    with _ledger(Record(quiet(disk)), LogSigner(LOG_KEY), lambda: START, 0, None) as ledger:
        for first in range(0, len(founder.caught), 10):
            answers = ledger.submit([made.note for made in founder.caught[first : first + 10]])
            assert all(isinstance(answer, Admitted) for answer in answers), answers
    disk.image.sidecar.clear()
    return Founding(disk.image, model, tuple(founder.caught))


__all__ = ["LOG_KEY", "START", "Founding", "Made", "NoteMaker", "founding"]
