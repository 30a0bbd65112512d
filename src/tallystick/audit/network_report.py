"""The report on several logs: that of each, as its own audit gives it, and what is found of all of them together.

    {"verdict": "clean" | "findings",
     "logs": [{"origin", "member_of" | null,              the network's own log first
               "recorded": null | {…},                    of the others: how far the network's log has what they signed
               "report": {…}}],                           as of an audit of this log alone
     "findings": [{"code", "places": [{"log", "index" | null}], "detail"}],
     "not_given": [{"log", "checkpoints"}]}               of which the network's log has some, and that weren't given

The verdict is clean if every report is and nothing is found of all together. Its encoding is canonical.
"""

from collections import Counter
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from tallystick.audit.report import Report, Verdict
from tallystick.findings import DETAIL_MAX, FINDINGS_MAX, FindingCode
from tallystick.printing.text import one_line


class _Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class PlaceInLog(_Closed):
    """An entry of a log; None where no one entry is concerned."""

    log: str
    index: int | None

    def __str__(self) -> str:
        """One phrase for a person."""
        return self.log if self.index is None else f"entry {self.index} of {self.log}"


class FindingTogether(_Closed):
    """One thing that is wrong with several logs taken together, and in which entries of theirs."""

    code: FindingCode
    places: tuple[PlaceInLog, ...]
    detail: str

    def __str__(self) -> str:
        """One line for a person."""
        places = " and ".join(map(str, self.places))
        return f"{self.code.value}{f' in {places}' if places else ''}: {self.detail}"


class Recorded(_Closed):
    """How far the network's log has what a member's log signed.

    Attributes:
        checkpoints: of this log that were recorded, under keys that are its own.
        by_other_keys: of its name that were recorded under others: anybody can make such, and they say nothing.
        index: the entry of the network's log that has the largest.
        at: when that was recorded (RFC 3339).
        size: of its tree; 0 if none was recorded.
        entries_beyond: how many entries of the log no recorded checkpoint covers.
    """

    checkpoints: int
    by_other_keys: int
    index: int | None
    at: str | None
    size: int
    entries_beyond: int


class AuditedLog(_Closed):
    """A log, and what its audit came to."""

    origin: str
    member_of: str | None
    recorded: Recorded | None
    report: Report


class NotGiven(_Closed):
    """A log of which the network's has checkpoints, and which wasn't audited."""

    log: str
    checkpoints: int


class NetworkReport(_Closed):
    """What an audit of several logs came to."""

    verdict: Verdict
    logs: tuple[AuditedLog, ...] = Field(min_length=1)
    findings: tuple[FindingTogether, ...]
    not_given: tuple[NotGiven, ...]

    @property
    def is_clean(self) -> bool:
        """Whether nothing was found, in any log or in all together."""
        return self.verdict == "clean"

    def to_bytes(self) -> bytes:
        """Return the report as JSON, indented for a person, with a final newline."""
        return self.model_dump_json(indent=2).encode() + b"\n"


class FindingsTogether:
    """What was found of all logs together; of one code, what is beyond `FINDINGS_MAX` is only counted."""

    def __init__(self) -> None:
        """Nothing was found yet."""
        self._findings: dict[tuple[FindingCode, tuple[PlaceInLog, ...]], str] = {}
        self._listed: Counter[FindingCode] = Counter()
        self._cut = 0

    def add(self, code: FindingCode, places: tuple[PlaceInLog, ...], detail: str) -> None:
        """Note a finding; of the same entries once, whatever else could be said of them."""
        if (code, places) in self._findings:
            return
        if self._listed[code] == FINDINGS_MAX:
            self._cut += 1
            return
        self._listed[code] += 1
        self._findings[code, places] = one_line(detail)[:DETAIL_MAX]  # it may quote what a stranger wrote

    def in_order(self) -> tuple[FindingTogether, ...]:
        """Return them in the order of the closed list, and of one code by their entries."""
        found = [FindingTogether(code=code, places=places, detail=said) for (code, places), said in self._items()]
        if self._cut:
            found.append(FindingTogether(code=FindingCode.FINDINGS_CUT, places=(), detail=f"{self._cut} more"))
        return tuple(found)

    def _items(self) -> list[tuple[tuple[FindingCode, tuple[PlaceInLog, ...]], str]]:
        def rank(item: tuple[tuple[FindingCode, tuple[PlaceInLog, ...]], str]) -> tuple[int, list[tuple[str, int]]]:
            (code, places), _ = item
            return _PRECEDENCE[code], [(place.log, -1 if place.index is None else place.index) for place in places]

        return sorted(self._findings.items(), key=rank)


_PRECEDENCE: Final = {code: place for place, code in enumerate(FindingCode)}
