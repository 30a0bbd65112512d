"""Attacks on the price, on sealed days, and with one key of a treasury: what each of them comes to.

The stories are written like the tables in tests/rules, and play in the standard network. There acme reserved 4,000.00
yuan under K1 with guian, at 20.00 yuan an hour at the most, and guian's tariff is 6.00.
"""

from collections.abc import Mapping
from textwrap import dedent

import pytest

from support.row_values import yuan
from support.scenario import Ledger, ledger_for, read_sentences


def played(rows: str) -> Ledger:
    """The standard network after a story, whose every row got its answer."""
    (story,) = read_sentences(f"== an attack\n{dedent(rows)}")
    ledger = ledger_for(story)
    ledger.play(story)
    return ledger


def held(ledger: Ledger, programme: str = "shanghai/S1") -> Mapping[str, str]:
    """What lies in a programme's accounts, in yuan."""
    return {account: yuan(amount_fen) for account, amount_fen in ledger.state.book.totals[programme].items()}


UNTOUCHED = held(played("clock 2026-02-01 00:00"))


def test_a_provider_alone_takes_nothing_that_no_holder_reserved_under_what_it_signed() -> None:
    """By a contract of its own making, a better price, a later end, or somebody else's contract."""
    ledger = played("""
        guian signs K9 with acme: 90,000.00 yuan from 2026-01-05 to 2026-12-31 [signed by: guian/officer-1]
            -> signatures_missing
        guian signs K9 with acme: 9.00 yuan from 2026-02-01 to 2026-03-31 [signed by: guian/officer-1, guian/officer-2]
            -> signatures_missing
        guian amends contract K1 [items: 910b at 90,000.00 yuan; items_from: 2026-02-02; signed by: guian/officer-1]
            -> signatures_missing
        guian amends contract K1 [amount_fen: 900,000.00 yuan; signed by: guian/officer-1]
            -> signatures_missing
        guian amends contract K1 [last_day: 2027-12-31; signed by: guian/officer-1]
            -> signatures_missing
        guian reserves 100.00 yuan of V2 under K2 until 2026-02-10 00:00 as guian/R9 -> role_may_not
        guian burns under K2:
            job a: 8 × 910b for 3,600 s between 2026-01-31 14:00 and 2026-01-31 15:00
                -> nothing_reserved
        guian burns under KW: -> not_own_contract
            job a: 8 × 910b for 3,600 s between 2026-01-31 14:00 and 2026-01-31 15:00
        wuhu burns under K1: -> not_own_contract
            job a: 8 × 910b for 3,600 s between 2026-01-31 14:00 and 2026-01-31 15:00
        guian claims what was burned under S1 up to 2026-01-31 as C1
            -> nothing_to_claim
    """)
    assert held(ledger) == UNTOUCHED


def test_a_tariff_published_later_prices_nothing_above_the_contract() -> None:
    """Ten minutes of one card don't take 4,000.00 yuan: they cost what was signed, whatever is published after."""
    ledger = played("""
        guian prices 910b at 100,000.00 yuan an hour -> notice_too_short
        guian prices 910b at 100,000.00 yuan an hour [valid_from: 2026-02-02 00:00] -> published
        clock 2026-02-03 00:00
        guian burns under K1:
            job a: 1 × 910b for 600 s between 2026-02-02 01:00 and 2026-02-02 01:10
                -> 1.66: 1 × 600 s × 20.00 yuan/h = 3.333333… cut to 3.33; 50 % = 1.665 cut to 1.66
    """)
    assert held(ledger) == {**UNTOUCHED, "reserved": "7,998.34", "burned": "1.66"}


def test_a_price_that_both_sides_signed_is_paid_up_to_the_limit_of_the_accreditation() -> None:
    """A holder and its provider that share the proceeds don't set the price: the treasury's limit is 100.00 yuan."""
    ledger = played("""
        guian prices a100 at 100,000.00 yuan an hour -> published
        acme signs K9 with guian: 900,000.00 yuan from 2026-01-05 to 2026-12-31 [items: a100 at 100,000.00 yuan]
            -> signed
        acme signs K8 with guian: 900,000.00 yuan from 2026-01-05 to 2026-12-31 [items: a100 at 100.01 yuan]
            -> signed
        acme reserves 1,000.00 yuan of V1 under K9 until 2026-02-10 00:00 as R9 -> reserved
        acme reserves 1,000.00 yuan of V1 under K8 until 2026-02-10 00:00 as R8 -> reserved
        clock 2026-02-02 00:00
        guian burns under K9:
            job a: 1 × a100 for 600 s between 2026-02-01 01:00 and 2026-02-01 01:10
                -> price_above_limit
            job a: 1 × a100 for 600 s between 2026-02-01 01:00 and 2026-02-01 01:10, paying what is available
                -> price_above_limit
        guian burns under K8:
            job a: 1 × a100 for 600 s between 2026-02-01 01:00 and 2026-02-01 01:10
                -> price_above_limit
        acme amends contract K9 [items: a100 at 100.00 yuan; items_from: 2026-02-03] -> amended
        guian burns under K9:
            job a: 1 × a100 for 600 s between 2026-02-01 01:00 and 2026-02-01 01:10
                -> price_above_limit
    """)
    assert held(ledger)["burned"] == "0.00"


def test_a_reversed_line_of_nothing_licenses_no_correction_of_something() -> None:
    """However long its interval: on sealed days nothing is burned that wasn't there, for its holder or another."""
    ledger = played("""
        clock 2026-02-05 00:00
        guian burns under K1 [document: st-1]:
            job a: 0.001 × 910b for 1 s between 2026-01-25 00:00 and 2026-02-04 00:00
                -> 0.00: 0.001 × 1 s × 6.00 yuan/h = 0.000001… cut to 0.00; 50 % = 0.00
        guian reverses line 0 of st-1 -> reversed 0.00
        registry seals the days to 2026-02-04 as 2026-02
            -> sealed 21 accounts: 4 vouchers + 4 holders + 2 providers + 4 programmes + 5 contracts + 2 treasuries
        guian burns under K1:
            job a: 4 × 910b for 864,000 s between 2026-01-25 00:00 and 2026-02-04 00:00, corrects st-1:0
                -> exceeds_corrected_line: 4 × 864,000 s > 0.001 × 1 s
            job b: 1 × 910b for 1 s between 2026-01-25 00:00 and 2026-01-26 00:00, corrects st-1:0
                -> exceeds_corrected_line: 1 × 1 s > 0.001 × 1 s
        guian burns under KB:
            job b: 8 × 910b for 86,400 s between 2026-01-25 00:00 and 2026-01-26 00:00, corrects st-1:0
                -> correction_unfounded
        guian burns under K1:
            job c: 0.001 × 910b for 1 s between 2026-01-25 00:00 and 2026-01-26 00:00, corrects st-1:0
                -> 0.00: 0.001 × 1 s × 6.00 yuan/h = 0.000001… cut to 0.00; 50 % = 0.00
            job d: 0.001 × 910b for 1 s between 2026-01-26 00:00 and 2026-01-27 00:00, corrects st-1:0
                -> correction_unfounded
    """)
    assert held(ledger) == UNTOUCHED


def test_what_is_reported_late_or_corrected_changes_no_claim_of_a_sealed_day() -> None:
    """It is booked on the day of its entry: what was claimed of the days before, and paid, stays what it was."""
    ledger = played("""
        guian burns under K1 [document: st-1]:
            job a: 8 × 910b for 3,600 s between 2026-01-31 14:00 and 2026-01-31 15:00
                -> 24.00: 8 × 3,600 s × 6.00 yuan/h = 48.00; 50 % = 24.00
            job b: 8 × 910b for 3,600 s between 2026-01-31 14:00 and 2026-01-31 15:00
                -> 24.00: 8 × 3,600 s × 6.00 yuan/h = 48.00; 50 % = 24.00
        guian reverses line 1 of st-1 -> reversed 24.00 to reservation
        registry seals the days to 2026-01-31 as 2026-01
            -> sealed 21 accounts: 4 vouchers + 4 holders + 2 providers + 4 programmes + 5 contracts + 2 treasuries
        guian claims what was burned under S1 up to 2026-01-31 as C1
            -> claimed 24.00 under K1: 24.00 job a
        guian burns under K1:
            job b: 4 × 910b for 3,600 s between 2026-01-31 14:00 and 2026-01-31 15:00, corrects st-1:1
                -> 12.00: 4 × 3,600 s × 6.00 yuan/h = 24.00; 50 % = 12.00
            job c: 8 × 910b for 3,600 s between 2026-01-31 14:00 and 2026-01-31 15:00, of a prior period
                -> 24.00: 8 × 3,600 s × 6.00 yuan/h = 48.00; 50 % = 24.00
            job a: 8 × 910b for 3,600 s between 2026-01-31 14:00 and 2026-01-31 15:00, of a prior period
                -> job_time_already_burned
        guian claims what was burned under S1 up to 2026-01-31 as C2
            -> nothing_to_claim
        shanghai settles C1: 24.00 yuan under K1 -> settled
    """)
    assert held(ledger) == {**UNTOUCHED, "reserved": "7,940.00", "burned": "36.00", "paid": "24.00"}


ONE_KEY = "signed by: shanghai/officer-1"


@pytest.mark.parametrize(
    "row",
    [
        f"shanghai admits friend as holder [{ONE_KEY}, friend/officer-1, friend/officer-2]",
        f"shanghai opens S9 with 900,000.00 yuan [{ONE_KEY}]",
        f"shanghai closes S1 [{ONE_KEY}]",
        f"shanghai accredits wuhu under S1 [{ONE_KEY}]",
        f"shanghai issues V9 to bolt: 20,000.01 yuan under S1 [{ONE_KEY}]",
        f"shanghai amends itself [{ONE_KEY}]",
        f"shanghai amends itself [quorum: 2; officers: 2 above 900,000.00 yuan in 30 days; {ONE_KEY}]",
        f"shanghai adds key shanghai/officer-3 for shanghai [{ONE_KEY}, shanghai/officer-3]",
        f"shanghai revokes key shanghai/officer-2 of shanghai [{ONE_KEY}]",
        f"shanghai adds key acme/officer-3 for acme [{ONE_KEY}, acme/officer-3, network/root-1, network/root-2]",
        f"shanghai reinstates party acme [{ONE_KEY}]",
    ],
)
def test_one_stolen_key_of_a_treasury_admits_accredits_and_opens_nothing(row: str) -> None:
    """Admitting, accrediting, opening, amending and adding keys need its quorum, and so does what makes it needless."""
    assert held(played(f"{row} -> signatures_missing")) == UNTOUCHED


def test_one_stolen_key_of_a_treasury_pays_out_no_more_than_the_threshold() -> None:
    """What it takes from a holder goes back to the envelope; what is reserved it takes only if its provider is out."""
    ledger = played(f"""
        shanghai releases R1 [{ONE_KEY}] -> not_own_reservation
        acme signs K9 with guian: 90,000.00 yuan from 2026-01-05 to 2026-12-31 [items: 910b at 6.00 yuan]
            -> signed
        shanghai issues V9 to acme: 20,000.00 yuan under S1 [valid_from: 2026-01-05 08:00; {ONE_KEY}]
            -> issued
        acme reserves 20,000.00 yuan of V9 under K9 until 2026-02-10 00:00 as R9 -> reserved
        guian burns under K9:
            job a: 800 × 910b for 30,000 s between 2026-01-31 00:00 and 2026-01-31 12:00
                -> 20,000.00: 800 × 30,000 s × 6.00 yuan/h = 40,000.00; 50 % = 20,000.00
        guian claims what was burned under S1 up to 2026-01-31 as C1
            -> claimed 20,000.00 under K9: 20,000.00 burned
        shanghai settles C1: 20,000.00 yuan under K9 [{ONE_KEY}] -> signatures_missing
        shanghai settles C1: 0.01 yuan under K9 and 19,999.99 yuan withheld [{ONE_KEY}] -> signatures_missing
        shanghai settles C1: 19,999.99 yuan under K9
            -> settlement_differs_from_claim: 19,999.99 ≠ 20,000.00 claimed
        shanghai delists guian under S1 from 2026-02-01 00:00 [{ONE_KEY}] -> delisted
        shanghai releases R1 [{ONE_KEY}] -> released 4,000.00 to voucher: 4,000.00 reserved
        shanghai revokes voucher V1 [{ONE_KEY}] -> revoked 10,000.00: 10,000.00 issued
        shanghai settles C1: 0.00 yuan under K9 and 20,000.00 yuan withheld [{ONE_KEY}] -> settled
        shanghai disallows 20,000.00 yuan under K9 of S1 [{ONE_KEY}] -> signatures_missing
    """)
    assert held(ledger)["paid"] == "0.00"
    assert held(ledger)["unissued"] == "70,000.00"
