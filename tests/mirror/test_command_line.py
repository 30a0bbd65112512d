"""A log is brought to a mirror from the command line, audited there, and its receipts carry the mirror's word."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen
from typing import NamedTuple

import pytest

from support.command_line import ORIGIN, Desk, done, failed, finish, run, start
from tallystick.witness.cosigner import origin_hash


class Town(NamedTuple):
    """A desk, and a mirror that knows its log and is named by its trust policy."""

    desk: Desk
    mirror: Path


@pytest.fixture
def town(tmp_path: Path) -> Town:
    desk = Desk(tmp_path)
    desk.found()
    log = desk.vkey(ORIGIN)
    line = done("mirror", "init", tmp_path / "m1", "--name", "mirror.example/m1", "--log", log, "--no-passphrase")
    desk.policy.write_text(f"log {log}\n{line}quorum mirror.example/m1\n")
    return Town(desk, tmp_path / "m1")


@contextmanager
def served(folder: Path) -> Iterator[tuple["Popen[str]", str]]:
    """Serve a mirror from a process of its own until the block ends."""
    process = start("mirror", "serve", folder)
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
    finally:
        process.send_signal(signal.SIGTERM)
        ran = finish(process)
    assert (ran.status, ran.out, ran.err.splitlines()[-1]) == (0, "", "stopped")
    assert "Traceback" not in ran.err


def test_a_log_is_pushed_audited_and_trusted(town: Town) -> None:
    """As its operator and an auditor would, with nothing but the mirror's URL."""
    ledger, policy = town.desk.ledger, town.desk.policy
    with served(town.mirror) as (_, url):
        first = run("mirror", "push", ledger, "--mirror", url, "--trust", policy, "--show-to-all", "--json").json
        size = first["size"]
        assert first == {
            "origin": ORIGIN,
            "size": size,
            "mirror": url,
            "cosigned_by": first["cosigned_by"],
            "sent": size,
            "kept": str(ledger / "checkpoint.cosigned"),
        }
        assert [label.split("+")[0] for label in first["cosigned_by"]] == ["mirror.example/m1"]
        done("receipt", ledger, 0, "-o", town.desk.folder / "receipt")
        done("verify", town.desk.folder / "receipt", "--trust", policy)
        town.desk.open_programme()
        said = done("mirror", "push", ledger, "--mirror", url, "--trust", policy, "--show-to-all")
        assert said.startswith(f"{url} holds ")
        assert "of them sent now; cosigned by mirror.example/m1" in said
        assert "0 of them sent now" in done(
            "mirror", "push", ledger, "--mirror", url, "--trust", policy, "--show-to-all"
        )
        assert "clean" in done("audit", f"{url}/{origin_hash(ORIGIN)}", "--trust", policy)
    assert "clean" in done("audit", town.mirror / "logs" / origin_hash(ORIGIN), "--trust", policy)


def test_an_exported_folder_is_pushed_too(town: Town) -> None:
    """It is what a machine without the ledger has."""
    public = town.desk.folder / "public"
    done("export", town.desk.ledger, public)
    with served(town.mirror) as (_, url):
        said = done("mirror", "push", public, "--mirror", url, "--trust", town.desk.policy)
    assert f"kept in {public}/checkpoint" in said


def test_what_cannot_be_done_is_one_line(town: Town, tmp_path: Path) -> None:
    """Whatever is given to it."""
    log = town.desk.vkey(ORIGIN)
    words = ("--name", "mirror.example/m2", "--log", log, "--no-passphrase")
    assert "is not empty" in failed("mirror", "init", town.mirror, *words)
    assert "is no mirror" in failed("mirror", "serve", tmp_path)
    made = run("mirror", "init", tmp_path / "m2", *words, "--json").json
    assert made["name"] == "mirror.example/m2"
    with served(tmp_path / "m2") as (_, url):
        port = url.rpartition(":")[2]
        assert "in use" in failed("mirror", "serve", town.mirror, "--port", port)
        untrusted = failed(
            "mirror", "push", town.desk.ledger, "--mirror", url, "--trust", town.desk.policy, "--show-to-all", status=1
        )
        assert "signs as mirror.example/m2" in untrusted
        not_for_all = failed("mirror", "push", town.desk.ledger, "--mirror", url, "--trust", town.desk.policy)
        assert "a mirror shows every entry to all who ask, and the reading of" in not_for_all
    assert "is not a URL" in failed("mirror", "push", town.desk.ledger, "--mirror", "ftp://x")
    assert "give --trust POLICY" in failed("mirror", "push", "postgresql:///x", "--mirror", url)


def test_a_mirror_that_is_killed_goes_on(town: Town) -> None:
    """Whatever it had said before is there."""
    process = start("mirror", "serve", town.mirror)
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    done("mirror", "push", town.desk.ledger, "--mirror", url, "--trust", town.desk.policy, "--show-to-all")
    os.kill(process.pid, signal.SIGKILL)
    finish(process)
    town.desk.open_programme()
    with served(town.mirror) as (_, url):
        assert "cosigned by" in done(
            "mirror", "push", town.desk.ledger, "--mirror", url, "--trust", town.desk.policy, "--show-to-all"
        )
