"""Whatever is done to a dossier is refused by name: by whoever hands it over, and by whoever holds the log's own key.

An attack gets a sound dossier of `provider guian` and the whole log, and returns another. Those that change the log
itself prove everything again under a checkpoint that the log's key really signs.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from dossiers.forging import (
    codes,
    examined,
    joined,
    leaves_at,
    parts_of,
    proved_again,
    sealed_leaf,
    seals_of,
    written,
)
from support.actors import ORIGIN, key_of, note_of
from support.editions import SAID, founded_otherwise, in_edition
from support.finding_codes import DOSSIER_CODES
from support.small_ledger import HOLDER, PROVIDER
from support.tampering import edited
from tallystick.dossiers.dossier_lines import DossierEntry, DossierHead
from tallystick.dossiers.writing import Bound
from tallystick.errors import EditionUnknownError, MalformedError
from tallystick.findings import FindingCode
from tallystick.signing import canonical_json
from tallystick.signing.keys import COSIGNATURE_ED25519, SigningKey
from tallystick.signing.note import Note
from tallystick.transparency.merkle import leaf_hash, root_of
from tallystick.transparency.policy import Policy
from tallystick.vouchers.entry import Entry, split_entry
from tallystick.vouchers.outcomes import Burned

ACCOUNT = "provider guian"
Attack = Callable[[bytes, list[bytes]], bytes]

ATTACKS: dict[str, tuple[FindingCode, Attack]] = {}


def attack(code: FindingCode) -> Callable[[Attack], Attack]:
    """Register an attack by what must be the first fault found."""

    def register(function: Attack) -> Attack:
        ATTACKS[function.__name__] = code, function
        return function

    return register


def place_of(entries: list[DossierEntry], kind: str, number: int = 0, role: str = "subject") -> int:
    """The place in the dossier of the so many-th entry of a kind of event."""
    return [
        place
        for place, one in enumerate(entries)
        if one.role == role and Entry.from_bytes(one.entry).event.kind == f"{kind}/1"
    ][number]


def changed_log(data: bytes, log: list[bytes], index: int, pattern: str, replacement: str) -> bytes:
    """The dossier of a log in which one entry is another, all proved and signed again."""
    return proved_again(data, [*log[:index], edited(log[index], pattern, replacement), *log[index + 1 :]])


@attack(FindingCode.ENTRY_LEFT_OUT)
def one_entry_is_left_out(data: bytes, log: list[bytes]) -> bytes:
    """A refused line that its provider would rather not show."""
    head, entries = parts_of(data)
    place = place_of(entries, "time.burned", 2)
    return joined(head, entries[:place] + entries[place + 1 :])


@attack(FindingCode.ENTRY_LEFT_OUT)
def a_line_of_the_file_is_deleted(data: bytes, log: list[bytes]) -> bytes:
    """By somebody who only has an editor."""
    lines = data.splitlines(keepends=True)
    return b"".join(lines[:-12] + lines[-11:])


@attack(FindingCode.ENTRY_LEFT_OUT)
def an_entry_is_passed_off_as_a_dependency(data: bytes, log: list[bytes]) -> bytes:
    """Then it is in the file, and not in the book."""
    head, entries = parts_of(data)
    place = place_of(entries, "burn.reversed")
    return joined(head, [*entries[:place], replace(entries[place], role="dependency"), *entries[place + 1 :]])


@attack(FindingCode.ENTRY_NOT_COUNTED)
def an_entry_of_another_account_is_slipped_in(data: bytes, log: list[bytes]) -> bytes:
    """It is in the log, and was never the provider's."""
    head, entries = parts_of(data)
    place = place_of(entries, "voucher.issued", role="dependency")
    return joined(head, [*entries[:place], replace(entries[place], role="subject"), *entries[place + 1 :]])


@attack(FindingCode.ENTRY_MISDECLARED)
def an_entry_of_another_account_is_added_at_the_end(data: bytes, log: list[bytes]) -> bytes:
    """After the closing seal nothing is counted, and yet it doesn't touch the account."""
    first = next(seals_of(log))
    head, entries = parts_of(data)
    leaves = leaves_at(log, first)
    closing = sealed_leaf(leaves, ACCOUNT, first)
    kept = [one for one in entries if one.index <= first]
    later = next(one for one in entries if one.index > first and one.role == "dependency")
    return joined(replace(head, closing=closing), [*kept, replace(later, role="subject")])


@attack(FindingCode.COMMAND_FOR_ANOTHER_LOG)
def an_entry_comes_from_another_log(data: bytes, log: list[bytes]) -> bytes:
    """Signed by the same parties, for a rehearsal."""
    head, entries = parts_of(data)
    place = place_of(entries, "time.burned", 1)
    other = entries[place].entry.replace(f'"log":"{ORIGIN}"'.encode(), b'"log":"tallystick.example/rehearsal"')
    return joined(head, [*entries[:place], replace(entries[place], entry=other), *entries[place + 1 :]])


@attack(FindingCode.PROOF_INVALID)
def an_entry_is_another_than_in_the_log(data: bytes, log: list[bytes]) -> bytes:
    """One digit."""
    head, entries = parts_of(data)
    place = place_of(entries, "time.burned", 1)
    other = edited(entries[place].entry, ",3600]", ",3500]")
    return joined(head, [*entries[:place], replace(entries[place], entry=other), *entries[place + 1 :]])


@attack(FindingCode.PROOF_INVALID)
def two_entries_change_places(data: bytes, log: list[bytes]) -> bytes:
    """Each with its proof."""
    head, entries = parts_of(data)
    one, other = place_of(entries, "time.burned", 1), place_of(entries, "time.burned", 2)
    entries[one], entries[other] = (
        replace(entries[other], index=entries[one].index),
        replace(entries[one], index=entries[other].index),
    )
    return joined(head, entries)


@attack(FindingCode.SEAL_STALE)
def an_older_seals_leaf_is_given_for_the_newest(data: bytes, log: list[bytes]) -> bytes:
    """It counts fewer entries, and its path is a good one: to another root."""
    first, second = seals_of(log)
    head, entries = parts_of(data)
    return joined(
        replace(head, closing=replace(sealed_leaf(leaves_at(log, first), ACCOUNT, first), index=second)), entries
    )


@attack(FindingCode.SEAL_STALE)
def completeness_is_shown_only_up_to_an_older_seal(data: bytes, log: list[bytes]) -> bytes:
    """What came between the two seals could then be left out."""
    first = next(seals_of(log))
    head, entries = parts_of(data)
    place = place_of(entries, "time.burned", -1)
    closing = sealed_leaf(leaves_at(log, first), ACCOUNT, first)
    return joined(replace(head, closing=closing), entries[:place] + entries[place + 1 :])


@attack(FindingCode.SEAL_STALE)
def completeness_is_not_shown_at_all(data: bytes, log: list[bytes]) -> bytes:
    """Though there are seals."""
    head, entries = parts_of(data)
    return joined(replace(head, closing=None), entries)


@attack(FindingCode.SEAL_UNKNOWN)
def the_seal_is_not_in_the_file(data: bytes, log: list[bytes]) -> bytes:
    """So there is no root to prove the leaf by."""
    head, entries = parts_of(data)
    return joined(head, [one for one in entries if head.closing is None or one.index != head.closing.index])


@attack(FindingCode.SEAL_UNKNOWN)
def an_ordinary_entry_is_named_as_the_seal(data: bytes, log: list[bytes]) -> bytes:
    """The amendment of a programme, after the first seal and before the second."""
    head, entries = parts_of(data)
    assert head.closing is not None
    place = place_of(entries, "programme.amended", role="dependency")
    return joined(replace(head, closing=replace(head.closing, index=entries[place].index)), entries)


@attack(FindingCode.SEAL_PROOF_INVALID)
def the_leaf_says_another_balance(data: bytes, log: list[bytes]) -> bytes:
    """One fen more was paid."""
    head, entries = parts_of(data)
    assert head.closing is not None
    leaf = head.closing.leaf
    leaf = replace(leaf, balances=leaf.balances | {"paid_fen": leaf.balances["paid_fen"] + 1})
    return joined(replace(head, closing=replace(head.closing, leaf=leaf)), entries)


@attack(FindingCode.SEAL_PROOF_INVALID)
def the_leaf_leaves_an_entry_out_too(data: bytes, log: list[bytes]) -> bytes:
    """Count and running hash without it: but the seal committed to them."""
    head, entries = parts_of(data)
    assert head.closing is not None
    leaf = replace(head.closing.leaf, entries=head.closing.leaf.entries - 1)
    place = place_of(entries, "time.burned", 2)
    closing = replace(head.closing, leaf=leaf)
    return joined(replace(head, closing=closing), entries[:place] + entries[place + 1 :])


@attack(FindingCode.DEPENDENCY_MISSING)
def a_reservation_is_not_there(data: bytes, log: list[bytes]) -> bytes:
    """The voucher that it was made from was never issued, as far as the file tells."""
    head, entries = parts_of(data)
    place = place_of(entries, "voucher.issued", role="dependency")
    return joined(head, entries[:place] + entries[place + 1 :])


@attack(FindingCode.DEPENDENCY_MISSING)
def the_founding_is_not_there(data: bytes, log: list[bytes]) -> bytes:
    """Entry 0 says whose keys count."""
    head, entries = parts_of(data)
    return joined(head, entries[1:])


@attack(FindingCode.SIGNATURE_INVALID)
def the_log_recorded_a_forged_signature(data: bytes, log: list[bytes]) -> bytes:
    """Under the name of the provider's own key; the line before the last character of base64 decides nothing."""
    _, entries = parts_of(data)
    index = entries[place_of(entries, "time.burned", 1)].index
    note = log[index].rpartition("— ".encode())[2].decode()
    at = note.index(" ") + 20
    other = "A" if note[at] != "A" else "B"
    return changed_log(data, log, index, note[:at].replace("+", r"\+") + ".", note[:at] + other)


def resigned_log(data: bytes, log: list[bytes], *key_names: str, kind: str = "time.burned", number: int = 1) -> bytes:
    """The dossier of a log in which these keys signed a statement, or an entry of another kind."""
    _, entries = parts_of(data)
    index = entries[place_of(entries, kind, number)].index
    header, note = split_entry(log[index])
    command = canonical_json.decode(Note.from_bytes(note).text[:-1])
    assert isinstance(command, dict)
    changed = header + b"\n" + note_of(command, *key_names)
    return proved_again(data, [*log[:index], changed, *log[index + 1 :]])


@attack(FindingCode.KEY_REVOKED)
def the_log_recorded_what_a_revoked_key_signed(data: bytes, log: list[bytes]) -> bytes:
    """The provider's own, which it revoked before."""
    return resigned_log(data, log, "guian/meter-2")


@attack(FindingCode.KEY_NOT_ACTIVE_YET)
def the_log_recorded_what_a_key_signed_before_it_counted(data: bytes, log: list[bytes]) -> bytes:
    """The network added it a moment before."""
    return resigned_log(data, log, "guian/officer-2", kind="tariff.published", number=-1)


@attack(FindingCode.KEY_NOT_FOR_THIS_COMMAND)
def the_log_recorded_what_a_key_for_reading_signed(data: bytes, log: list[bytes]) -> bytes:
    """Beside the provider's own."""
    return resigned_log(data, log, *PROVIDER.key_names, "shanghai/reader-1")


@attack(FindingCode.SIGNER_NOT_INVOLVED)
def the_log_recorded_what_a_holder_signed_too(data: bytes, log: list[bytes]) -> bytes:
    """A statement is its provider's alone."""
    return resigned_log(data, log, *PROVIDER.key_names, *HOLDER.key_names)


@attack(FindingCode.OUTCOME_DIFFERS)
def the_log_recorded_more_than_was_burned(data: bytes, log: list[bytes]) -> bytes:
    """A fen too much in a statement's outcome."""
    _, entries = parts_of(data)
    index = entries[place_of(entries, "time.burned", 1)].index
    outcome = Entry.from_bytes(log[index]).event.outcome
    assert isinstance(outcome, Burned)
    ((_, amounts_fen),) = outcome.paid
    amount = amounts_fen[0]
    return changed_log(data, log, index, rf'(/r1",\[){amount}\]', rf"\g<1>{amount + 1}]")


@attack(FindingCode.DECISION_REFUSED)
def the_log_recorded_what_is_against_the_rules(data: bytes, log: list[bytes]) -> bytes:
    """A statement as of three weeks after it was signed."""
    _, entries = parts_of(data)
    index = entries[place_of(entries, "time.burned", -1)].index
    return changed_log(data, log, index, r'"at":"2026-01-', '"at":"2026-02-')


@attack(FindingCode.INDEX_DIFFERS)
def the_log_recorded_another_index(data: bytes, log: list[bytes]) -> bytes:
    """In the header of an entry."""
    _, entries = parts_of(data)
    index = entries[place_of(entries, "time.burned", 1)].index
    return changed_log(data, log, index, rf'"index":{index}', f'"index":{index + 1}')


@attack(FindingCode.ENTRY_MALFORMED)
def the_log_recorded_what_is_no_entry(data: bytes, log: list[bytes]) -> bytes:
    """A header with a blank too many."""
    _, entries = parts_of(data)
    index = entries[place_of(entries, "time.burned", 1)].index
    return changed_log(data, log, index, r'"index":', '"index": ')


@attack(FindingCode.BALANCE_DIFFERS)
def the_log_sealed_a_balance_that_is_not_so(data: bytes, log: list[bytes]) -> bytes:
    """The seal really commits to it; the entries don't come to it."""
    *_, newest = seals_of(log)
    leaves = leaves_at(log, newest)
    position = [account for account, _ in leaves].index(ACCOUNT)
    fields = canonical_json.decode(leaves[position][1])
    assert isinstance(fields, dict)
    assert isinstance(fields["balances"], dict)
    fields["balances"]["paid_fen"] = 1
    leaves[position] = (ACCOUNT, canonical_json.encode(fields))
    root = root_of([leaf_hash(leaf) for _, leaf in leaves]).hex()
    head, entries = parts_of(data)
    sealed = joined(replace(head, closing=sealed_leaf(leaves, ACCOUNT, newest)), entries)
    return changed_log(sealed, log, newest, '"root":"sha256:[0-9a-f]+"', f'"root":"sha256:{root}"')


@attack(FindingCode.CHECKPOINT_SIGNATURE_INVALID)
def the_checkpoint_is_another_logs(data: bytes, log: list[bytes]) -> bytes:
    """Of a log that the policy doesn't name, by its key."""
    return data.replace(ORIGIN.encode(), b"tallystick.example/elsewhere")


@pytest.mark.parametrize("name", sorted(ATTACKS))
def test_an_attack_is_refused_by_name(name: str, ledger: Path, log: list[bytes]) -> None:
    """And by the most telling name first."""
    code, make = ATTACKS[name]
    data = written(ledger, ACCOUNT)
    assert codes(examined(data)) == []
    report = examined(make(data, log))
    assert codes(report)[0] is code, [str(one) for one in report.findings]
    assert not report.is_sound


def test_a_checkpoint_that_too_few_witnesses_saw_is_refused(ledger: Path) -> None:
    """The policy says how many."""
    log_key = key_of(ORIGIN).verifier.to_text()
    witness = SigningKey.from_seed("witness.example", bytes(32), COSIGNATURE_ED25519).verifier.to_text()
    policy = Policy.from_text(f"log {log_key}\nwitness w {witness}\nquorum w\n".encode())
    assert codes(examined(written(ledger, ACCOUNT), policy)) == [FindingCode.CHECKPOINT_QUORUM_MISSING]


def test_every_code_has_an_attack() -> None:
    """But the one for a cut list, and the quorum's, which is tested by itself."""
    elsewhere = {FindingCode.FINDINGS_CUT, FindingCode.CHECKPOINT_QUORUM_MISSING}
    assert {code for code, _ in ATTACKS.values()} == DOSSIER_CODES - elsewhere


def test_an_older_dossier_stays_what_it_was(ledger: Path, log: list[bytes]) -> None:
    """One that ends with the first seal proves that much; its closing day says so."""
    first = next(seals_of(log))
    report = examined(written(ledger, ACCOUNT, None, Bound(index=first)))
    assert codes(report) == []
    assert report.closing is not None
    assert report.closing.index == first


def test_a_leaf_of_another_account_is_no_dossiers(ledger: Path, log: list[bytes]) -> None:
    """Head and leaves name one account."""
    head, entries = parts_of(written(ledger, ACCOUNT))
    with pytest.raises(MalformedError, match="of 'holder maker-a'"):
        DossierHead("holder maker-a", head.checkpoint_note, len(entries), None, head.closing)


def test_a_dossier_by_rules_that_are_not_known_is_not_judged(ledger: Path, log: list[bytes]) -> None:
    """Entry 0 says so, and is proved to be the log's."""
    newer = [founded_otherwise(log[0], in_edition(2)), *log[1:]]
    data = proved_again(written(ledger, ACCOUNT), newer)
    with pytest.raises(EditionUnknownError, match=SAID):
        examined(data)


def test_a_forged_edition_in_a_dossier_is_named(ledger: Path, log: list[bytes]) -> None:
    """Without its proof, the root keys' signatures, its own log or a checkpoint that counts, it is a fault."""
    sound, first = written(ledger, ACCOUNT), log[0]
    newer = founded_otherwise(first, in_edition(2))
    head, entries = parts_of(sound)
    assert (
        codes(examined(joined(head, [replace(entries[0], entry=newer), *entries[1:]])))[0] is FindingCode.PROOF_INVALID
    )
    others = (
        founded_otherwise(first, in_edition(2), "network/root-1"),
        founded_otherwise(first, lambda command: command.update(edition=2, log="other.example/log")),
    )
    for forged in others:
        assert codes(examined(proved_again(sound, [forged, *log[1:]])))[0] is FindingCode.ENTRY_MALFORMED
    stranger = Policy.for_log(key_of("other.example/log").verifier)
    report = examined(proved_again(sound, [newer, *log[1:]]), stranger)
    assert codes(report)[0] is FindingCode.CHECKPOINT_SIGNATURE_INVALID
