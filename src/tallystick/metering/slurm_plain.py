"""The records that nearly all are, quickly: of jobs that have ended, in times that have one reading and agree.

Lines are taken a batch at a time, column by column. What isn't plain is left to `slurm_text`, which would say the same
of what is. What columns say that repeat themselves (account, state, GPUs) is worked out once and remembered.
"""

import re
from collections.abc import Callable, Sequence
from itertools import compress, repeat
from operator import itemgetter, sub
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
_BY_DEFAULT: Final = tuple(Run._field_defaults[name] for name in Run._fields[Run._fields.index("state") + 1 :])


class _Shape(NamedTuple):
    """What columns that repeat themselves come to."""

    state: str
    devices: tuple[Device, ...]
    payer: Payer
    cluster: str
    suspended: int


class Made(NamedTuple):
    """What became of lines of a batch: of those that are plain, and where in the batch the others are."""

    plain: list[Run | Skipped]
    others: list[int]


class _Plain(NamedTuple):
    """Columns of lines that may be plain records."""

    jobs: Sequence[str]
    starts: Sequence[int]
    ends: Sequence[int]
    elapsed: Sequence[int]
    shapes: Sequence[_Shape | None]
    lines: Sequence[int]
    texts: Sequence[str]

    def are_all(self) -> bool:
        """Whether all are; quick, and no where there are suspended jobs."""
        return (
            None not in self.shapes
            and self.elapsed == list(map(sub, self.ends, self.starts))
            and min(self.elapsed) >= 0
            and min(self.starts) > _SINCE
            and max(self.ends) < _UNTIL
            and all(map(str.isascii, self.texts))
            and not any(shape.suspended for shape in self.shapes if shape is not None)
            and _JOBS.fullmatch("\n".join((*self.jobs, ""))) is not None
        )

    def only(self, which: list[bool]) -> "_Plain":
        """Return those that are marked."""
        jobs, starts, ends, elapsed, shapes, lines, texts = self
        return _Plain(
            list(compress(jobs, which)),
            list(compress(starts, which)),
            list(compress(ends, which)),
            list(compress(elapsed, which)),
            list(compress(shapes, which)),
            list(compress(lines, which)),
            list(compress(texts, which)),
        )

    def which(self) -> list[bool]:
        """Return for each whether it is."""
        return [
            shape is not None
            and _SINCE < start <= end < _UNTIL
            and end - start - shape.suspended == seconds
            and text.isascii()
            and _JOB.fullmatch(job) is not None
            for job, start, end, seconds, shape, _, text in zip(*self, strict=True)
        ]


class PlainRecords:
    """Reads the plain records of a file."""

    def __init__(self, layout: Layout, runs: SlurmRuns, devices: SlurmDevices, instants: Instants) -> None:
        at = dict(zip(USED, layout.positions, strict=True))
        self._columns = len(layout.columns)
        self._separator = layout.separator
        elapsed = "elapsedraw" if "elapsedraw" in layout.columns else "elapsed"
        shaped = [at[name] for name in _SHAPED if name != "nodelist" or devices.asks_nodes]
        self._own = itemgetter(at["jobid"], at["start"], at["end"], at[elapsed])
        self._shaped: Callable[[list[str]], tuple[str, ...]] = itemgetter(*shaped)
        self._lacks_columns = max(shaped) == self._columns
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
        if self._lacks_columns:
            rows = [[*row, ""] for row in rows]
        shapes = self._shapes_of(list(map(self._shaped, rows)))
        jobs, start_texts, end_texts, elapsed_texts = zip(*map(self._own, rows), strict=True)
        starts, ends, elapsed = self._seconds(start_texts), self._seconds(end_texts), _spans(elapsed_texts)
        plain = _Plain(jobs, starts, ends, elapsed, shapes, range(first, first + len(texts)), texts)
        if plain.are_all():
            return Made(self._outcomes(plain), [])
        are = plain.which()
        others = [at for at, is_plain in enumerate(are) if not is_plain]
        return Made(self._outcomes(plain.only(are)), others)

    def _outcomes(self, plain: "_Plain") -> list[Run | Skipped]:
        if not plain.jobs:
            return []
        states, devices, payers, clusters, _ = zip(*plain.shapes, strict=True)
        starts, ends = [at * _US for at in plain.starts], [at * _US for at in plain.ends]
        records = map(str.encode, plain.texts)
        facts = zip(
            plain.jobs, starts, ends, plain.elapsed, devices, payers, plain.lines, records, clusters, states,
            *map(repeat, _BY_DEFAULT), strict=False,
        )  # fmt: skip
        runs: list[Run] = list(map(tuple.__new__, repeat(Run), facts))
        self._runs.took(plain.jobs, with_gpus=any(devices))
        if all(devices):
            return list[Run | Skipped](runs)
        return [
            run if run.devices else Skipped(SkipReason.NO_GPU, run.line, run.job, 0, "", run.payer.account)
            for run in runs
        ]

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
        numbers = _numbers(texts)
        if numbers is not None:
            return numbers
        hour_of, within_hour_of = self._hours.get, _WITHIN_HOUR.get
        read = []
        for text in texts:
            hour, within = hour_of(text[:13]), within_hour_of(text[13:])
            read.append(hour + within if hour is not None and within is not None else _number(text))
        return read


def _spans(texts: Sequence[str]) -> list[int]:
    """Return the seconds of spans, `_NEVER` for what isn't plain."""
    numbers = _numbers(texts)
    if numbers is not None:
        return numbers
    return [seconds if text and (seconds := span_seconds(text)) is not None else _number(text) for text in texts]


def _numbers(texts: Sequence[str]) -> list[int] | None:
    """Return texts as numbers, None if one isn't."""
    together = "".join(texts)
    if not together.isdecimal() or not together.isascii():
        return None
    try:
        return list(map(int, texts))
    except ValueError:  # an empty one, or one of thousands of digits
        return None


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) <= _NUMBER_DIGITS else _NEVER
