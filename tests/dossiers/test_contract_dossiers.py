"""Lines of one contract are paid by several programmes, and others decide with it: their dossiers hold all of that.

Each story is small, and made so that an entry of another account decides one of the account's own.
"""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from dossiers.forging import codes, examined, joined, parts_of, written
from dossiers.test_sound_dossiers import touches_of
from support.actors import Actor
from support.voucher_year import ACME, BETA, CITY, DC, NETWORK, OTHER_DC, REGISTRY, Json, Story
from tallystick.dossiers.writing import Bound
from tallystick.errors import UsageError
from tallystick.findings import FindingCode
from tallystick.publishing import read_ledger
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.outcomes import Burned, Claimed
from tallystick.vouchers.quantities import DAY_US, format_day

DISTRICT: Json = {"rank": 2, "shares": [{"share_bp": 2_000}], "ceiling_bp": 6_000}
WHOLE_YUAN: Json = {"rounding_fen": 100, "shares": [{"share_bp": 101}]}
"""Of an hour at 36.00 yuan 36 fen are paid: of one or two nothing can be claimed."""
_seals = count()


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    """A ledger with two contracts of acme's, and one programme that pays half."""
    story = Story(tmp_path / "ledger")
    story.begin()
    story.do(NETWORK, "party.admit", admitted="registry", role="operator", name="Register", keys=REGISTRY.vkeys)
    story.issue("city/v1", "acme", 200_000)
    yield story
    story.ledger.close()


def seal(story: Story) -> int:
    """All days that are over are sealed; return the entry's index."""
    last_day = format_day((story.at + 8 * 3_600_000_000) // DAY_US - 1)
    return story.do(REGISTRY, "book.seal", seal=f"registry/s{next(_seals)}", last_day=last_day)


def claim(story: Story, by: Actor, name: str, programme: str, last_day: str) -> int:
    return story.do(by, "redemption.claim", claim=f"{by.party}/{name}", programme=programme, last_day=last_day)


def settle(story: Story, name: str, number: int, withheld_fen: int = 0, **paid_fen: int) -> int:
    """Pay a claim of dc's, but for what is withheld of the first contract, by the so many-th payment."""
    rows: list[Json] = [{"contract": f"acme/{one}", "paid_fen": amount_fen} for one, amount_fen in paid_fen.items()]
    if withheld_fen:
        rows[0] |= {"withheld_fen": withheld_fen, "reason": "no invoice"}
    payment = story.payment(sum(paid_fen.values()), number)
    return story.do(CITY, "redemption.settle", claim=f"dc/{name}", rows=rows, payment=payment)


def log_of(story: Story) -> list[bytes]:
    with read_ledger(story.folder) as reader:
        return [reader.entry(index) for index in range(reader.size)]


def suspected(story: Story) -> dict[tuple[str, int | None], list[str]]:
    """What is wrong with the dossiers of all accounts, whole and since each seal: of a sound log, nothing."""
    log = log_of(story)
    seals = [index for index, data in enumerate(log) if Entry.from_bytes(data).event.kind == "book.sealed/1"]
    found = {}
    for account in touches_of(log):
        for since in (None, *seals):
            try:
                data = written(story.folder, account, None if since is None else Bound(index=since))
            except UsageError as error:
                assert "then" in str(error)  # noqa: PT017 - an account that came later
                continue
            if findings := examined(data).findings:
                found[account, since] = [str(one) for one in findings]
    return found


def kinds_in(data: bytes, role: str) -> list[str]:
    """The kinds of a dossier's entries of one role."""
    return [Entry.from_bytes(one.entry).event.kind for one in parts_of(data)[1] if one.role == role]


def together(story: Story) -> None:
    """City and district pay for one contract; one of its lines is taken back."""
    story.open_programme("city/district", "dc", **DISTRICT)
    story.issue("city/w1", "acme", 40_000, "city/district")
    story.reserve("acme/r1", "city/v1", "acme/k1", 100_000)
    story.reserve("acme/r2", "city/w1", "acme/k1", 30_000)
    story.at += 2 * DAY_US
    story.burn(DC, "acme/k1", story.line("job-1", 10), story.line("job-2", 20), ref="S1")
    story.do(DC, "burn.reverse", statement="S1", line=0, reason="never ran")


def test_several_programmes_pay_for_one_contract(story: Story) -> None:
    """The dossier of each one's voucher holds what the others paid too: under one ceiling that decides its own part."""
    together(story)
    seal(story)
    assert suspected(story) == {}
    data = written(story.folder, "voucher city/w1")
    assert kinds_in(data, "dependency").count("voucher.reserved/1") == 1
    moved = [line.moved for line in examined(data).book if line.kind in ("time.burned/1", "burn.reversed/1")]
    assert moved == [(("reserved", "burned", 10_800),), (("burned", "reserved", 3_600),)]


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        ("contract.signed/1", "acme/k1"),
        ("voucher.issued/1", "city/v1"),
        ("voucher.reserved/1", "acme/r1"),
        ("programme.opened/1", "city/p"),
        ("party.admitted/1", "dc"),
    ],
)
def test_what_a_contract_depends_on_is_missed(story: Story, kind: str, what: str) -> None:
    """Taken out of the dossier of the voucher that paid the second part."""
    together(story)
    seal(story)
    head, entries = parts_of(written(story.folder, "voucher city/w1"))
    kept = [
        one
        for one in entries
        if Entry.from_bytes(one.entry).event.kind != kind or f'"{what}"'.encode() not in one.entry
    ]
    (left_out,) = [one for one in entries if one not in kept]
    assert left_out.role == "dependency"
    assert codes(examined(joined(head, kept)))[0] is FindingCode.DEPENDENCY_MISSING


def test_a_correction_under_another_contract_is_there(story: Story) -> None:
    """A line is corrected once; a second correction, after a seal, is refused for what was burned before it."""
    story.sign("acme/k3", "dc")
    for number, contract in enumerate(("acme/k1", "acme/k3"), 1):
        story.issue(f"city/c{number}", "acme", 50_000)
        story.reserve(f"acme/r{number}", f"city/c{number}", contract, 40_000)
    story.issue("city/c3", "acme", 50_000)
    story.sign("acme/k4", "dc")
    story.reserve("acme/r3", "city/c3", "acme/k4", 40_000)
    story.at += 2 * DAY_US
    story.burn(DC, "acme/k1", story.line("job-1", 10), ref="S1")
    story.do(DC, "burn.reverse", statement="S1", line=0, reason="another contract's")
    says = {"corrects": {"statement": "S1", "line": 0}}
    line = [*story.line("job-1", 1, hours_ago=38), says]
    story.burn(DC, "acme/k3", line, ref="S2")
    seal(story)
    story.burn(
        DC,
        "acme/k4",
        [
            *line,
        ],
        ref="S3",
    )
    outcome = Entry.from_bytes(log_of(story)[-1]).event.outcome
    assert isinstance(outcome, Burned)
    assert [reason.value for _, reason in outcome.refused] == ["correction_unfounded"]
    assert suspected(story) == {}


def test_a_claim_of_before_is_paid_afterwards(story: Story) -> None:
    """The dossier since the seal has all that it claimed, or there would be less to pay."""
    story.sign("acme/k3", "dc")
    story.reserve("acme/r1", "city/v1", "acme/k1", 50_000)
    story.reserve("acme/r2", "city/v1", "acme/k3", 50_000)
    story.at += 2 * DAY_US
    story.burn(DC, "acme/k1", story.line("job-1", 10))
    story.burn(DC, "acme/k3", story.line("job-2", 10))
    story.at += DAY_US
    claim(story, DC, "c1", "city/p", "2026-01-07")
    story.at += DAY_US
    first = seal(story)
    settle(story, "c1", 1, k1=18_000, k3=18_000)
    story.at += DAY_US
    seal(story)
    assert suspected(story) == {}
    report = examined(written(story.folder, "provider dc", Bound(index=first)))
    assert [line.moved for line in report.book] == [(("claimed", "paid", 36_000),)]


def test_a_contract_that_says_either_is_the_first_claimants(story: Story) -> None:
    """Also for what another programme paid: the provider's later claim doesn't find it."""
    story.open_programme("city/a", "dc", payee="contract", rank=2, shares=[{"share_bp": 1_000}])
    story.open_programme("city/b", "dc", payee="contract", rank=3, shares=[{"share_bp": 1_000}])
    story.sign("acme/k3", "dc", claimant="provider")
    for programme in ("a", "b"):
        story.issue(f"city/{programme}1", "acme", 90_000, f"city/{programme}")
        for contract in ("k1", "k3"):
            story.reserve(f"acme/{programme}-{contract}", f"city/{programme}1", f"acme/{contract}", 40_000)
    story.at += 2 * DAY_US
    story.burn(DC, "acme/k1", story.line("job-1", 10))
    story.burn(DC, "acme/k3", story.line("job-2", 10))
    story.at += DAY_US
    claim(story, ACME, "c1", "city/b", "2026-01-07")
    index = claim(story, DC, "c1", "city/a", "2026-01-07")
    assert Entry.from_bytes(log_of(story)[index]).event.outcome == Claimed(3_600, False, (("acme/k3", 3_600),))
    seal(story)
    assert suspected(story) == {}


def test_what_an_earlier_claim_rounded_off_is_known(story: Story) -> None:
    """It stays with the last contract of those that the claim found, of which a later claim may find only that."""
    story.open_programme("city/w", "dc", **WHOLE_YUAN)
    story.issue("city/w1", "acme", 50_000, "city/w")
    story.sign("acme/k3", "dc")
    for contract in ("k1", "k3"):
        story.reserve(f"acme/{contract}", "city/w1", f"acme/{contract}", 20_000)
    story.at += 2 * DAY_US
    story.burn(DC, "acme/k1", story.line("job-1", 2, hours_ago=40))  # 72 fen, on the 6th
    story.burn(DC, "acme/k3", story.line("job-2", 2, hours_ago=10))  # 72 fen, on the 7th
    story.at += DAY_US
    claim(story, DC, "c1", "city/w", "2026-01-07")  # 144: 100 are claimed, 44 of acme/k3 are not
    seal(story)
    story.burn(DC, "acme/k3", [*story.line("job-3", 2, hours_ago=40), {"prior_period": True}])
    story.at += DAY_US
    index = claim(story, DC, "c2", "city/w", "2026-01-08")
    assert Entry.from_bytes(log_of(story)[index]).event.outcome == Claimed(100, False, (("acme/k3", 100),))
    story.at += DAY_US
    seal(story)
    assert suspected(story) == {}


def test_job_time_burned_under_another_holders_contract_is_there(story: Story) -> None:
    """The line that was refused for it is refused again; of the same job on another item, or elsewhere, none is."""
    story.sign("beta/k1", "dc", BETA)
    story.issue("city/b1", "beta", 90_000)
    story.reserve("acme/r1", "city/v1", "acme/k1", 50_000)
    story.reserve("acme/r2", "city/v1", "acme/k2", 50_000)
    story.reserve("beta/r1", "city/b1", "beta/k1", 50_000)
    story.at += 2 * DAY_US
    line = story.line("job-1", 10)
    story.burn(OTHER_DC, "acme/k2", line)
    story.burn(DC, "beta/k1", line)
    story.burn(DC, "acme/k1", line)
    outcome = Entry.from_bytes(log_of(story)[-1]).event.outcome
    assert isinstance(outcome, Burned)
    assert [reason.value for _, reason in outcome.refused] == ["job_time_already_burned"]
    seal(story)
    assert suspected(story) == {}
    assert b"beta/k1" in written(story.folder, "holder acme")
    assert b"acme/k2" not in written(story.folder, "holder beta")
