"""A dossier is gathered, proved against one checkpoint, and written line by line; what is written was checked.

    views      follow the log first, then say which entries concern whom; of an export they are made in memory, which
               reads all of it once
    seals      the opening leaf's seal is the last one before what was asked for, the closing leaf's the first after it:
               between two seals nothing can be left out unseen. An account that has ended is in no later seal than the
               last that has it, which then closes its dossier
    entries    read by index, each with its path to the checkpoint's root

An account that wasn't there yet at the opening seal begins with the log: there is nothing of it before.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import BinaryIO, Final

from tallystick.dossiers.dossier_lines import DossierEntry, DossierHead, SealedLeaf
from tallystick.dossiers.gathering import Gathering
from tallystick.dossiers.things import is_thing, names_of
from tallystick.errors import MalformedError, NotALedgerError, NotFoundError, UsageError
from tallystick.progress import Progress
from tallystick.publishing.reader import Reader, read_ledger
from tallystick.sources import AnySource
from tallystick.transparency.merkle import leaf_hash, path_of
from tallystick.transparency.proofs import inclusion_proof, verify_inclusion
from tallystick.views import followed_views
from tallystick.views.questions import Questions
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.rules.books import BookSeal
from tallystick.vouchers.seals import AccountLeaf

TILES_REMEMBERED: Final = 1_024


@dataclass(frozen=True, slots=True)
class Bound:
    """Where a dossier is to begin or end: at a day (counted from 1970-01-01) or at an entry's index, one of the two."""

    day: int | None = None
    index: int | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: its size in bytes, entries of both roles, those of the account, and the seals' indices.

    Attributes:
        indices: of all entries.
    """

    size: int
    indices: tuple[int, ...]
    subject: int
    opening: int | None
    closing: int | None

    @property
    def entries(self) -> int:
        """How many entries, of both roles."""
        return len(self.indices)


@dataclass(frozen=True, slots=True)
class _Seal:
    index: int
    last_day: int


def write_dossier(
    source: AnySource,
    account: str,
    out: BinaryIO,
    since: Bound | None = None,
    until: Bound | None = None,
    progress: Progress | None = None,
) -> Written:
    """Write the dossier of an account.

    Args:
        source: a ledger folder, an exported folder, or the URL of one.
        account: for example `voucher <id>` (docs/rules.md, "Sealed books"); or `application`, `claim` or `demand <id>`.
        out: where it goes.
        since: the dossier begins at the last seal before that day, or at or before that entry; None: with the log.
        until: it ends with the first seal that seals that day, or at or after that entry; None: with the log.
        progress: told how far following the log is.

    Raises:
        UsageError: there is no such account, or no such stretch.
        NotALedgerError: an entry or a tile can't be read.
        ProofInvalidError: entries, tree and checkpoint contradict one another.
    """
    # Views first: so the checkpoint that is then read covers all that they know.
    with followed_views(source, progress) as views, read_ledger(source) as reader:
        return write_dossier_of(reader, views, views.size, account, out, since, until)


def write_dossier_of(
    reader: Reader,
    views: Questions,
    size: int,
    account: str,
    out: BinaryIO,
    since: Bound | None = None,
    until: Bound | None = None,
) -> Written:
    """Write the dossier of an account, of a log and its views that are open; all else is as `write_dossier` has it.

    Args:
        reader: the log, with all that the views know.
        views: say which entries concern whom.
        size: how many entries they are of.
        account: as above, like all that follows.
        out: where it goes.
        since: where it begins.
        until: where it ends.

    Raises:
        LedgerError, UsageError, ProofInvalidError: as `write_dossier` does.
    """
    return _Writing(reader, views, min(size, reader.size), account).write(out, since, until)


class _Writing:
    """One dossier on its way."""

    def __init__(self, reader: Reader, views: Questions, size: int, account: str) -> None:
        self._reader = reader
        self._views = views
        self._account = account
        self._size = size
        if not any(map(views.entries_concerning, names_of(account))):
            raise NotFoundError(f"there is no {account} in this log")
        self._read_tile = lru_cache(TILES_REMEMBERED)(reader.read_tile)

    def write(self, out: BinaryIO, since: Bound | None, until: Bound | None) -> Written:
        if since is not None and is_thing(self._account):
            raise UsageError(f"a seal has no leaf of a {self._account.partition(' ')[0]}: leave --from out")
        seals = self._seals()
        having = [seal for seal in seals if self._views.seal_leaf(seal.index, self._account) is not None]
        opening = _last_before(having, since) if since is not None else None
        reached = _first_after(seals, until) if until is not None else None
        stop = self._size if reached is None else reached.index + 1
        closing = next((seal for seal in reversed(having) if seal.index < stop), None)
        if opening is not None and reached is not None and opening.index >= reached.index:
            raise UsageError(f"that begins at the seal of entry {opening.index} and ends before it")
        if opening is not None and closing is not None and opening.index >= closing.index:
            closing = None  # nothing is sealed since
        opened = self._sealed_leaf(opening) if opening is not None else None
        closed = self._sealed_leaf(closing) if closing is not None else None
        start = opened.index if opened is not None else 0
        gathered = Gathering(self._reader, self._views, self._account, start, stop)
        if not gathered.subject and opened is None:
            raise NotFoundError(f"there was no {self._account} then")
        head = DossierHead(self._account, self._reader.checkpoint_note(), len(gathered.indices), opened, closed)
        size = out.write(head.to_bytes())
        subject = set(gathered.subject)
        for index in sorted(gathered.indices):
            size += out.write(self._proved(index, is_subject=index in subject).to_bytes())
        return Written(
            size,
            tuple(sorted(gathered.indices)),
            len(subject),
            None if opened is None else opened.index,
            None if closed is None else closed.index,
        )

    def _seals(self) -> list[_Seal]:
        seals = []
        for index in self._views.entries_concerning("seals"):
            if index < self._size:
                command = Entry.from_bytes(self._reader.entry(index)).event.command
                assert isinstance(command, BookSeal)
                seals.append(_Seal(index, command.last_day))
        return seals

    def _sealed_leaf(self, seal: _Seal) -> SealedLeaf | None:
        """Return the account's leaf at a seal and its path; None if there was no such account yet."""
        leaves = self._views.seal_leaves(seal.index)
        accounts = [account for account, _ in leaves]
        if self._account not in accounts:
            return None
        position = accounts.index(self._account)
        path = path_of(position, [leaf_hash(leaf) for _, leaf in leaves])
        return SealedLeaf(seal.index, AccountLeaf.from_bytes(leaves[position][1]), position, path)

    def _proved(self, index: int, *, is_subject: bool) -> DossierEntry:
        reader = self._reader
        entry = reader.entry(index)
        try:
            path = tuple(inclusion_proof(index, reader.size, self._read_tile))
        except MalformedError as error:
            raise NotALedgerError(f"{reader.name}: a tile is damaged ({error}); `tallystick audit` says more") from None
        verify_inclusion(index, reader.size, leaf_hash(entry), path, reader.checkpoint.root)
        return DossierEntry(index, "subject" if is_subject else "dependency", entry, path)


def _last_before(seals: list[_Seal], bound: Bound) -> _Seal | None:
    found = None
    for seal in seals:
        if (bound.day is not None and seal.last_day < bound.day) or (
            bound.index is not None and seal.index <= bound.index
        ):
            found = seal
    return found


def _first_after(seals: list[_Seal], bound: Bound) -> _Seal:
    for seal in seals:
        if (bound.day is not None and seal.last_day >= bound.day) or (
            bound.index is not None and seal.index >= bound.index
        ):
            return seal
    raise UsageError("no seal reaches that far: leave --until out for a dossier up to the newest entry")
