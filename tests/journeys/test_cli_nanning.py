"""Nanning's official example in a real ledger, and what the command line says of the claim, the programme, the debt.

200,000 yuan are settled for 729 days, of which 305 lie in the programme's window, days counted as end minus start:
200,000 × 305 ÷ 729 is 83,676.26, truncated to the yuan 83,676; 30 % of that is 25,102.80, truncated 25,102 yuan.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.actors import ORIGIN, Actor, key_of, uscc_of
from support.command_line import done, run
from support.terms import contract_of, founding_of, limits_of, prices_of
from tallystick.ledger import Admitted, create_ledger
from tallystick.signing.algorithms import SHA256
from tallystick.vouchers.quantities import parse_instant

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "programmes" / "nanning-compute-2025.json"
COMMAND = json.loads(EXAMPLE.read_bytes())["command"]
TREASURY, PROGRAMME = COMMAND["party"], COMMAND["programme"]
GUIAN, ACME, BUREAU, NETWORK = Actor("guian"), Actor("acme"), Actor("district-bureau"), Actor("network")
PAID_FEN = 2_510_200


def notes() -> Iterator[tuple[str, bytes]]:
    """What is commanded, each with the log's time."""
    opened, used, claimed = "2025-02-20T00:00", "2026-01-10T00:00", "2026-01-11T00:00"
    nanning = Actor(TREASURY)

    def note(time: str, actor: Actor, kind: str, *cosigners: str, **fields: Any) -> tuple[str, bytes]:
        instant = f"{time}:00.000000Z"
        return time, actor.note(kind, parse_instant(instant), *cosigners, **fields)

    def admit(by: Actor, who: Actor, role: str, **fields: Any) -> tuple[str, bytes]:
        return note(opened, by, "party.admit", admitted=who.party, role=role, name=who.party, keys=who.vkeys, **fields)

    yield note(
        opened,
        NETWORK,
        "network.found",
        **founding_of(*NETWORK.vkeys),
    )
    yield note(opened, NETWORK, "item.register", item="h100", name="h100", unit="gpu_time")
    yield admit(NETWORK, GUIAN, "provider", uscc=uscc_of("guian"))
    yield admit(NETWORK, nanning, "treasury")
    yield admit(NETWORK, BUREAU, "attester")
    yield admit(nanning, ACME, "holder", uscc=uscc_of("acme"))
    programme = {name: said for name, said in COMMAND.items() if name not in ("kind", "log", "party", "ref")}
    yield note(opened, nanning, "programme.open", **programme)
    accredited = {"provider": "guian", "valid_from": COMMAND["opens_at"], "items": limits_of("h100")}
    yield note(opened, nanning, "provider.accredit", programme=PROGRAMME, **accredited)
    terms: Any = {"items": prices_of(h100=1_500), "basis": "invoiced"}
    contract = contract_of("acme/k1", "acme", "guian", "2025-01-01", "2026-12-31", **terms)
    yield note(opened, ACME, "contract.sign", "guian/officer-1", **contract)
    voucher = {"voucher": f"{TREASURY}/v1", "holder": "acme", "contract": "acme/k1", "face_fen": 2_510_299}
    valid_from = "2025-02-20T00:00:00.000000Z"
    yield note(used, nanning, "voucher.issue", programme=PROGRAMME, **voucher, valid_from=valid_from)
    reserved = {"reservation": "acme/r1", "voucher": f"{TREASURY}/v1", "contract": "acme/k1", "amount_fen": 2_510_299}
    yield note(used, ACME, "voucher.reserve", **reserved, until="2026-02-01T00:00:00.000000Z")
    invoice: Any = {"item": "h100", "first_day": "2025-01-01", "last_day": "2026-12-31", "fee_fen": 20_000_000}
    document = SHA256.of(b"the invoice")
    yield note(used, GUIAN, "service.burn", contract="acme/k1", **invoice, document_hash=document)
    yield note(claimed, ACME, "redemption.claim", claim="acme/c1", programme=PROGRAMME, last_day="2026-01-10")
    verdict = {"subject_type": "claim", "subject_id": "acme/c1", "topic": "payment_proof", "verdict": "pass"}
    evidence = {"evidence_hash": document, "valid_until": "2026-03-01T00:00:00.000000Z", "reason": "all are paid"}
    yield note(claimed, BUREAU, "attestation.give", **verdict, **evidence)
    rows = [{"contract": "acme/k1", "paid_fen": PAID_FEN}]
    payment = {"amount_fen": PAID_FEN, "day": "2026-01-11", "reference": "transfer 1"}
    yield note(claimed, nanning, "redemption.settle", claim="acme/c1", rows=rows, payment=payment)


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ledger's folder."""
    folder = tmp_path_factory.mktemp("nanning") / "ledger"
    (time, genesis), *rest = notes()
    now = [time]
    with create_ledger(folder, genesis, key_of(ORIGIN), clock=lambda: parse_instant(f"{now[0]}:00.000000Z")) as log:
        for now[0], note in rest:
            (answer,) = log.submit([note])
            assert isinstance(answer, Admitted), answer
    return folder


def test_the_claim_is_of_25102_yuan(ledger: Path) -> None:
    """As the table of the published rules has it."""
    claim = run("show", ledger, "claim", "acme/c1", "--json").json["claim"]
    assert claim["balance"]["amount_fen"] == claim["balance"]["paid_fen"] == PAID_FEN
    assert [(one["contract"], one["claimed_fen"], one["paid_fen"]) for one in claim["rows"]] == [
        ("acme/k1", PAID_FEN, PAID_FEN)
    ]
    lot = {"contract": "acme/k1", "voucher": f"{TREASURY}/v1", "day": "2026-01-10", "amount_fen": PAID_FEN}
    assert claim["lots"] == [lot]
    ((index, fee_fen, amount_fen),) = [(one["index"], one["fee_fen"], one["amount_fen"]) for one in claim["lines"]]
    assert (index, fee_fen, amount_fen) == (11, 20_000_000, PAID_FEN)
    assert [(one["attester"], one["verdict"]) for one in claim["verdicts"]] == [("district-bureau", "pass")]
    assert "25,102.00" in done("show", ledger, "claim", "acme/c1")


def test_as_long_as_it_is_open_its_gate_says_what_is_missing(ledger: Path) -> None:
    """As of the entry of the claim, by the rules in force then."""
    claim = run("show", ledger, "claim", "acme/c1", "--as-of", "12", "--json").json["claim"]
    assert claim["balance"]["status"] == "open"
    assert [(one["topic"], one["passed"], one["missing"]) for one in claim["gates"]] == [
        ("payment_proof", False, "1 more of district-bureau")
    ]
    owed = run("show", ledger, "treasury", TREASURY, "--as-of", "12", "--json").json["treasury"]
    assert [(one["payee"], one["claimed_fen"], one["claimed_0_30_fen"]) for one in owed["owed"]] == [
        ("acme", PAID_FEN, PAID_FEN)
    ]
    assert owed["balance"]["owed_fen"] == PAID_FEN


def test_the_rules_are_told_in_words_and_the_year_by_quarter(ledger: Path) -> None:
    """The invoice is booked on the day of its entry."""
    shown = done("show", ledger, "programme", PROGRAMME)
    for words in (
        "rules from 2025-01-01 (entry 6)",
        "it pays 30 % of the fee, with all other support at most 30 %",
        "of an invoice the days from 2025-03-01 to 2025-12-31 count (last day minus first day), truncated to 1.00 yuan",
        "before a payment, 1 of district-bureau must pass the claim on payment_proof",
    ):
        assert words in shown
    quarters = run("show", ledger, "programme", PROGRAMME, "--json").json["programme"]["quarters"]
    names = ("quarter", "issued_fen", "burned_fen", "claimed_fen", "paid_fen")
    assert [tuple(one[name] for name in names) for one in quarters] == [
        ("2026 Q1", 2_510_299, PAID_FEN, PAID_FEN, PAID_FEN)
    ]


def test_up_to_a_day(ledger: Path) -> None:
    """Burned on the 10th, and claimed and paid on the 11th."""
    for day, burned_fen, paid_fen in (("2026-01-09", 0, 0), ("2026-01-10", PAID_FEN, 0), ("2026-01-11", 0, PAID_FEN)):
        (row,) = run("balances", ledger, "--by", "programme", "--day", day, "--json").json["balances"]
        assert (row["burned_fen"], row["paid_fen"]) == (burned_fen, paid_fen)
