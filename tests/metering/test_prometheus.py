"""Range queries: a sample is a step in which a pod held a device."""

import json
from typing import Any

import pytest

from support.usage_formats import read
from tallystick.errors import UsageFileError

MAPPING = """
cluster = "heron"
step_seconds = 60
[[account]]
name = "birch"
contract = "birch-ai/c-1"
[[gpu]]
source = "NVIDIA H100"
item = "h100-80g"
[[gpu]]
source = "1g.10gb"
item = "h100-80g"
gpu_milli = 125
"""
T0 = 1_773_446_400


def series(at: range | list[int], value: str = "97", **labels: str | None) -> dict[str, Any]:
    names = {
        "__name__": "DCGM_FI_DEV_GPU_UTIL",
        "UUID": "GPU-a",
        "namespace": "birch",
        "pod": "p-0",
        "modelName": "NVIDIA H100",
        "Hostname": "n1",
    } | labels
    metric = {name: said for name, said in names.items() if said is not None}
    return {"metric": metric, "values": [[T0 + 60 * minute, value] for minute in at]}


def matrix(*result: dict[str, Any]) -> bytes:
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": list(result)}}).encode()


def spells(*result: dict[str, Any], mapping: str = MAPPING) -> list[tuple[int, int, int]]:
    """Minute of the start, thousandths of GPUs, seconds."""
    lines = read("prometheus", matrix(*result), mapping=mapping).lines
    return [((line.starts_at // 1_000_000 - T0) // 60, line.gpu_milli, line.seconds) for line in lines]


@pytest.mark.parametrize("value", ["0", "100", "NaN", "+Inf"])
def test_presence_is_holding_whatever_the_value(value: str) -> None:
    """A device at rest is held too."""
    assert spells(series(range(10), value)) == [(0, 1000, 600)]


def test_a_gap_isnt_counted_and_is_said() -> None:
    """One series is two runs, and one record."""
    result = read("prometheus", matrix(series([0, 1, 2, 6, 7])), mapping=MAPPING)
    assert [seconds for *_, seconds in result.held] == [180, 120]
    assert result.reading.records_burned == 1
    assert result.remarks["gaps"] == [{"device": "GPU-a", "from": "2026-03-14T00:03:00Z", "to": "2026-03-14T00:06:00Z"}]


def test_a_device_that_two_exporters_report_is_held_once() -> None:
    """Whichever comes first; one that goes on where the other ended continues the run."""
    old, new = series(range(5), instance="a"), series(range(3, 9), instance="b")
    for both in ((old, new), (new, old)):
        assert spells(*both) == [(0, 1000, 540)]
    within = read("prometheus", matrix(series(range(2, 4), instance="b"), series(range(6))), mapping=MAPPING)
    assert (len(within.lines), within.skipped) == (1, {"duplicate": 1})


def test_a_device_that_two_pods_hold_at_once_is_a_conflict() -> None:
    """Neither is taken; one after the other is no conflict."""
    other = series(range(3, 6), pod="p-1")
    assert read("prometheus", matrix(series(range(5)), other), mapping=MAPPING).skipped == {"conflict": 2}
    assert spells(series(range(3)), other) == [(0, 1000, 180), (3, 1000, 180)]
    shared = MAPPING.replace('item = "h100-80g"', 'item = "h100-80g"\ngpu_milli = 500', 1)
    assert spells(series(range(5)), other, mapping=shared) == [(0, 500, 300), (3, 500, 180)]


def test_slices_of_one_device_are_devices_of_their_own() -> None:
    """What a slice counts is the mapping's policy; two pods on one slice are a conflict all the same."""
    one = series(range(2), GPU_I_ID="7", GPU_I_PROFILE="1g.10gb")
    other = series(range(2), GPU_I_ID="8", GPU_I_PROFILE="1g.10gb", pod="p-1")
    assert spells(one, other) == [(0, 125, 120), (0, 125, 120)]
    same = series(range(2), GPU_I_ID="7", GPU_I_PROFILE="1g.10gb", pod="p-1")
    assert read("prometheus", matrix(one, same), mapping=MAPPING).skipped == {"conflict": 2}


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        ({"pod": None}, "no_pod"),
        ({"namespace": ""}, "no_pod"),
        ({"UUID": None}, "no_gpu"),
        ({"namespace": "stranger"}, "account_unmapped"),
        ({"modelName": "NVIDIA B300"}, "item_unmapped"),
        ({"modelName": None}, "untyped_gpu"),
        ({"GPU_I_ID": "1", "GPU_I_PROFILE": "3g.40gb"}, "item_unmapped"),
    ],
)
def test_a_series_that_isnt_burned_has_its_reason(labels: dict[str, str | None], reason: str) -> None:
    """Labels go missing."""
    assert read("prometheus", matrix(series(range(2), "1", **labels)), mapping=MAPPING).skipped == {reason: 1}


def test_where_a_scrape_renamed_labels_the_pod_is_the_exported_one() -> None:
    """`pod` is the exporter's own then, of a series without a holder too."""
    held = series(range(2), pod="exporter-x", namespace="ops", exported_pod="p-0", exported_namespace="birch")
    idle = series(range(2), UUID="GPU-b", pod="exporter-x", namespace="birch")
    result = read("prometheus", matrix(held, idle), mapping=MAPPING)
    assert ([line.contract for line in result.lines], result.skipped) == (["birch-ai/c-1"], {"no_pod": 1})


def test_a_counter_of_energy_is_a_remark_and_no_record() -> None:
    """After a fall it counts from 0."""
    energy = series([], __name__="DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION")
    energy["values"] = [[T0, "1000"], [T0 + 60, "1600"], [T0 + 120, "NaN"], [T0 + 180, "200"], [T0 + 240, "900"]]
    result = read("prometheus", matrix(energy), mapping=MAPPING)
    assert (result.reading.records, result.remarks) == (0, {"energy_millijoules": {"GPU-a": 1500}})


def requests(at: range, value: str, **more: str | None) -> dict[str, Any]:
    labels = {"UUID": None, "resource": "nvidia_com_gpu", "node": "n1", "container": "main"} | more
    one = series(at, value)
    one["metric"] |= labels | {"__name__": "kube_pod_container_resource_requests"}
    return one | {"metric": {name: said for name, said in one["metric"].items() if said is not None}}


@pytest.mark.parametrize(
    ("result", "outcome"),
    [
        (requests(range(3), "4"), [("heron/birch/p-0/main", 4000, 180)]),
        (requests(range(3), "NaN"), {"not_a_number": 1}),
        (requests(range(3), "0"), {"no_gpu": 1}),
        (requests(range(3), "4", node=""), {"not_started": 1}),
        (requests(range(3), "4", resource="cpu"), {"no_gpu": 1}),
        (requests(range(3), "4", resource="example_com_input"), {"no_gpu": 1}),
        (requests(range(3), "4", resource="amd_com_gpu", node="n2"), {"item_unmapped": 1}),
    ],
)
def test_of_requests_the_value_is_the_number_of_devices(result: dict[str, Any], outcome: Any) -> None:
    """kube-state-metrics tells the containers apart, and has the node from scheduling on."""
    mapping = MAPPING + '[node]\nn1 = "NVIDIA H100"\n'
    found = read("prometheus", matrix(result), mapping=mapping)
    assert (found.held or found.skipped) == outcome


@pytest.mark.parametrize("values", [[[T0]], [["a", "1"]], [[-5, "1"]], ["x"], [[1e30, "1"]]])
def test_samples_that_arent_are_unreadable(values: list[Any]) -> None:
    """Not the whole file."""
    damaged = series([]) | {"values": values}
    assert read("prometheus", matrix(damaged), mapping=MAPPING).skipped == {"unreadable": 1}


@pytest.mark.parametrize(
    ("data", "mapping", "message"),
    [
        (
            b'{"status": "error", "errorType": "bad_data", "error": "exceeded"}',
            MAPPING,
            "not_parsable_output: .*exceeded",
        ),
        (b'{"status": "success", "data": {"resultType": "vector", "result": []}}', MAPPING, "query_range"),
        (matrix(), MAPPING.replace("step_seconds = 60", ""), "step_missing"),
        (matrix(series(range(1))), MAPPING.replace('cluster = "heron"', ""), "cluster_unknown"),
    ],
)
def test_what_is_no_range_or_cant_be_read_alone_is_refused(data: bytes, mapping: str, message: str) -> None:
    """The step isn't guessed from the samples."""
    with pytest.raises(UsageFileError, match=message):
        read("prometheus", data, mapping=mapping)
