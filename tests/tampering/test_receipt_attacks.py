"""Receipts that were given before expose a log that was forked, cut back, or restored from an old copy and written to.

Nothing else about such a log is wrong: every entry is signed, every decision right, and the log's own key signed it.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from support.actors import ORIGIN, key_of
from support.command_line import run
from support.earlier_audits import OLD, cut_back
from support.postgres import fresh_database
from support.small_ledger import (
    LOG_KEY,
    POLICY,
    PROVIDER,
    REPLACED,
    SIZES,
    START,
    export_small_ledger,
    write_small_ledger,
)
from support.tampering import edited, entries_of, forge, opened, put_entry, sql
from tallystick.audit import FindingCode, Report, audit
from tallystick.errors import UsageError
from tallystick.ledger import Admitted, open_ledger
from tallystick.publishing import read_ledger
from tallystick.signing.keys import COSIGNATURE_ED25519, SigningKey
from tallystick.signing.note import sign_text
from tallystick.transparency.checkpoint import Checkpoint, sign_checkpoint
from tallystick.transparency.cosignature import cosign
from tallystick.transparency.merkle import RightEdge, leaf_hash
from tallystick.transparency.policy import Policy
from tallystick.transparency.receipt import Receipt
from tallystick.vouchers.quantities import DAY_US, SECOND_US, format_instant

C = FindingCode
CODE = C.RECEIPT_CONTRADICTED.value
INDEXES = (0, REPLACED, 100, 262, 270, 288)


def give(ledger: Path, folder: Path, *indexes: int) -> Path:
    """Put the receipts of some entries into a folder, named by the size that the log has and the entry's index."""
    folder.mkdir(exist_ok=True)
    with read_ledger(ledger) as reader:
        for index in indexes:
            name = f"{reader.size}-{index}.tlog-proof"
            (folder / name).write_bytes(reader.receipt(index).to_bytes())
    return folder


@pytest.fixture(scope="module")
def given(pristine: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Receipts that the log gave when it had 263 entries, and when it had 289: never to be changed."""
    folder = tmp_path_factory.mktemp("given")
    younger = Path(shutil.copytree(pristine / "ledger", folder / "younger"))
    cut_back(younger, OLD)
    give(younger, folder / "receipts", *[index for index in INDEXES if index < OLD])
    return give(pristine / "ledger", folder / "receipts", *INDEXES)


def contradicted(source: Path | str, given: Path, since: Path | None = None) -> dict[str, int | None]:
    """The receipts that don't hold, and at which entry; nothing else is found."""
    report = audit(source, POLICY, since=since, receipts=[given])
    assert set(report.codes()) <= {C.RECEIPT_CONTRADICTED}
    return {_name(row.detail): row.index for row in report.findings}


def _name(detail: str) -> str:
    return Path(detail.partition(": ")[0]).name.removesuffix(".tlog-proof")


def altered(data: bytes) -> bytes:
    """The entry a little later, which is as good if it is the last of its commit."""
    header, _, note = data.partition(b"\n")
    return edited(header, r'"at":"(....-..-..T..:..:..)\.......Z"', r'"at":"\1.000001Z"') + b"\n" + note


def forked(ledger: Path, index: int) -> None:
    """Write a log anew with another entry in one place, and sign it."""
    entries = entries_of(ledger)
    entries[index] = altered(entries[index])
    forge(ledger, entries)


# ---------------------------------------------------------------------------------------------- what still holds


@pytest.mark.parametrize("since", [None, "first", "old", "whole"])
@pytest.mark.parametrize("kind", ["ledger", "tiles"])
def test_receipts_of_a_sound_log_hold(pristine: Path, reports: Path, given: Path, kind: str, since: str | None) -> None:
    """In a ledger and in its export, whole and from an earlier report on; the report counts them."""
    earlier = None if since is None else reports / f"{since}.json"
    report = audit(pristine / kind, POLICY, since=earlier, receipts=[given])
    assert report.is_clean
    assert report.receipts == 10
    assert Report.from_bytes(report.to_bytes()) == report


def test_receipts_hold_in_a_database(given: Path) -> None:
    """Whatever kept the log when they were given."""
    url = fresh_database()
    write_small_ledger(url, up_to=SIZES)
    assert audit(url, POLICY, receipts=[given]).is_clean


def test_files_and_folders_may_be_given_together(pristine: Path, given: Path) -> None:
    """One receipt twice is twice the same."""
    places = [given / f"289-{REPLACED}.tlog-proof", given, given / "263-0.tlog-proof"]
    assert audit(pristine / "ledger", POLICY, receipts=places).receipts == 12
    assert audit(pristine / "ledger", POLICY).receipts is None


def test_a_receipt_without_its_entry_counts_for_its_checkpoint(ledger: Path, given: Path, tmp_path: Path) -> None:
    """Which is all that it has."""
    receipt = Receipt.from_bytes((given / "263-100.tlog-proof").read_bytes())
    bare = tmp_path / "bare.tlog-proof"
    bare.write_bytes(Receipt(receipt.index, receipt.proof, receipt.checkpoint_note).to_bytes())
    assert contradicted(ledger, bare) == {}
    forked(ledger, REPLACED)
    assert contradicted(ledger, bare) == {"bare": None}


def test_witnesses_are_not_asked_for(pristine: Path, ledger: Path, given: Path) -> None:
    """A receipt that no witness cosigned holds the log to what it signed."""
    witness = SigningKey.from_seed("witness.example/w1", b"\x02" * 32, COSIGNATURE_ED25519)
    text = f"log {LOG_KEY.verifier.to_text()}\nwitness w1 {witness.verifier.to_text()}\nquorum w1\n"
    policy = Policy.from_text(text.encode())
    forked(ledger, REPLACED)
    for source, codes in ((pristine / "ledger", []), (ledger, [C.RECEIPT_CONTRADICTED] * 10)):
        copy = ledger.parent / f"cosigned-{len(codes)}"
        shutil.copytree(source, copy)
        with read_ledger(source) as reader:
            note = reader.checkpoint_note()
        (copy / "checkpoint.cosigned").write_bytes(note + cosign(note, witness, 1_800_000_000))
        assert list(audit(copy, policy, receipts=[given]).codes()) == codes


# ------------------------------------------------------------------------------------------- what holds no longer


@pytest.mark.parametrize("kind", ["ledger", "export"])
def test_a_fork_is_named_at_the_entry(ledger: Path, given: Path, tmp_path: Path, kind: str) -> None:
    """By the receipts of that entry; by the others, as far as it lies before their checkpoint."""
    forked(ledger, 288)
    source = ledger
    if kind == "export":
        source = tmp_path / "forked-tiles"
        export_small_ledger(ledger, source)
    assert audit(source, POLICY).is_clean
    at = {f"289-{index}": 288 if index == 288 else None for index in INDEXES}
    assert contradicted(source, given) == at


def test_a_log_that_was_cut_back_is_named(ledger: Path, given: Path) -> None:
    """Receipts of what is gone say which entries; older ones still hold."""
    cut_back(ledger, OLD)
    assert audit(ledger, POLICY).is_clean
    at = {f"289-{index}": index if index >= OLD else None for index in INDEXES}
    assert contradicted(ledger, given) == at
    report = audit(ledger, POLICY, receipts=[given / "289-270.tlog-proof"])
    assert "it had 289 entries, and now it has 263: it was cut back, or is an older copy" in report.findings[0].detail


def write_on(ledger: Path, entries: int) -> None:
    """Go on as if nothing had happened."""
    at = START + 500 * DAY_US
    with open_ledger(ledger, LOG_KEY, clock=lambda: at) as writer:
        for number in range(entries):
            day = format_instant(at + DAY_US + number * SECOND_US)
            note = PROVIDER.note(
                "tariff.publish",
                at,
                item="h100",
                price_fen=1,
                valid_from=day,
                ref=f"after-{number}",
            )
            assert isinstance(writer.submit([note])[0], Admitted)


@pytest.mark.parametrize("more", [10, 26, 40])
def test_an_old_copy_that_is_written_to_is_named(ledger: Path, given: Path, more: int) -> None:
    """Whether it is shorter now than the log was, as long, or longer; what was there before holds."""
    cut_back(ledger, OLD)
    write_on(ledger, more)
    assert audit(ledger, POLICY).is_clean
    at = {f"289-{index}": index if index >= OLD else None for index in INDEXES}
    assert contradicted(ledger, given) == at


def test_a_log_that_lost_everything_is_named(pristine: Path, given: Path) -> None:
    """Founded anew with another first entry, so to speak."""
    found = contradicted(pristine / "short", given)
    assert len(found) == 10
    assert {index for index in found.values() if index is not None} == {100, 262, 270, 288}


def test_one_who_was_shown_another_log_can_prove_it(
    pristine: Path, ledger: Path, reports: Path, tmp_path: Path
) -> None:
    """A split view: the log audited is sound and goes on from the earlier report, and the receipt is of its twin."""
    forked(ledger, REPLACED)
    twin = give(ledger, tmp_path / "of-the-twin", REPLACED, 100)
    assert contradicted(pristine / "ledger", twin) == {f"289-{REPLACED}": REPLACED, "289-100": None}
    for since in ("first", "old", "whole"):
        assert set(contradicted(pristine / "ledger", twin, reports / f"{since}.json")) == {f"289-{REPLACED}", "289-100"}
    cut_back_twin = ledger
    with opened(cut_back_twin) as database:
        database.execute("DELETE FROM refs WHERE leaf_index >= 200")
    forge(cut_back_twin, entries_of(cut_back_twin)[:200])
    early = give(cut_back_twin, tmp_path / "early", REPLACED, 100)
    for since in ("old", "whole"):  # below what is read anew: told by the stored hashes
        assert contradicted(pristine / "ledger", early, reports / f"{since}.json") == {
            f"200-{REPLACED}": None,
            "200-100": None,
        }


# ----------------------------------------------------------------------------------------------- what is only rot


def test_a_log_that_rotted_is_not_called_forked(ledger: Path, given: Path) -> None:
    """Its newest checkpoint still stands by the receipts, and the entry is named for what it is."""
    entries = entries_of(ledger)
    put_entry(ledger, 40, edited(entries[40], '"at":"2026', '"at":"2027'))
    codes = audit(ledger, POLICY, receipts=[given]).codes()
    assert C.LEAF_DIFFERS in codes
    assert C.ROOT_DIFFERS in codes
    assert C.RECEIPT_CONTRADICTED not in codes
    put_entry(ledger, REPLACED, b"")
    put_entry(ledger, 100, b"\x00")
    assert C.RECEIPT_CONTRADICTED not in audit(ledger, POLICY, receipts=[given]).codes()


def test_hashes_that_rotted_too_leave_it_open(ledger: Path, given: Path) -> None:
    """That a receipt can't be judged is said, as what it is: stored hashes that lead nowhere."""
    entries = entries_of(ledger)
    put_entry(ledger, 40, edited(entries[40], '"at":"2026', '"at":"2027'))
    sql(ledger, "UPDATE tree SET hash = zeroblob(32) WHERE level = 0 AND position = 261")
    report = audit(ledger, POLICY, receipts=[given / "263-0.tlog-proof"])
    assert C.RECEIPT_CONTRADICTED not in report.codes()
    details = [row.detail for row in report.findings if row.code == C.TREE_DIFFERS]
    assert any("263-0.tlog-proof: no way from its 263 to 289 entries" in detail for detail in details)


def test_hashes_that_rotted_below_a_report_leave_it_open(ledger: Path, reports: Path, tmp_path: Path) -> None:
    """In an audit that goes on from it, and doesn't read those for itself."""
    younger = Path(shutil.copytree(ledger, tmp_path / "younger"))
    cut_back(younger, 113)
    given = give(younger, tmp_path / "given", 7)
    assert contradicted(ledger, given, reports / "old.json") == {}
    sql(ledger, "UPDATE tree SET hash = zeroblob(32) WHERE level = 0 AND position = 100")
    report = audit(ledger, POLICY, since=reports / "old.json", receipts=[given])
    assert report.codes() == (C.TREE_DIFFERS,)
    assert "113-7.tlog-proof: no way from its 113 to 289 entries" in report.findings[0].detail


def test_a_fork_is_named_under_rot(ledger: Path, given: Path) -> None:
    """An entry that is spoilt later doesn't hide that the log was written anew."""
    forked(ledger, REPLACED)
    entries = entries_of(ledger)
    put_entry(ledger, 200, edited(entries[200], '"at":"', '"at": "'))
    report = audit(ledger, POLICY, receipts=[given])
    found = {_name(row.detail): row.index for row in report.findings if row.code == CODE}
    assert C.LEAF_DIFFERS in report.codes()
    assert {name for name, index in found.items() if index == REPLACED} == {f"263-{REPLACED}", f"289-{REPLACED}"}
    assert len(found) == 10


def test_a_log_without_checkpoint_is_held_to_its_receipts(ledger: Path, given: Path) -> None:
    """As far as its entries can be read."""
    forked(ledger, 288)
    sql(ledger, "DELETE FROM checkpoints")
    found = [
        (_name(row.detail), row.index) for row in audit(ledger, POLICY, receipts=[given]).findings if row.code == CODE
    ]
    assert ("289-288", 288) in found
    assert len(found) == 6


# ------------------------------------------------------------------------------------- what is no evidence at all


def _broken(name: str) -> Callable[[Receipt], bytes]:
    def proof(receipt: Receipt) -> bytes:
        return Receipt(receipt.index, receipt.proof[1:], receipt.checkpoint_note, receipt.entry).to_bytes()

    def entry(receipt: Receipt) -> bytes:
        return Receipt(receipt.index, receipt.proof, receipt.checkpoint_note, b"another").to_bytes()

    def signature(receipt: Receipt) -> bytes:
        note = receipt.checkpoint_note
        return Receipt(receipt.index, receipt.proof, note.replace(b"\n289\n", b"\n288\n"), receipt.entry).to_bytes()

    def stranger(receipt: Receipt) -> bytes:
        edge = RightEdge()
        edge.extend([leaf_hash(b"mine")])
        key = SigningKey.from_seed(ORIGIN, b"\x09" * 32)
        return Receipt(0, (), sign_checkpoint(Checkpoint(ORIGIN, 1, edge.root()), key), b"mine").to_bytes()

    def no_checkpoint(receipt: Receipt) -> bytes:
        note = sign_text(f"{ORIGIN}\n0289\n{'A' * 43}=\n".encode(), LOG_KEY)
        return Receipt(receipt.index, receipt.proof, note, receipt.entry).to_bytes()

    def cut(receipt: Receipt) -> bytes:
        return receipt.to_bytes()[:200]

    def huge(receipt: Receipt) -> bytes:
        return receipt.to_bytes() + b"x" * 200_000

    return {
        "proof": proof,
        "entry": entry,
        "signature": signature,
        "stranger": stranger,
        "no checkpoint": no_checkpoint,
        "cut": cut,
        "huge": huge,
    }[name]


@pytest.mark.parametrize("what", ["proof", "entry", "signature", "stranger"])
def test_a_receipt_that_proves_nothing_is_refused(pristine: Path, given: Path, tmp_path: Path, what: str) -> None:
    """It isn't held against the log, nor passed over: there is no audit until it is left out."""
    shutil.copy(given / "289-0.tlog-proof", tmp_path / "a.tlog-proof")
    receipt = Receipt.from_bytes((given / f"289-{REPLACED}.tlog-proof").read_bytes())
    (tmp_path / "b.tlog-proof").write_bytes(_broken(what)(receipt))
    with pytest.raises(UsageError, match=r"b\.tlog-proof proves nothing, for or against a log: .*; leave it out"):
        audit(pristine / "ledger", POLICY, receipts=[tmp_path])


@pytest.mark.parametrize("what", ["cut", "huge", "no checkpoint"])
def test_what_is_no_receipt_is_refused(pristine: Path, given: Path, tmp_path: Path, what: str) -> None:
    """By the name of the file."""
    receipt = Receipt.from_bytes((given / f"289-{REPLACED}.tlog-proof").read_bytes())
    (tmp_path / "b.tlog-proof").write_bytes(_broken(what)(receipt))
    with pytest.raises(UsageError, match=r"b\.tlog-proof is no receipt: "):
        audit(pristine / "ledger", POLICY, receipts=[tmp_path])


def test_a_place_without_receipts_is_refused(pristine: Path, tmp_path: Path) -> None:
    """Rather than found clean."""
    (tmp_path / "notes.txt").write_bytes(b"")
    (tmp_path / "folder.tlog-proof").mkdir()
    for place, message in (
        (tmp_path / "missing", "there is no receipt .*missing"),
        (tmp_path / "folder.tlog-proof", "holds no receipt"),
        (tmp_path, "folder.tlog-proof can't be read: not a file"),
    ):
        with pytest.raises(UsageError, match=message):
            audit(pristine / "ledger", POLICY, receipts=[place])


def test_a_receipt_of_another_log_is_refused(pristine: Path, tmp_path: Path) -> None:
    """Even if the policy trusts that log as well."""
    other = key_of("elsewhere.example/log")
    edge = RightEdge()
    edge.extend([leaf_hash(b"theirs")])
    note = sign_checkpoint(Checkpoint(other.name, 1, edge.root()), other)
    (tmp_path / "theirs.tlog-proof").write_bytes(Receipt(0, (), note, b"theirs").to_bytes())
    logs = [f"log {key.verifier.to_text()}\n" for key in (LOG_KEY, other)]
    both = Policy.from_text("".join([*logs, "quorum none\n"]).encode())
    with pytest.raises(UsageError, match=r"theirs\.tlog-proof is a receipt of the log elsewhere\.example/log"):
        audit(pristine / "ledger", both, receipts=[tmp_path])


@pytest.mark.parametrize("since", [None, "old"])
def test_a_checkpoint_that_was_damaged_makes_no_receipt_another_logs(
    ledger: Path, reports: Path, given: Path, since: str | None
) -> None:
    """Nor an earlier report: the newest checkpoint is wrong, and that is a finding (found by the simulator)."""
    with opened(ledger) as database:
        database.execute(
            "UPDATE checkpoints SET note = CAST(replace(note, 'national', 'natiOnal') AS BLOB) WHERE size = 289"
        )
    earlier = None if since is None else reports / f"{since}.json"
    report = audit(ledger, POLICY, since=earlier, receipts=[given])
    assert report.findings[0].code == C.CHECKPOINT_SIGNATURE_INVALID
    assert C.RECEIPT_CONTRADICTED.value not in report.codes()
    if since is None:
        assert report.entries == 289


def test_the_command_line_says_which_receipt_and_what_it_means(ledger: Path, given: Path, tmp_path: Path) -> None:
    """Status 0, 1 or 2, and one line for each that doesn't hold."""
    policy = tmp_path / "trust.policy"
    policy.write_bytes(POLICY.to_text())
    arguments = ("audit", ledger, "--trust", policy, "--receipts", given, "--receipts", given / "263-0.tlog-proof")
    ran = run(*arguments)
    assert ran.status == 0
    assert "receipts   11 held against it" in ran.out
    forked(ledger, 288)
    ran = run(*arguments)
    assert ran.status == 1
    assert "receipt_contradicted at entry 288: " in ran.out
    assert ran.out.count("receipt_contradicted") == 6
    (tmp_path / "odd.tlog-proof").write_bytes(b"c2sp.org/tlog-proof@v1\n")
    ran = run(*arguments[:4], "--receipts", tmp_path)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith(f"tallystick: {tmp_path / 'odd.tlog-proof'} is no receipt: ")
    assert ran.err.count("\n") == 1
