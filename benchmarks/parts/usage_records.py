"""Slurm's records read and mapped, against what reads their form and nothing else: `csv`, orjson and ijson.

CPU time of this process. Python's search for cycles is paused for what is measured, as
`usage read` pauses it, and for the bare readers runs as it does by itself.
"""

import csv
import random
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import ijson
import orjson
from places import Place
from rounds import Part

from tallystick.cycle_collection import paused_collection
from tallystick.metering.formats import read_usage
from tallystick.metering.mapping import read_mapping
from tallystick.metering.reading import Reading

_RECORDS: Final = 50_000
_JSON_JOBS: Final = 10_000
_PIECE: Final = 1024 * 1024
_MAPPING: Final = b"""
cluster = "osprey"
[[account]]
name = "*"
contract = "maple-bio/c-3"
[[gpu]]
source = "a800"
item = "a800-80g"
"""
_FEW: Final = "Cluster|JobID|Account|User|Partition|State|Submit|Start|End|ElapsedRaw|Suspended|AllocTRES"
_MANY: Final = (
    "JobID|JobIDRaw|DBIndex|Cluster|User|UID|Group|Account|Partition|QOS|JobName|State|ExitCode|DerivedExitCode|Submit|"
    "Eligible|Start|End|Elapsed|ElapsedRaw|Suspended|Timelimit|TimelimitRaw|NNodes|NCPUS|ReqTRES|AllocTRES|NodeList|Flags|"
    "Reason|Comment"
)


def _files(place: Place) -> dict[str, Path]:
    """Return the files of records that are read: text of 12 and of 31 columns, and JSON."""
    folder = place.kept_folder()
    files = {"12": folder / "few.psv", "31": folder / "many.psv", "json": folder / "jobs.json"}
    for name, heading in (("12", _FEW), ("31", _MANY)):
        files[name].write_text(_text(heading, place.count(_RECORDS)), "utf-8")
    jobs = list(_jobs(place.count(_JSON_JOBS)))
    files["json"].write_bytes(orjson.dumps({"jobs": jobs, "meta": {}, "errors": []}))
    return files


def measure(place: Place) -> dict[str, float]:
    """Records of a month of a cluster read and mapped, and read by what knows their form alone."""
    files = place.once("usage records", lambda: _files(place))
    figures = {}
    for columns in ("12", "31"):
        path = files[columns]
        figures[f"usage_csv_{columns}_cpu_seconds"] = _seconds(partial(_bare_csv, path))
        figures[f"usage_sacct_{columns}_cpu_seconds"] = _seconds(partial(_ours, path, "slurm-psv"))
    jobs = files["json"]
    figures["usage_orjson_cpu_seconds"] = _seconds(lambda: orjson.loads(jobs.read_bytes()))
    figures["usage_ijson_cpu_seconds"] = _seconds(lambda: _bare_ijson(jobs))
    figures["usage_sacct_json_cpu_seconds"] = _seconds(lambda: _ours(jobs, "slurm-json"))
    return figures


def _seconds(work: Callable[[], object]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


def _bare_csv(path: Path) -> None:
    with path.open(newline="") as file:
        for _ in csv.reader(file, delimiter="|", quoting=csv.QUOTE_NONE):
            pass


def _bare_ijson(path: Path) -> None:
    with path.open("rb") as file:
        for _ in ijson.items(file, "jobs.item", use_float=True):
            pass


def _ours(path: Path, format_name: str) -> None:
    reading = Reading()
    with path.open("rb") as file, paused_collection():
        chunks = iter(lambda: file.read(_PIECE), b"")
        for _ in read_usage([chunks], format_name, read_mapping(_MAPPING, "mapping"), reading):
            pass
    assert reading.records_burned > reading.records // 2, reading.skipped


def _facts(how_many: int) -> Iterator[dict[str, Any]]:
    """Yield jobs of some hundred users, each of whom has one account and asks for the same again and again."""
    made_up = random.Random(7)  # the same file every time
    start = 1_775_000_000
    for number in range(how_many):
        start += made_up.randrange(5)
        user, elapsed = int(made_up.paretovariate(1)) % 300, made_up.randrange(1, 90_000)
        yield {
            "number": 100_000 + number,
            "user": user,
            "gpus": made_up.choice(([1, 1, 2], [4, 8], [0, 1], [8])[user % 4]),
            "state": made_up.choice(["COMPLETED"] * 8 + ["FAILED", "TIMEOUT"]),
            "start": start,
            "elapsed": elapsed,
        }


def _text(heading: str, how_many: int) -> str:
    columns = heading.split("|")
    lines = [heading]
    for facts in _facts(how_many):
        gpus = facts["gpus"]
        held = f"gres/gpu:a800={gpus},gres/gpu={gpus}," if gpus else ""
        tres = f"billing={gpus * 10 + 4},cpu={gpus * 8 + 4},{held}mem={gpus * 64 + 16}G,node=1"
        start, job = str(facts["start"]), str(facts["number"])
        values = {
            **dict.fromkeys(("JobID", "JobIDRaw", "DBIndex"), job),
            **dict.fromkeys(("Submit", "Eligible", "Start"), start),
            **dict.fromkeys(("ReqTRES", "AllocTRES"), tres),
            **dict.fromkeys(("ExitCode", "DerivedExitCode"), "0:0"),
            **{"Cluster": "osprey", "User": f"u{facts['user']}", "UID": "1004", "Group": "users", "QOS": "normal"},
            **{"Account": f"account{facts['user'] % 40}", "Partition": "gpu", "JobName": "train", "Comment": ""},
            **{"End": str(facts["start"] + facts["elapsed"]), "Elapsed": "01:00:00", "Suspended": "00:00:00"},
            **{"ElapsedRaw": str(facts["elapsed"]), "State": facts["state"], "NodeList": "gpu01", "Reason": "None"},
            **{"Timelimit": "1-00:00:00", "TimelimitRaw": "1440", "NNodes": "1", "NCPUS": "8", "Flags": "SchedMain"},
        }
        lines.append("|".join(values[column] for column in columns))
    return "\n".join(lines) + "\n"


def _jobs(how_many: int) -> Iterator[dict[str, Any]]:
    """Yield jobs in the shape that Slurm 23.11 writes, each with a step."""
    unset = {"set": False, "infinite": False, "number": 0}
    for facts in _facts(how_many):
        gpus = facts["gpus"] or 1
        held = [("cpu", "", 4), ("mem", "", 16_000), ("gres", "gpu", gpus), ("gres", "gpu:a800", gpus)]
        tres = [{"type": kind, "name": name, "id": 1, "count": count} for kind, name, count in held]
        times = {"elapsed": facts["elapsed"], "start": facts["start"], "end": facts["start"] + facts["elapsed"]}
        yield {
            "account": f"account{facts['user'] % 40}",
            "association": {"account": "a", "cluster": "osprey", "partition": "", "user": "u", "id": 3},
            "cluster": "osprey",
            "user": f"u{facts['user']}",
            "job_id": facts["number"],
            "name": "train",
            "nodes": "gpu01",
            "partition": "gpu",
            "array": {"job_id": 0, "task_id": unset, "task": ""},
            "het": {"job_id": 0, "job_offset": unset},
            "time": times | {"suspended": 0, "limit": unset, "total": {"seconds": 0, "microseconds": 0}},
            "exit_code": {"status": ["SUCCESS"], "return_code": unset, "signal": {"id": unset, "name": ""}},
            "state": {"current": [facts["state"]], "reason": "None"},
            "required": {"CPUs": 4, "memory_per_cpu": unset, "memory_per_node": unset},
            "tres": {"allocated": tres, "requested": tres},
            "steps": [{"step": {"id": "batch"}, "time": times, "tres": {"allocated": tres}, "state": ["COMPLETED"]}],
        }


PART = Part("usage_records", measure)
