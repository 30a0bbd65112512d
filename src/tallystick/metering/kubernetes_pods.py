"""Kubernetes pods, as `kubectl get pods -o json` lists them: a device is held from scheduling to the last container.

A pod holds its devices from the moment at which `PodScheduled` became true until its last container finished, else
until it was deleted: restarts, images that can't be pulled and late containers don't interrupt that. Init containers
run one after another on the devices that the pod has anyway. A share of a device (HAMi's `gpucores`) is a policy of
the mapping's, and so is what a MIG slice counts.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any, Final

from tallystick.errors import UsageFileError
from tallystick.metering.amounts import amount, count_milli
from tallystick.metering.instants import SECOND_US, instant
from tallystick.metering.json_text import canonical, mapping_of, read_json, text_of
from tallystick.metering.mapping import Mapping
from tallystick.metering.reasons import FileFault, SkipReason
from tallystick.metering.remarks import Remarks
from tallystick.metering.run import Device, Payer, Run, Skipped

_DEVICE_WORD: Final = re.compile(
    r"(?<![a-z])v?(?:gpu|npu|mig-|ascend|mlu|dcu|gcu|xpu|hpu|tpu|gaudi|neuron)", re.ASCII | re.IGNORECASE
)
_NO_DEVICE: Final = re.compile(
    r"(?:mem|memory|percentage|util|priority|monitoring|(?:gpu|[._-])cores?)$", re.ASCII | re.IGNORECASE
)
_MULTIPLES: Final = {"": Fraction(1), "k": Fraction(1000), "m": Fraction(1, 1000)}
_OVER: Final = frozenset({"Succeeded", "Failed"})

_Held = dict[str, Fraction]
"""Devices by resource."""


def read_pods(chunks: Iterable[bytes], mapping: Mapping, _remarks: Remarks) -> Iterator[Run | Skipped]:
    """Yield what each pod of a list is.

    Raises:
        UsageFileError: it is no list of pods, or the mapping has no cluster.
    """
    if mapping.cluster is None:
        raise UsageFileError(FileFault.CLUSTER_UNKNOWN, "pods don't name one; say cluster in the mapping")
    for line, pod in enumerate(_pods(read_json(chunks)), 1):
        yield _record(mapping_of(pod), line, mapping)


def _pods(answer: object) -> list[Any]:
    whole = mapping_of(answer)
    if whole.get("kind") == "Pod":
        return [whole]
    items = whole.get("items")
    if not isinstance(items, list) or whole.get("kind", "List") not in ("List", "PodList"):
        what = "no list of pods: kind must be List or PodList; make it by kubectl get pods -A -o json"
        raise UsageFileError(FileFault.NOT_PARSABLE_OUTPUT, what)
    return items


def _record(pod: dict[str, Any], line: int, mapping: Mapping) -> Run | Skipped:
    metadata, spec, status = (mapping_of(pod.get(part)) for part in ("metadata", "spec", "status"))
    namespace, name = text_of(metadata.get("namespace")), text_of(metadata.get("name"))
    job = text_of(metadata.get("uid")) or f"{namespace}/{name}"
    if not namespace or not name or text_of(pod.get("kind")) not in ("Pod", ""):
        return Skipped(SkipReason.UNREADABLE, line, job, 0, "it is no pod with a name and a namespace", namespace)
    held = _devices(spec, mapping)
    if held is None:
        return Skipped(SkipReason.NOT_A_NUMBER, line, job, 0, "a quantity of devices", namespace)
    if not held:
        return Skipped(SkipReason.NO_GPU, line, job, account=namespace)
    starts_at = _scheduled_at(status)
    if starts_at is None:
        return Skipped(SkipReason.NOT_STARTED, line, job, account=namespace)
    ends_at = _ended_at(spec, status, metadata)
    if isinstance(ends_at, str):
        return Skipped(SkipReason.UNREADABLE, line, job, 0, ends_at, namespace)
    if ends_at is not None and ends_at < starts_at:
        return Skipped(SkipReason.INTERVAL_INVALID, line, job, account=namespace)
    seconds = 0 if ends_at is None else (ends_at - starts_at) // SECOND_US
    record = canonical({part: pod.get(part) for part in ("metadata", "spec", "status")})
    return Run(
        job, starts_at, ends_at, seconds, held, Payer(namespace), line, record, mapping.cluster or "",
        text_of(status.get("phase")),
    )  # fmt: skip


# ----------------------------------------------------------------------------------------------------- what it held


def _devices(spec: dict[str, Any], mapping: Mapping) -> tuple[Device, ...] | None:
    """Return what a pod holds: all its containers together, or an init container if that needs more; None: unreadable.

    An init container that stays (a sidecar) is held beside all that come after it.
    """
    running, most = defaultdict[str, Fraction](Fraction), defaultdict[str, Fraction](Fraction)
    for container in _containers(spec, "initContainers"):
        wanted = _wanted(container, mapping)
        if wanted is None:
            return None
        for source, count in wanted.items():
            most[source] = max(most[source], running[source] + count)
            if container.get("restartPolicy") == "Always":
                running[source] += count
    for container in _containers(spec, "containers"):
        wanted = _wanted(container, mapping)
        if wanted is None:
            return None
        for source, count in wanted.items():
            running[source] += count
    totals = {source: max(running[source], most[source]) for source in sorted({*running, *most})}
    milli = {source: count_milli(count) for source, count in totals.items() if count}
    if None in milli.values():
        return None
    return tuple(Device(source, count) for source, count in milli.items() if count)


def _containers(spec: dict[str, Any], which: str) -> list[dict[str, Any]]:
    found = spec.get(which)
    return [mapping_of(one) for one in found] if isinstance(found, list) else []


def _wanted(container: dict[str, Any], mapping: Mapping) -> _Held | None:
    """Return the devices that a container asks for, by resource; None if a quantity can't be read."""
    resources = mapping_of(container.get("resources"))
    quantities = {**mapping_of(resources.get("requests")), **mapping_of(resources.get("limits"))}
    wanted: _Held = {}
    for source, quantity in quantities.items():
        rule = next((one for one in mapping.gpus if one.source == source), None)
        if rule is None and not _is_forgotten(source, mapping):
            continue
        count = _quantity(quantity)
        if count is None:
            return None
        share = Fraction(100)
        if rule is not None and rule.share is not None:
            said = _quantity(quantities.get(rule.share, 0))
            if said is None or said > 100:
                return None
            share = said or Fraction(rule.share_if_absent)
        if count:
            wanted[source] = count * share / 100
    return wanted


def looks_like_a_device(resource: str) -> bool:
    """Whether a resource's name is probably a device's, and not that of its memory or cores."""
    return bool(_DEVICE_WORD.search(resource)) and not _NO_DEVICE.search(resource)


def _is_forgotten(source: str, mapping: Mapping) -> bool:
    """Whether a resource that the mapping doesn't have is probably a device: it is reported then."""
    is_said = mapping.is_no_gpu(source) or any(rule.share == source for rule in mapping.gpus)
    return "/" in source and not is_said and looks_like_a_device(source)


def _quantity(value: object) -> Fraction | None:
    """Return a quantity of Kubernetes that isn't negative: 2, "2", "2000m"; None if it isn't one."""
    text = value.strip() if isinstance(value, str) else value
    unit = ""
    if isinstance(text, str) and text[-1:] in _MULTIPLES:
        text, unit = text[:-1], text[-1:]
    number = amount(text)
    return None if number is None or number < 0 else number * _MULTIPLES[unit]


# --------------------------------------------------------------------------------------------------------- how long


def _scheduled_at(status: dict[str, Any]) -> int | None:
    """Return when a pod got its node; None if it has none."""
    conditions = status.get("conditions")
    for condition in conditions if isinstance(conditions, list) else ():
        one = mapping_of(condition)
        if one.get("type") == "PodScheduled":
            return instant(one.get("lastTransitionTime")) if one.get("status") == "True" else None
    return instant(status.get("startTime"))


def _ended_at(spec: dict[str, Any], status: dict[str, Any], metadata: dict[str, Any]) -> int | str | None:
    """Return when a pod's last container finished, else when it was deleted; None: it holds on; a text: unknown."""
    finished = _finished(status, "containerStatuses")
    phase = text_of(status.get("phase"))
    is_over = phase in _OVER or (bool(finished) and spec.get("restartPolicy") == "Never" and None not in finished)
    deleted_at = instant(metadata.get("deletionTimestamp"))
    if is_over:
        finished += _finished(status, "initContainerStatuses")
        known = [at for at in finished if at is not None]
        if known:
            return max(known)
        return "it is over, and doesn't say since when" if deleted_at is None else deleted_at
    return deleted_at


def _finished(status: dict[str, Any], which: str) -> list[int | None]:
    """Return when each container finished; None for one that didn't."""
    found = status.get(which)
    states = [mapping_of(mapping_of(one).get("state")) for one in (found if isinstance(found, list) else ())]
    return [instant(mapping_of(state.get("terminated")).get("finishedAt")) for state in states]
