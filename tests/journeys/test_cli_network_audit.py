"""Several logs are audited by one command: what it prints, its status, its report, and what it can't be asked."""

import json
import shutil
from pathlib import Path

import pytest

from support.actors import checkpoint_of, vkey_of
from support.command_line import done, failed, run
from support.several_logs import NATIONAL, Log, origin_of, policy_of, write_several_logs

NAMES = (NATIONAL, "first", "second")
CLEAN = """\
verdict: clean
the logs; the first is the network's, which records the others' checkpoints
log                          entries  verdict  recorded checkpoints  newest of entries  entries beyond
──────────────────────────────────────────────────────────────────────────────────────────────────────
tallystick.example/national        4  clean
tallystick.example/first          15  clean                       1                 15               0
tallystick.example/second         15  clean                       1                 15               0
tallystick.example/first: its newest recorded checkpoint is entry 2, of 2026-02-04T00:00:00.000000Z
tallystick.example/second: its newest recorded checkpoint is entry 3, of 2026-02-04T00:00:00.000000Z
"""


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three logs and their policy."""
    folder = tmp_path_factory.mktemp("several")
    write_several_logs(folder)
    (folder / "trust.policy").write_bytes(policy_of(*NAMES).to_text())
    return folder


@pytest.fixture
def logs(pristine: Path, tmp_path: Path) -> Path:
    """A copy of it to go on with."""
    return Path(shutil.copytree(pristine, tmp_path / "logs"))


def asked(folder: Path, *more: object) -> tuple[object, ...]:
    """The arguments that audit all three."""
    sources = [folder / name for name in NAMES]
    return ("network", "audit", *sources, "--trust", folder / "trust.policy", "--workers", "1", *more)


def test_what_is_clean_together_is_said_with_how_far_it_is_recorded(
    pristine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert done(*asked(pristine)) == CLEAN


def test_what_is_found_is_said_with_both_entries(logs: Path) -> None:
    Log(logs, "second").burn("first-1", ref="again")
    ran = run(*asked(logs))
    assert (ran.status, ran.err) == (1, "")
    assert ran.out.startswith("verdict: findings\n")
    said = (
        "job_time_in_two_logs in entry 12 of tallystick.example/first and entry 15 of tallystick.example/second: job "
    )
    assert said in ran.out


def test_what_is_wrong_with_one_log_is_said_with_its_name(logs: Path) -> None:
    (logs / "trust.policy").write_bytes(policy_of(NATIONAL, "first").to_text())
    ran = run(*asked(logs))
    assert (ran.status, ran.err) == (1, "")
    assert "\ntallystick.example/second: checkpoint_signature_invalid: the newest: " in ran.out


def test_what_is_not_covered_not_given_and_by_other_keys_is_shown(logs: Path) -> None:
    second, national = Log(logs, "second"), Log(logs, NATIONAL)
    second.burn("another", ref="s2")
    national.record(checkpoint_of(origin_of("third"), 9), vkey_of(origin_of("third")))
    stranger = f"{origin_of('first')}:stranger"
    national.record(checkpoint_of(origin_of("first"), 9, signed_by=stranger), vkey_of(stranger))
    out = done(*asked(logs))
    assert "not audited: tallystick.example/third, of which 1 checkpoints are recorded\n" in out
    assert "tallystick.example/first: 1 recorded under its name by keys that aren't its own\n" in out
    (row,) = [line for line in out.splitlines() if line.startswith("tallystick.example/second  ")]
    assert row.split() == ["tallystick.example/second", "16", "clean", "1", "15", "1"]


def test_a_log_that_nobody_recorded_is_named(pristine: Path) -> None:
    """The city's first log stands for the network's: it has recorded nothing."""
    sources = [pristine / name for name in ("first", "second")]
    out = done("network", "audit", *sources, "--trust", pristine / "trust.policy", "--workers", "1")
    assert "tallystick.example/second: no checkpoint of it is recorded" in out
    assert "tallystick.example/second: it says that it is a member of tallystick.example/national\n" in out


def test_the_report_is_json_and_has_each_logs_own(pristine: Path, tmp_path: Path) -> None:
    done(*asked(pristine, "--report", tmp_path / "report.json"))
    report = json.loads((tmp_path / "report.json").read_bytes())
    assert report == run(*asked(pristine, "--json")).json
    assert list(report) == ["verdict", "logs", "findings", "not_given"]
    for log, name in zip(report["logs"], NAMES, strict=True):
        (tmp_path / "own.policy").write_bytes(policy_of(name).to_text())
        alone = run("audit", pristine / name, "--trust", tmp_path / "own.policy", "--json").json
        assert (log["origin"], log["report"]) == (origin_of(name), alone)
    done(*asked(pristine, "--report", tmp_path / "report.json"))  # it replaces a report of its kind


def test_a_report_on_standard_output_stands_alone_there(pristine: Path) -> None:
    ran = run(*asked(pristine, "--report", "-"))
    assert ran.status == 0
    assert json.loads(ran.out)["verdict"] == "clean"
    assert ran.err.startswith("verdict: clean\n")


@pytest.mark.parametrize(
    ("sources", "words"),
    [
        ((NATIONAL, "first", "first"), "are both of the log tallystick.example/first: give one of them"),
        ((NATIONAL, "nowhere"), "there is no folder"),
        ((NATIONAL, "trust.policy"), "trust.policy is not a folder"),
        ((NATIONAL,), "Missing argument 'SOURCE...'"),
    ],
)
def test_what_is_no_network_is_one_line(sources: tuple[str, ...], words: str, pristine: Path) -> None:
    given = [pristine / name for name in sources]
    assert words in failed("network", "audit", *given, "--trust", pristine / "trust.policy")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--trust", "first/trust.policy"), "2 policies name the log tallystick.example/first"),
        (("--trust", "nowhere.policy"), "nowhere.policy"),
        (("--trust", "first/ledger.db"), "a policy"),
        (("--json", "--report", "-"), "exclude each other"),
        (("--report", "first/ledger.db"), "ledger.db"),
        (("--workers", "0"), "--workers"),
    ],
)
def test_what_cant_be_asked_is_one_line(
    more: tuple[str, ...], words: str, pristine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(pristine)
    before = (pristine / "first" / "ledger.db").read_bytes()
    assert words in failed(*asked(pristine, *more))
    assert (pristine / "first" / "ledger.db").read_bytes() == before


def test_no_policy_is_one_line(pristine: Path) -> None:
    assert "--trust" in failed("network", "audit", *[pristine / name for name in NAMES])


def test_a_log_is_founded_as_a_member_of_another(tmp_path: Path) -> None:
    named = ("--origin", "tallystick.example/second", "--name", "Second", "--no-passphrase")
    done("network", "found", tmp_path / "net", *named, "--member-of", "tallystick.example/national")
    said = run("show", tmp_path / "net" / "ledger", "entry", "0", "--json").json
    assert said["entry"]["command"]["member_of"] == "tallystick.example/national"
    itself = failed("network", "found", tmp_path / "other", *named, "--member-of", "tallystick.example/second")
    assert "member_of" in itself
    assert not (tmp_path / "other").exists()
