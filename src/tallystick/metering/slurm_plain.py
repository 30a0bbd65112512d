"""The records that nearly all are, quickly: of jobs that have ended, in times that have one reading and agree.

Lines are taken a batch at a time, column by column. What isn't plain is left to `slurm_text`, which would say the same
of what is. What columns say that repeat themselves (account, state, GPUs) is worked out once and remembered.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import compress, count
from typing import Final, NamedTuple

from tallystick.errors import MalformedError
from tallystick.metering.reasons import SkipReason
from tallystick.metering.run import Device, Payer, Run, Skipped
from tallystick.metering.slurm_devices import SlurmDevices
from tallystick.metering.slurm_layout import STATE, TRES, USED, Layout
from tallystick.metering.slurm_runs import SlurmRuns
from tallystick.metering.slurm_times import Instants, span_seconds

_US: Final = 1_000_000
_SHAPES_REMEMBERED: Final = 65_536
_SINCE: Final = 315_532_800  # 1980: what is earlier is no instant of Slurm's
_UNTIL: Final = 4_294_967_294
_NUMBER_DIGITS: Final = 10
_JOB: Final = re.compile(r"\d{1,12}(?:_\d{1,12})?(?:\+\d{1,9})?", re.ASCII)
_JOBS: Final = re.compile(r"(?:\d{1,12}(?:_\d{1,12})?(?:\+\d{1,9})?\n)*", re.ASCII)
_STATE: Final = re.compile(STATE, re.ASCII)
_TRES: Final = re.compile(TRES, re.ASCII)
_SHAPED: Final = ("state", "alloctres", "account", "user", "partition", "cluster", "suspended", "nodelist")
_WITHIN_HOUR: Final = {f":{at // 60:02d}:{at % 60:02d}": at for at in range(3_600)}
_NEVER: Final = -1


class _Shape(NamedTuple):
    """What columns that repeat themselves come to."""

    state: str
    devices: tuple[Device, ...]
    payer: Payer
    cluster: str
    suspended: int


_Facts = tuple[str, int, int, int, _Shape | None, int, str]


class Made(NamedTuple):
    """What became of lines of a batch: of those that are plain, and where in the batch the others are."""

    plain: list[Run | Skipped]
    others: list[int]


class PlainRecords:
    """Reads the plain records of a file."""

    def __init__(self, layout: Layout, runs: SlurmRuns, devices: SlurmDevices, instants: Instants) -> None:
        at = dict(zip(USED, layout.positions, strict=True))
        self._columns = len(layout.columns)
        self._separator = layout.separator
        self._job, self._start, self._end = at["jobid"], at["start"], at["end"]
        self._elapsed = at["elapsedraw"] if "elapsedraw" in layout.columns else at["elapsed"]
        self._shaped = [at[name] for name in _SHAPED if name != "nodelist" or devices.asks_nodes]
        self._shapes: dict[tuple[str, ...], _Shape | None] = {}
        self._runs = runs
        self._devices = devices
        self._hours = instants.whole_hours

    def made_of(self, texts: list[str], first: int) -> Made | None:
        """Return what becomes of lines; None if one of them hasn't as many columns as there are.

        Args:
            texts: the lines.
            first: the number of the first.
        """
        rows = [text.split(self._separator) for text in texts]
        if set(map(len, rows)) != {self._columns}:
            return None
        columns = [*zip(*rows, strict=True), ("",) * len(rows)]
        shapes = self._shapes_of(list(zip(*(columns[at] for at in self._shaped), strict=True)))
        jobs = columns[self._job]
        starts, ends = self._seconds(columns[self._start]), self._seconds(columns[self._end])
        elapsed = _spans(columns[self._elapsed])
        are_plain = [
            shape is not None
            and _SINCE < start <= end < _UNTIL
            and end - start - shape.suspended == seconds
            and text.isascii()
            for shape, start, end, seconds, text in zip(shapes, starts, ends, elapsed, texts, strict=True)
        ]
        if _JOBS.fullmatch("\n".join((*jobs, ""))) is None:
            are_plain = [
                is_plain and _JOB.fullmatch(job) is not None for is_plain, job in zip(are_plain, jobs, strict=True)
            ]
        facts = zip(jobs, starts, ends, elapsed, shapes, count(first), texts, strict=False)
        if all(are_plain):
            return Made(self._outcomes(facts), [])
        others = [at for at, is_plain in enumerate(are_plain) if not is_plain]
        return Made(self._outcomes(compress(facts, are_plain)), others)

    def _outcomes(self, facts: Iterable[_Facts]) -> list[Run | Skipped]:
        new = tuple.__new__
        made: list[Run | Skipped] = []
        for job, start, end, seconds, shape, line, text in facts:
            if shape is None:
                continue
            state, devices, payer, cluster, _ = shape
            if devices:
                held = (job, start * _US, end * _US, seconds, devices, payer, line, text.encode(), cluster, state)
                made.append(new(Run, (*held, None, 1, 0)))
            else:
                made.append(Skipped(SkipReason.NO_GPU, line, job, 0, "", payer.account))
        self._runs.took(made)
        return made

    def _shapes_of(self, keys: list[tuple[str, ...]]) -> list[_Shape | None]:
        shapes = list(map(self._shapes.get, keys))
        if None in shapes:
            for at, key in enumerate(keys):
                if shapes[at] is None and key not in self._shapes:
                    if len(self._shapes) >= _SHAPES_REMEMBERED:
                        self._shapes.clear()
                    self._shapes[key] = self._shape(key)
            return list(map(self._shapes.get, keys))
        return shapes

    def _shape(self, key: tuple[str, ...]) -> _Shape | None:
        """Return what columns say, None if it isn't plain."""
        said, tres, account, user, partition, cluster, suspended, *nodes = key
        state = said.partition(" ")[0]
        seconds = span_seconds(suspended) if suspended else 0
        if not self._runs.is_of_an_end(state) or not _STATE.fullmatch(said) or not _TRES.fullmatch(tres):
            return None
        try:
            held = self._devices.of_text(tres, partition, nodes[0] if nodes else "")
        except MalformedError:
            return None
        if seconds is None or (held and not (cluster or self._runs.has_cluster)):
            return None
        return _Shape(
            state, held, Payer(account, user, partition), self._runs.cluster_of(cluster) if held else "", seconds
        )

    def _seconds(self, texts: Sequence[str]) -> list[int]:
        """Return the seconds of instants, `_NEVER` for what isn't plain."""
        if _are_numbers(texts):
            return list(map(int, texts))
        hour_of, within_hour_of = self._hours.get, _WITHIN_HOUR.get
        read = []
        for text in texts:
            hour, within = hour_of(text[:13]), within_hour_of(text[13:])
            read.append(hour + within if hour is not None and within is not None else _number(text))
        return read


def _spans(texts: Sequence[str]) -> list[int]:
    """Return the seconds of spans, `_NEVER` for what isn't plain."""
    if _are_numbers(texts):
        return list(map(int, texts))
    return [seconds if text and (seconds := span_seconds(text)) is not None else _number(text) for text in texts]


def _are_numbers(texts: Sequence[str]) -> bool:
    together = "".join(texts)
    return (
        together.isdecimal()
        and together.isascii()
        and 0 < min(map(len, texts)) <= max(map(len, texts)) <= _NUMBER_DIGITS
    )


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) <= _NUMBER_DIGITS else _NEVER
