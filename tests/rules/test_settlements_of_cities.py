"""What a city pays is claimed and settled as its rules say: cycles, cut-offs, gates, and what is withheld."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.actors import ORIGIN, Actor, Json, note_of, uscc_of
from support.terms import contract_of, founding_of, limits_of, prices_of
from tallystick.signing.algorithms import SHA256
from tallystick.vouchers.admit import admit, read_note
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.evolve import evolve
from tallystick.vouchers.outcomes import Burned, Claimed
from tallystick.vouchers.quantities import parse_instant
from tallystick.vouchers.refusals import Refusal
from tallystick.vouchers.state import State

PROGRAMMES = Path(__file__).resolve().parents[2] / "examples" / "programmes"
EVIDENCE = SHA256.of(b"papers and a nonce")


@dataclass
class City:
    """A log in memory with programmes of files; `time` is the log's, as `2024-04-01T00:00`."""

    files: tuple[str, ...]
    time: str
    state: State = field(default_factory=lambda: State.empty(ORIGIN))
    refs: int = 0
    programmes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Found a network, and open the programmes."""
        network, holder, provider = Actor("network"), Actor("acme"), Actor("guian")
        self.do(
            "network",
            "network.found",
            **founding_of(*network.vkeys),
        )
        for item in ("ascend-910b", "h100"):
            self.do("network", "item.register", item=item, name=item, unit="gpu_time")
        self.admit("network", "guian", "provider", uscc=uscc_of("guian"), keys=provider.vkeys)
        commands = [json.loads((PROGRAMMES / f"{name}.json").read_bytes())["command"] for name in self.files]
        for treasury in dict.fromkeys(command["party"] for command in commands):
            self.admit("network", treasury, "treasury", keys=Actor(treasury).vkeys)
        for gate in [gate for command in commands for gate in command["rules"].get("gates", ())]:
            for attester in gate["attesters"]:
                if attester not in self.state.parties:
                    self.admit("network", attester, "attester", keys=Actor(attester).vkeys)
        self.admit(commands[0]["party"], "acme", "holder", uscc=uscc_of("acme"), keys=holder.vkeys)
        self.do("guian", "tariff.publish", item="h100", price_fen=1_500, valid_from=self.instant)
        for command in commands:
            programme = {name: value for name, value in command.items() if name not in ("kind", "log", "party", "ref")}
            self.do(command["party"], "programme.open", **programme)
            self.programmes.append(command["programme"])
            self.do(
                command["party"],
                "provider.accredit",
                programme=command["programme"],
                provider="guian",
                valid_from=command["opens_at"],
                items=limits_of("ascend-910b", "h100"),
            )

    @property
    def instant(self) -> str:
        """The log's time, as commands have it."""
        return f"{self.time}:00.000000Z"

    def admit(self, by: str, party: str, role: str, **fields: Any) -> None:
        """Admit a party that signs with one key."""
        self.do(by, "party.admit", f"{party}/officer-1", admitted=party, role=role, name=party, **fields)

    def answer(self, party: str, kind: str, *cosigners: str, **fields: Any) -> Entry | Refusal:
        """Decide a command, and keep it if it is admitted."""
        self.refs += 1
        command = {"kind": f"{kind}/1", "log": ORIGIN, "party": party, "ref": str(self.refs), "signed_at": self.instant}
        signed = read_note(note_of(command | fields, f"{party}/officer-1", *cosigners), ORIGIN)
        if isinstance(signed, Refusal):
            return signed
        answer = admit(self.state, signed, parse_instant(self.instant))
        if isinstance(answer, Entry):
            evolve(self.state, answer.event)
        return answer

    def do(self, party: str, kind: str, *cosigners: str, **fields: Any) -> Entry:
        """Give a command that must be admitted."""
        answer = self.answer(party, kind, *cosigners, **fields)
        assert isinstance(answer, Entry), (kind, answer)
        return answer

    def refused(self, party: str, kind: str, **fields: Any) -> str:
        """Give a command that must be refused, and return the reason."""
        answer = self.answer(party, kind, **fields)
        assert isinstance(answer, Refusal), kind
        return answer.reason.value

    def contract(self, contract: str, first_day: str, last_day: str, **changes: Any) -> None:
        """Sign a contract of holder and provider."""
        terms = contract_of(contract, "acme", "guian", first_day, last_day, items=prices_of(h100=1_500))
        self.do("acme", "contract.sign", "guian/officer-1", **(terms | changes))

    def voucher(self, number: int, programme: str, face_fen: int, contract: str, until: str, **fields: Any) -> None:
        """Issue a voucher, and reserve all of it."""
        treasury, _, _ = programme.partition("/")
        voucher, given = f"{treasury}/v{number}", {"valid_from": self.instant} | fields
        self.do(
            treasury, "voucher.issue", voucher=voucher, programme=programme, holder="acme", face_fen=face_fen, **given
        )
        reserved = {"voucher": voucher, "contract": contract, "amount_fen": face_fen, "until": f"{until}:00.000000Z"}
        self.do("acme", "voucher.reserve", reservation=f"acme/r{number}", **reserved)

    def burn(self, contract: str, job: str, day: str) -> list[int]:
        """Burn 8 cards for 12,345 s, 411.50 yuan, on a day; return what each reservation paid."""
        line = [job, 8_000, f"{day}T00:00:00Z", f"{day}T04:00:00Z", 12_345]
        entry = self.do("guian", "time.burn", contract=contract, groups=[{"item": "h100", "lines": [line]}])
        assert isinstance(entry.event.outcome, Burned)
        assert entry.event.outcome.fee_fen == (41_150,)
        return [amounts[0] for _, amounts in entry.event.outcome.paid]

    def claim(self, party: str, number: int, programme: str, last_day: str) -> Claimed:
        """Claim, and return what is claimed."""
        claim = {"claim": f"{party}/c{number}", "programme": programme, "last_day": last_day}
        outcome = self.do(party, "redemption.claim", **claim).event.outcome
        assert isinstance(outcome, Claimed)
        return outcome

    def verdict(self, attester: str, subject_type: str, subject_id: str, topic: str) -> None:
        """Pass a gate."""
        self.do(
            attester,
            "attestation.give",
            subject_type=subject_type,
            subject_id=subject_id,
            topic=topic,
            verdict="pass",
            reason="the papers are in order",
            evidence_hash=EVIDENCE,
            valid_until="2027-01-01T00:00:00.000000Z",
        )

    def totals(self, programme: str) -> Json:
        """What of a programme lies where, without what is empty."""
        return {account: fen for account, fen in self.state.book.totals[programme].items() if fen}


def payment(amount_fen: int, day: str, reference: str = "transfer 1") -> Json:
    """What the bank says."""
    return {"amount_fen": amount_fen, "day": day, "reference": reference}


def test_nanning_pays_25102_yuan_once_it_is_proved_that_the_fee_was_paid() -> None:
    """The official example: 200,000 yuan settled, 305 of 729 days, truncated to the yuan, 30 %, truncated."""
    city = City(("nanning-compute-2025",), "2025-02-20T00:00")
    (programme,) = city.programmes
    city.contract("acme/k1", "2025-01-01", "2026-12-31", basis="invoiced")
    city.time = "2026-01-10T00:00"
    valid_from = "2025-02-20T00:00:00.000000Z"
    city.voucher(1, programme, 2_510_299, "acme/k1", "2026-02-01T00:00", valid_from=valid_from)
    entry = city.do(
        "guian",
        "service.burn",
        contract="acme/k1",
        item="h100",
        first_day="2025-01-01",
        last_day="2026-12-31",
        fee_fen=20_000_000,
        document_hash=SHA256.of(b"the invoice"),
    )
    assert isinstance(entry.event.outcome, Burned)
    assert entry.event.outcome.paid == (("acme/r1", (2_510_200,)),)
    city.time = "2026-01-11T00:00"
    claim = {"claim": "guian/c1", "programme": programme, "last_day": "2026-01-10"}
    assert city.refused("guian", "redemption.claim", **claim) == "not_the_payee"
    claimed = city.claim("acme", 1, programme, "2026-01-10")
    assert (claimed.amount_fen, claimed.more, claimed.rows) == (2_510_200, False, (("acme/k1", 2_510_200),))
    settled = {
        "claim": "acme/c1",
        "rows": [{"contract": "acme/k1", "paid_fen": 2_510_200}],
        "payment": payment(2_510_200, "2026-01-11"),
    }
    assert city.refused("nanning-treasury", "redemption.settle", **settled) == "gate_not_passed"
    city.verdict("district-bureau", "claim", "acme/c1", "payment_proof")
    city.do("nanning-treasury", "redemption.settle", **settled)
    assert city.totals(programme) == {"paid": 2_510_200, "reserved": 99, "unissued": 5_000_000_000 - 2_510_299}


def test_qingyang_settles_each_quarter_and_what_it_withholds_is_claimed_with_the_next() -> None:
    """Quarters end with their month; 60 days after, a quarter is claimed with a later one."""
    city = City(("qingyang-compute-2024",), "2024-03-01T00:00")
    (programme,) = city.programmes
    for number in (1, 2):
        city.contract(f"acme/k{number}", "2024-03-01", "2024-12-31")
        city.voucher(number, programme, 500_000, f"acme/k{number}", "2024-12-31T00:00")
    city.time = "2024-04-01T00:00"
    assert city.burn("acme/k1", "job-a", "2024-03-30") == [12_345]  # 30 % of 411.50
    assert city.burn("acme/k2", "job-b", "2024-03-31") == [12_345]
    claim = {"claim": "guian/c1", "programme": programme}
    assert city.refused("guian", "redemption.claim", last_day="2024-03-30", **claim) == "claim_period_invalid"
    assert city.refused("guian", "redemption.claim", last_day="2024-06-30", **claim) == "claim_period_not_over"
    assert city.claim("guian", 1, programme, "2024-03-31").rows == (("acme/k1", 12_345), ("acme/k2", 12_345))
    rows = [
        {"contract": "acme/k1", "paid_fen": 12_345},
        {"contract": "acme/k2", "paid_fen": 10_000, "withheld_fen": 2_345, "reason": "the invoice is over less"},
    ]
    whole = {"claim": "guian/c1", "rows": rows, "payment": payment(24_690, "2024-04-01")}
    assert city.refused("qingyang-treasury", "redemption.settle", **whole) == "payment_differs"
    city.do("qingyang-treasury", "redemption.settle", **(whole | {"payment": payment(22_345, "2024-04-01")}))
    assert city.totals(programme) == {
        "paid": 22_345,
        "withheld": 2_345,
        "reserved": 1_000_000 - 24_690,
        "unissued": 10_000_000_000 - 1_000_000,
    }
    city.time = "2024-05-30T16:00"  # 60 days after the quarter's end
    assert city.refused("guian", "redemption.claim", last_day="2024-03-31", **(claim | {"claim": "guian/c2"})) == (
        "claim_too_late"
    )
    city.time = "2024-07-01T00:00"
    city.burn("acme/k1", "job-c", "2024-06-29")
    assert city.claim("guian", 2, programme, "2024-06-30").rows == (("acme/k1", 12_345), ("acme/k2", 2_345))


def test_henans_halves_are_claimed_of_each_treasury_once_the_centre_is_attested() -> None:
    """Province and city pay 10 % each, and each settles its own claim."""
    city = City(("henan-compute-2024-province", "henan-compute-2024-city"), "2024-03-01T00:00")
    province, town = city.programmes
    city.contract("acme/k1", "2024-03-01", "2024-12-31")
    for number, programme in enumerate(city.programmes, 1):
        city.voucher(number, programme, 500_000, "acme/k1", "2024-12-31T00:00")
    city.time = "2024-04-01T00:00"
    assert city.burn("acme/k1", "job-a", "2024-03-30") == [4_115, 4_115]
    claim = {"claim": "guian/c1", "programme": province, "last_day": "2024-03-31"}
    assert city.refused("guian", "redemption.claim", **claim) == "gate_not_passed"
    city.verdict("assessor", "provider", "guian", "capacity")
    for number, programme in enumerate(city.programmes, 1):
        assert city.claim("guian", number, programme, "2024-03-31").rows == (("acme/k1", 4_115),)
    settled = {"claim": "guian/c1", "rows": [{"contract": "acme/k1", "paid_fen": 4_115}]}
    paid = {"payment": payment(4_115, "2024-04-01")}
    assert city.refused("zhengzhou-treasury", "redemption.settle", **settled, **paid) == "not_own_programme"
    city.do("henan-treasury", "redemption.settle", **settled, **paid)
    assert (city.totals(province)["paid"], city.totals(town)["claimed"]) == (4_115, 4_115)
