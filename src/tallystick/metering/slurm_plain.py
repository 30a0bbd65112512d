"""The records that nearly all are, quickly: of a job that has ended, in times that have one reading and agree.

What it doesn't take it leaves to `slurm_text`, which would say the same of what it does take. What columns say that
repeat themselves (account, state, GPUs and so on) is worked out once and remembered.
"""

import re
from collections.abc import Callable
from operator import itemgetter
from typing import Final, NamedTuple

from tallystick.errors import MalformedError
from tallystick.metering.reasons import SkipReason
from tallystick.metering.run import Device, Payer, Run, Skipped
from tallystick.metering.slurm_devices import SlurmDevices
from tallystick.metering.slurm_layout import STATE, TRES, USED, Layout
from tallystick.metering.slurm_runs import SlurmRuns
from tallystick.metering.slurm_times import Instants, span_seconds

Plain = Callable[[list[str], int, str], Run | Skipped | None]
"""From the columns of a line, its number and its text to what becomes of it; None: it isn't so plain."""

_US: Final = 1_000_000
_SHAPES_REMEMBERED: Final = 65_536
_SINCE: Final = 315_532_800  # 1980: what is earlier is no instant of Slurm's
_UNTIL: Final = 4_294_967_294
_EPOCH_DIGITS: Final = 10
_JOB: Final = re.compile(r"\d{1,12}(?:_\d{1,12})?(?:\+\d{1,9})?", re.ASCII)
_FORMS: Final = (re.compile(STATE, re.ASCII), re.compile(TRES, re.ASCII))
_SHAPED: Final = ("state", "alloctres", "account", "user", "partition", "cluster", "suspended", "nodelist")
_WITHIN_HOUR: Final = {f":{at // 60:02d}:{at % 60:02d}": at for at in range(3_600)}


class _Shape(NamedTuple):
    """What columns that repeat themselves come to."""

    state: str
    devices: tuple[Device, ...]
    payer: Payer
    cluster: str
    suspended: int


def plain_reader(layout: Layout, runs: SlurmRuns, devices: SlurmDevices, instants: Instants) -> Plain:
    """Return what reads the plain records of a file."""
    at = dict(zip(USED, layout.positions, strict=True))
    job_at, start_at, end_at = at["jobid"], at["start"], at["end"]
    elapsed_at = at["elapsedraw"] if "elapsedraw" in layout.columns else at["elapsed"]
    of_shape = itemgetter(*(at[name] for name in _SHAPED if name != "nodelist" or devices.asks_nodes))
    shapes: dict[tuple[str, ...], _Shape | None] = {}
    hours, within_hour = instants.whole_hours, _WITHIN_HOUR
    remember, stepped, is_job, new = runs.recent.append, runs.stepped, _JOB.fullmatch, tuple.__new__

    def shape_of(key: tuple[str, ...]) -> _Shape | None:
        if len(shapes) >= _SHAPES_REMEMBERED:
            shapes.clear()
        shapes[key] = found = _shape(key, runs, devices)
        return found

    def seconds_of(text: str) -> int:
        if text.isdecimal():
            return int(text) if len(text) <= _EPOCH_DIGITS else 0
        hour = hours.get(text[:13])
        within = within_hour.get(text[13:])
        return 0 if hour is None or within is None else hour + within

    def plain(fields: list[str], number: int, text: str) -> Run | Skipped | None:
        key = of_shape(fields)
        shape = shapes[key] if key in shapes else shape_of(key)
        job = fields[job_at]
        if shape is None or not text.isascii() or not (job.isdecimal() or is_job(job)):
            return None
        start, end, elapsed = seconds_of(fields[start_at]), seconds_of(fields[end_at]), fields[elapsed_at]
        seconds = int(elapsed) if elapsed.isdecimal() and len(elapsed) <= _EPOCH_DIGITS else span_seconds(elapsed)
        if seconds is None or not _SINCE < start <= end < _UNTIL or end - start - shape.suspended != seconds:
            return None
        remember(job)
        if stepped:
            stepped.pop(job, None)
        if not shape.devices:
            return Skipped(SkipReason.NO_GPU, number, job, 0, "", shape.payer.account)
        return new(
            Run,
            (
                job,
                start * _US,
                end * _US,
                seconds,
                shape.devices,
                shape.payer,
                number,
                text.encode(),
                shape.cluster,
                shape.state,
                None,
                1,
                0,
            ),
        )

    return plain


def _shape(key: tuple[str, ...], runs: SlurmRuns, devices: SlurmDevices) -> _Shape | None:
    """Return what columns say, None if it isn't plain."""
    said, tres, account, user, partition, cluster, suspended, *nodes = key
    state = said.partition(" ")[0]
    if not runs.is_of_an_end(state) or any(
        form.fullmatch(text) is None for form, text in zip(_FORMS, key, strict=False)
    ):
        return None
    seconds = span_seconds(suspended) if suspended else 0
    try:
        held = devices.of_text(tres, partition, nodes[0] if nodes else "")
    except MalformedError:
        return None
    if seconds is None or (held and not (cluster or runs.has_cluster)):
        return None
    runs.jobs += 1
    runs.with_gpus += bool(held)
    return _Shape(state, held, Payer(account, user, partition), runs.cluster_of(cluster) if held else "", seconds)
