"""Thieves who try everything: one officer too few, and all keys of a provider, a holder, an operator, another treasury.

They give commands of all kinds at random, signed by what they have, and time goes on. In between the city's officers do
their work, so that there is something to steal. support/dual_control.py looks at every entry.
"""

import pickle
import random
from collections import Counter
from collections.abc import Sequence
from functools import cache
from inspect import get_annotations
from typing import Any, Final, get_args

import pytest

from support.actors import Json, brought_by, label_of, note_of
from support.attacked_city import OFFICERS, THRESHOLD_FEN, World, attacked_city
from support.attacked_commands import KINDS, command_of
from support.dual_control import Watch, totals_of
from support.schedules import schedule
from tallystick.audit.officer_checks import OwnOfficerSums
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.quantities import DAY_US, SECOND_US
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rulebook import RULES
from tallystick.vouchers.state import State

THREE: Final[Json] = {"quorum": 3, "officers": {"threshold_fen": THRESHOLD_FEN, "required": 3, "window_days": 7}}
WORK: Final = (
    "voucher.issue",
    "redemption.settle",
    "redemption.settle",
    "redemption.settle",
    "recovery.demand",
    "recovery.cancel",
    "recovery.receive",
    "redemption.disallow",
    "mandate.give",
    "party.reinstate",
    "provider.accredit",
    "voucher.import",
    "programme.amend",
    "party.amend",
)
"""What the city's officers do together: beside issuing and paying they ask back, and give up."""
MONEY: Final = {"voucher.issue", "redemption.settle", "recovery.demand"}
"""What counts in the sums of officers, which the thieves come up against."""
WITHOUT_OFFICERS: Final = (
    "recovery.receive",
    "recovery.cancel",
    "redemption.disallow",
    "voucher.import",
    "mandate.give",
)


RULES_BY_KIND: Final = {get_args(get_annotations(rule)["kind"])[0]: rule for rule in RULES}
THEFT: Final = {
    "city": ("voucher.issue", "redemption.settle", "redemption.settle", "recovery.demand", "voucher.revoke"),
    "hall": ("time.burn", "time.burn", "redemption.claim", "redemption.claim", "burn.reverse"),
    "maker": ("voucher.reserve", "voucher.reserve", "redemption.claim", "voucher.transfer", "attestation.give"),
    "platform": ("voucher.issue", "redemption.settle", "redemption.settle", "book.expire", "voucher.revoke"),
    "desk": ("book.expire", "book.seal"),
    "town": ("voucher.issue", "redemption.settle", "recovery.demand", "programme.open"),
}
"""What thieves would do first with a party's keys; else what its role may command, and some others."""
KINDS_OF: Final = {
    party: [kind for kind in KINDS if role in RULES_BY_KIND[f"{kind}/1"].roles] * 3 + [*KINDS]
    for party, role in {"city": "treasury", "town": "treasury", "hall": "provider", "maker": "holder"}.items()
} | {
    party: [kind for kind in KINDS if "operator" in RULES_BY_KIND[f"{kind}/1"].roles] * 3 + [*KINDS]
    for party in ("platform", "desk")
}


@cache
def _city(threshold_fen: int, required: int, window_days: int) -> bytes:
    rule = {"threshold_fen": threshold_fen, "required": required, "window_days": window_days}
    return pickle.dumps(attacked_city({"quorum": required, "officers": rule}))


class Robbery:
    """A world that thieves and officers play in turn, every entry watched."""

    def __init__(self, seed: int, officers: Json, steps: int) -> None:
        self.random = random.Random(seed)
        self.world: World = pickle.loads(_city(**officers["officers"]))
        self.world.pick = self._pick
        self.required = officers["officers"]["required"]
        self.keys = {name: [f"{name}/sign-1"] for name in ("hall", "maker", "platform", "desk", "town")}
        self.keys["city"] = [f"city/sign-{number}" for number in range(1, self.required)]
        self.watch = Watch({"city": officers["officers"]})
        self.sums = OwnOfficerSums(State.empty(self.world.state.origin))
        self.met: Counter[tuple[str, bool, Reason | None]] = Counter()
        for _ in range(steps):
            self._step()

    def _pick(self, options: Sequence[Any]) -> Any:
        return self.random.choice(options) if options else "nobody/nothing"

    def _step(self) -> None:
        chance = self.random.random()
        if chance < 0.12:
            midnight_us = DAY_US - self.world.at % DAY_US
            self.world.at += self.random.choice([1, SECOND_US, midnight_us - 1, midnight_us, DAY_US, 6 * DAY_US])
        elif chance < 0.3:
            kind = self.random.choice(WORK)
            command = command_of(self.world, "city", kind)
            if kind == "party.amend":
                command |= self._amended()
            self._submit(command, [f"city/sign-{number}" for number in range(6 - self.required, 6)], are_thieves=False)
        else:
            party = self.random.choice(["city", "city", "hall", "maker", "maker", "platform", "desk", "town"])
            kind = self.random.choice(THEFT[party] if self.random.random() < 0.6 else KINDS_OF[party])
            changed = {"key": label_of(self.keys[party][0])} if kind == "key.rotate" else {}
            command = command_of(self.world, party, kind, **changed)
            self._submit(command, self._stolen(party, kind), are_thieves=True)

    def _amended(self) -> Json:
        """Another threshold or window for as many officers; what was signed before counts on."""
        window_days = self.random.choice([1, 7, 30, 366])
        threshold_fen = self.random.choice([THRESHOLD_FEN // 2, THRESHOLD_FEN, 2 * THRESHOLD_FEN])
        rule = {"threshold_fen": threshold_fen, "required": self.required, "window_days": window_days}
        return {"quorum": self.required, "officers": rule}

    def _stolen(self, party: str, kind: str) -> list[str]:
        """The keys that thieves sign with: those of the party, and of others who may be asked beside it."""
        if kind in ("contract.sign", "contract.amend"):
            return [*self.keys["maker"], *self.keys["hall"]]
        beside = kind == "voucher.transfer" or self.random.random() < 0.1
        return [*self.keys[party], *(self.keys["city"] if beside and party != "city" else ())]

    def _submit(self, command: Json, key_names: list[str], *, are_thieves: bool) -> None:
        before = totals_of(self.world.state)
        answer = self.world.submit(note_of(command, *dict.fromkeys((*key_names, *brought_by(command)))))
        kind = command["kind"].removesuffix("/1")
        self.met[kind, are_thieves, answer.reason if isinstance(answer, Refusal) else None] += 1
        if not isinstance(answer, Entry):
            return
        self.watch.look(answer, before, self.world.state)
        assert [*self.sums.count(self.world.state, answer.event)] == []
        assert [*self.sums.differences(self.world.state)] == []
        if kind == "key.rotate":
            self.keys[command["party"]][0] = command["vkey"].partition("+")[0]
        assert not (are_thieves and command["party"] == "city" and kind in WITHOUT_OFFICERS), command

    def times(self, kind: str, reason: Reason | None = None, *, are_thieves: bool = True) -> int:
        """How often a kind was answered so."""
        return self.met[kind, are_thieves, reason]


@pytest.mark.long
@pytest.mark.parametrize("officers", [OFFICERS, THREE], ids=["two officers", "three officers"])
def test_thieves_without_enough_officers_move_no_more_than_the_threshold(officers: Json) -> None:
    """In all that they did, many were stopped for it, and every kind of theft was tried after enough had been moved."""
    met: Counter[tuple[str, bool, Reason | None]] = Counter()
    for seed in range(schedule(2, 12)):
        met += Robbery(seed, officers, schedule(500, 1_000)).met
    for kind in MONEY:
        assert met[kind, True, None], kind
        assert met[kind, True, Reason.SIGNATURES_MISSING], kind
    for kind in ("voucher.revoke", "redemption.claim", "time.burn", "key.rotate", "party.suspend"):
        assert met[kind, True, None], kind
    for kind in WORK:
        assert met[kind, False, None], kind
