"""Every account of a log has a dossier for every stretch between seals, and it proves what the log holds."""

import io
from collections import defaultdict
from pathlib import Path

import pytest

from dossiers.forging import codes, examined, joined, leaves_at, parts_of, path_is_sound, seals_of, written
from properties.test_against_naive_ledger import walked
from support.actors import ORIGIN
from support.schedules import schedule
from support.small_ledger import export_small_ledger, write_small_ledger
from support.tampering import forge
from tallystick.dossiers.writing import Bound, write_dossier
from tallystick.errors import UsageError
from tallystick.findings import FindingCode
from tallystick.transparency.merkle import leaf_hash, root_of
from tallystick.views import Views
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.evolve import evolve
from tallystick.vouchers.outcomes import Sealed
from tallystick.vouchers.rules.rule import touched
from tallystick.vouchers.seals import run_on
from tallystick.vouchers.state import State


def touches_of(log: list[bytes]) -> dict[str, list[int]]:
    """By account, the entries that touch it, by replaying the whole log."""
    state = State.empty(ORIGIN)
    touches = defaultdict(list)
    for data in log:
        event = Entry.from_bytes(data).event
        evolve(state, event)
        for account in touched(state, event):
            touches[account].append(event.index)
    return dict(touches)


def test_the_views_know_what_touches_whom_and_every_leaf_of_a_seal(ledger: Path, log: list[bytes]) -> None:
    """What a dossier is gathered by is what a replay of everything gives."""
    touches = touches_of(log)
    with Views.open(ledger) as views:
        views.follow()
        assert {account: views.entries_concerning(account) for account in touches} == touches
        for index in seals_of(log):
            outcome = Entry.from_bytes(log[index]).event.outcome
            assert isinstance(outcome, Sealed)
            leaves = views.seal_leaves(index)
            assert leaves == leaves_at(log, index)
            root = root_of([leaf_hash(leaf) for _, leaf in leaves])
            assert f"sha256:{root.hex()}" == outcome.root
        assert views.seal_leaves(1) == []
        assert views.entries_concerning("voucher nobody/v-1") == []


def test_the_whole_history_of_every_account_is_proved(ledger: Path, log: list[bytes]) -> None:
    """Decided anew, complete up to the newest seal that has it, with the balances that it holds."""
    sealed = {index: dict(leaves_at(log, index)) for index in seals_of(log)}
    for account, touches in touches_of(log).items():
        newest = max(index for index, leaves in sealed.items() if account in leaves)
        head, entries = parts_of(written(ledger, account))
        report = examined(written(ledger, account))
        assert codes(report) == [], account
        assert report.closing is not None
        assert report.closing.index == newest
        assert [one.index for one in entries if one.role == "subject"] == touches
        assert (report.entries, len(report.book)) == (len(touches), len(touches))
        assert head.closing is not None
        assert head.closing.leaf.to_bytes() == sealed[newest][account]
        before = [index for index in touches if index < newest]
        assert head.closing.leaf.running_hash == run_on(f"sha256:{'0' * 64}", before)
        assert report.entries_later == len(touches) - len(before)


def test_a_stretch_between_two_seals_goes_on_from_the_first(ledger: Path, log: list[bytes]) -> None:
    """Balances and running hash begin with the opening leaf; what came before is only there where it is needed."""
    first, second = seals_of(log)
    for account, touches in touches_of(log).items():
        report = examined(written(ledger, account, Bound(index=first), Bound(index=second)))
        assert codes(report) == [], account
        within = [index for index in touches if first < index < second]
        is_old = account in dict(leaves_at(log, first))
        assert (report.opening is not None) == is_old
        assert report.entries == len(within if is_old else [index for index in touches if index < second])
        assert report.entries_later == 0


def test_a_day_names_the_seal_before_it_and_the_seal_of_it(ledger: Path, log: list[bytes]) -> None:
    """A quarter is asked for by its first and its last day."""
    first, second = seals_of(log)
    head, _ = parts_of(written(ledger, "provider guian"))
    events = [Entry.from_bytes(log[index]).event.command for index in (first, second)]
    days = [event.last_day for event in events]  # type: ignore[attr-defined]
    assert head.opening is None
    assert written(ledger, "provider guian", Bound(day=days[0] + 1), Bound(day=days[1])) == written(
        ledger, "provider guian", Bound(index=first), Bound(index=second)
    )
    assert written(ledger, "provider guian", Bound(day=days[0])) == written(ledger, "provider guian")


def test_an_exported_folder_gives_the_same_dossier(ledger: Path, tmp_path: Path) -> None:
    """It has no index: all of it is read once."""
    export_small_ledger(ledger, tmp_path / "tiles")
    account = "holder maker-a"
    assert written(tmp_path / "tiles", account) == written(ledger, account)


@pytest.mark.parametrize(
    ("account", "since", "until", "told"),
    [
        ("voucher shanghai/none", None, None, "no voucher shanghai/none"),
        ("provider guian", None, Bound(index=10_000), "no seal reaches"),
        ("provider guian", Bound(index=10_000), Bound(index=0), "ends before"),
    ],
)
def test_what_there_is_not_is_said(
    ledger: Path, account: str, since: Bound | None, until: Bound | None, told: str
) -> None:
    with pytest.raises(UsageError, match=told):
        write_dossier(ledger, account, io.BytesIO(), since, until)


def test_paths_are_those_of_the_seals_tree(ledger: Path, log: list[bytes]) -> None:
    """By the definition, and not by the code that made them."""
    for account in ("voucher shanghai/v1", "programme shanghai/compute-2026", "holder maker-a", "provider wuhu"):
        sealed = parts_of(written(ledger, account))[0].closing
        assert sealed is not None
        outcome = Entry.from_bytes(log[sealed.index]).event.outcome
        assert isinstance(outcome, Sealed)
        root = bytes.fromhex(outcome.root.removeprefix("sha256:"))
        assert path_is_sound(sealed.leaf.to_bytes(), sealed.position, outcome.accounts, sealed.path, root)


@pytest.fixture(scope="module")
def long_walk(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[bytes]]:
    """A log with a bit of everything, and much that was refused line by line."""
    log = [entry.to_bytes() for entry in walked(0, 600).entries]
    folder = tmp_path_factory.mktemp("walk") / "ledger"
    write_small_ledger(folder, more=len(log))
    forge(folder, log)
    return folder, log


@pytest.mark.long
def test_no_account_of_a_random_log_is_suspected(long_walk: tuple[Path, list[bytes]]) -> None:
    """What is in a dossier is enough to decide every entry of its account as it was decided."""
    folder, log = long_walk
    seals = list(seals_of(log))
    stretches = [(None, None), (seals[0], seals[-1]), (seals[len(seals) // 2], None)]
    touches = touches_of(log)
    assert len(touches) > 20
    for account in [*touches][:: schedule(4, 2)]:
        for since, until in stretches:
            bounds = [None if index is None else Bound(index=index) for index in (since, until)]
            try:
                data = written(folder, account, *bounds)
            except UsageError as error:
                assert "then" in str(error)  # noqa: PT017 - an account that came later
                continue
            assert codes(examined(data)) == [], (account, since, until)


@pytest.mark.long
def test_no_entry_of_an_account_can_be_left_out_unseen(long_walk: tuple[Path, list[bytes]]) -> None:
    """Of every kind of account, some dozen entries, or forty, one at a time."""
    folder, log = long_walk
    newest = list(seals_of(log))[-1]
    touches = touches_of(log)
    for kind in ("voucher", "holder", "provider", "programme"):
        account = max((name for name in touches if name.startswith(kind)), key=lambda name: len(touches[name]))
        head, entries = parts_of(written(folder, account))
        for place in range(0, len(entries), 1 + len(entries) // schedule(12, 40)):
            entry = entries[place]
            report = examined(joined(head, entries[:place] + entries[place + 1 :]))
            if entry.role == "subject" and entry.index < newest:
                assert codes(report)[0] is FindingCode.ENTRY_LEFT_OUT, (account, entry.index)
            else:
                # A dependency that nothing asks for isn't missed; otherwise it is said what is missing.
                assert FindingCode.ENTRY_LEFT_OUT not in codes(report)
