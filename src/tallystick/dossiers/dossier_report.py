"""What the examination of a dossier comes to: where the book begins and ends, the account's entries, what is wrong."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from tallystick.dossiers.replaying import Balances
from tallystick.findings import Finding
from tallystick.transparency.checkpoint import Checkpoint
from tallystick.vouchers.book import Posting
from tallystick.vouchers.rules.rule import Event


@dataclass(frozen=True, slots=True)
class SealSummary:
    """A seal that the dossier holds: its entry, its id, and the last day that it sealed."""

    index: int
    seal: str
    last_day: int


@dataclass(frozen=True, slots=True)
class BookLine:
    """One entry of the account, and what it moved: (from, to, fen) by accounts of docs/rules.md, summed."""

    index: int
    at: int
    kind: str
    party: str
    ref: str
    moved: tuple[tuple[str, str, int], ...]
    lines_refused: int = 0


@dataclass(frozen=True, slots=True)
class DossierReport:
    """What was found.

    Attributes:
        account: for example `provider guian`.
        checkpoint: as the dossier has it.
        opening: where the account's entries begin; None for the beginning of the log.
        closing: up to where they are complete; None if that isn't proved of any.
        entries: of the account, decided anew.
        entries_later: those of them after the closing seal (all, without one): not proved to be complete.
        dependencies: entries that were believed.
        balances: at the closing seal, in fen.
        balances_later: after the last entry.
        book: the account's entries.
        findings: what is wrong, the most telling first.
    """

    account: str
    checkpoint: Checkpoint
    opening: SealSummary | None
    closing: SealSummary | None
    entries: int
    entries_later: int
    dependencies: int
    balances: Balances
    balances_later: Balances
    book: tuple[BookLine, ...]
    findings: tuple[Finding, ...]

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings


def book_line(event: Event, postings: Iterable[Posting]) -> BookLine:
    """Return the line of an entry, given those of its postings that are the account's."""
    moved: Counter[tuple[str, str]] = Counter()
    for posting in postings:
        moved[posting.source, posting.target] += posting.amount_fen
    refused = getattr(event.outcome, "refused", ())
    command = event.command
    rows = tuple((source, target, amount_fen) for (source, target), amount_fen in moved.items())
    return BookLine(event.index, event.at, event.kind, command.party, command.ref, rows, len(refused))
