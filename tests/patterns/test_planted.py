"""A pattern that is planted in honest traffic is seen, with its entries; honest traffic has none."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.actors import uscc_of
from support.schedules import schedule
from support.watched import THRESHOLD_FEN, VALID_DAYS, WatchedNetwork
from tallystick.patterns import Pattern, Severity
from tallystick.signing.algorithms import SHA256
from tallystick.vouchers.quantities import DAY_US, format_instant

Plant = Callable[[WatchedNetwork, random.Random], set[int]]


def more_than_there_is(network: WatchedNetwork, chance: random.Random) -> set[int]:
    """More than 64 cards in an hour, in two statements."""
    rows = [(f"big-{number}", 40, 1_000 + chance.randrange(900), 9_000 + chance.randrange(900)) for number in range(2)]
    return {network.burn("ada/with-north", rows[0]), network.burn("bob/with-north", rows[1])}


def at_two_providers(network: WatchedNetwork, chance: random.Random) -> set[int]:
    """One job, billed by both."""
    row = (2, 1_000 + chance.randrange(900), 3_001 + chance.randrange(900))
    return {network.burn("ada/with-north", ("mine", *row)), network.burn("ada/with-south", ("mine-too", *row))}


def under_two_names(network: WatchedNetwork, chance: random.Random) -> set[int]:
    """One job of one provider, billed to two customers."""
    row = (2, 1_000 + chance.randrange(900), 3_001 + chance.randrange(900))
    return {network.burn("ada/with-north", ("mine", *row)), network.burn("bob/with-north", ("other", *row))}


def nobody_bargained(network: WatchedNetwork, _: random.Random) -> set[int]:
    """Three more holders' contracts are cheaper; these three aren't."""
    network.admit("town", "eve", "holder", uscc=uscc_of("eve"))
    return {network.sign(f"eve/k{number}", "eve", "north", 600) for number in range(3)}


def just_under(network: WatchedNetwork, _: random.Random) -> set[int]:
    """One officer alone, as soon as the window is over, three times."""
    indices = set()
    for number in range(3):
        network.wait(days=9)
        indices.add(network.issue("bob", f"small-{number}", THRESHOLD_FEN - 1_000, officers=1))
    return indices


def in_a_circle(network: WatchedNetwork, _: random.Random) -> set[int]:
    """From one to the next, and back."""
    network.issue("ada", "round", 50_000_000)
    network.wait(days=20)
    way = [("ada", "town/round", "bob"), ("bob", "ada/1", "cyd"), ("cyd", "bob/1", "ada")]
    return {
        network.give(party, "voucher.transfer", voucher=voucher, into=f"{party}/1", to=to, amount_fen=40_000_000)
        for party, voucher, to in way
    }


def passed_on_at_once(network: WatchedNetwork, chance: random.Random) -> set[int]:
    """Most of a new voucher."""
    issued = network.issue("ada", "new", 50_000_000)
    network.wait(days=chance.randrange(13))
    fields: dict[str, Any] = {"voucher": "town/new", "into": "ada/2", "to": "bob", "amount_fen": 30_000_000}
    return {issued, network.give("ada", "voucher.transfer", **fields)}


def in_the_last_days(network: WatchedNetwork, chance: random.Random) -> set[int]:
    """Nothing for weeks, and then most of the voucher in some days."""
    network.issue("cyd", "late", 100_000)
    network.sign("cyd/late", "cyd", "south", 500)
    network.wait(seconds=1)
    network.reserve("cyd", "town/late", "cyd/late", 100_000)
    network.wait(days=VALID_DAYS - 12)
    indices = set()
    for number in range(6):
        network.wait(days=1)
        row = (f"late-{number}", 32, chance.randrange(900), 10_000 + chance.randrange(90))
        indices.add(network.burn("cyd/late", row))
    return indices


def the_same_evidence(network: WatchedNetwork, chance: random.Random) -> set[int]:
    """For two days' jobs."""
    evidence = SHA256.of(b"records of one day")
    indices = set()
    for number in range(2):
        network.wait(days=1)
        row = (f"shown-{number}", 1, chance.randrange(900), 3_000)
        indices.add(network.burn("ada/with-south", row, evidence=evidence))
    return indices


def passed_within_minutes(network: WatchedNetwork, chance: random.Random) -> set[int]:
    """Five contracts, each passed as soon as it is signed."""
    indices = set()
    for number in range(5):
        network.sign(f"bob/quick-{number}", "bob", "south", 500)
        network.wait(seconds=chance.randrange(600))
        indices.add(attest(network, f"bob/quick-{number}", "pass"))
    return indices


def attest(network: WatchedNetwork, contract: str, verdict: str) -> int:
    """Let the attester give a verdict on a contract."""
    return network.give(
        "desk",
        "attestation.give",
        subject_type="contract",
        subject_id=contract,
        topic="authenticity",
        verdict=verdict,
        reason="looked at",
        evidence_hash=SHA256.of(contract.encode()),
        valid_until=format_instant(network.at + 90 * DAY_US),
    )


PLANTS: dict[Pattern, Plant] = {
    Pattern.CAPACITY_EXCEEDED: more_than_there_is,
    Pattern.JOB_AT_TWO_PROVIDERS: at_two_providers,
    Pattern.JOB_UNDER_TWO_NAMES: under_two_names,
    Pattern.CEILING_PRICES_ONLY: nobody_bargained,
    Pattern.JUST_UNDER_THRESHOLD: just_under,
    Pattern.PASSED_ON_IN_CIRCLE: in_a_circle,
    Pattern.PASSED_ON_AT_ONCE: passed_on_at_once,
    Pattern.BURNED_IN_LAST_DAYS: in_the_last_days,
    Pattern.EVIDENCE_REPEATED: the_same_evidence,
    Pattern.PASSED_AT_ONCE: passed_within_minutes,
}


def test_each_pattern_is_planted() -> None:
    """None of the closed list is left untried."""
    assert set(PLANTS) == set(Pattern)


@pytest.mark.parametrize("pattern", Pattern, ids=lambda one: one.value)
@settings(max_examples=schedule(2, 30))
@given(seed=st.integers(0, 2**32))
def test_a_planted_pattern_is_seen_and_nothing_else(pattern: Pattern, seed: int) -> None:
    """As more than a note, with the entries that show it, among honest jobs before and after."""
    chance = random.Random(seed)
    network = WatchedNetwork()
    network.burn_honestly(chance)
    indices = PLANTS[pattern](network, chance)
    network.burn_honestly(chance, days=1)
    seen = network.seen()
    assert set(seen) == {pattern}
    assert seen[pattern].severity is not Severity.NOTE
    assert indices <= set(seen[pattern].entries)
    assert seen[pattern].figures["entries"] >= len(indices)


@settings(max_examples=schedule(3, 50))
@given(seed=st.integers(0, 2**32))
def test_honest_traffic_has_no_pattern(seed: int) -> None:
    """Jobs of odd lengths, contracts below the tariff, verdicts that take days."""
    chance = random.Random(seed)
    network = WatchedNetwork()
    for number in range(3):
        network.burn_honestly(chance)
        network.sign(f"bob/slow-{number}", "bob", "south", 500)
        network.wait(days=1)
        attest(network, f"bob/slow-{number}", "pass")
    assert network.watch.seen() == ()
