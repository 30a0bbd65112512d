"""A service asked by a party: notes go in, and whatever comes back as a proof was verified before it is returned."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self, overload

from tallystick.client.answers import LogEntry, Recorded, Submitted
from tallystick.client.auditors import Auditors
from tallystick.client.batches import BATCH_SIZE_MAX, JSON_LINES, Group, in_groups, read_answers, refused_unsent
from tallystick.client.connection import Connections
from tallystick.client.endpoint import PASSING, Patience, Question, passing
from tallystick.client.problems import problem_in
from tallystick.client.proving import Proving
from tallystick.client.questions import Questions
from tallystick.client.resources import entries_in, entry_in, query_of
from tallystick.errors import UnreachableError, UsageError
from tallystick.transparency.checkpoint import Checkpoint
from tallystick.transparency.policy import Policy
from tallystick.transparency.receipt import RECEIPT_SIZE_MAX, Receipt
from tallystick.vouchers.entry import ENTRY_SIZE_MAX
from tallystick.vouchers.refusals import Reason
from tallystick.wire import JsonObject

FOLLOW_LIMIT: Final = 256
FOLLOW_WAIT_SECONDS: Final = 30
FOLLOW_PAUSE_SECONDS: Final = 1.0

_RECEIPT: Final = {"Accept": "text/x.tlog-proof"}
_NOTE: Final = {"Content-Type": "text/plain; charset=utf-8"}
_CREATED: Final = 201
_EMPTY: Final = 204


class Client(Questions):
    """A log's service, or a pair of them, asked over HTTP; for one thread at a time.

    Nothing that is returned as a proof is unproved: receipts and entries are verified up to a checkpoint that the log
    signed, and every checkpoint up to the newest that was seen before. What views say (balances, `show`, `check`) is
    the service's word: a proof of balance or a dossier proves it.

    Attributes:
        origin: the log's.
    """

    def __init__(
        self,
        urls: str | Sequence[str],
        policy: Policy,
        *,
        origin: str | None = None,
        checkpoint_file: Path | None = None,
        auditor_urls: Sequence[str] = (),
        outbox: Path | None = None,
        patience: Patience | None = None,
        ca_file: Path | None = None,
    ) -> None:
        """Take what is to be trusted; nothing is asked yet.

        Args:
            urls: of the service; of a pair both, and the client goes on with the one that answers.
            policy: whom to trust, obtained out of band.
            origin: of the log, where the policy names several.
            checkpoint_file: keeps the newest checkpoint that was seen, so that a log that is cut back or rewritten is
                noticed after a restart too. One file for each log.
            auditor_urls: each receipt that `submit` gives is also posted to `<url>/v1/receipts`; that it can't be never
                fails a `submit`.
            outbox: a folder for receipts that an auditor couldn't be given yet.
            patience: how long to wait.
            ca_file: certificates of the authorities that count instead of the system's, PEM.

        Raises:
            UsageError: not such URLs, a policy of no or several logs, or a file that holds something else.
            OSError: a file can't be read.
        """
        waiting = patience or Patience()
        connections = Connections([urls] if isinstance(urls, str) else urls, waiting, ca_file)
        super().__init__(connections, _origin_of(policy, origin))
        self._proving = Proving(connections, policy, self.origin, checkpoint_file)
        self._auditors = Auditors(auditor_urls, outbox, ca_file)

    # ------------------------------------------------------------------------------------------------------ writing

    @overload
    def submit(self, notes: bytes) -> Recorded: ...

    @overload
    def submit(self, notes: Sequence[bytes]) -> list[Submitted]: ...

    def submit(self, notes: bytes | Sequence[bytes]) -> Recorded | list[Submitted]:
        """Have a note recorded, or many; a note that is recorded already is answered with its entry.

        Args:
            notes: one signed note, or several, which are decided in their order.

        Returns:
            Of one note what is recorded; of several for each the same, or the problem that it is refused for.

        Raises:
            ProblemError: a single note is refused; or the service refuses to be asked.
            UnreachableError: no answer in time. What was sent may be recorded: submit the same notes again.
            UntrustedServerError, AnswerMalformedError: it isn't the service, or it doesn't answer as one.
            VerificationError: what it answers doesn't prove that the note is in the log.
            HistoryRewrittenError: the log contradicts what it signed before.
            OSError: the checkpoint file can't be written.
        """
        try:
            return self._submit(notes)
        except UnreachableError as error:
            raise UnreachableError(f"{error}; a note that was sent may be recorded: submit the same again") from None

    def _submit(self, notes: bytes | Sequence[bytes]) -> Recorded | list[Submitted]:
        if isinstance(notes, bytes):
            refused = refused_unsent(notes)
            if refused is not None:
                raise refused
            recorded = self._submit_one(notes)
            self._auditors.post(recorded.receipt)
            return recorded
        answers: dict[int, Submitted] = {}
        sound = []
        for place, note in enumerate(notes):
            refused = refused_unsent(note)
            if refused is None:
                sound.append((place, note))
            else:
                answers[place] = refused
        for group in in_groups(sound):
            answers |= self._submit_group(group, notes)
        return [answers[place] for place in range(len(notes))]

    # --------------------------------------------------------------------------------------------- what can be proved

    def checkpoint(self) -> Checkpoint:
        """Return the log's newest checkpoint, which goes on from the newest that was seen before.

        Raises:
            UntrustedServerError, AnswerMalformedError, UnreachableError, ProblemError: no usable answer.
            HistoryRewrittenError: the log contradicts what it signed before.
        """
        return self._proving.refreshed().checkpoint

    @property
    def newest_note(self) -> bytes | None:
        """The note of the newest checkpoint that was seen; None before there is one."""
        signed = self._proving.newest.signed
        return None if signed is None else signed.note

    @property
    def current_url(self) -> str:
        """The URL that answered last; of a pair the one that is asked first next time."""
        return self._connections.current

    def receipt(self, index: int) -> Receipt:
        """Return the receipt of an entry; its checkpoint fulfils the whole trust policy, witnesses included.

        Raises:
            ProblemError: there is no such entry, or it may not be read.
            QuorumMissingError: the witnesses haven't cosigned yet.
            VerificationError, ServerError: as in `submit`.
        """
        return self._proving.receipt(index, self._read(f"v1/entries/{index}/receipt", RECEIPT_SIZE_MAX).body)

    def entries(self, start: int = 0, limit: int = FOLLOW_LIMIT, *, wait_seconds: int = 0) -> list[LogEntry]:
        """Return entries from an index on, each proved to be in the log; none if there is nothing new.

        Args:
            start: the first index.
            limit: at most so many; the service may give fewer.
            wait_seconds: how long to wait for the first, at most 30.

        Raises:
            ProblemError: they may not be read.
            VerificationError, ServerError: as in `submit`.
        """
        query = query_of({"from": start, "limit": limit, "wait": wait_seconds})
        answer = self._read(f"v1/entries{query}", BATCH_SIZE_MAX, wait_seconds=wait_seconds)
        if answer.status == _EMPTY or not answer.body:
            return []
        given = entries_in(answer.url, answer.body, start, limit)
        return [LogEntry(receipt.index, receipt.entry or b"") for receipt, _ in self._proving.receipts_of(given)]

    def entries_at(self, indices: Sequence[int]) -> Iterator[LogEntry]:
        """Yield entries by their indexes, ascending, each proved to be in the log.

        Raises:
            ProblemError: one may not be read, or isn't there.
            VerificationError, ServerError: as in `submit`.
        """
        for begin in range(0, len(indices), FOLLOW_LIMIT):
            some = indices[begin : begin + FOLLOW_LIMIT]
            given = [(index, self._read(f"v1/entries/{index}", ENTRY_SIZE_MAX).body) for index in some]
            yield from (
                LogEntry(receipt.index, receipt.entry or b"") for receipt, _ in self._proving.receipts_of(given)
            )

    def follow(self, start: int = 0, *, wait_seconds: int = FOLLOW_WAIT_SECONDS) -> Iterator[LogEntry]:
        """Yield entries from an index on for as long as they are asked for, each proved; waits for new ones.

        Args:
            start: the first index.
            wait_seconds: for one question; the iterator waits on.

        Raises:
            ProblemError, VerificationError, ServerError: as in `entries`; asked on from the next index, it goes on.
        """
        while True:
            begun = time.monotonic()
            entries = self.entries(start, wait_seconds=wait_seconds)
            for entry in entries:
                yield entry
                start = entry.index + 1
            if not entries:  # a server that doesn't wait is not asked again at once
                time.sleep(max(0.0, begun + FOLLOW_PAUSE_SECONDS - time.monotonic()))

    # -------------------------------------------------------------------------------------------------------- auditors

    def send_outbox(self) -> int:
        """Post the receipts that wait in the outbox to their auditors, and return how many still wait."""
        return self._auditors.send_outbox()

    @property
    def auditor_troubles(self) -> tuple[str, ...]:
        """What was wrong with auditors lately, a line each; no `submit` failed for it."""
        return self._auditors.troubles

    def close(self) -> None:
        """Hang up."""
        self._connections.close()
        self._auditors.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _submit_one(self, note: bytes) -> Recorded:
        answer = self._ask(Question("v1/entries", RECEIPT_SIZE_MAX, "POST", note, _NOTE | _RECEIPT))
        return self._proving.recorded(note, answer.body, is_new=answer.status == _CREATED)

    def _submit_group(self, group: Group, notes: Sequence[bytes]) -> dict[int, Submitted]:
        """Submit the notes of a group until each is decided, and return what they came to, by their places.

        Raises:
            ServerError: there is time no more; those that are undecided may be submitted again.
        """
        undecided, answers = dict(group), dict[int, JsonObject]()

        def send(until: float) -> None:
            body = b"".join(undecided.values())
            question = Question("v1/entries:batch?include=entry", BATCH_SIZE_MAX, "POST", body, JSON_LINES)
            answer = self._connections.ask_once(question, until)
            trouble = None
            said = read_answers(answer.url, answer.body, len(undecided))
            for place, one in zip([*undecided], said, strict=True):
                problem = None if one.get("accepted") is True else problem_in(answer.url, one)
                if problem is not None and problem.status in PASSING and not isinstance(problem.reason, Reason):
                    trouble = problem
                else:
                    answers[place] = one
                    del undecided[place]
            if trouble is not None:
                raise passing(trouble)

        self._connections.insist(send)
        return self._proved(answers, notes)

    def _proved(self, answers: dict[int, JsonObject], notes: Sequence[bytes]) -> dict[int, Submitted]:
        """Return what was answered to notes, by their places, with a receipt of each that is recorded."""
        where = self._connections.current
        admitted = {place: one for place, one in answers.items() if one.get("accepted") is True}
        decided: dict[int, Submitted] = {
            place: problem_in(where, one) for place, one in answers.items() if place not in admitted
        }
        entries = [entry_in(where, one) for one in admitted.values()]
        given = [(index, data) for index, data in entries if data is not None]
        proved = {receipt.index: (receipt, tree) for receipt, tree in self._proving.receipts_of(given)}
        for (place, one), (index, data) in zip(admitted.items(), entries, strict=True):
            is_new = one.get("status") == _CREATED
            if data is None:
                receipt = self._ask(Question(f"v1/entries/{index}/receipt", RECEIPT_SIZE_MAX)).body
                decided[place] = self._proving.recorded(notes[place], receipt, is_new=is_new)
            else:
                decided[place] = self._proving.recorded_in(notes[place], *proved[index], is_new=is_new)
        recorded = [one for one in decided.values() if isinstance(one, Recorded)]
        if recorded:  # one tree has them all, and one receipt holds the log to it
            self._auditors.post(max(recorded, key=lambda one: (one.checkpoint.size, one.index)).receipt)
        return decided


def _origin_of(policy: Policy, origin: str | None) -> str:
    """Return the origin of the log that is asked.

    Raises:
        UsageError: the policy names none, several, or not this one.
    """
    names = list(dict.fromkeys(line.vkey.name for line in policy.logs))
    if origin is None and len(names) == 1:
        return names[0]
    if origin is not None and origin in names:
        return origin
    if origin is None:
        raise UsageError(f"the trust policy names {len(names)} logs: say which one is asked, by its origin")
    raise UsageError(f"the trust policy doesn't name the log {origin!a:.80}")
