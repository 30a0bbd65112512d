"""Submitters that bring notes through the client, which goes on by itself, and keep every answer and receipt.

Beside them: for each service one that clings, and waits for its answer however long that takes, since what comes late
is a promise too; one that asks all services for receipts and checkpoints, also those that do not know yet that they
were fenced; and one that reads the newest checkpoint from whichever server lets itself be read.
"""

import contextlib
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import httpx2

from cluster.replicas import Replicas
from support.burning import LOG_KEY, burn_note
from tallystick.client import Client, Patience
from tallystick.errors import LedgerError
from tallystick.publishing import read_ledger
from tallystick.transparency.policy import Policy
from tallystick.transparency.receipt import Receipt
from tallystick.vouchers.entry import split_entry

POLICY = Policy.for_log(LOG_KEY.verifier)
PATIENCE = Patience(connect_seconds=1.0, silence_seconds=2.0, attempt_seconds=4.0, total_seconds=90.0)
SECONDS_TO_CLING = 120.0
SECONDS_FOR_A_READ = 20.0
SECONDS_BETWEEN_NOTES = 0.03
SECONDS_BETWEEN_CLINGING_NOTES = 0.2
SECONDS_BETWEEN_READS = 0.1
SECONDS_BETWEEN_CHECKPOINTS = 0.2
RECEIPT = {"Accept": "text/x.tlog-proof", "Content-Type": "text/plain; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service answered to a note, and so must hold for ever.

    Attributes:
        at: when it came (monotonic, s).
        service: the life of the service whose it is; empty if it wrote no more when the client was done, which may
            ask another service for the proofs.
    """

    ref: str
    index: int
    entry: bytes
    receipt: bytes
    at: float
    service: str


class Load:
    """Some submitters, each with one note under way."""

    def __init__(self, replicas: Replicas, submitters: int, seed: int, sources: Sequence[str]) -> None:
        self._replicas = replicas
        self._sources = sources
        self._stopping = threading.Event()
        self._changed = threading.Condition()
        self.answers: list[Answer] = []
        self.clung: list[Answer] = []
        self.notes: dict[str, bytes] = {}
        self.clinging_notes: dict[str, bytes] = {}
        self.errors: list[BaseException] = []
        self.receipts: list[bytes] = []
        self.checkpoints: list[bytes] = []
        chances = [random.Random(f"{seed} {number}") for number in range(submitters)]
        self._threads = [self._thread(self._submit, f"{seed}-{place}", one) for place, one in enumerate(chances)]
        self._threads += [self._thread(self._cling, url) for url in replicas.urls]
        self._threads += [self._thread(reads, random.Random(seed)) for reads in (self._ask, self._read_stores)]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Begin no more notes."""
        self._stopping.set()

    def finish(self) -> None:
        """Let every note that was begun be answered."""
        self.stop()
        for thread in self._threads:
            thread.join(SECONDS_TO_CLING)
            if thread.is_alive():
                raise TimeoutError("a note is never answered")

    def first_answer(self, after: float, not_by: str = "", seconds: float = 60.0) -> Answer:
        """Return the first answer after a moment, by another life of a service than the one named."""

        def found() -> list[Answer]:
            late = [one for one in self.answers[-200:] if one.at > after]
            return [one for one in late if one.service not in ("", not_by)] if not_by else late

        with self._changed:
            if not self._changed.wait_for(lambda: found() or self.errors, seconds) or self.errors:
                raise TimeoutError(f"no answer within {seconds:.0f} s; {self.errors}")
            return found()[0]

    def bring_again(self, refs: Sequence[str]) -> list[Answer]:
        """Return what notes are answered that are brought once more."""
        with self._client() as client:
            return [self._bring(client, ref) for ref in refs]

    def _thread(self, run: Callable[..., None], *given: object) -> threading.Thread:
        def guarded() -> None:
            try:
                run(*given)
            except BaseException as error:
                with self._changed:
                    self.errors.append(error)
                    self._changed.notify_all()
                raise

        return threading.Thread(target=guarded, daemon=True)

    def _client(self) -> Client:
        return Client(self._replicas.urls, POLICY, patience=PATIENCE)

    def _submit(self, name: str, chance: random.Random) -> None:
        with self._client() as client:
            number = 0
            while not self._stopping.wait(SECONDS_BETWEEN_NOTES * chance.random() * 2):
                ref = f"{name}-{number}"
                self.notes[ref] = burn_note(ref, chance.choice((1, 1, 1, 3)))
                answer = self._bring(client, ref)
                with self._changed:
                    self.answers.append(answer)
                    self._changed.notify_all()
                number += 1

    def _bring(self, client: Client, ref: str) -> Answer:
        recorded = client.submit(self.notes[ref])
        life = self._replicas.writing_at(client.current_url)
        return Answer(ref, recorded.index, recorded.entry, recorded.receipt.to_bytes(), time.monotonic(), life)

    def _cling(self, url: str) -> None:
        """Bring notes to one service alone, and wait for what it says; most often that another one writes."""
        number = 0
        with httpx2.Client(base_url=url, timeout=SECONDS_TO_CLING) as http:
            while not self._stopping.wait(SECONDS_BETWEEN_CLINGING_NOTES):
                ref = f"clinging-{url.rpartition(':')[2]}-{number}"
                note = self.clinging_notes[ref] = burn_note(ref)
                with contextlib.suppress(httpx2.TransportError):
                    said = http.post("/v1/entries", content=note, headers=RECEIPT)
                    if said.status_code == httpx2.codes.CREATED:
                        receipt = Receipt.from_bytes(said.content)
                        entry = receipt.entry or b""
                        assert split_entry(entry)[1] == note
                        life = self._replicas.writing_at(url)
                        self.clung.append(Answer(ref, receipt.index, entry, said.content, time.monotonic(), life))
                number += 1

    def _ask(self, chance: random.Random) -> None:
        with contextlib.ExitStack() as stack:
            https = [
                stack.enter_context(httpx2.Client(base_url=url, timeout=SECONDS_FOR_A_READ))
                for url in self._replicas.urls
            ]
            while not self._stopping.wait(SECONDS_BETWEEN_READS):
                for http in https if self.answers else ():
                    with contextlib.suppress(httpx2.TransportError):
                        said = http.get(f"/v1/entries/{chance.choice(self.answers).index}/receipt")
                        if said.is_success:
                            self.receipts.append(said.content)
                        said = http.get("/checkpoint")
                        if said.is_success:
                            self.checkpoints.append(said.content)

    def _read_stores(self, chance: random.Random) -> None:
        while not self._stopping.wait(SECONDS_BETWEEN_CHECKPOINTS):
            with contextlib.suppress(LedgerError), read_ledger(chance.choice(self._sources)) as reader:
                self.checkpoints.append(reader.checkpoint_note())
