"""A store breaks its promise: it loses what it had acknowledged, or tears a page. That must come to light.

    what breaks                                   who must find it
    part of the newest group, or of its tree      whoever opens the log
    an older page, or a row of an index           the audit
    whole groups at the end, promised to somebody the audit with that somebody's receipt, and, if witnesses had cosigned
                                                  more than is left, whoever opens the log
    the same, and then the log is written to      the same receipts: it is a fork

Afterwards the operator restores the replica, which had all that was answered.
"""

from collections.abc import Callable, Iterator
from random import Random
from typing import TYPE_CHECKING

from simulation.connection import Record, quiet
from simulation.disk import Disk, Image
from simulation.judge import require
from simulation.notes import LOG_KEY
from simulation.watch import POLICY, GivenReceipt
from tallystick.audit.auditing import _Audit
from tallystick.audit.evidence import StoredCheckpoint, StoredRun
from tallystick.audit.prior_checkpoints import PriorCheckpoint
from tallystick.errors import NotALedgerError
from tallystick.findings import FindingCode, Findings
from tallystick.ledger.log_signing import LogSigner
from tallystick.ledger.opening import _ledger
from tallystick.ledger.sidecar import COSIGNED
from tallystick.ledger.tail import Tail, follow_tail, load_tail
from tallystick.signing.note import Note
from tallystick.transparency.checkpoint import Checkpoint
from tallystick.transparency.merkle import leaf_hash
from tallystick.transparency.receipt import Receipt
from tallystick.vouchers.entry import split_entry

if TYPE_CHECKING:
    from simulation.world import World

RUN = 256


class ImageEvidence:
    """An image, as the auditor sees a store."""

    hash_code = FindingCode.TREE_DIFFERS

    def __init__(self, image: Image) -> None:
        self.name = "the simulated store"
        self._image = image

    def newest_checkpoint(self) -> bytes | None:
        """The newest note."""
        row = self._image.newest_checkpoint()
        return None if row is None else row.note

    def cosigned(self) -> bytes | None:
        """What lies beside."""
        return self._image.sidecar.get(COSIGNED)

    def first_entry(self, origin: str, size: int) -> bytes | None:
        """What is there as entry 0."""
        return self._image.entries.get(0)

    def entries(self, origin: str, size: int | None) -> Iterator[StoredRun]:
        """What is there, in runs without gaps."""
        run = StoredRun(0, [], None)
        for index, data in self._image.entries.items():
            if index != run.first + len(run.data) or len(run.data) == RUN:
                yield run
                run = StoredRun(index, [], None)
            run.data.append(data)
        yield run

    def hashes(self, level: int, tile: int, width: int) -> list[bytes | None]:
        """Hashes of a tile."""
        return [self._image.tree.get((level, tile * RUN + place)) for place in range(width)]

    def checkpoints(self) -> Iterator[StoredCheckpoint]:
        """The series."""
        yield from [StoredCheckpoint(*row) for row in self._image.checkpoints.values()]

    def first_checkpoint(self) -> int:
        """They begin at 0."""
        return 0

    def references(self, start: int, stop: int) -> list[tuple[object, object, object]] | None:
        """The index of references."""
        rows = [(index, party, ref) for (party, ref), index in self._image.references.items() if start <= index < stop]
        return [*sorted(rows)]

    def state_sizes(self) -> list[int]:
        """No state is kept here."""
        return []

    def state(self, size: int, size_max: int) -> bytes | None:
        """No state is kept here."""
        return None

    def report_unexpected_rows(self, origin: str, size: int) -> None:
        """Nothing else is kept here."""

    def close(self) -> None:
        """Nothing is open."""


def audit(image: Image, given_receipts: list[GivenReceipt]) -> list[str]:
    """The codes of what an audit finds that holds these receipts."""
    held = []
    for given in given_receipts:
        receipt = Receipt.from_bytes(given.data)
        code, leaf = FindingCode.RECEIPT_CONTRADICTED, leaf_hash(given.entry)
        held.append(PriorCheckpoint(f"receipt of {receipt.index}", code, given.checkpoint, receipt.index, leaf))
    report = _Audit(ImageEvidence(image), POLICY, Findings(), None, None, held).run(0)
    return [finding.code for finding in report.findings]


class Damage:
    """One accident: the image before, the image after, and what must be noticed."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._chance: Random = world.temper.chance
        self._replica = world.disk.image
        self._image = self._replica.copy()

    def happen(self) -> None:
        """Break something in a copy, and see that it is noticed; the replica stays as it is."""
        kinds: list[Callable[[], None]] = [self._cut, self._cut, self._tear_newest, self._tear_older]
        self._chance.choice(kinds)()

    def _given_receipts(self) -> list[GivenReceipt]:
        return self._world.watch.given_receipts[-12:]

    def _opens(self) -> bool:
        """Whether a writer would go on from here."""
        try:
            load_tail(quiet(self._disk()), [LOG_KEY.verifier])
        except NotALedgerError:
            return False
        return True

    def _disk(self) -> Disk:
        return Disk(self._image, self._chance, lambda _: None)

    # -- pages --------------------------------------------------------------------------------------------------------

    def _tear_newest(self) -> None:
        """Part of what the newest checkpoint needs is missing, or garbled."""
        image = self._image
        newest = image.newest_checkpoint()
        assert newest is not None
        last = newest.size - 1
        what = self._chance.choice(["entry gone", "leaf gone", "leaf garbled", "checkpoint gone", "checkpoint garbled"])
        if "leaf" in what and newest.size % RUN == 0:
            what = "entry gone"  # the edge of such a tree is one hash of the level above
        if what == "entry gone":
            del image.entries[last]
        elif what == "leaf gone":
            del image.tree[0, last]
        elif what == "leaf garbled":
            image.tree[0, last] = self._garbled(image.tree[0, last])
        elif what == "checkpoint gone":
            del image.checkpoints[newest.number]
        else:
            image.checkpoints[newest.number] = newest._replace(note=self._garbled(newest.note))
        self._world.tell(f"the store breaks its promise: newest {what}")
        require(not self._opens(), f"newest {what}, and the log is opened all the same")

    def _tear_older(self) -> None:
        """Something garbled that opening need not look at; an audit does."""
        image = self._image
        index = self._chance.randrange(image.size())
        what = self._chance.choice(["entry", "leaf", "checkpoint", "reference"])
        if what == "entry":
            image.entries[index] = self._garbled(image.entries[index])
        elif what == "leaf":
            image.tree[0, index] = self._garbled(image.tree[0, index])
        elif what == "checkpoint":
            row = self._chance.choice([*image.checkpoints.values()])
            image.checkpoints[row.number] = row._replace(note=self._garbled(row.note))
        else:
            key = next(key for key, place in image.references.items() if place == index)
            del image.references[key]
        self._world.tell(f"the store breaks its promise: {what} garbled or gone, about entry {index}")
        found = audit(image, self._given_receipts())
        require(bool(found), f"{what} of about entry {index} is damaged, and the audit finds nothing")

    def _garbled(self, data: bytes) -> bytes:
        place = self._chance.randrange(len(data))
        return data[:place] + bytes([data[place] ^ 1 << self._chance.randrange(8)]) + data[place + 1 :]

    # -- the tail -----------------------------------------------------------------------------------------------------

    def _cut(self) -> None:
        """Whole groups are gone, and what is left hangs together."""
        warm = load_tail(quiet(self._disk()), [LOG_KEY.verifier])
        size = self._cut_groups(self._chance.randint(1, 4))
        self._world.tell(f"the store breaks its promise: cut back from {warm.edge.size} to {size}")
        self._check_followed(warm, size)
        cosigned = self._image.sidecar.get(COSIGNED)
        cosigned_size = Checkpoint.from_text(Note.from_bytes(cosigned).text).size if cosigned else 0
        opens = self._opens()
        require(opens == (cosigned_size <= size), f"witnesses saw {cosigned_size} entries, {size} are left, {opens=}")
        broken = [given for given in self._given_receipts() if given.checkpoint.size > size]
        require(bool(audit(self._image, broken)) == bool(broken or not opens), "receipts beyond the end go unnoticed")
        if opens and broken:
            self._fork(size, broken)

    def _cut_groups(self, number: int) -> int:
        """Lose the newest groups, with all that belongs to them; return how many entries are left."""
        self._image.cut_back(max(0, max(self._image.checkpoints) - number))
        return self._image.size()

    def _check_followed(self, warm: Tail, size: int) -> None:
        """A writer in waiting that has followed further sees it."""
        is_shorter = size < warm.edge.size
        try:
            follow_tail(quiet(self._disk()), [LOG_KEY.verifier], warm)
        except NotALedgerError:
            return
        require(not is_shorter, "a writer in waiting follows a log that was cut back")

    def _fork(self, size: int, broken: list[GivenReceipt]) -> None:
        """Somebody writes to what is left, until the log is as long as it was."""
        later = self._world.now
        notes = [split_entry(self._replica.entries[index])[1] for index in range(size, self._replica.size())]
        disk = self._disk()
        with _ledger(Record(quiet(disk)), LogSigner(LOG_KEY), lambda: later, 0, None) as ledger:
            ledger.submit(notes[::-1])
        found = audit(disk.image, broken)
        self._world.tell(f"written to, it has {disk.image.size()} again, and the audit finds {sorted(set(found))}")
        ours, theirs = [*self._replica.entries.values()], [*disk.image.entries.values()]
        is_fork = any(ours[: given.checkpoint.size] != theirs[: given.checkpoint.size] for given in broken)
        seen = FindingCode.RECEIPT_CONTRADICTED in found
        require(seen == is_fork, f"a fork: {is_fork}; it is noticed by who holds receipts: {seen}")
