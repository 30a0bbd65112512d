"""A network's log and the two logs of one city, which outgrew the first: the same firms and treasury, with other ids.

All is done once in the two: another document, other jobs, other references of payments, and grants within one cap.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from support.actors import Actor, Json, key_of, note_of, profile_of, uscc_of, vkey_of
from support.terms import contract_of, founding_of, limits_of, rules_of
from tallystick.ledger import Admitted, create_ledger, open_ledger
from tallystick.publishing import read_ledger
from tallystick.transparency.policy import LogLine, Policy, QuorumLine
from tallystick.vouchers.quantities import DAY_US, SECOND_US, format_day, format_instant, format_second, parse_instant

BEGIN: Final = parse_instant("2026-01-05T00:00:00.000000Z")
NOW: Final = BEGIN + 30 * DAY_US
CAP_FEN: Final = 1_000_000
FACE_FEN: Final = 400_000
"""Twice that is within the cap."""
NATIONAL: Final = "national"
CODES: Final = {name: uscc_of(name) for name in ("treasury", "centre", "firm")}
REGISTRY: Final = Actor("registry", log=f"tallystick.example/{NATIONAL}")


def origin_of(name: str) -> str:
    """The origin of the log of this name."""
    return f"tallystick.example/{name}"


def policy_of(*names: str) -> Policy:
    """The policy that trusts the logs of these names."""
    return Policy((*[LogLine(key_of(origin_of(name)).verifier) for name in names], QuorumLine("none")))


@dataclass
class Log:
    """A log in a folder of its name, and its parties."""

    folder: Path
    name: str
    at: int = NOW
    written: int = field(default=0, init=False)

    @property
    def ledger(self) -> Path:
        """Its ledger folder."""
        return self.folder / self.name

    def party(self, role: str, label: str = "officer-1") -> Actor:
        """The party of a role: its id says the log, its key is of this log alone unless the label says another's."""
        return Actor(f"{self.name}-{role}", (label,), origin_of(self.name))

    def submit(self, *notes: bytes) -> None:
        """Record notes, at the log's time."""
        with open_ledger(self.ledger, key_of(origin_of(self.name)), clock=lambda: self.at) as ledger:
            for note, answer in zip(notes, ledger.submit(notes), strict=True):
                assert isinstance(answer, Admitted), (answer, note)

    def found(self, *notes: Callable[["Log"], bytes]) -> None:
        """Make the log, with what its office does first."""
        office = self.party("office")
        genesis = office.note(
            "network.found",
            BEGIN,
            ref="founding",
            **self._of(member_of=origin_of(NATIONAL)),
            **founding_of(*office.vkeys),
        )
        with create_ledger(self.ledger, genesis, key_of(origin_of(self.name)), clock=lambda: BEGIN) as ledger:
            for answer in ledger.submit([note(self) for note in notes]):
                assert isinstance(answer, Admitted), answer

    def _of(self, **member: str) -> Json:
        return {} if self.name == NATIONAL else member

    def do(self, role: str, kind: str, *cosigners: str, ref: str = "", **fields: Any) -> None:
        """Record one command of the party of a role, now."""
        self.written += 1
        ref = ref or f"{kind}-{self.written}-{self.size}"
        self.submit(self.party(role).note(kind, self.at, *cosigners, ref=ref, **fields))

    @property
    def size(self) -> int:
        """How many entries it has."""
        with read_ledger(self.ledger) as reader:
            return reader.size

    # ------------------------------------------------------------------------------------------ what a city does

    def admit(self, role: str, by: str, code: str | None, name: str, label: str = "officer-1") -> None:
        """Admit a party of a role, under a name of its own; one without a code is a maker."""
        party, admitter = self.party(name, label), self.party(by)
        fields: Json = {"maker": True, "profile_hash": profile_of(party.party)}
        if code is not None:
            fields = {"uscc": code, "name": party.party}
        fields |= {"admitted": party.party, "role": role, "keys": party.vkeys, "ref": f"admit-{party.party}"}
        command = admitter.command("party.admit", self.at, **fields)
        self.submit(note_of(command, *admitter.key_names, *party.key_names))

    def sign_contract(self, contract: str, document: str = "", **changes: Any) -> None:
        """Sign a contract of a document of its own, or of a document that is named."""
        holder, provider = self.party("holder"), self.party("provider")
        days = format_day(BEGIN // DAY_US), format_day(BEGIN // DAY_US + 300)
        terms = contract_of(f"{holder.party}/{contract}", holder.party, provider.party, *days)
        terms |= {"document_hash": document} if document else {}
        self.do("holder", "contract.sign", *provider.key_names, **(terms | changes))

    def issue(self, voucher: str, face_fen: int = FACE_FEN) -> None:
        """Issue a voucher to the holder."""
        treasury, holder = self.party("treasury").party, self.party("holder").party
        fields = {"voucher": f"{treasury}/{voucher}", "programme": f"{treasury}/2026", "holder": holder}
        self.do("treasury", "voucher.issue", face_fen=face_fen, valid_from=format_instant(BEGIN), **fields)

    def bring(self, voucher: str, face_fen: int = 1_000, evidence: str = "ab") -> None:
        """Bring a voucher from before the log."""
        treasury, holder = self.party("treasury").party, self.party("holder").party
        fields = {"voucher": f"{treasury}/{voucher}", "programme": f"{treasury}/2026", "holder": holder}
        dates = {"valid_from": format_instant(BEGIN - DAY_US), "valid_until": format_instant(BEGIN + 100 * DAY_US)}
        amounts: Json = {"face_fen": face_fen, "used_fen": 0}
        self.do("treasury", "voucher.import", evidence_hash=f"sha256:{evidence * 32}", **fields, **dates, **amounts)

    def burn(self, *jobs: str, ref: str, starts_at: int = NOW - DAY_US, seconds: int = 3_600) -> None:
        """Burn jobs of one card under the first contract."""
        span = format_second(starts_at), format_second(starts_at + seconds * SECOND_US)
        lines = [[job, 1_000, *span, seconds] for job in jobs]
        contract = f"{self.party('holder').party}/k1"
        self.do("provider", "time.burn", contract=contract, ref=ref, groups=[{"item": "ascend-910b", "lines": lines}])
        with read_ledger(self.ledger) as reader:
            assert b'"refused":[]' in reader.entry(reader.size - 1).partition(b"\n")[0]

    def pay(self, claim: str, reference: str, amount_fen: int) -> None:
        """Claim all that is burned, and pay it under a reference."""
        treasury, provider = self.party("treasury").party, self.party("provider").party
        last_day = format_day(self.at // DAY_US - 1)
        claimed = {"claim": f"{provider}/{claim}", "programme": f"{treasury}/2026"}
        self.do("provider", "redemption.claim", last_day=last_day, **claimed)
        rows = [{"contract": f"{self.party('holder').party}/k1", "paid_fen": amount_fen}]
        payment = {"amount_fen": amount_fen, "day": format_day(self.at // DAY_US), "reference": reference}
        self.do("treasury", "redemption.settle", claim=claimed["claim"], rows=rows, payment=payment)

    # -------------------------------------------------------------------------------------- what the network does

    def checkpoint(self) -> str:
        """Its newest checkpoint, as it gives it out."""
        with read_ledger(self.ledger) as reader:
            return reader.checkpoint_note().decode()

    def record(self, checkpoint: str, log_vkey: str) -> None:
        """Record a checkpoint of another log."""
        self.written += 1
        fields = {"checkpoint": checkpoint, "log_vkey": log_vkey, "ref": f"record-{self.size}"}
        self.submit(REGISTRY.note("checkpoint.record", self.at, **fields))


def _admission(role: str, by: str) -> Callable[[Log], bytes]:
    def note(log: Log) -> bytes:
        party, code = log.party(role), CODES.get({"treasury": "treasury", "provider": "centre", "holder": "firm"}[role])
        fields: Json = {"admitted": party.party, "role": role, "name": party.party, "keys": party.vkeys, "uscc": code}
        return log.party(by).note("party.admit", BEGIN, ref=f"admit-{party.party}", **fields)

    return note


def _item(log: Log) -> bytes:
    fields = {"item": "ascend-910b", "unit": "gpu_time", "name": "Ascend 910B", "origin": "domestic"}
    return log.party("office").note("item.register", BEGIN, ref="item", **fields)


def _tariff(log: Log) -> bytes:
    fields = {"item": "ascend-910b", "price_fen": 600, "valid_from": format_instant(BEGIN)}
    return log.party("provider").note("tariff.publish", BEGIN, ref="tariff", **fields)


def _programme(log: Log) -> bytes:
    treasury = log.party("treasury")
    fields: Json = {
        "programme": f"{treasury.party}/2026",
        "name": "2026",
        "voucher_kind": "compute",
        "fiscal_year": 2026,
        "envelope_fen": 10**9,
        "opens_at": format_instant(BEGIN - 20 * DAY_US),
        "closes_at": format_instant(BEGIN + 300 * DAY_US),
        "rules": rules_of(
            cap={"group": "compute", "holder_fen": CAP_FEN, "floor_fen": 0},
            claims={"cycle": "any", "cut_off_days": 90},
            basis="metered",
        ),
    }
    return treasury.note("programme.open", BEGIN, ref="open", **fields)


def _accreditation(log: Log) -> bytes:
    treasury = log.party("treasury")
    fields = {"programme": f"{treasury.party}/2026", "provider": log.party("provider").party}
    valid_from = format_instant(BEGIN)
    items = limits_of("ascend-910b")
    return treasury.note("provider.accredit", BEGIN, ref="accredit", items=items, valid_from=valid_from, **fields)


def _registry(log: Log) -> bytes:
    fields: Json = {"admitted": "registry", "role": "operator", "name": "The registry", "keys": REGISTRY.vkeys}
    return log.party("office").note("party.admit", BEGIN, ref="registry", **fields)


def write_several_logs(folder: Path) -> None:
    """Write the three logs into folders of their names, each city's log recorded once by the network's."""
    national = Log(folder, NATIONAL)
    national.found(_registry)
    for name in ("first", "second"):
        log = Log(folder, name)
        admissions = [
            _admission(*one) for one in (("treasury", "office"), ("provider", "office"), ("holder", "treasury"))
        ]
        log.found(_item, *admissions, _tariff, _programme, _accreditation)
        log.sign_contract("k1")
        log.issue("v1")
        log.bring("old", evidence={"first": "cd", "second": "ef"}[name])
        treasury, holder = log.party("treasury").party, log.party("holder").party
        reserved = {"reservation": f"{holder}/r1", "voucher": f"{treasury}/v1", "contract": f"{holder}/k1"}
        log.do("holder", "voucher.reserve", amount_fen=10_000, until=format_instant(NOW + 20 * DAY_US), **reserved)
        log.burn(f"{name}-1", f"{name}-2", ref="s1")
        log.pay("c1", f"{name} payment 1", 2 * 180)
        national.record(log.checkpoint(), vkey_of(origin_of(name)))
