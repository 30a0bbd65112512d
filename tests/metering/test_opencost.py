"""OpenCost's and Kubecost's allocations: what is whose, and when hours decide."""

import json
from typing import Any

import pytest

from support.usage_formats import MAPPING, read
from tallystick.errors import UsageFileError


def allocation(name: str = "heron/n1/birch/p-0/main", **changes: Any) -> dict[str, Any]:
    cluster, node, namespace, pod, container = name.split("/")
    properties = {"cluster": cluster, "node": node, "namespace": namespace, "pod": pod, "container": container}
    hour = {"start": "2026-03-10T08:00:00Z", "end": "2026-03-10T09:00:00Z", "gpuCount": 2, "gpuHours": 2}
    return {"name": name, "properties": properties} | hour | changes


def answer(*steps: dict[str, Any]) -> bytes:
    return json.dumps({"code": 200, "data": list(steps)}).encode()


def one(**changes: Any) -> bytes:
    return answer({"heron/n1/birch/p-0/main": allocation(**changes)})


@pytest.mark.parametrize(
    ("changes", "held"),
    [
        ({}, (2000, 3600)),
        ({"gpuCount": 0.25, "gpuHours": 0.25}, (250, 3600)),
        ({"gpuCount": 1, "gpuHours": 0.16667, "end": "2026-03-10T08:10:00Z"}, (1000, 600)),
        # the pod lived for an hour, and had its GPUs for a part of it
        ({"gpuCount": 0.5, "gpuHours": 1.5}, (2000, 2700)),
        ({"gpuCount": 0.33333, "gpuHours": 0.33333}, (1000, 1200)),
        ({"gpuCount": 0.00001, "gpuHours": 0.00278}, (1000, 10)),
        ({"start": "2026-03-10T16:00:00+08:00"}, (2000, 3600)),
        # thousandths that are no whole number: whole GPUs, fewer seconds
        ({"gpuCount": 1.00004, "gpuHours": 1.00004}, (2000, 1800)),
    ],
)
def test_what_is_held_is_the_count_over_the_interval_or_what_the_hours_say(
    changes: dict[str, Any], held: tuple[int, int]
) -> None:
    """GPU-hours have five decimals."""
    result = read("opencost", one(**changes))
    assert result.held == [("heron/birch/p-0/main", *held)]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"gpuCount": None}, "not_a_number"),
        ({"gpuHours": None}, "not_a_number"),
        ({"gpuCount": "many"}, "not_a_number"),
        ({"gpuCount": -1}, "not_a_number"),
        ({"gpuCount": 0, "gpuHours": 0}, "no_gpu"),
        ({"end": "2026-03-10T07:58:00Z", "gpuHours": -0.03}, "interval_invalid"),
        ({"end": "2026-03-10T08:00:00Z", "gpuHours": 0}, "zero_seconds"),
        ({"start": "yesterday"}, "unreadable"),
        ({"start": None}, "unreadable"),
    ],
)
def test_what_is_no_number_or_no_interval_is_counted(changes: dict[str, Any], reason: str) -> None:
    """Nothing is made up."""
    result = read("opencost", one(**changes))
    assert (result.skipped, result.lines) == ({reason: 1}, [])


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("__idle__", "idle"),
        ("heron/__idle__", "idle"),
        ("heron/__unmounted__/__unmounted__/__unmounted__/__unmounted__", "unmounted"),
        ("__shared__", "shared"),
        ("__unallocated__", "account_unmapped"),
    ],
)
def test_capacity_of_nobody_is_counted_apart_and_what_has_no_label_is_somebodys(name: str, reason: str) -> None:
    """Whose it is has to be asked, where no label says it."""
    data = answer({name: allocation() | {"name": name, "properties": {"cluster": "heron", "node": "n1"}}})
    assert read("opencost", data).skipped == {reason: 1}


def test_a_pod_over_midnight_is_two_spells_of_one_job() -> None:
    """Each step's allocations are cut at its edges."""
    first = allocation(start="2026-03-10T23:00:00Z", end="2026-03-11T00:00:00Z")
    second = allocation(start="2026-03-11T00:00:00Z", end="2026-03-11T01:00:00Z")
    result = read("opencost", answer({"a": first}, {"a": second}))
    assert result.held == [("heron/birch/p-0/main", 2000, 3600)] * 2
    assert result.lines[0].ends_at == result.lines[1].starts_at


def test_the_same_answer_twice_burns_once() -> None:
    """Windows that overlap are the rule."""
    result = read("opencost", one(), one())
    assert (len(result.lines), result.skipped) == (1, {"duplicate": 1})


def test_a_kind_comes_from_the_node_or_the_namespace_and_never_from_a_label() -> None:
    """A tenant sets the labels of its pods."""
    labelled = allocation("heron/n9/birch/p-0/main")
    labelled["properties"]["labels"] = {"gpu": "a100"}
    result = read("opencost", answer({"a": labelled}))
    assert result.skipped == {"untyped_gpu": 1}
    assert result.remarks["nodes_without_kind"] == {"n9": 7_200_000}
    by_namespace = MAPPING.replace("[partition]", '[partition]\nbirch = "h100"')
    assert read("opencost", answer({"a": labelled}), mapping=by_namespace).lines[0].item == "h100-80g"


def test_what_an_unmapped_namespace_held_is_said_with_its_time() -> None:
    """A node may count for half a GPU a device."""
    halves = MAPPING.replace('item = "h100-80g"', 'item = "h100-80g"\ngpu_milli = 500')
    result = read("opencost", answer({"a": allocation("heron/n1/stranger/p-0/main")}), mapping=halves)
    assert dict(result.reading.accounts_unmapped) == {"stranger": 3_600_000}


def test_without_a_cluster_anywhere_the_file_is_refused() -> None:
    """A job's name begins with it."""
    nameless = allocation()
    del nameless["properties"]["cluster"]
    with pytest.raises(UsageFileError, match="cluster_unknown"):
        read("opencost", answer({"a": nameless}), mapping=MAPPING.replace('cluster = "heron"', ""))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{"code": 500, "message": "no such window"}', "answered with an error: 500 'no such window'"),
        (b'{"code": 200, "data": 5}', "data must be a list"),
        (b'{"code": 200, "data": [[]]}', "data must be a list"),
        (b"[]", "data must be a list"),
        (b'{"code": 200, "data": [{"a": 1, "a": 2}]}', "says 'a' twice"),
    ],
)
def test_what_is_no_answer_of_allocation_is_refused(data: bytes, message: str) -> None:
    """With one line that says why."""
    with pytest.raises(UsageFileError, match=message) as caught:
        read("opencost", data)
    assert caught.value.fault == "not_parsable_output"
