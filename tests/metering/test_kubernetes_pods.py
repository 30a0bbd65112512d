"""Pods: what they hold, from when, until when."""

import json
from typing import Any

import pytest

from support.usage_formats import read
from tallystick.errors import UsageFileError

MAPPING = """
cluster = "heron"
[[account]]
name = "birch"
contract = "birch-ai/c-1"
[[gpu]]
source = "nvidia.com/gpu"
item = "a100-80g"
share = "nvidia.com/gpucores"
[[gpu]]
source = "nvidia.com/mig-1g.10gb"
item = "h100-80g"
gpu_milli = 142
[[gpu]]
source = "huawei.com/Ascend910"
item = "ascend-910b"
"""
START, END = "2026-03-13T00:00:00Z", "2026-03-13T01:00:00Z"


def container(quantities: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": "main", "resources": {"limits": quantities}, **more}


def terminated(at: str = END) -> dict[str, Any]:
    return {"state": {"terminated": {"startedAt": START, "finishedAt": at}}}


def pod(*containers: dict[str, Any], uid: str = "u-1", **status: Any) -> dict[str, Any]:
    scheduled = {"type": "PodScheduled", "status": "True", "lastTransitionTime": START}
    return {
        "kind": "Pod",
        "metadata": {"namespace": "birch", "name": "p-0", "uid": uid},
        "spec": {"nodeName": "k1", "containers": list(containers) or [container({"nvidia.com/gpu": "1"})]},
        "status": {"phase": "Succeeded", "conditions": [scheduled], "containerStatuses": [terminated()]} | status,
    }


def pods(*items: Any) -> bytes:
    return json.dumps({"kind": "List", "items": list(items)}).encode()


@pytest.mark.parametrize(
    ("quantities", "gpu_milli"),
    [
        ({"nvidia.com/gpu": "2"}, 2000),
        ({"nvidia.com/gpu": 2}, 2000),
        ({"nvidia.com/gpu": "1", "nvidia.com/gpucores": "25"}, 250),
        ({"nvidia.com/gpu": "2", "nvidia.com/gpucores": "50", "nvidia.com/gpumem": "16000"}, 1000),
        ({"nvidia.com/gpu": "1", "nvidia.com/gpumem": "40960"}, 1000),
        ({"nvidia.com/gpu": "1", "nvidia.com/gpucores": "0"}, 1000),
        ({"nvidia.com/mig-1g.10gb": "3"}, 426),
        ({"huawei.com/Ascend910": "8", "huawei.com/Ascend910-memory": "32"}, 8000),
    ],
)
def test_shares_and_slices_count_as_the_mapping_says(quantities: dict[str, Any], gpu_milli: int) -> None:
    """A quarter of a device is 250."""
    result = read("kubernetes-pods", pods(pod(container(quantities))), mapping=MAPPING)
    assert result.held == [("heron/u-1", gpu_milli, 3600)]


def test_containers_add_up_and_init_containers_use_what_is_there() -> None:
    """What a pod holds is the most that it needs at any time."""
    one, two = container({"nvidia.com/gpu": "1"}), container({"nvidia.com/gpu": "2"})
    together = pod(one, two)
    before = pod(one)
    before["spec"]["initContainers"] = [one, two]
    beside = pod(one)
    beside["spec"]["initContainers"] = [container({"nvidia.com/gpu": "2"}, restartPolicy="Always")]
    found = [
        read("kubernetes-pods", pods(some), mapping=MAPPING).lines[0].gpu_milli for some in (together, before, beside)
    ]
    assert found == [3000, 2000, 3000]


def test_two_kinds_in_one_pod_are_two_lines_of_one_job() -> None:
    """Under one name."""
    result = read(
        "kubernetes-pods", pods(pod(container({"nvidia.com/gpu": 1, "nvidia.com/mig-1g.10gb": 1}))), mapping=MAPPING
    )
    assert [(line.item, line.gpu_milli) for line in result.lines] == [("a100-80g", 1000), ("h100-80g", 142)]


@pytest.mark.parametrize(
    ("status", "metadata", "outcome"),
    [
        ({}, {}, 3600),
        # restarts and late containers don't matter
        ({"containerStatuses": [terminated(START), terminated()]}, {}, 3600),
        ({"phase": "Failed", "containerStatuses": []}, {"deletionTimestamp": "2026-03-13T00:20:00Z"}, 1200),
        ({"phase": "Failed", "containerStatuses": []}, {}, "unreadable"),
        ({"phase": "Failed", "containerStatuses": [], "initContainerStatuses": [terminated()]}, {}, 3600),
        ({"phase": "Pending", "containerStatuses": [{"state": {"waiting": {}}}]}, {"deletionTimestamp": END}, 3600),
        ({"phase": "Running", "containerStatuses": [{"state": {"running": {}}}]}, {}, "still_running"),
        ({"phase": "Running", "containerStatuses": [terminated(), {"state": {"running": {}}}]}, {}, "still_running"),
        # it waits to be started again, and holds its device
        ({"phase": "Running", "containerStatuses": [terminated()]}, {}, "still_running"),
        ({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False"}]}, {}, "not_started"),
        ({"conditions": [], "startTime": START}, {}, 3600),
        ({"conditions": None}, {}, "not_started"),
        ({"phase": {"odd": 1}}, {}, "still_running"),
        ({"containerStatuses": [terminated("2026-03-12T23:00:00Z")]}, {}, "interval_invalid"),
    ],
)
def test_a_device_is_held_from_scheduling_to_the_last_container(
    status: dict[str, Any], metadata: dict[str, Any], outcome: int | str
) -> None:
    """Else until the pod was deleted."""
    one = pod(**status)
    one["metadata"] |= metadata
    result = read("kubernetes-pods", pods(one), mapping=MAPPING)
    if isinstance(outcome, int):
        assert result.held == [("heron/u-1", 1000, outcome)]
    else:
        assert (result.skipped, result.lines) == ({outcome: 1}, [])


@pytest.mark.parametrize(
    ("quantities", "reason"),
    [
        ({"cpu": "2", "memory": "4Gi"}, "no_gpu"),
        ({"nvidia.com/gpu": "0"}, "no_gpu"),
        ({"rdma/hca": "1", "example.com/fuse": "1"}, "no_gpu"),
        ({"example.com/input": "1", "example.com/output": "2"}, "no_gpu"),
        ({"volcano.sh/vgpu-memory": "8", "volcano.sh/vgpu-cores": "50"}, "no_gpu"),
        ({"volcano.sh/vgpu-number": "1"}, "item_unmapped"),
        ({"aws.amazon.com/neuroncore": "2"}, "item_unmapped"),
        ({"amd.com/gpu": "1"}, "item_unmapped"),
        ({"nvidia.com/mig-3g.40gb": "1"}, "item_unmapped"),
        ({"nvidia.com/gpu": "one"}, "not_a_number"),
        ({"nvidia.com/gpu": "-1"}, "not_a_number"),
        ({"nvidia.com/gpu": "1", "nvidia.com/gpucores": "125"}, "not_a_number"),
        ({"nvidia.com/gpu": "1", "nvidia.com/gpucores": "a"}, "not_a_number"),
    ],
)
def test_what_is_no_device_or_none_that_is_mapped_is_counted(quantities: dict[str, Any], reason: str) -> None:
    """A device that the mapping forgot is said, a CPU isn't."""
    assert read("kubernetes-pods", pods(pod(container(quantities))), mapping=MAPPING).skipped == {reason: 1}


def test_a_pod_seen_running_and_later_over_burns_once() -> None:
    """Two lists of the same cluster, in any order."""
    running = pod(phase="Running", containerStatuses=[{"state": {"running": {}}}])
    for files in ((pods(running), pods(pod())), (pods(pod()), pods(running))):
        result = read("kubernetes-pods", *files, mapping=MAPPING)
        assert (len(result.lines), result.skipped) == (1, {"superseded": 1})


def test_a_recreated_pod_of_the_same_name_is_another_job() -> None:
    """It has another uid."""
    result = read("kubernetes-pods", pods(pod(), pod(uid="u-2")), mapping=MAPPING)
    assert [job for job, *_ in result.held] == ["heron/u-1", "heron/u-2"]


@pytest.mark.parametrize("item", [None, 5, {}, {"kind": "Service", "metadata": {"namespace": "a", "name": "b"}}])
def test_what_is_no_pod_is_unreadable_and_the_list_is_read(item: Any) -> None:
    """It is counted."""
    result = read("kubernetes-pods", pods(item, pod()), mapping=MAPPING)
    assert (result.skipped, len(result.lines)) == ({"unreadable": 1}, 1)


def test_one_pod_alone_is_read_and_what_is_no_list_of_pods_isnt() -> None:
    """As kubectl prints them."""
    assert read("kubernetes-pods", json.dumps(pod()).encode(), mapping=MAPPING).held == [("heron/u-1", 1000, 3600)]
    with pytest.raises(UsageFileError, match=r"not_parsable_output: .*kubectl get pods"):
        read("kubernetes-pods", b'{"kind": "Status"}', mapping=MAPPING)
    with pytest.raises(UsageFileError, match="cluster_unknown"):
        read("kubernetes-pods", pods(), mapping="")


def test_a_list_that_does_not_say_its_kind_is_one() -> None:
    """Some tools keep the items alone; a list of another kind is none."""
    found = read("kubernetes-pods", json.dumps({"items": [pod()]}).encode(), mapping=MAPPING)
    assert found.reading.records_burned == 1
    with pytest.raises(UsageFileError, match="no list of pods"):
        read("kubernetes-pods", json.dumps({"kind": "NodeList", "items": []}).encode(), mapping=MAPPING)
