"""Prometheus range queries (DCGM exporter, kube-state-metrics): a sample is a step in which a pod held a device.

    {"status": "success", "data": {"resultType": "matrix", "result": [{"metric": {…}, "values": [[t, "v"], …]}, …]}}

That a series with a pod's name is there means that the pod held the device; what its value is doesn't count, NaN and 0
included. Of kube-state-metrics' requests the value is the number of devices. A gap that is longer than a step isn't
counted, and is said. A device that two exporters report is held once; one that two pods hold at the same time is a
conflict, unless the mapping counts it as a share for each. Counters of energy are a remark.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final, NamedTuple

from tallystick.errors import UsageFileError
from tallystick.metering.amounts import amount, count_milli
from tallystick.metering.instants import SECOND_US, rfc3339
from tallystick.metering.json_text import canonical, mapping_of, read_json, text_of
from tallystick.metering.kubernetes_pods import looks_like_a_device
from tallystick.metering.mapping import Mapping
from tallystick.metering.reasons import FileFault, SkipReason
from tallystick.metering.remarks import Remarks, list_remark, note_untyped, sum_remark
from tallystick.metering.run import Device, Payer, Run, Skipped

_ENERGY: Final = "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION"
_REQUESTS: Final = "kube_pod_container_resource_"
_INIT_REQUESTS: Final = "kube_pod_init_container_resource_"
_SECONDS: Final = range(7_258_118_400)  # until the year 2200


class _Holder(NamedTuple):
    """A pod, and what it held: one device or slice of one, or the requests of one container."""

    cluster: str
    namespace: str
    job: str
    device: str
    is_slice: bool


@dataclass(slots=True)
class _Series:
    """A series, read.

    Attributes:
        samples: thousandths of devices at each second that has a sample.
        source: the kind of device.
        node: where it is; empty if that isn't said.
    """

    line: int
    holder: _Holder
    source: str
    node: str
    samples: dict[int, int]
    record: bytes


@dataclass(slots=True)
class _Held:
    """All series of one holder."""

    series: list[_Series] = field(default_factory=list)
    samples: dict[int, dict[str, int]] = field(default_factory=dict)

    def merge(self, one: _Series) -> bool:
        """Take what a series adds; return whether it added anything."""
        added = [at for at in one.samples if one.source not in self.samples.get(at, {})]
        for at in added:
            self.samples.setdefault(at, {})[one.source] = one.samples[at]
        if added:
            self.series.append(one)
        return bool(added)


def read_prometheus(chunks: Iterable[bytes], mapping: Mapping, remarks: Remarks) -> Iterator[Run | Skipped]:
    """Yield what each series of a range query is; one with gaps is several runs.

    Raises:
        UsageFileError: it is no answer of a range query, or the mapping has no `step_seconds`, or no cluster is named.
    """
    step = mapping.step_seconds
    results = _results(read_json(chunks))
    if step is None:
        raise UsageFileError(FileFault.STEP_MISSING, "say step_seconds in the mapping: the step of the range query")
    is_relabelled = any("exported_pod" in mapping_of(mapping_of(one).get("metric")) for one in results)
    read = list[_Series]()
    line = 0
    for result in results:
        metric = mapping_of(mapping_of(result).get("metric"))
        if text_of(metric.get("__name__")) == _ENERGY:
            sum_remark(remarks, "energy_millijoules", _device(metric), _increase(mapping_of(result).get("values")))
            continue
        line += 1
        one = _read(mapping_of(result), line, mapping, is_relabelled=is_relabelled)
        if isinstance(one, Skipped):
            yield one
        else:
            read.append(one)
    yield from _runs(read, step, mapping, remarks)


def _results(answer: object) -> list[Any]:
    whole = mapping_of(answer)
    data = mapping_of(whole.get("data"))
    if whole.get("status") == "error":
        said = f"{text_of(whole.get('errorType'))[:40]!a} {text_of(whole.get('error'))[:80]!a}"
        raise UsageFileError(FileFault.NOT_PARSABLE_OUTPUT, f"the server answered with an error: {said}")
    if data.get("resultType") != "matrix" or not isinstance(data.get("result"), list):
        raise UsageFileError(FileFault.NOT_PARSABLE_OUTPUT, "no matrix: ask /api/v1/query_range")
    return list(data["result"])


# ------------------------------------------------------------------------------------------------------- one series


def _read(result: dict[str, Any], line: int, mapping: Mapping, *, is_relabelled: bool) -> _Series | Skipped:
    metric, name = mapping_of(result.get("metric")), text_of(mapping_of(result.get("metric")).get("__name__"))
    is_request = name.startswith((_REQUESTS, _INIT_REQUESTS))
    namespace, pod, container = _pod(metric, is_relabelled=is_relabelled)
    device = text_of(metric.get("resource")) if is_request else _device(metric)
    job = f"{namespace}/{pod}"
    if not device or (is_request and not mapping.has_kind(device) and not looks_like_a_device(device)):
        return Skipped(SkipReason.NO_GPU, line, job, account=namespace)
    samples = _samples(result.get("values"), counts=is_request)
    if isinstance(samples, SkipReason):
        return Skipped(samples, line, job, 0, "its samples", namespace)
    if not namespace or not pod:
        known = len(samples) * (mapping.step_seconds or 0) * 1000
        return Skipped(SkipReason.NO_POD, line, "", known, f"device {device[:80]!a}")
    if name.startswith(_INIT_REQUESTS):
        return Skipped(SkipReason.DUPLICATE, line, job, 0, "an init container has its pod's devices", namespace)
    node = text_of(metric.get("node") if is_request else metric.get("Hostname") or metric.get("node"))
    if is_request and not node:
        return Skipped(SkipReason.NOT_STARTED, line, job, account=namespace)
    cluster = text_of(metric.get("cluster")) or mapping.cluster
    if cluster is None:
        raise UsageFileError(FileFault.CLUSTER_UNKNOWN, f"series {line} names none; say cluster in the mapping")
    if not any(samples.values()):
        return Skipped(SkipReason.NO_GPU, line, job, account=namespace)
    named = f"{job}/{container}" if is_request and container else job
    held = "" if is_request else device
    source = _kind(device, metric, namespace, node, mapping, is_request=is_request)
    holder = _Holder(cluster, namespace, f"{named}/{held}" if held else named, held, bool(metric.get("GPU_I_ID")))
    return _Series(line, holder, source, node, samples, canonical(result))


def _pod(metric: dict[str, Any], *, is_relabelled: bool) -> tuple[str, str, str]:
    """Return namespace, pod and container; where a scrape renamed labels, `pod` is the exporter's own."""
    before = "exported_" if is_relabelled else ""
    found = [text_of(metric.get(f"{before}{label}")) for label in ("namespace", "pod", "container")]
    old = [text_of(metric.get(label)) for label in ("pod_namespace", "pod_name", "container_name")]
    namespace, pod, container = (first or second for first, second in zip(found, old, strict=True))
    return namespace, pod, container


def _device(metric: dict[str, Any]) -> str:
    """Return which device a series is of, its MIG instance included; empty if it is of none."""
    device = text_of(metric.get("UUID") or metric.get("uuid"))
    if not device:
        index = text_of(metric.get("gpu") or metric.get("device") or metric.get("gpu_id"))
        node = text_of(metric.get("Hostname") or metric.get("node") or metric.get("instance"))
        device = f"{node}/{index}" if index else ""
    slice_id = text_of(metric.get("GPU_I_ID"))
    return f"{device}/{slice_id}" if device and slice_id else device


def _kind(device: str, metric: dict[str, Any], namespace: str, node: str, mapping: Mapping, *, is_request: bool) -> str:
    """Return the kind of device: its MIG profile, its model, what its node or namespace has, or its resource."""
    model = text_of(metric.get("modelName") or metric.get("card_model"))
    profile = text_of(metric.get("GPU_I_PROFILE"))
    if profile:
        return f"{model}/{profile}" if mapping.has_kind(f"{model}/{profile}") else profile
    said = device if is_request else model
    return said if mapping.has_kind(said) else mapping.kind_of(namespace, node) or said


def _samples(values: object, *, counts: bool) -> dict[int, int] | SkipReason:
    """Return thousandths of devices at each second: 1000 for each sample, or what the values count."""
    samples: dict[int, int] = {}
    for pair in values if isinstance(values, list) else ():
        at = amount(pair[0]) if isinstance(pair, list) and len(pair) == 2 else None
        if at is None or round(at) not in _SECONDS:
            return SkipReason.UNREADABLE
        count: Fraction | None = Fraction(1)
        if counts:
            count = amount(pair[1])
        milli = None if count is None or count < 0 else count_milli(count)
        if milli is None:
            return SkipReason.NOT_A_NUMBER
        samples[round(at)] = milli
    return samples or SkipReason.ZERO_SECONDS


def _increase(values: object) -> int:
    """Return by how much a counter rose; after a fall it counts from 0."""
    total, last = Fraction(0), None
    for pair in values if isinstance(values, list) else ():
        value = amount(pair[1]) if isinstance(pair, list) and len(pair) == 2 else None
        if value is None:
            continue
        if last is not None:
            total += value - last if value >= last else value
        last = value
    return round(total)


# ------------------------------------------------------------------------------------------------- all series together


def _runs(read: list[_Series], step: int, mapping: Mapping, remarks: Remarks) -> Iterator[Run | Skipped]:
    held = defaultdict[_Holder, _Held](_Held)
    for one in sorted(read, key=lambda one: (-len(one.samples), one.line)):
        if not held[one.holder].merge(one):
            yield _skipped(one, SkipReason.DUPLICATE, step, "another series says the same of this device and pod")
    contested = _contested(held, mapping)
    for holder, what in held.items():
        if holder in contested:
            for one in what.series:
                yield _skipped(one, SkipReason.CONFLICT, step, "another pod held this device at the same time")
            continue
        yield from _spells(holder, what, step, remarks)


def _spells(holder: _Holder, held: _Held, step: int, remarks: Remarks) -> Iterator[Run]:
    """Yield the stretches without a gap, and of the same devices."""
    records, line = len(held.series), min(one.line for one in held.series)
    record = held.series[0].record if records == 1 else b"\n".join(sorted(one.record for one in held.series))
    spell: list[int] = []
    devices = dict[str, int]()
    for at in [*sorted(held.samples), None]:
        now = {} if at is None else {source: milli for source, milli in held.samples[at].items() if milli}
        if spell and (at is None or at - spell[-1] > step or now != devices):
            ends = spell[-1] + step if at is None else min(spell[-1] + step, at)
            if devices:
                kinds = tuple(Device(*one) for one in sorted(devices.items()))
                seconds = ends - spell[0]
                if "" in devices:
                    note_untyped(remarks, seconds * devices[""], partition=holder.namespace, node=held.series[0].node)
                yield Run(
                    holder.job, spell[0] * SECOND_US, ends * SECOND_US, seconds, kinds, Payer(holder.namespace), line,
                    record, holder.cluster, records=records,
                )  # fmt: skip
                records = 0
            if at is not None and at > ends:
                gap = {"from": rfc3339(ends * SECOND_US), "to": rfc3339(at * SECOND_US)}
                list_remark(remarks, "gaps", {"device": holder.device or holder.job, **gap})
            spell = []
        if at is not None:
            spell.append(at)
            devices = now


def _contested(held: dict[_Holder, _Held], mapping: Mapping) -> set[_Holder]:
    """Return the pods that held a device which another one held at the same time, unless shares of it were meant."""
    of_device = defaultdict[tuple[str, str], list[_Holder]](list)
    for holder in held:
        if holder.device:
            of_device[holder.cluster, holder.device].append(holder)
    found = set[_Holder]()
    for holders in of_device.values():
        at_once = defaultdict[int, list[_Holder]](list)
        for holder in holders if len(holders) > 1 else ():
            for at in held[holder].samples:
                at_once[at].append(holder)
        for at, several in at_once.items():
            shares = sum(1000 if one.is_slice else _share(held[one], at, mapping) for one in several)
            if len(several) > 1 and shares > 1000:
                found.update(several)
    return found


def _share(held: _Held, at: int, mapping: Mapping) -> int:
    day = mapping.day_of(at * SECOND_US)
    rules = [mapping.gpu_of(source, day) for source in held.samples[at]]
    return sum(1000 if rule is None else rule.gpu_milli for rule in rules)


def _skipped(one: _Series, reason: SkipReason, step: int, why: str) -> Skipped:
    known = step * sum(one.samples.values())
    return Skipped(reason, one.line, one.holder.job, known, why, one.holder.namespace, one.source)
