"""A dossier proves an account's history with the trust policy alone, or whatever is wrong with it is named.

    (1) the checkpoint        signed and cosigned as the policy asks
    (2) every entry           its path leads to the checkpoint's root; it was written for this log
    (3) the opening leaf      is under the opening seal's root; from it balances and running hash go on
    (4) the account's entries decided anew by the log's own function: the very bytes must come out
        what they depend on   believed: it is in the log, whose every decision an audit takes again
    (5) the closing leaf      is under the closing seal's root; the running hash over the account's entries is its own,
                              so none is left out; its balances are what the entries come to
    (6) what came after       decided likewise, and not proved to be complete

One pass, one line at a time. It can't see a seal that the dossier doesn't hold: that a dossier is as new as it should
be, its checkpoint and its closing day tell. Of an account that has ended, later seals have no leaf: the last one that
has may close its dossier, though there are newer ones.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from tallystick.dossiers.dossier_lines import DossierEntry, DossierHead, SealedLeaf
from tallystick.dossiers.dossier_report import BookLine, DossierReport, SealSummary, book_line
from tallystick.dossiers.replaying import FOLLOWS_FROM_OTHERS, Balances, Missing, PartialReplay, may_be_missing
from tallystick.dossiers.things import is_thing
from tallystick.errors import MalformedError, ProofInvalidError, QuorumMissingError, VerificationError
from tallystick.findings import FindingCode, Findings
from tallystick.signing.algorithms import SHA256
from tallystick.signing.note import Note
from tallystick.transparency.checkpoint import Checkpoint
from tallystick.transparency.merkle import leaf_hash
from tallystick.transparency.policy import Policy
from tallystick.transparency.proofs import verify_inclusion
from tallystick.vouchers.admit import SignedCommand, read_note
from tallystick.vouchers.editions import Adoption, Founding
from tallystick.vouchers.entry import Entry, split_entry
from tallystick.vouchers.outcomes import Sealed
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rules.books import BookSeal
from tallystick.vouchers.rules.rule import Event
from tallystick.vouchers.seals import NO_TOUCHES, run_on

_ALWAYS_SEALED: Final = ("holder ", "programme ", "provider ", "treasury ")


def examine_dossier(lines: Iterable[bytes], policy: Policy) -> DossierReport:
    """Go through a dossier.

    Args:
        lines: of the file, each with its newline (`read_lines`).
        policy: whose checkpoints count.

    Raises:
        MalformedError: the file isn't a dossier in its canonical encoding.
        EditionUnknownError: the log was made by rules that this version doesn't know.
    """
    rest = iter(lines)
    first = next(rest, None)
    if first is None:
        raise MalformedError("the file is empty")
    head = DossierHead.from_bytes(first)
    examination = _Examination(head, policy)
    before = -1
    for line in rest:
        item = DossierEntry.from_bytes(line)
        if item.index <= before:
            raise MalformedError(f"a dossier's entries come in order, and {item.index} comes after {before}")
        before = item.index
        examination.take(item)
    return examination.finish()


@dataclass(slots=True)
class _Sums:
    """What was counted on the way."""

    entries: int = 0
    entries_later: int = 0
    first_later: int | None = None
    dependencies: int = 0
    running_hash: str = NO_TOUCHES
    counted: int = 0


@dataclass(slots=True)
class _Examination:
    """A dossier being gone through."""

    head: DossierHead
    policy: Policy
    findings: Findings = field(default_factory=Findings)
    checkpoint: Checkpoint = field(init=False)
    replay: PartialReplay = field(init=False)
    is_replaying: bool = True
    seals: dict[int, tuple[SealSummary, Sealed]] = field(default_factory=dict)
    book: list[BookLine] = field(default_factory=list)
    sums: _Sums = field(default_factory=_Sums)
    first_entry: int | None = None
    is_opened: bool = False
    is_closed: bool = False
    has_ended: bool = False
    start: Balances = field(default_factory=dict)
    balances: Balances = field(default_factory=dict)

    def __post_init__(self) -> None:
        note = self.head.checkpoint_note
        self.checkpoint = Checkpoint.from_text(Note.from_bytes(note).text)
        try:
            self.policy.open_checkpoint(note)  # (1)
        except QuorumMissingError as error:
            self.findings.add(FindingCode.CHECKPOINT_QUORUM_MISSING, None, str(error))
        except VerificationError as error:
            self.findings.add(FindingCode.CHECKPOINT_SIGNATURE_INVALID, None, str(error))
        self.replay = PartialReplay(self.checkpoint.origin, self.head.account)
        opening = self.head.opening
        if opening is not None:
            self.sums.running_hash, self.sums.counted = opening.leaf.running_hash, opening.leaf.entries

    # -- one entry ----------------------------------------------------------------------------------------------------

    def take(self, item: DossierEntry) -> None:
        """Prove an entry (2), replay it (4), and do at the seals what belongs there."""
        opening, closing = self.head.opening, self.head.closing
        if opening is not None and not self.is_opened and item.index > opening.index:
            self._open(opening)
        if closing is not None and not self.is_closed and item.index > closing.index:
            self._close()
        self._count(item)
        read = self._read(item)
        if read is None:
            self.is_replaying = False  # what can't be trusted isn't replayed, and nothing can be told after it
            return
        event, signed = read
        if isinstance(event.command, BookSeal) and isinstance(event.outcome, Sealed):
            summary = SealSummary(item.index, event.command.seal, event.command.last_day)
            self.seals[item.index] = summary, event.outcome
        if self.is_replaying:
            self._replay(item, event, signed)
        if self.is_replaying and item.index == self._seal_after_closing():
            assert closing is not None
            self.has_ended = self.replay.has_ended(closing.leaf.balances)

    def _seal_after_closing(self) -> int | None:
        """Return the index of the first seal after the closing one, if it was read."""
        closing = self.head.closing
        return next((index for index in self.seals if closing is not None and index > closing.index), None)

    def _count(self, item: DossierEntry) -> None:
        """Take an entry of the account into the running hash."""
        if item.role == "dependency":
            self.sums.dependencies += 1
            return
        opening, closing = self.head.opening, self.head.closing
        if opening is not None and item.index < opening.index:
            self.findings.add(FindingCode.ENTRY_MISDECLARED, item.index, "it comes before the opening seal")
        self.first_entry = item.index if self.first_entry is None else self.first_entry
        self.sums.entries += 1
        if closing is None or item.index > closing.index:
            self.sums.entries_later += 1
            self.sums.first_later = self.sums.first_later or item.index
            return
        self.sums.running_hash = run_on(self.sums.running_hash, [item.index])
        self.sums.counted += 1

    def _read(self, item: DossierEntry) -> tuple[Event, SignedCommand] | None:
        """Return the entry, if it is proved to be this log's at its index; or note why not."""
        checkpoint, findings = self.checkpoint, self.findings
        signed: SignedCommand | Refusal
        try:
            signed = read_note(split_entry(item.entry)[1], checkpoint.origin)
        except MalformedError as error:
            signed = Refusal(Reason.NOTE_MALFORMED, str(error))
        if isinstance(signed, Refusal) and signed.reason is Reason.COMMAND_FOR_ANOTHER_LOG:
            findings.add_refusal(item.index, signed)
            return None
        try:  # (2)
            verify_inclusion(item.index, checkpoint.size, leaf_hash(item.entry), item.path, checkpoint.root)
        except ProofInvalidError as error:
            findings.add(FindingCode.PROOF_INVALID, item.index, str(error))
            return None
        if isinstance(signed, Refusal):
            self._require_known_edition(item.index, item.entry)
            findings.add_refusal(item.index, signed)
            return None
        try:
            event = Entry.from_bytes(item.entry).event
        except MalformedError as error:
            findings.add(FindingCode.ENTRY_MALFORMED, item.index, str(error))
            return None
        if event.index != item.index:
            findings.add(FindingCode.INDEX_DIFFERS, item.index, f"it calls itself {event.index}")
            return None
        return event, signed

    def _require_known_edition(self, index: int, entry: bytes) -> None:
        """Refuse to go on if an entry, proved to be the log's, names rules that this version doesn't know."""
        if self.findings:
            return  # without a checkpoint that the policy accepts, a number proves nothing
        with suppress(MalformedError, VerificationError):
            if index == 0:
                founding = Founding.from_entry(entry)
                if founding is not None and founding.log == self.checkpoint.origin:
                    founding.verify()
                    founding.require_known()
                return
            adoption = Adoption.from_entry(entry)
            if adoption is not None and adoption.index == index:
                adoption.verify(self.replay.state)
                adoption.require_known()

    def _replay(self, item: DossierEntry, event: Event, signed: SignedCommand) -> None:
        is_subject = item.role == "subject"
        if is_subject:
            self._decide(item, event, signed)
        if not self.is_replaying:
            return
        # What goes on is what is recorded, whatever was decided: so a fault is named once, not in all that follows.
        followed = self.replay.follow(event)
        if isinstance(followed, Missing):
            self._lose(item.index, followed)
            return
        opening = self.head.opening
        is_within = opening is None or item.index > opening.index
        if is_within and followed.touches != is_subject:
            said = "it is given as the account's, and" if is_subject else "it is given as a dependency, and"
            does = "touches" if followed.touches else "does not touch"
            self.findings.add(FindingCode.ENTRY_MISDECLARED, item.index, f"{said} {does} {self.head.account}")
        if is_subject:
            self.book.append(book_line(event, [one for one in followed.postings if self.replay.concerns(one)]))

    def _decide(self, item: DossierEntry, event: Event, signed: SignedCommand) -> None:
        """Decide an entry anew, and note what comes out differently."""
        answer = self.replay.lacking(event) or self.replay.decide(item.index, event.at, signed)  # (4)
        if isinstance(answer, Missing):
            self._lose(item.index, answer)
            return
        if isinstance(answer, Entry) and (answer.data == item.entry or self.replay.comes_out(answer, event)):
            return
        is_missing = may_be_missing(answer, event)
        if isinstance(answer, Refusal):
            if self.findings and answer.reason in FOLLOWS_FROM_OTHERS:
                return
            self.findings.add_refusal(item.index, answer, FindingCode.DEPENDENCY_MISSING if is_missing else None)
            return
        code = FindingCode.DEPENDENCY_MISSING if is_missing else FindingCode.OUTCOME_DIFFERS
        self.findings.add(code, item.index, f"decided anew it is {_header_of(answer.data)}")

    def _lose(self, index: int, missing: Missing) -> None:
        self.findings.add(FindingCode.DEPENDENCY_MISSING, index, missing.what)
        self.is_replaying = False

    # -- the seals ----------------------------------------------------------------------------------------------------

    def _open(self, opening: SealedLeaf) -> None:
        """Begin from the opening leaf (3); whether that is the seal's is seen at the end."""
        self.is_opened = True
        if self.is_replaying:
            self.replay.take_opening(opening.leaf.balances)
            start = self.replay.balances()
            if isinstance(start, Missing):
                self._lose(opening.index, start)
            else:
                self.start = start

    def _close(self) -> None:
        """Compare balances with the closing leaf's (5)."""
        self.is_closed = True
        closing = self.head.closing
        assert closing is not None
        self.balances = closing.leaf.balances
        if not self.is_replaying:
            return
        told = self._now(closing.index)
        if not self.findings and told != self.balances:  # (5)
            names = sorted(name for name in told | self.balances if told.get(name) != self.balances.get(name))
            shown = ", ".join(f"{name} {told.get(name)} and not {self.balances.get(name)}" for name in names)
            self.findings.add(FindingCode.BALANCE_DIFFERS, closing.index, f"the entries come to {shown}")

    def _now(self, index: int) -> Balances:
        """Return the account's balances: those of the opening leaf, and what the entries since then changed."""
        now = self.replay.balances()
        if isinstance(now, Missing):
            if self.findings:  # an entry that says too much leaves an account below zero: it has been named
                self.is_replaying = False
            else:
                self._lose(index, now)
            return {}
        opening = self.head.opening
        if opening is None:
            return now
        changed = {name: amount - self.start.get(name, 0) for name, amount in now.items()}
        before = opening.leaf.balances
        return {name: before.get(name, 0) + changed.get(name, 0) for name in before | changed}

    def finish(self) -> DossierReport:
        """Check the seals and the count of entries (5), and report."""
        head, sums = self.head, self.sums
        if head.opening is not None and not self.is_opened:
            self._open(head.opening)
        if head.closing is not None and not self.is_closed:
            self._close()
        for sealed in (head.opening, head.closing):
            if sealed is not None:
                self._check_leaf(sealed)  # (3) and (5)
        is_counted = head.closing is None or self._check_count(head.closing)  # (5)
        # Else whether it had ended, its entries don't tell; of a thing no seal has a leaf.
        if (is_counted or head.account.startswith(_ALWAYS_SEALED)) and not is_thing(head.account):
            self._check_newest()
        given = sums.entries + sums.dependencies
        if given != head.entries:
            code = FindingCode.ENTRY_LEFT_OUT if given < head.entries else FindingCode.ENTRY_NOT_COUNTED
            self.findings.add(code, None, f"the dossier is said to hold {head.entries} entries, and holds {given}")
        later = self._now(self.replay.state.size) if self.is_replaying else {}
        return DossierReport(
            account=head.account,
            checkpoint=self.checkpoint,
            opening=self._summary(head.opening),
            closing=self._summary(head.closing),
            entries=sums.entries,
            entries_later=sums.entries_later,
            dependencies=sums.dependencies,
            balances=self.balances,
            balances_later=later,
            book=tuple(self.book),
            findings=self.findings.by_precedence(),
        )

    def _summary(self, sealed: SealedLeaf | None) -> SealSummary | None:
        found = self.seals.get(sealed.index) if sealed is not None else None
        return found[0] if found else None

    def _check_leaf(self, sealed: SealedLeaf) -> None:
        """Check that a leaf is under the root of the seal that it is given for."""
        found = self.seals.get(sealed.index)
        if found is None:
            self.findings.add(FindingCode.SEAL_UNKNOWN, sealed.index, "")
            return
        if _is_under(sealed, found[1]):
            return
        for summary, outcome in self.seals.values():
            if summary.index < sealed.index and _is_under(sealed, outcome):
                self.findings.add(
                    FindingCode.SEAL_STALE, sealed.index, f"its leaf is of the older seal at entry {summary.index}"
                )
                return
        self.findings.add(FindingCode.SEAL_PROOF_INVALID, sealed.index, "")

    def _check_newest(self) -> None:
        """Refuse a dossier that stops proving before it has to."""
        last = self.head.closing or self.head.opening
        newest = max(self.seals, default=None)
        if newest is None or (last is not None and newest <= last.index):
            return
        later = self.sums.first_later
        if self.has_ended and (later is None or later > newest):
            return  # and in no later seal: no entry of it is before the newest
        if self.first_entry is not None and self.first_entry < newest:
            shown = "none" if self.head.closing is None else f"entry {self.head.closing.index}"
            self.findings.add(
                FindingCode.SEAL_STALE, newest, f"it is the newest, and completeness is shown up to {shown}"
            )

    def _check_count(self, closing: SealedLeaf) -> bool:
        """Compare the running hash over the account's entries with the closing leaf's; return whether it is that."""
        leaf, counted = closing.leaf, self.sums.counted
        if counted == leaf.entries and self.sums.running_hash == leaf.running_hash:
            return True
        shown = f"the seal counts {leaf.entries} entries of {leaf.account}, and {counted} are shown"
        if counted > leaf.entries:
            self.findings.add(FindingCode.ENTRY_NOT_COUNTED, None, shown)
        elif counted < leaf.entries:
            self.findings.add(FindingCode.ENTRY_LEFT_OUT, None, shown)
        else:
            self.findings.add(FindingCode.ENTRY_LEFT_OUT, None, f"{shown}, but not the same ones")
        return False


def _is_under(sealed: SealedLeaf, outcome: Sealed) -> bool:
    try:
        root = SHA256.digest_in(outcome.root)
        verify_inclusion(sealed.position, outcome.accounts, leaf_hash(sealed.leaf.to_bytes()), sealed.path, root)
    except (MalformedError, ProofInvalidError):
        return False
    return True


def _header_of(data: bytes) -> str:
    return split_entry(data)[0].decode()[:300]
