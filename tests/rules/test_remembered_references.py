"""A reference is remembered for as long as its text could be decided anew, and the state knows when it forgets."""

from support.actors import ORIGIN
from support.scenario import BEGINNING, Ledger, ledger_for, read_table
from tallystick.vouchers.quantities import SECOND_US, parse_instant
from tallystick.vouchers.state import State

START = parse_instant(f"{BEGINNING}:00.000000Z")
MEMORY_US = (604_800 + 300) * SECOND_US  # of the standard network: freshness and skew


def standard() -> Ledger:
    """The standard network, all of it made at one time."""
    return ledger_for(next(read_table("== nothing more\nclock 2026-01-05T08:00")))


def test_before_the_first_entry_nothing_is_forgotten() -> None:
    """And nothing is remembered."""
    empty = State.empty(ORIGIN)
    assert empty.remembers_all_references(START)
    assert empty.reference("network", "ref-1", START) is None
    assert (empty.reference_memory_us, empty.burn_window_us) == (0, 0)


def test_references_are_remembered_for_freshness_and_skew() -> None:
    """To the microsecond."""
    state = standard().state
    assert state.reference_memory_us == MEMORY_US
    last = START + MEMORY_US
    for at, known in ((START, True), (last, True), (last + 1, False)):
        assert (state.reference("network", "ref-1", at) is not None) is known
        assert state.remembers_all_references(at) is known
    assert len(state.references) == state.size


def test_what_is_forgotten_is_missed_even_if_asked_as_of_before() -> None:
    """The next entry drops what is too old; what came after it stays."""
    ledger = standard()
    (story,) = read_table("clock 2026-01-06\nguian price 910b 5.90 -> published\nclock 2026-01-12T08:05")
    ledger.play(story)
    assert ledger.state.remembers_all_references(ledger.at)
    (story,) = read_table("clock +1us\nguian price h100 14.90 -> published")
    ledger.play(story)
    state = ledger.state
    assert [*state.references] == [*state.reference_order]
    assert len(state.references) == 2
    assert not state.remembers_all_references(START)
    assert not state.remembers_all_references(ledger.at)


def test_one_entry_alone_is_remembered_and_forgotten() -> None:
    """The order of references begins with the first."""
    ledger = Ledger()
    (story,) = read_table("== one [empty log]\nnetwork found -> founded")
    ledger.play(story)
    assert ledger.state.remembers_all_references(START + MEMORY_US)
    assert not ledger.state.remembers_all_references(START + MEMORY_US + 1)
