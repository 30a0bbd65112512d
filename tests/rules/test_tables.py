"""Every rule in rows: the tables are played, and together they name every reason and every command."""

import re

import pytest

from support.editions import NEVER_RECORDED
from support.scenario import (
    REASONS,
    TABLES,
    Ledger,
    Row,
    Story,
    ledger_for,
    read_sentences,
    read_table,
    reasons_in,
)
from support.sentences import VERBS, preamble
from tallystick.vouchers.evolve import evolve
from tallystick.vouchers.refusals import Reason
from tallystick.vouchers.rulebook import EVENT_KINDS, RULEBOOK
from tallystick.vouchers.rules.programme_rules import RulesFields
from tallystick.vouchers.rules.settlement import SettledRow
from tallystick.vouchers.state import State

STANDARD = next(read_sentences((TABLES / "standard.txt").read_text("utf-8")))
STORIES = {
    f"{table.stem}: {story.title}": story
    for table in sorted(TABLES.glob("*.txt"))
    if table.stem != "standard"
    for story in read_sentences(table.read_text("utf-8"))
}
ROWS = [row for story in (STANDARD, *STORIES.values()) for row in story.rows if row.answer]


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_story(story: Story) -> None:
    """Each row gets its answer and the books add up after it; the entries alone give the same state again."""
    ledger = ledger_for(story)
    ledger.play(story)
    again = State.empty(ledger.state.origin)
    for entry in ledger.entries:
        evolve(again, entry.event)
    assert again == ledger.state
    assert again.to_bytes() == ledger.state.to_bytes()
    assert State.from_bytes(again.to_bytes()) == again


def test_every_reason_has_a_row() -> None:
    """The list of reasons is closed on both sides, but for those that no rule gives: the writer does."""
    of_the_writer = {Reason.DECISION_FAILED, Reason.LOG_KEY_MISSING}  # tests/contracts and tests/faults have them
    assert {reason for row in ROWS for reason in reasons_in(row.answer)} == set(Reason) - of_the_writer


NEVER = {
    ("reservation.release/1", Reason.EXCEEDS_MANDATE),  # nothing leaves by it
    ("voucher.resume/1", Reason.EXCEEDS_MANDATE),
    ("voucher.revoke/1", Reason.EXCEEDS_MANDATE),
    ("voucher.suspend/1", Reason.EXCEEDS_MANDATE),
    ("redemption.settle/1", Reason.PROGRAMME_UNKNOWN),  # a claim's programme is there, and a voucher's
    ("voucher.resume/1", Reason.PROGRAMME_UNKNOWN),
    ("voucher.revoke/1", Reason.PROGRAMME_UNKNOWN),
    ("voucher.suspend/1", Reason.PROGRAMME_UNKNOWN),
}
"""Which reasons a command shares with others, by which it is never refused."""


def test_every_refusal_of_every_command_has_a_row() -> None:
    """Not only some command's: each is refused for each reason that its rule declares."""
    given = {
        (f"{VERBS[row.verb].kind}/1", reason) for row in ROWS if row.verb in VERBS for reason in reasons_in(row.answer)
    }
    declared = {(kind, reason) for kind, rule in RULEBOOK.rules.items() for reason in rule.refusals}
    assert declared - given == NEVER


def test_every_command_is_accepted_in_a_row() -> None:
    """What may be asked for, is given somewhere."""
    accepted = {row.verb for row in ROWS if row.verb in VERBS and not reasons_in(row.answer)}
    recorded = {kind for kind, event_kind in EVENT_KINDS.items() if event_kind not in NEVER_RECORDED}
    assert {f"{VERBS[verb].kind}/1" for verb in accepted} == recorded


@pytest.mark.parametrize("row", [row for row in ROWS if row.later_reason], ids=str)
def test_the_earlier_reason_is_the_answer(row: Row) -> None:
    """Rows with two reasons name them in the order of the list (that the first is the answer, the story proves)."""
    order = list(Reason)
    (first,) = reasons_in(row.answer)
    assert order.index(first) < order.index(REASONS[row.later_reason])


AMOUNT = r"[\d,]+\.\d\d"
PAID = rf"({AMOUNT}|{AMOUNT} of \S+( \+ {AMOUNT} of \S+)*)(, absorbed {AMOUNT})?"


def test_answers_are_words_of_the_rules() -> None:
    """No row waits for an answer that can't come."""
    words = {kind.partition(".")[2].removesuffix("/1") for kind in EVENT_KINDS.values()} | {one.value for one in Reason}
    words |= {"holds"}  # of what is found in the books
    for row in ROWS:
        for part in row.answer.split(" | "):
            assert re.fullmatch(PAID, part) or part.split()[0] in words, row


def test_a_wrong_answer_is_noticed() -> None:
    """The tables can fail."""
    (story,) = read_sentences("== a row that is wrong\nacme releases R1  -> reservation_closed")
    with pytest.raises(AssertionError, match="but it was reservation_not_over"):
        ledger_for(story).play(story)


def test_a_row_without_an_answer_is_no_row() -> None:
    """Nothing is done unasked, in sentences or in short."""
    with pytest.raises(ValueError, match="line 2"):
        list(read_table("== a story\nacme  release  R1"))
    with pytest.raises(ValueError, match="line 2"):
        list(read_sentences("== a story\nacme releases R1"))


LINE = "job a: 8 × 910b for 3,600 s between 2026-01-31 14:00 and 2026-01-31 15:00"
TOO_MUCH = (
    "job b: 64 × 910b for 104,400 s between 2026-01-30 18:00 and 2026-01-31 23:00"
    " -> exceeds_reservation: 64 × 104,400 s × 6.00 yuan/h = 11,136.00; 50 % = 5,568.00 >"
)
COST = "8 × 3,600 s × 6.00 yuan/h = 48.00; 50 % = 24.00"


@pytest.mark.parametrize(
    "row",
    [
        "acme reserves 1.00 yuan of V1 under K1 until +1d as R9 -> reserved",
        "acme reserves 1.00 of V1 under K1 until 2026-02-02 00:00 as R9 -> reserved",
        "acme release R1 -> released",
        "clock +1d",
        "clock 2026-02-02 00:00 -> published",
        "guian burns under K1: -> 24.00",
        f"guian burns under K1: -> contract_unknown\n    {LINE} -> 24.00",
        f"guian burns under K1:\n    {LINE.replace('for 3,600 s ', '')} -> 24.00",
        f"acme releases R1 -> reservation_not_over\n    {LINE}",
        f"guian burns under K1:\n    {LINE}, corrects st-1 -> 24.00",
        f"guian burns under K1:\n    {LINE}, quickly -> 24.00",
        f"guian burns under K1:\n    {LINE.replace('910b', 'h100')} -> 24.00\n    {LINE} -> 24.00",
    ],
)
def test_what_no_auditor_could_read_is_no_row(row: str) -> None:
    """Short rows, times that depend on the clock, and lines that leave something out."""
    with pytest.raises(ValueError, match="line 1: "):
        list(read_sentences(row))


MONEY = {
    "below_committed",
    "exceeds_mandate",
    "sum_too_large",
    "used_above_face",
    "exceeds_available_balance",
    "exceeds_envelope",
    "exceeds_holder_cap",
    "exceeds_application",
    "exceeds_reservation",
    "exceeds_contract",
    "exceeds_corrected_line",
    "below_holder_floor",
    "below_charged",
    "other_support_lowered",
    "exceeds_withheld",
    "exceeds_paid",
    "exceeds_receivable",
}
MONEY_OR_NONE = {"settlement_differs_from_claim", "payment_differs"}
"""For an amount, or because there is none."""


def test_every_amount_that_is_computed_has_its_sum() -> None:
    """Whatever is answered with an amount, or refused for one; a reversal gives back what its line's row says."""
    missing = []
    for row in ROWS:
        answers = row.answer.split(" | ")
        for answer, text in zip(answers, row.sums or [""] * len(answers), strict=True):
            computed = answer in MONEY or (re.search(r"\d", answer) and not answer.startswith("reversed"))
            if row.verb in VERBS and answer not in MONEY_OR_NONE and bool(text) != bool(computed):
                missing.append(str(row))
    assert missing == []


@pytest.mark.parametrize(
    "row",
    [
        "shanghai revokes voucher V1 -> revoked 6,000.00: 10,000.00 issued − 4,000.01 reserved",
        "shanghai revokes voucher V1 -> revoked 6,000.00: 10,000.00 issued + 4,000.00 reserved",
        "shanghai revokes voucher V1 -> revoked 6,000.00: six thousand",
        "registry seals the days to 2026-01-30 as 2026-01 -> sealed 14 accounts: 4 vouchers + 9 holders",
        "acme reserves 6,000.01 yuan of V1 under K1 until 2026-02-02 00:00 as R9"
        " -> exceeds_available_balance: 6,000.01 > 10,000.00 issued",
        "acme reserves 6,000.01 yuan of V1 under K1 until 2026-02-02 00:00 as R9"
        " -> exceeds_available_balance: 6,000.02 > 6,000.00",
        "acme reserves 6,000.01 yuan of V1 under K1 until 2026-02-02 00:00 as R9"
        " -> exceeds_available_balance: 6,000.01 > 5,000.00",
        f"guian burns under K1:\n    {TOO_MUCH} 3,999.99 reserved",
        f"guian burns under K1:\n    {TOO_MUCH} 5,568.00 reserved",
        *[
            f"guian burns under K1:\n    {LINE} -> 24.00: {COST.replace(*change)}"
            for change in [
                ("8 ×", "9 ×"),
                ("3,600", "3,601"),
                ("6.00", "6.01"),
                ("48.00", "48.01"),
                ("50 %", "51 %"),
                ("= 24.00", "= 24.01"),
                ("8 × 3,600 s × 6.00", "8 × 3,600 s × 3.00"),
                ("6.00 yuan/h = 48.00; 50 %", "12.00 yuan/h = 96.00; 25 %"),
                ("= 24.00", "= 24.00 > 23.00"),
                ("= 24.00", "= 24.00 cut to 23.00"),
                ("= 24.00", "= 24.00, only 23.00 reserved"),
                ("= 24.00", "= 24.00, at most 25 % = 12.00"),
                ("= 24.00", "= 24.00, at most 100 % = 48.00 − 24.00 = 24.00"),
                ("; 50 %", "; absorbed 50 % = 24.00; 50 %"),
                ("; 50 %", "; R3 50 %"),
                ("; 50 % = 24.00", ""),
            ]
        ],
    ],
)
def test_a_wrong_sum_is_noticed(row: str) -> None:
    """Also one that comes to the right amount by a price and a share that weren't in force."""
    (story,) = read_sentences(f"== a sum that is wrong\n{row}")
    with pytest.raises(AssertionError):
        ledger_for(story).play(story)


def test_right_sums_are_not() -> None:
    """In whichever form."""
    rows = f"""== sums
guian burns under K1:
    {LINE} -> 24.00: {COST}
    {LINE.replace("job a", "job c")} -> 24.00: {COST.replace("= 24.00", "= 24.00, at most 100 % = 48.00 = 24.00")}
    {TOO_MUCH} 4,000.00 reserved − 24.00 line 0 − 24.00 line 1
shanghai revokes voucher V1 -> revoked 6,000.00: 10,000.00 issued − 4,000.00 reserved
"""
    (story,) = read_sentences(rows)
    ledger_for(story).play(story)


TWO_PAY = """== a sum of two programmes and other support
shanghai opens A with 1,000.00 yuan [shares: 30 % of all; ceiling_bp: 60 %; rank: 2] -> opened
shanghai accredits guian under A -> accredited
shanghai issues VA to acme: 100.00 yuan under A -> issued
acme signs K with guian: 1,000.00 yuan from 2026-01-05 to 2026-12-31 [other_support_fen: 1.00 yuan] -> signed
acme reserves 100.00 yuan of V1 under K until 2026-02-10 00:00 as RV -> reserved
acme reserves 100.00 yuan of VA under K until 2026-02-10 00:00 as RA -> reserved
guian burns under K:
    job a: 8 × 910b for 3,600 s between 2026-01-31 20:00 and 2026-01-31 21:00
        -> 24.00 of RV, absorbed 1.00: 8 × 3,600 s × 6.00 yuan/h = 48.00;
           absorbed 100 % = 48.00, only 1.00 other support; RV 50 % = 24.00
clock 2026-02-01 01:00
guian burns under K:
    job b: 8 × 910b for 3,600 s between 2026-02-01 00:00 and 2026-02-01 01:00
        -> 24.00 of RV + 4.80 of RA: 8 × 3,600 s × 6.00 yuan/h = 48.00; RV 50 % = 24.00;
           RA 30 % = 14.40, at most 60 % = 28.80 − 24.00 = 4.80
"""


def test_a_right_sum_of_two_programmes_is_none() -> None:
    """Each part is what the ceiling leaves of its share."""
    (story,) = read_sentences(TWO_PAY)
    ledger_for(story).play(story)


@pytest.mark.parametrize(
    "change",
    [
        ("at most 60 % = 28.80 − 24.00 = 4.80", "at most 60 % = 28.80 − 23.00 = 5.80"),
        ("at most 60 % = 28.80 − 24.00 = 4.80", "at most 60 % = 28.80 = 14.40"),
        ("at most 60 % = 28.80 − 24.00 = 4.80", "at most 70 % = 33.60 − 24.00 = 9.60"),
        ("RA 30 % = 14.40, at most", "30 % = 14.40, at most"),
        ("RA 30 % = 14.40, at most", "RV 30 % = 14.40, at most"),
        ("only 1.00 other support", "only 2.00 other support"),
        ("absorbed 100 % = 48.00, only 1.00 other support", "absorbed 1 % = 0.48"),
        ("absorbed 100 % = 48.00, only 1.00 other support; RV", "RV"),
        ("24.00 of RV, absorbed", "23.00 of RV, absorbed"),
        ("24.00 of RV + 4.80 of RA", "4.80 of RA + 24.00 of RV"),
        ("24.00 of RV + 4.80 of RA", "28.80"),
    ],
)
def test_a_wrong_sum_of_two_programmes_is_noticed(change: tuple[str, str]) -> None:
    """Who pays, what was spent before, and what is left."""
    assert TWO_PAY.count(change[0]) == 1
    (story,) = read_sentences(TWO_PAY.replace(*change))
    with pytest.raises(AssertionError):
        ledger_for(story).play(story)


OTHER_SUMS = """== sums of an invoice, of what is counted, and of what expires
network registers tokens as domestic [unit: count; counted: a million tokens] -> registered
guian prices a unit of tokens at 2.00 yuan -> published
shanghai opens S9 with 10,000.00 yuan [shares: 30 % of all; basis: both; proration: 2026-02-03 to 2026-02-12, inclusive, cut to 1.00 yuan; gates: 1 of district on usage of the claim before settle] -> opened
shanghai accredits guian under S9 -> accredited
shanghai issues V9 to acme: 1,000.00 yuan under S9 -> issued
acme signs K9 with guian: 1,000.00 yuan from 2026-02-01 to 2026-12-31 -> signed
acme signs K8 with guian: 1,000.00 yuan from 2026-02-01 to 2026-12-31 [basis: invoiced] -> signed
acme reserves 500.00 yuan of V9 under K9 until 2026-02-20 00:00 as R9 -> reserved
acme reserves 500.00 yuan of V9 under K8 until 2026-02-20 00:00 as R8 -> reserved
clock 2026-02-04 00:00
guian invoices 1,000.00 yuan of 910b under K8 from 2026-02-11 to 2026-02-17
    -> 85.00: 1,000.00 invoiced; 2 of 7 days = 285.714… cut in steps of 1.00 to 285.00, 30 % = 85.50 cut in steps of 1.00 to 85.00
guian burns 10 units of tokens under K9 from 2026-02-02 to 2026-02-02 -> 6.00: 10 × 2.00 yuan = 20.00; 30 % = 6.00
guian burns 600 units of tokens under K9 from 2026-02-03 to 2026-02-03
    -> exceeds_contract: 600 × 2.00 yuan = 1,200.00 > 1,000.00 contract − 20.00 charged
clock 2026-02-20 00:00
registry books what time has ended
    -> expired 4,000.00 of reservation R1 to voucher + 4,000.00 of reservation R3 to voucher + 4,000.00 of reservation RB to voucher: 4,000.00 first;
       5,000.00 second − 1,000.00 less; 4,000.00 third
"""  # noqa: E501 - rows as in the tables


def test_right_sums_of_other_answers_are_none() -> None:
    """Of a part of a fee, in steps; of quantities; row by row."""
    (story,) = read_sentences(OTHER_SUMS)
    ledger_for(story).play(story)


@pytest.mark.parametrize(
    "change",
    [
        ("1,000.00 invoiced", "1,000.01 invoiced"),
        ("1,000.00 invoiced", "10 × 100.00 yuan = 1,000.00"),
        ("2 of 7 days = 285.714…", "3 of 7 days = 428.571…"),
        ("285.714…", "285.715…"),
        ("cut in steps of 1.00 to 285.00, 30 % = 85.50", "cut to 285.71, 30 % = 85.713"),
        (
            "cut in steps of 1.00 to 285.00",
            "cut in steps of 5.00 to 285.00",
        ),
        ("30 % = 85.50", "31 % = 88.35"),
        ("10 × 2.00 yuan = 20.00; 30 % = 6.00", "11 × 2.00 yuan = 22.00; 30 % = 6.60"),
        ("10 × 2.00 yuan = 20.00; 30 % = 6.00", "10 × 4.00 yuan = 40.00; 15 % = 6.00"),
        ("10 × 2.00 yuan = 20.00; 30 % = 6.00", "20.00 invoiced; 30 % = 6.00"),
        ("− 20.00 charged", "− 10.00 charged"),
        ("600 × 2.00 yuan = 1,200.00 >", "600 × 2.00 yuan = 1,200.00; 30 % = 360.00 >"),
        ("4,000.00 first", "4,000.01 first"),
        ("− 1,000.00 less", "− 1,001.00 less"),
        ("; 4,000.00 third", ""),
        ("4,000.00 third", "4,000.00 third; 0.00 fourth"),
    ],
)
def test_a_wrong_sum_of_another_answer_is_noticed(change: tuple[str, str]) -> None:
    """Each of its parts."""
    assert OTHER_SUMS.count(change[0]) == 1
    (story,) = read_sentences(OTHER_SUMS.replace(*change))
    with pytest.raises(AssertionError):
        ledger_for(story).play(story)


SETTLED = """== a claim, its settlement, and a seal
acme reserves 500.00 yuan of V1 under K2 until 2026-02-20 00:00 as R2 -> reserved
clock 2026-02-02 00:00
guian burns under K1:
    job a: 8 × 910b for 3,600 s between 2026-02-01 14:00 and 2026-02-01 15:00 -> 24.00: 8 × 3,600 s × 6.00 yuan/h = 48.00; 50 % = 24.00
guian burns under K2:
    job b: 8 × 910b for 1,800 s between 2026-02-01 14:00 and 2026-02-01 15:00 -> 12.00: 8 × 1,800 s × 6.00 yuan/h = 24.00; 50 % = 12.00
guian claims what was burned under S1 up to 2026-02-01 as C1 -> claimed 24.00 under K1 + 12.00 under K2: 24.00 job a + 12.00 job b
shanghai settles C1: 20.00 yuan under K1 and 4.00 yuan withheld, 13.00 yuan under K2 -> settlement_differs_from_claim: 13.00 ≠ 12.00 claimed
shanghai settles C1: 20.00 yuan under K1 and 4.00 yuan withheld, 12.00 yuan under K2 -> settled
shanghai has under K1 -> holds 4.00 withheld + 20.00 settled
shanghai demands 32.01 yuan under S1 back from guian as D1 -> exceeds_paid: 32.01 > 20.00 paid + 12.00 paid
shanghai has under S1 -> holds 80,000.00 unissued + 11,500.00 available + 8,464.00 reserved + 4.00 withheld + 32.00 paid
registry seals the days to 2026-01-31 as B1
    -> sealed 21 accounts: 4 vouchers + 4 holders + 2 providers + 4 programmes + 5 contracts + 2 treasuries
registry has sealed of contract -> sealed K1, K2, K3, KW, KB
"""  # noqa: E501 - rows as in the tables


def test_right_sums_of_claims_and_seals_are_none() -> None:
    """And what is found in the books is as it is said."""
    (story,) = read_sentences(SETTLED)
    ledger_for(story).play(story)


@pytest.mark.parametrize(
    "change",
    [
        ("24.00 job a + 12.00 job b", "24.00 job a + 11.99 job b"),
        ("claimed 24.00 under K1 + 12.00 under K2", "claimed 12.00 under K1 + 24.00 under K2"),
        ("claimed 24.00 under K1 + 12.00 under K2", "claimed 36.00"),
        ("13.00 ≠ 12.00 claimed", "13.00 ≠ 12.01 claimed"),
        ("13.00 ≠ 12.00 claimed", "20.00 ≠ 12.00 claimed"),
        ("32.01 > 20.00 paid + 12.00 paid", "32.01 > 20.00 paid"),
        ("holds 4.00 withheld + 20.00 settled", "holds 20.00 settled"),
        ("+ 4.00 withheld + 32.00 paid", "+ 36.00 paid"),
        ("4 vouchers + 4 holders + 2 providers", "5 vouchers + 3 holders + 2 providers"),
        (" + 2 treasuries", ""),
        ("sealed K1, K2, K3, KW, KB", "sealed K1, K2, K3, KW"),
    ],
)
def test_a_wrong_sum_of_a_claim_or_a_seal_is_noticed(change: tuple[str, str]) -> None:
    """And what isn't found in the books."""
    assert SETTLED.count(change[0]) == 1
    (story,) = read_sentences(SETTLED.replace(*change))
    with pytest.raises(AssertionError):
        ledger_for(story).play(story)


def test_the_preamble_says_values_of_commands() -> None:
    """Each of a field that the command has, under the words of its row."""
    kinds = {verb.sentence.partition(" {")[0]: verb.kind for verb in VERBS.values()}
    sections = preamble()
    assert set(sections) - set(kinds) == {"every command"}
    for words in set(sections) & set(kinds):
        fields = RULEBOOK.rules[f"{kinds[words]}/1"].model_fields
        names = {name.partition(",")[0].partition(".")[0] for name in sections[words]} - {"signed by"}
        within = set(RulesFields.__dataclass_fields__) if "rules" in fields else set()
        within |= set(SettledRow.model_fields) if "rows" in fields else set()
        assert names <= set(fields) | within


def test_a_story_may_start_from_nothing() -> None:
    """An empty log has no entry."""
    assert ledger_for(Story("first [empty log]", ())) == Ledger()
