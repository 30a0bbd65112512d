"""The independent model must give every answer that a writer gave, and every entry that the log has, in its order.

Answers are judged in the order of the log, at the end of each step. An answer behind which there are new entries
belongs where these are; one without belongs to the log as it was when the answer was given. Between answers the model
is fed the entries that nobody was told about: those of a writer that crashed after its commit.
"""

import json
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from properties.naive_ledger import NaiveLedger, instant
from simulation.disk import Disk
from simulation.notes import Founding, Made, NoteMaker
from support.actors import ORIGIN, Json
from tallystick.ledger.pending import Admitted, NoteAnswer
from tallystick.vouchers.refusals import Refusal


class BrokenError(AssertionError):
    """Something that must hold doesn't."""


def require(holds: bool, told: str) -> None:
    """Raise BrokenError unless something holds."""
    if not holds:
        raise BrokenError(told)


@dataclass(frozen=True, slots=True)
class Answered:
    """What a writer answered at once.

    Attributes:
        writer: its name.
        pairs: notes and answers, in the order of the decision.
        clock_at: what time the writer took it for (microseconds).
        size: of the log when the answer was given.
    """

    writer: str
    pairs: Sequence[tuple[Made, NoteAnswer]]
    clock_at: int
    size: int

    def position(self) -> tuple[int, bool]:
        """Where in the log it belongs: before the entry of this index, and whether that is its own."""
        new = [answer.index for _, answer in self.pairs if isinstance(answer, Admitted) and answer.is_new]
        return (min(new), True) if new else (self.size, False)


def as_text(answer: NoteAnswer) -> str:
    """An answer for the trace."""
    if isinstance(answer, Refusal):
        return answer.reason.value
    return f"{'entry' if answer.is_new else 'again entry'} {answer.index}"


class Judge:
    """Feeds the model, and compares."""

    def __init__(self, disk: Disk, model: NaiveLedger, maker: NoteMaker, founded: Founding) -> None:
        self.model = model
        self.founded = founded.notes
        self._founding = founded
        self._disk = disk
        self._maker = maker
        self._made = {made.note: made for made in founded.notes}
        self._records: list[Answered] = []
        self._places: dict[tuple[str, str], int] = {}
        self._texts: list[bytes] = []
        self._begin()

    def _begin(self) -> None:
        self._places = {(made.command["party"], made.command["ref"]): n for n, made in enumerate(self.founded)}
        self._texts = [made.text for made in self.founded]

    @property
    def size(self) -> int:
        """How many entries the model has."""
        return len(self._texts)

    def know(self, notes: Sequence[Made]) -> None:
        """Remember notes, because an entry is told from a stranger's by its bytes."""
        self._made |= {made.note: made for made in notes}

    def hear(self, answered: Answered) -> None:
        """Take in an answer; no failover may lose what it stands on."""
        indices = [answer.index for _, answer in answered.pairs if isinstance(answer, Admitted)]
        _, is_new = answered.position()
        # Behind its own commit others may have begun to write; without one, it stands on all that can be seen.
        size = max(indices) + 1 if is_new else answered.size
        require(size <= self._disk.sure_size, f"{answered.writer} answers by what a failover may lose")
        self._records.append(answered)

    def forget(self, size: int) -> None:
        """A failover lost what is beyond a size, and nobody was answered for: the model was never told either."""
        promised = [answered.position()[0] + answered.position()[1] for answered in self._records]
        require(max(promised, default=0) <= size, f"an answer was given, and its entry is lost: {size} are left")
        if size >= self.size:
            return
        self._replace_model(self._founding.model_copy().__dict__)
        self._begin()
        while self.size < size:
            self._take(is_new=False)

    def _replace_model(self, contents: dict[str, Any]) -> None:
        """The same model with other contents, because others know it too."""
        self.model.__dict__.clear()
        self.model.__dict__.update(contents)

    def judge(self) -> None:
        """Go through what was answered and what was kept since the last time."""
        records, self._records = sorted(self._records, key=Answered.position), []
        for answered, following in zip_longest(records, records[1:]):
            first, is_new = answered.position()
            require(first >= self.size, f"{answered.writer} answers as of entry {first}, long after")
            self._feed(first)
            if is_new and following is not None and following.position() == (first, True):
                self._compare_twin(answered)
            else:
                self._compare(answered)
        self._feed(self._disk.image.size())

    def _compare_twin(self, answered: Answered) -> None:
        """Two writers made the same entries at the same microsecond: one group was kept, and it is both of theirs.

        Signatures are deterministic, so their checkpoints are the same to the byte, and each takes the log for its own
        work; what they say is true of both.
        """
        before = deepcopy(self.model.__dict__), self._places.copy(), self._texts.copy()
        self._compare(answered)
        model, self._places, self._texts = before
        self._replace_model(model)

    def _feed(self, stop: int) -> None:
        while self.size < stop:
            self._take()

    def _take(self, *, is_new: bool = True) -> int:
        """Let the model decide the note of the next entry, and return the entry's time."""
        index = self.size
        data = self._disk.image.entries.get(index)
        require(data is not None, f"entry {index} is not there")
        assert data is not None
        line, _, note = data.partition(b"\n")
        header: Json = json.loads(line)
        made = self._made.get(note)
        require(made is not None, f"entry {index} is a note that nobody made")
        assert made is not None
        at = instant(header["at"])
        before = self.model.entries[-1]["at"] if self.model.entries else 0
        require(at >= before, f"entry {index} is of an earlier time than the one before it")
        expected = self._ask(made, at)
        got = "accepted", header["outcome"]
        require(expected == got, f"entry {index}, {made.name}: the log says {got}, the model {expected}")
        require(header["index"] == index, f"entry {index} says that it is {header['index']}")
        require(header["kind"] == self.model.entries[-1]["kind"], f"entry {index} is a {header['kind']}")
        self._places[made.command["party"], made.command["ref"]] = index
        self._texts.append(made.text)
        if is_new:
            self._maker.was_kept(made)
        return at

    def _ask(self, made: Made, at: int) -> tuple[str, object]:
        return self.model.submit(
            made.command, list(made.signers), at, invalid=list(made.spoiled), note_size=len(made.note)
        )

    def _compare(self, answered: Answered) -> None:
        """Compare a writer's answers, in the order of its decisions, all at one time."""
        at = max(answered.clock_at, self.model.entries[-1]["at"] if self.model.entries else 0)
        for made, answer in answered.pairs:
            told = f"{answered.writer} answers {made.name} with {as_text(answer)}"
            if isinstance(answer, Admitted):
                data = self._disk.image.entries.get(answer.index)
                require(data == answer.entry, f"{told}, and that is not what the log has there")
            expected = self._expected(made)
            if isinstance(answer, Admitted) and answer.is_new:
                require(expected == "", f"{told}, expected {expected}")
                require(answer.index == self.size, f"{told}, the next is {self.size}")
                require(self._take() == at, f"{told}, at another time than its clock and the log say")
            elif expected:
                require(as_text(answer) == expected, f"{told}, expected {expected}")
            else:
                says = self._ask(made, at)
                require(("refused", as_text(answer)) == says, f"{told}, the model says {says}")

    def _expected(self, made: Made) -> str:
        """What any writer must answer whatever the state is; nothing if it depends."""
        if made.reason:
            return made.reason
        if made.command["log"] != ORIGIN:
            return "command_for_another_log"
        index = self._places.get((made.command["party"], made.command["ref"]))
        if index is None:
            return ""
        return f"again entry {index}" if self._texts[index] == made.text else "ref_reused_for_other_content"
