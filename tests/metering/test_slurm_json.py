"""`sacct --json` is read whatever its version: numbers, states and what isn't set in any of their spellings."""

import json
from typing import Any

import pytest

from support.usage_read import WasRead, read_texts
from tallystick.errors import UsageFileError
from tallystick.metering import json_jobs

START = 1_775_548_800


def triple(number: int | None) -> dict[str, Any]:
    """Return a number as it is since 23.02."""
    return {"set": number is not None, "infinite": False, "number": number or 0}


def job(number: int, gpus: dict[str, int] | None = None, **parts: Any) -> dict[str, Any]:
    """Return a job of an hour with an A800, or as said."""
    gpus = {"gpu": 1, "gpu:a800": 1} if gpus is None else gpus
    allocated: list[dict[str, Any]] = [
        {"type": "gres", "name": name, "id": 1, "count": count} for name, count in gpus.items()
    ]
    return {
        "job_id": number,
        "account": "maple",
        "user": "u1",
        "partition": "gold",
        "name": 'x|y\n"',
        "state": {"current": "COMPLETED", "reason": "None"},
        "array": {"job_id": 0, "task": None, "task_id": None},
        "het": {"job_id": 0, "job_offset": None},
        "time": {"start": START, "end": START + 3600, "elapsed": 3600, "suspended": 0},
        "tres": {"allocated": [{"type": "energy", "name": None, "count": -2}, *allocated]},
        "steps": [{"step": {"id": "batch"}}],
    } | parts


def read(*jobs: object, **settings: Any) -> WasRead:
    """Read a file of jobs."""
    return read_texts(json.dumps({"meta": {}, "jobs": jobs, "errors": []}), format_name="slurm-json", **settings)


def test_old_and_new_spellings_say_the_same() -> None:
    """Plain numbers and null; `{set, infinite, number}`; a state as a word and as a list; plain again with +complex."""
    times = {"start": triple(START), "end": triple(START + 3600), "elapsed": triple(3600), "suspended": triple(0)}
    array = {"job_id": triple(0), "task": "", "task_id": triple(None)}
    het = {"job_id": 0, "job_offset": triple(None)}
    new = job(1, time=times, array=array, het=het, state={"current": ["COMPLETED"], "reason": "None"})
    plain = job(1, array={"job_id": 0, "task_id": 4294967294}, het={}, time=job(1)["time"] | {"limit": "Infinity"})
    bare = job(1, array=None, het=None, association={"account": "maple", "cluster": "osprey"}, state=["COMPLETED"])
    expected = read(job(1)).lines
    assert expected == ["osprey/1 maple-bio/c-3 a800-80g 1000 3600 2026-04-07T08:00:00Z 2026-04-07T09:00:00Z"]
    for other in (new, plain, bare):
        assert read(other).lines == expected


def test_names_are_those_that_sacct_displays() -> None:
    """An array's task, a part of a heterogeneous job; tasks that wait."""
    array = {"job_id": 88, "task_id": triple(0), "task": ""}
    waits = {"job_id": 88, "task_id": triple(None), "task": "3-9%2"}
    found = read(
        job(91, array=array),
        job(92, het={"job_id": 92, "job_offset": triple(0)}),
        job(93, het={"job_id": 92, "job_offset": triple(1)}),
        job(88, array=waits),
    )
    assert [line.split()[0] for line in found.lines] == ["osprey/88_0", "osprey/92+0", "osprey/92+1"]
    assert found.skipped == {"not_started": 1}


def test_a_requeued_spell_ran_although_its_job_is_pending() -> None:
    """The list is asked whether it holds a state; text exports call the same spell REQUEUED."""
    both = job(5, state={"current": ["PENDING", "REQUEUED"]})
    assert len(read(both).lines) == 1
    free = {"states": ["REQUEUED"]}
    assert read(both, free=free).skipped == {"free_state": 1}


@pytest.mark.parametrize("nothing", [None, 0, triple(None), triple(0), 4294967295])
def test_times_that_are_not_set_are_none(nothing: object) -> None:
    """No end: it runs. No start: it never did."""
    times = job(1)["time"]
    found = read(
        job(1, time=times | {"end": nothing}, state={"current": ["RUNNING"]}),
        job(2, time=times | {"start": nothing, "elapsed": 0}, tres={"allocated": []}, state={"current": "DEADLINE"}),
        job(3, time=times | {"start": nothing}),
    )
    assert found.skipped == {"still_running": 1, "not_started": 1, "unreadable": 1}


def test_counts_of_devices_must_be_numbers() -> None:
    """What isn't a GPU may have any count."""
    found = read(
        job(1, gpus={"gpu": 2, "gpu:a800": 1, "gpu:l40": 1}),
        job(2, gpus={"gpumem": 40_000, "gpuutil": 97}),
        job(3, tres={"allocated": [{"type": "gres", "name": "gpu", "count": None}]}),
        job(4, tres={"allocated": [{"type": "gres", "name": "gpu:a800", "count": triple(2)}]}),
        job(5, tres={"allocated": [{"type": "gres", "name": "gpu:a800", "count": -1}]}),
        job(6, tres={}),
    )
    assert found.burned == {"maple-bio/c-3 a800-80g": 10_800_000, "maple-bio/c-3 l40-48g": 3_600_000}
    assert found.skipped == {"no_gpu": 2, "unreadable": 2}


def test_what_is_no_job_is_unreadable() -> None:
    """And says so."""
    assert read(job(1), 7, {}, job(0), job(True), {"job_id": 4}).skipped == {"unreadable": 5}


def test_text_and_json_of_one_job_are_the_same_run() -> None:
    """Also if only one of them says who ran it."""
    heading = "JobID|Account|State|Start|End|ElapsedRaw|AllocTRES"
    text = f"{heading}\n7|maple|COMPLETED|{START}|{START + 3600}|3600|gres/gpu:a800=1,gres/gpu=1\n"
    from_text = read_texts(text)
    assert from_text.lines == read(job(7)).lines


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "not_parsable_output"),
        ("[]", "not_parsable_output"),
        ('{"meta": {}}', "not_parsable_output"),
        ('{"jobs": {}}', "not_parsable_output"),
        ('{"jobs": [{"job_id": 1, "na', "not_parsable_output"),
        ('{"jobs": []}{"jobs": []}', "not_parsable_output"),
        ("[" * 100_000, "not_parsable_output"),
        ("JobID|Account", "not_parsable_output"),
        ('{"jobs": [{"job_id": 1, "job_state": ["RUNNING"]}]}', "column_missing"),
        ('{"jobs": []}'.encode("utf-16"), "encoding_unknown"),
        ('{"jobs": ["' + "x" * (1 << 21) + '"]}', "too_large"),
    ],
)
@pytest.mark.parametrize("whole_max", [json_jobs.JSON_WHOLE_BYTES_MAX, 0])
def test_a_file_is_refused_as_a_whole(
    text: str | bytes, fault: str, whole_max: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parsed at once or streamed."""
    monkeypatch.setattr(json_jobs, "JSON_WHOLE_BYTES_MAX", whole_max)
    with pytest.raises(UsageFileError) as refused:
        read_texts(text, format_name="slurm-json", piece=4096)
    assert refused.value.fault == fault
    assert "\n" not in str(refused.value)


def test_a_large_file_is_read_a_job_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes to the same, also with a byte order mark and broken characters."""
    text = json.dumps({"jobs": [job(number) for number in range(1, 40)]}, indent=1).encode()
    text = b"\xef\xbb\xbf" + text.replace(b"gold", b"g\xffld", 1)
    whole = read_texts(text, format_name="slurm-json")
    monkeypatch.setattr(json_jobs, "JSON_WHOLE_BYTES_MAX", 0)
    streamed = read_texts(text, format_name="slurm-json", piece=777)
    assert len(whole.lines) == 39
    assert (streamed.lines, streamed.counts) == (whole.lines, whole.counts)


def test_half_a_character_in_a_name_is_no_obstacle() -> None:
    """A user may bring it about."""
    text = json.dumps({"jobs": [job(1)]}).replace("x|y", "\\ud800")
    assert len(read_texts(text, format_name="slurm-json").lines) == 1
