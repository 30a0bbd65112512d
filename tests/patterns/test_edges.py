"""What is taken back isn't counted, what is usual is a note, and what is judged in pieces is judged as at once."""

import random
from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.actors import Json, uscc_of
from support.schedules import schedule
from support.terms import limits_of
from support.watched import INSTALLED, ITEM, PROGRAMME, THRESHOLD_FEN, VALID_DAYS, WatchedNetwork
from tallystick.patterns import Certainty, Parameters, Pattern, Severity, Watch
from tallystick.patterns.capacity import HOUR_US
from tallystick.patterns.pattern import ENTRIES_SHOWN_MAX
from tallystick.signing.algorithms import SHA256
from tallystick.vouchers.quantities import DAY_US, SECOND_US, format_day, format_instant, format_second

TOO_MANY = ("too-many", INSTALLED + 1, 1_000, 7_500)
TWIN = (2, 1_003, 3_001)
EVIDENCE = SHA256.of(b"some records")


@pytest.fixture
def network() -> WatchedNetwork:
    """A day after it was founded."""
    network = WatchedNetwork()
    network.wait(days=1)
    return network


def take_back(network: WatchedNetwork, provider: str, ref: str, line: int = 0) -> int:
    """Let a provider reverse a line."""
    return network.give(provider, "burn.reverse", statement=ref, line=line, reason="a mistake")


# -- what is taken back ------------------------------------------------------------------------------------------------


def test_what_is_taken_back_uses_no_capacity(network: WatchedNetwork) -> None:
    """The line alone is over; without it nothing is."""
    network.burn("ada/with-north", ("small", 2, 900, 9_000))
    network.burn("ada/with-north", TOO_MANY, ref="wrong")
    take_back(network, "north", "wrong")
    assert network.seen() == {}


def test_the_entries_of_the_worst_hour_are_those_that_stand(network: WatchedNetwork) -> None:
    """One that was taken back isn't named."""
    network.burn("ada/with-north", TOO_MANY, ref="wrong")
    take_back(network, "north", "wrong")
    stands = network.burn("bob/with-north", ("again", *TOO_MANY[1:]))
    assert network.seen()[Pattern.CAPACITY_EXCEEDED].entries == (stands,)


def test_a_job_that_is_taken_back_can_be_burned_under_another_name(network: WatchedNetwork) -> None:
    """A third is the same as the second, and not as the first."""
    network.burn("ada/with-north", ("misnamed", *TWIN), ref="first")
    take_back(network, "north", "first")
    second = network.burn("ada/with-north", ("named-well", *TWIN), ref="second")
    third = network.burn("bob/with-north", ("other", *TWIN), ref="third")
    assert network.seen()[Pattern.JOB_UNDER_TWO_NAMES].entries == (second, third)


def test_two_that_are_the_same_are_forgotten_with_one_of_them(network: WatchedNetwork) -> None:
    """Whichever is taken back."""
    network.burn("ada/with-north", ("one", *TWIN), ref="first")
    network.burn("bob/with-north", ("other", *TWIN), ref="second")
    take_back(network, "north", "second")
    assert network.seen() == {}


def test_evidence_may_come_again_with_lines_that_stand_for_others(network: WatchedNetwork) -> None:
    """As many as were taken back, and no more."""
    network.burn("ada/with-north", ("a", 1, 900, 3_000), evidence=EVIDENCE, ref="first")
    take_back(network, "north", "first")
    network.burn("ada/with-north", ("a", 1, 900, 2_000), evidence=EVIDENCE)
    again = network.burn("ada/with-north", ("b", 1, 900, 1_000), evidence=EVIDENCE)
    assert network.seen()[Pattern.EVIDENCE_REPEATED].entries[-1] == again
    assert network.seen()[Pattern.EVIDENCE_REPEATED].figures["entries"] == 2


# -- what is usual -----------------------------------------------------------------------------------------------------


def test_parts_of_one_job_are_a_note(network: WatchedNetwork) -> None:
    """Names of one series under one contract, in one statement; also many of any names."""
    network.burn("ada/with-north", *[(f"worker-{number}", *TWIN) for number in range(3)])
    seen = network.seen()[Pattern.JOB_UNDER_TWO_NAMES]
    assert (seen.severity, seen.certainty, seen.figures["jobs"]) == (Severity.NOTE, Certainty.POSSIBLE, 2)


def test_two_names_of_no_series_are_a_warning_and_many_are_a_note(network: WatchedNetwork) -> None:
    """Of 6 cards in 6 names one says so."""
    network.burn("ada/with-north", ("train", *TWIN), ("tune", *TWIN))
    assert network.seen()[Pattern.JOB_UNDER_TWO_NAMES].severity is Severity.WARNING
    other = WatchedNetwork()
    other.wait(days=1)
    other.burn("ada/with-north", *[(name, *TWIN) for name in ("anna", "bert", "carl", "dora", "emil", "fritz")])
    assert other.seen()[Pattern.JOB_UNDER_TWO_NAMES].severity is Severity.NOTE


def test_whole_hours_are_a_note_unless_the_name_is_the_same(network: WatchedNetwork) -> None:
    """Two customers of one provider, and of two."""
    network.at = network.at // HOUR_US * HOUR_US
    network.burn("ada/with-north", ("day", 4, 0, 36_000))
    network.burn("bob/with-north", ("tag", 4, 0, 36_000))
    assert network.seen()[Pattern.JOB_UNDER_TWO_NAMES].severity is Severity.NOTE
    other = WatchedNetwork()
    other.wait(days=1)
    other.at = other.at // HOUR_US * HOUR_US
    other.burn("ada/with-north", ("day", 4, 0, 36_000))
    other.burn("bob/with-south", ("day", 4, 0, 36_000))
    assert other.seen()[Pattern.JOB_AT_TWO_PROVIDERS].severity is Severity.WARNING


def test_short_jobs_and_other_quantities_are_not_the_same(network: WatchedNetwork) -> None:
    """Nor is one second more."""
    network.burn("ada/with-north", ("a", 2, 100, 599), ("b", 2, 100, 599), ("c", 3, 100, 3_001), ("d", 2, 100, 3_001))
    network.burn("bob/with-north", ("e", 1, 100, 3_001), ("f", 3, 100, 3_002), ("g", 3, 101, 3_001))
    assert network.seen() == {}


def test_little_that_is_the_same_is_a_note(network: WatchedNetwork) -> None:
    """In a long log some jobs begin and end together by chance."""
    network.burn("ada/with-north", ("one", 1, 103, 3_599))
    network.burn("ada/with-south", ("other", 1, 103, 3_599))
    seen = network.seen()[Pattern.JOB_AT_TWO_PROVIDERS]
    assert (seen.severity, seen.certainty) == (Severity.NOTE, Certainty.LIKELY)


def test_three_jobs_billed_twice_are_an_alarm(network: WatchedNetwork) -> None:
    """Of the same two contracts."""
    rows = [(2, 1_003 + number, 3_001 + 7 * number) for number in range(3)]
    network.burn("ada/with-north", *[(f"a-{number}", *row) for number, row in enumerate(rows)])
    network.burn("ada/with-south", *[(f"b-{number}", *row) for number, row in enumerate(rows)])
    seen = network.seen()[Pattern.JOB_AT_TWO_PROVIDERS]
    assert (seen.severity, seen.figures["jobs"]) == (Severity.ALARM, 3)
    assert seen.figures["gpu_milliseconds"] == sum(2_000 * seconds for _, _, seconds in rows)


def test_price_lists_are_a_note(network: WatchedNetwork) -> None:
    """Where the provider's other contracts are at the tariff too; a later discount shows that somebody bargained."""
    for holder in ("eve", "fay"):
        network.admit("town", holder, "holder", uscc=uscc_of(holder))
        for number in range(3 if holder == "eve" else 9):
            network.sign(f"{holder}/k{number}", holder, "north", 600)
    seen = [one for one in network.watch.seen() if "eve" in one.parties]
    assert [one.severity for one in seen] == [Severity.NOTE]


def test_a_discount_is_seen(network: WatchedNetwork) -> None:
    """One contract of three was made cheaper."""
    network.admit("town", "eve", "holder", uscc=uscc_of("eve"))
    for number in range(3):
        network.sign(f"eve/k{number}", "eve", "north", 600)
    prices: Json = {"items": [{"item": ITEM, "price_fen": 599}], "items_from": format_day(network.day + 1)}
    network.give("eve", "contract.amend", "north/officer-1", contract="eve/k1", **prices)
    assert network.seen() == {}


def test_one_amount_in_parts_is_seen(network: WatchedNetwork) -> None:
    """Two on near days that come just under the threshold are a note; of a mandate, more than it gives at once."""
    network.issue("ada", "part-1", THRESHOLD_FEN // 2, officers=1)
    network.wait(days=1)
    network.issue("ada", "part-2", THRESHOLD_FEN // 2, officers=1)
    network.issue("bob", "whole", THRESHOLD_FEN // 2)  # by two
    assert network.seen()[Pattern.JUST_UNDER_THRESHOLD].severity is Severity.NOTE
    other = WatchedNetwork()
    other.give(
        "town",
        "mandate.give",
        mandate="town/m1",
        operator="log",
        kinds=["voucher.issue/1"],
        each_fen=10_000,
        total_fen=100_000,
        until=format_instant(other.at + DAY_US),
    )
    issues: Json = {"mandate": "town/m1", "programme": PROGRAMME, "face_fen": 6_000}
    for number, holder in enumerate(("ada", "ada", "bob")):
        issues |= {"voucher": f"log/{number}", "holder": holder, "valid_from": format_instant(other.at)}
        other.give("log", "voucher.issue", **issues)
    (seen,) = other.watch.seen()
    assert (seen.severity, seen.parties, seen.figures["sum_fen"]) == (Severity.WARNING, ("town", "ada"), 12_000)
    assert "in parts of which each is below what mandate town/m1 may give at once" in seen.sentence


def test_a_small_part_passed_on_at_once_is_a_note(network: WatchedNetwork) -> None:
    """And what is passed on later is none."""
    network.issue("ada", "new", 10_000_000)
    transfer: Json = {"voucher": "town/new", "to": "bob", "amount_fen": 1_000_000}
    network.wait(days=14)
    network.give("ada", "voucher.transfer", into="ada/1", **transfer)
    network.wait(days=1)
    network.give("ada", "voucher.transfer", into="ada/2", **transfer)
    seen = network.seen()[Pattern.PASSED_ON_AT_ONCE]
    assert (seen.severity, seen.figures["passed_on_fen"]) == (Severity.NOTE, 1_000_000)


def test_a_circle_of_different_vouchers_is_a_note(network: WatchedNetwork) -> None:
    """Each gave the other something."""
    first: Json = {"voucher": "town/of-ada", "into": "ada/1", "to": "bob", "amount_fen": 1_000}
    second: Json = {"voucher": "town/of-bob", "into": "bob/1", "to": "ada", "amount_fen": 1_000}
    network.wait(days=20)
    indices = (
        network.give("ada", "voucher.transfer", **first),
        network.give("bob", "voucher.transfer", **second),
    )
    seen = network.seen()[Pattern.PASSED_ON_IN_CIRCLE]
    assert (seen.severity, seen.certainty, seen.entries) == (Severity.NOTE, Certainty.POSSIBLE, indices)


def test_one_early_line_is_enough(network: WatchedNetwork) -> None:
    """A voucher that was begun early may end late."""
    network.burn("ada/with-north", ("early", 1, 100, 700))
    network.wait(days=VALID_DAYS - 8)
    for number in range(6):
        network.wait(seconds=3_601)
        network.burn("ada/with-north", (f"late-{number}", 1, 100, 700))
    assert network.seen() == {}


def test_one_line_of_most_of_a_voucher_is_enough(network: WatchedNetwork) -> None:
    """Few lines of little aren't seen, few of much are, and what is taken back took nothing."""
    network.issue("cyd", "late", 10_000)
    network.sign("cyd/late", "cyd", "south", 500)
    network.reserve("cyd", "town/late", "cyd/late", 10_000)
    network.wait(days=VALID_DAYS - 3)
    network.burn("cyd/late", ("little", 1, 100, 3_600))
    network.burn("cyd/late", ("wrong", 32, 5_000, 3_600), ref="wrong")
    take_back(network, "south", "wrong")
    network.wait(days=1)
    watch = Watch()
    network.watch, before = watch, network.watch
    assert before.seen() == ()
    much = network.burn("cyd/late", ("much", 32, 100, 3_600 * 10 // 9))
    assert network.seen()[Pattern.BURNED_IN_LAST_DAYS].entries == (much,)


def test_one_fail_is_enough(network: WatchedNetwork) -> None:
    """An attester that fails anything reads."""
    for number in range(9):
        network.sign(f"bob/quick-{number}", "bob", "south", 500)
        network.give(
            "desk",
            "attestation.give",
            subject_type="contract",
            subject_id=f"bob/quick-{number}",
            topic="authenticity",
            verdict="fail" if number == 4 else "pass",
            reason="looked at",
            evidence_hash=EVIDENCE,
            valid_until="2026-03-01T00:00:00.000000Z",
        )
    assert network.seen() == {}


# -- a watch that begins later, and many -------------------------------------------------------------------------------


def test_a_watch_that_begins_later_knows_what_was_agreed(network: WatchedNetwork) -> None:
    """As an audit that goes on from an earlier one: capacity, contracts and statements are in the state."""
    first = network.burn("ada/with-north", ("one", *TWIN))
    network.watch = Watch()
    too_many = network.burn("bob/with-north", TOO_MANY)
    seen = network.seen()
    assert seen[Pattern.CAPACITY_EXCEEDED].entries == (too_many,)
    assert first < too_many == network.watch.first_entry
    assert network.watch.to_json()["entries"] == 1


def test_without_a_declaration_nothing_is_over(network: WatchedNetwork) -> None:
    """And from the day of one that leaves the item out on, everything is."""
    network.admit("net", "west", "provider", uscc=uscc_of("west"))
    network.give("west", "tariff.publish", item=ITEM, price_fen=600, valid_from=format_instant(network.at))
    valid_from = format_instant(network.at)
    network.give(
        "town", "provider.accredit", programme=PROGRAMME, provider="west", valid_from=valid_from, items=limits_of(ITEM)
    )
    network.sign("ada/with-west", "ada", "west", 500)
    network.reserve("ada", "town/of-ada", "ada/with-west", 1_000_000)
    network.wait(days=1)
    network.burn("ada/with-west", ("undeclared", 8, 1_000, 3_000))
    network.wait(days=1)
    network.give("west", "capacity.declare", capacity=[], first_day=format_day(network.day))
    network.wait(days=1)
    over = network.burn("ada/with-west", ("left-out", 1, 1_000, 3_000))
    seen = network.seen()[Pattern.CAPACITY_EXCEEDED]
    assert (seen.entries, seen.severity, seen.figures["capacity_gpu_milliseconds"]) == ((over,), Severity.ALARM, 0)


def test_many_entries_are_counted_and_the_first_named(network: WatchedNetwork) -> None:
    """And shown in one line."""
    parameters = Parameters().with_values(["evidence_alarm=99"])
    network.watch = Watch(parameters)
    for number in range(ENTRIES_SHOWN_MAX + 5):
        network.wait(seconds=1_000)
        network.burn("ada/with-north", (f"j-{number}", 1, 0, 700), evidence=EVIDENCE)
    seen = network.seen()[Pattern.EVIDENCE_REPEATED]
    assert (len(seen.entries), seen.figures["entries"]) == (ENTRIES_SHOWN_MAX, ENTRIES_SHOWN_MAX + 5)
    assert seen.severity is Severity.WARNING
    assert "and 5 more: north gave the same evidence" in str(seen)


# -- hours -------------------------------------------------------------------------------------------------------------

Drawn = tuple[int, int, int, int]
LINES = st.lists(
    st.tuples(st.integers(1, 80), st.integers(0, 40 * 3_600), st.integers(1, 30 * 3_600), st.integers(0, 2)),
    min_size=1,
    max_size=12,
)


@settings(max_examples=schedule(12, 200))
@given(lines=LINES, pieces=st.integers(0, 3), seed=st.integers(0, 9))
def test_hours_are_as_if_counted_second_by_second(lines: list[Drawn], pieces: int, seed: int) -> None:
    """Of lines whose time is burned whole: the worst hour, its figure, how many are over, and the entries of it.

    Some lines are taken back at once, and hours are judged as often as one likes.
    """
    network = WatchedNetwork()
    network.wait(days=4)
    used: defaultdict[int, int] = defaultdict(int)
    entries: defaultdict[int, set[int]] = defaultdict(set)
    chance = random.Random(seed)
    for number, (gpus, ended_ago, seconds, fate) in enumerate(lines):
        index = network.burn("ada/with-north", (f"job-{number}", gpus, ended_ago, seconds), ref=f"s-{number}")
        if fate == 2:
            take_back(network, "north", f"s-{number}")
            continue
        ends_at = network.at - ended_ago * SECOND_US
        for hour in range((ends_at - seconds * SECOND_US) // HOUR_US, (ends_at - 1) // HOUR_US + 1):
            start = max(hour * HOUR_US, ends_at - seconds * SECOND_US)
            used[hour] += gpus * 1_000 * (min((hour + 1) * HOUR_US, ends_at) - start) // SECOND_US
            entries[hour].add(index)
    for _ in range(pieces):  # what the watch does by itself once hours are old enough
        network.watch._capacity.judge(network.at - chance.randrange(4 * DAY_US))
    most = INSTALLED * 1_000 * 3_600
    over = {hour: amount for hour, amount in used.items() if amount > most}
    seen = {one.pattern: one for one in network.watch.seen()}.get(Pattern.CAPACITY_EXCEEDED)
    assert (seen is None) == (not over)
    if seen is not None:
        worst = max(over.values())
        assert seen.figures["hours_over"] == len(over)
        assert seen.figures["hour_gpu_milliseconds"] == worst
        assert seen.figures["over_gpu_milliseconds"] == sum(amount - most for amount in over.values())
        assert set(seen.entries) in [entries[hour] for hour, amount in over.items() if amount == worst]
        assert seen.certainty is Certainty.CERTAIN


def test_what_pauses_is_spread_evenly_and_likely() -> None:
    """100 cards for half of two hours are 50 in each; 140 are 70."""
    for gpus, is_over in ((100, False), (140, True)):
        network = WatchedNetwork()
        network.wait(days=1)
        network.at = network.at // HOUR_US * HOUR_US
        group = {
            "item": ITEM,
            "lines": [["paused", gpus * 1_000, *_two_hours(network), 3_600]],
        }
        network.give("north", "time.burn", contract="ada/with-north", groups=[group])
        seen = network.seen().get(Pattern.CAPACITY_EXCEEDED)
        assert (seen is not None) is is_over
        if seen is not None:
            assert (seen.certainty, seen.figures["hour_gpu_milliseconds"]) == (Certainty.LIKELY, gpus * 1_800_000)


def _two_hours(network: WatchedNetwork) -> list[str]:
    return [format_second(network.at - 2 * HOUR_US), format_second(network.at)]


def test_nothing_that_is_kept_outlives_two_burn_windows() -> None:
    """Whatever the number of lines: digests go after one window, hours and their lines after two."""
    network = WatchedNetwork()
    network.sign("ada/long", "ada", "north", 500)
    for number in range(60):
        network.wait(days=5)
        if number < 8:
            network.burn("ada/with-north", (f"job-{number}", 3, number, 5_000 + number))
        network.admit("net", f"p{number}", "auditor")
    watch = network.watch
    assert watch._same_jobs._days == {}
    assert all(not use.chunks and not use.changes for use in watch._capacity._uses.values())
    assert watch.seen() == ()
