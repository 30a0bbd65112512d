"""A small network whose events are taken by a watch as they are admitted: no store, no checkpoint, real decisions."""

import random
from typing import Any

from support.actors import ORIGIN, Actor, Json, note_of, uscc_of
from support.terms import contract_of, founding_of, limits_of, prices_of, rules_of
from tallystick.patterns import Parameters, Pattern, Seen, Watch
from tallystick.vouchers.admit import SignedCommand, admit, read_note
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.evolve import evolve
from tallystick.vouchers.quantities import DAY_US, SECOND_US, format_day, format_instant, format_second, parse_instant
from tallystick.vouchers.state import State

BEGIN = parse_instant("2026-01-01T00:00:00.000000Z")
ITEM = "ascend-910b"
PROVIDERS = ("north", "south")
HOLDERS = ("ada", "bob", "cyd")
PROGRAMME = "town/2026"
THRESHOLD_FEN = 1_000_000
FACE_FEN = 500_000_000
VALID_DAYS = 60
INSTALLED = 64


class WatchedNetwork:
    """Founded, with two providers and three holders, each of which has a contract with each provider."""

    def __init__(self, parameters: Parameters | None = None) -> None:
        self.state = State.empty(ORIGIN)
        self.watch = Watch(parameters)
        self.at = BEGIN
        self.actors = {name: Actor(name) for name in ("net", "log", "desk", *PROVIDERS, *HOLDERS)}
        self.actors["town"] = Actor("town", ("officer-1", "officer-2"))
        self._found()

    def give(
        self, party: str, kind: str, *cosigners: str, signers: tuple[str, ...] | None = None, **fields: Any
    ) -> int:
        """Record a command, which must be admitted, and return its index; `signers` sign instead of all its keys."""
        actor = self.actors[party]
        if signers is None:
            note = actor.note(kind, self.at, *cosigners, **fields)
        else:
            note = note_of(actor.command(kind, self.at, **fields), *signers, *cosigners)
        signed = read_note(note, ORIGIN)
        assert isinstance(signed, SignedCommand), signed
        entry = admit(self.state, signed, self.at)
        assert isinstance(entry, Entry), entry
        evolve(self.state, entry.event)
        self.watch.take(entry.event, self.state)
        return entry.event.index

    def wait(self, days: int = 0, seconds: int = 0) -> None:
        """Let time pass."""
        self.at += days * DAY_US + seconds * SECOND_US

    def seen(self) -> dict[Pattern, Seen]:
        """All that was seen, one of each pattern: the gravest."""
        return {one.pattern: one for one in reversed(self.watch.seen())}

    def _found(self) -> None:
        day, until = format_instant(BEGIN), format_instant(BEGIN + 300 * DAY_US)
        self.give("net", "network.found", **founding_of(*self.actors["net"].vkeys))
        self.give("net", "item.register", item=ITEM, unit="gpu_time", name="Ascend 910B", origin="domestic")
        officers = {"threshold_fen": THRESHOLD_FEN, "required": 2, "window_days": 7}
        self.admit("net", "town", "treasury", quorum=2, officers=officers)
        self.admit("net", "log", "operator")
        self.admit("net", "desk", "attester")
        for provider in PROVIDERS:
            self.admit("net", provider, "provider", uscc=uscc_of(provider))
            self.give(provider, "tariff.publish", item=ITEM, price_fen=600, valid_from=day)
            capacity = [{"item": ITEM, "installed": INSTALLED}]
            self.give(provider, "capacity.declare", capacity=capacity, first_day=format_day(self.day))
        rules = rules_of(
            transfer="open", validity_days=VALID_DAYS, cap={"group": "c", "holder_fen": 10**12, "floor_fen": 0}
        )
        self.give(
            "town",
            "programme.open",
            programme=PROGRAMME,
            name="2026",
            voucher_kind="compute",
            fiscal_year=2026,
            envelope_fen=10**13,
            opens_at=day,
            closes_at=until,
            rules=rules,
        )
        for provider in PROVIDERS:
            self.give(
                "town",
                "provider.accredit",
                programme=PROGRAMME,
                provider=provider,
                valid_from=day,
                items=limits_of(ITEM),
            )
        for holder in HOLDERS:
            self.admit("town", holder, "holder", uscc=uscc_of(holder))
            self.issue(holder, f"of-{holder}", FACE_FEN)
            for provider in PROVIDERS:
                self.sign(f"{holder}/with-{provider}", holder, provider, 500)
                self.reserve(holder, f"town/of-{holder}", f"{holder}/with-{provider}", FACE_FEN // 4)

    @property
    def day(self) -> int:
        """Today."""
        return self.state.day_of(self.at)

    def admit(self, by: str, party: str, role: str, **more: Any) -> None:
        """Let a party in."""
        self.actors.setdefault(party, Actor(party))
        keys = self.actors[party].vkeys
        self.give(by, "party.admit", admitted=party, role=role, name=party, keys=keys, **more)

    def issue(self, holder: str, name: str, face_fen: int, *, officers: int = 2) -> int:
        """Let the treasury issue a voucher."""
        signers = self.actors["town"].key_names[:officers]
        fields: Json = {
            "voucher": f"town/{name}",
            "programme": PROGRAMME,
            "holder": holder,
            "face_fen": face_fen,
            "valid_from": format_instant(self.at),
        }
        return self.give("town", "voucher.issue", signers=signers, **fields)

    def sign(self, contract: str, holder: str, provider: str, price_fen: int) -> int:
        """Let a holder and a provider sign a contract from today on."""
        last_day = format_day(self.day + 200)
        fields = contract_of(contract, holder, provider, format_day(self.day), last_day)
        fields["items"] = prices_of(ascend_910b=price_fen)
        return self.give(holder, "contract.sign", f"{provider}/officer-1", **fields)

    def reserve(self, holder: str, voucher: str, contract: str, amount_fen: int) -> int:
        """Let a holder reserve for as long as its voucher is valid."""
        until = format_instant(self.state.vouchers[voucher].valid_until)
        fields: Json = {"voucher": voucher, "contract": contract, "amount_fen": amount_fen, "until": until}
        return self.give(holder, "voucher.reserve", reservation=f"{contract}-{self.at // SECOND_US}", **fields)

    def burn(self, contract: str, *rows: tuple[Any, ...], evidence: str | None = None, ref: str | None = None) -> int:
        """Let a provider burn lines: job, GPUs, how many seconds ago it ended, and how many it took."""
        lines = []
        for job, gpus, ended_ago, seconds in rows:
            ends_at = self.at // SECOND_US * SECOND_US - ended_ago * SECOND_US
            lines.append(
                [job, gpus * 1_000, format_second(ends_at - seconds * SECOND_US), format_second(ends_at), seconds]
            )
        group: Json = {"item": ITEM, "lines": lines}
        if evidence is not None:
            group["evidence_root"] = evidence
        fields: Json = {"contract": contract, "groups": [group]}
        provider = self.state.contracts[contract].provider
        return self.give(provider, "time.burn", **fields | ({} if ref is None else {"ref": ref}))

    def burn_honestly(self, chance: random.Random, days: int = 3) -> None:
        """Let a few days pass, on each of which each contract has some jobs of odd lengths, within the capacity."""
        for _ in range(days):
            self.wait(days=1)
            for contract in sorted(self.state.contracts)[: len(HOLDERS) * len(PROVIDERS)]:
                rows = [
                    (
                        f"{contract}/{self.at // SECOND_US}-{number}",
                        chance.choice((1, 2, 4)),
                        chance.randrange(40_000),
                        chance.randrange(700, 30_000),
                    )
                    for number in range(chance.randrange(3))
                ]
                if rows:
                    self.burn(contract, *rows)
