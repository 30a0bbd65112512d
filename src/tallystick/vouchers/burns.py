"""What is remembered of burned GPU-time: which moments of a job are burned, and what a reversal needs.

Both are bounded by the network's burn window: a line can't reach further back, so older ones are forgotten
(`forget_statements_before`) and memory follows the activity within the window, not the length of the log.
"""

from dataclasses import dataclass


@dataclass(slots=True)
class Statement:
    """The accepted lines of one statement, in columns that share their values with the rest of the state.

    Attributes:
        index, at, text_sha256: its entry, and the SHA-256 (hex) of its text.
        lines: the number that each accepted line has in the command.
        reservations, jobs: ids, by accepted line.
        starts_at, ends_at: the interval, by accepted line.
        from_voucher_fen: what was burned, by accepted line.
        reversed_lines: the numbers of those taken back.
    """

    index: int
    at: int
    text_sha256: str
    holder: str
    lines: list[int]
    reservations: list[str]
    jobs: list[str]
    starts_at: list[int]
    ends_at: list[int]
    from_voucher_fen: list[int]
    reversed_lines: list[int]


JobTime = tuple[int, ...]
"""The burned intervals of one job: start, end, start, end …; flat, because most jobs have one."""


def overlaps(burned: JobTime, starts_at: int, ends_at: int) -> bool:
    """Return whether the interval shares a moment with one that is burned."""
    for place in range(0, len(burned), 2):  # noqa: SIM110 - a generator costs more, once a line
        if starts_at < burned[place + 1] and burned[place] < ends_at:
            return True
    return False


def without(burned: JobTime, starts_at: int, ends_at: int) -> JobTime:
    """Return the intervals less the one given, which must be one of them."""
    for place in range(0, len(burned), 2):
        if burned[place] == starts_at and burned[place + 1] == ends_at:
            return burned[:place] + burned[place + 2 :]
    raise ValueError("no such interval is burned")
