"""The command line as a person uses it: files, commands, and what came of them.

`run` calls the program in this process, which is quick; `start` starts a real one, where signals, limits or two at once
matter. A `Desk` is a folder with keys, commands and a ledger, and a clock that the test sets.
"""

import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

from support.actors import brought_by, uscc_of
from support.terms import contract_of, limits_of, rules_of
from tallystick.cli import main
from tallystick.publishing import read_ledger

ORIGIN = "tallystick.example/rehearsal"


class Ran(NamedTuple):
    """What a command did: its exit status and what it wrote."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it wrote, as JSON."""
        assert self.err == "", self.err
        return json.loads(self.out)


def run(*arguments: object, stdin: bytes = b"") -> Ran:
    """Run one command in this process."""
    streams = [io.TextIOWrapper(io.BytesIO(given), encoding="utf-8") for given in (stdin, b"", b"")]
    with mock.patch.multiple(sys, stdin=streams[0], stdout=streams[1], stderr=streams[2]):
        try:
            status = main([str(argument) for argument in arguments])
        finally:
            written = []
            for stream in streams[1:]:
                stream.flush()
                written.append(stream.buffer.getvalue().decode())
    return Ran(status, *written)


def done(*arguments: object, stdin: bytes = b"") -> str:
    """Run a command that must do as asked, and return what it wrote."""
    ran = run(*arguments, stdin=stdin)
    assert (ran.status, ran.err) == (0, ""), ran
    return ran.out


def failed(*arguments: object, stdin: bytes = b"", status: int = 2) -> str:
    """Run a command that must fail with one line on stderr and nothing on stdout, and return that line."""
    ran = run(*arguments, stdin=stdin)
    assert ran.status == status, ran
    assert ran.out == "", ran
    return the_line(ran.err)


def the_line(err: str) -> str:
    """Return the complaint, which is one line and begins with the program's name."""
    assert err.startswith("tallystick: "), err
    assert err.count("\n") == 1, err
    assert err.endswith("\n"), err
    assert "Traceback" not in err
    return err.removeprefix("tallystick: ").removesuffix("\n")


def start(
    *arguments: object, env_more: Mapping[str, str] | None = None, program: Sequence[str] = (), **options: Any
) -> subprocess.Popen[str]:
    """Start a real process, in a process group of its own; another `program` of Python's than the real one if given."""
    command = [sys.executable, *(program or ("-m", "tallystick")), *[str(argument) for argument in arguments]]
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    source = str(Path(__file__).resolve().parents[2] / "src")
    environment = {**os.environ, "PYTHONPATH": source, "NO_COLOR": "1", **(env_more or {})}
    return subprocess.Popen(command, text=True, start_new_session=True, env=environment, **(pipes | options))


def finish(process: subprocess.Popen[str]) -> Ran:
    """Wait for a process."""
    out, err = process.communicate(timeout=120)
    return Ran(process.returncode, out, err)


def _usual(party: str) -> tuple[str, ...]:
    """Return the names of the keys that sign for a party: two roots for the network, else one."""
    return ("national/root-1", "national/root-2") if party == "national" else (f"{party}/desk",)


@dataclass
class Desk:
    """A folder to work in: `keys/`, notes, and the ledger folder `ledger/`; `at` is the time that all of it happens."""

    folder: Path
    at: str = "2026-01-05T08:00:00Z"
    written: int = field(default=0, init=False)

    @property
    def ledger(self) -> Path:
        """The ledger folder."""
        return self.folder / "ledger"

    @property
    def source(self) -> Path | str:
        """What the commands are given as SOURCE."""
        return self.ledger

    @property
    def size(self) -> int:
        """How many entries the log has."""
        with read_ledger(self.source) as reader:
            return reader.size

    @property
    def policy(self) -> Path:
        """The trust policy that the ledger's creation wrote."""
        return self.ledger / "trust.policy"

    def key(self, name: str) -> Path:
        """Return the key file of this name, made if need be."""
        path = self.folder / "keys" / f"{name.replace('/', '.')}.pem"
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            done("key", "new", name, "-o", path, "--no-passphrase")
        return path

    def vkey(self, name: str) -> str:
        """Return the vkey of the key of this name."""
        return self.key(name).read_text().splitlines()[0].removeprefix("vkey: ")

    def sign(self, kind: str, party: str, *, signers: tuple[str, ...] = (), **fields: Any) -> Path:
        """Write a command as a person would, sign it, and return the note's path; `from_` stands for `from`."""
        self.written += 1
        given = {name.rstrip("_"): value for name, value in fields.items()}
        head = {"kind": f"{kind}/1", "log": ORIGIN, "party": party, "ref": f"doc-{self.written}"}
        command = head | {"signed_at": self.at.replace("Z", ".000000Z")} | given
        path = self.folder / f"{self.written:03d}.json"
        path.write_text(json.dumps(command, indent=4), "utf-8")
        note = path.with_suffix(".note")
        keys = [
            word for name in signers or _usual(party) + self._brought(kind, given) for word in ("--key", self.key(name))
        ]
        assert done("sign", path, *keys, "-o", note) == ""
        return note

    def _brought(self, kind: str, fields: dict[str, Any]) -> tuple[str, ...]:
        """Return the names of the keys that a command brings, which sign it too."""
        return tuple(brought_by(fields | {"kind": f"{kind}/1"}))

    def submit(self, *notes: Path, status: int = 0) -> Ran:
        """Submit notes at the desk's time."""
        ran = run("submit", self.source, *notes, "--log-time", self.at)
        assert ran.status == status, ran
        return ran

    def do(self, kind: str, party: str, *, signers: tuple[str, ...] = (), **fields: Any) -> str:
        """Sign and submit a command that must be accepted, and return the line about it."""
        return self.submit(self.sign(kind, party, signers=signers, **fields)).out

    def found(self, *more: object, log_key: object = None) -> None:
        """Make a network with a treasury, a provider and a holder; its root keys too, and its log's if need be."""
        genesis = self.sign(
            "network.found",
            "national",
            edition=1,
            name="National compute voucher network",
            currency="CNY",
            root_keys=[self.vkey(name) for name in _usual("national")],
            root_quorum=2,
            clock_skew_seconds=300,
            freshness_seconds=86_400,
            burn_window_seconds=7_776_000,
            release_grace_seconds=604_800,
            tariff_notice_seconds=0,
            takeover_seconds=0,
            sealing_grace_seconds=0,
            utc_offset_seconds=28_800,
        )
        key = ["--log-key", self.key(ORIGIN) if log_key is None else log_key, *more]
        done("ledger", "create", self.source, "--genesis", genesis, *key, "--log-time", self.at)
        self.admit("shanghai-treasury", "treasury", "national")
        self.admit("guian-cluster", "provider", "national")
        self.admit("acme-ai", "holder", "shanghai-treasury")

    def admit(self, party: str, role: str, by: str) -> None:
        """Admit a party with one key, `<party>/desk`."""
        code: dict[str, Any] = {} if role == "treasury" else {"uscc": uscc_of(party)}
        fields: dict[str, Any] = {"admitted": party, "role": role, "name": party, "keys": [self.vkey(f"{party}/desk")]}
        self.do("party.admit", by, **fields, **code)

    def open_programme(self) -> None:
        """Open a programme, accredit the provider, publish its tariff, sign a contract, issue and reserve a voucher."""
        self.do(
            "item.register",
            "national",
            item="ascend-910b",
            unit="gpu_time",
            name="Ascend 910B",
            origin="domestic",
        )
        self.do(
            "programme.open",
            "shanghai-treasury",
            programme="shanghai-treasury/compute-2026",
            name="Compute vouchers 2026",
            voucher_kind="compute",
            fiscal_year=2026,
            envelope_fen=500_000_000,
            opens_at="2026-01-05T08:00:00.000000Z",
            closes_at="2026-12-31T16:00:00.000000Z",
            rules=rules_of(
                shares=[{"origin": "domestic", "share_bp": 5_000}, {"share_bp": 2_000}],
                cap={"group": "compute", "holder_fen": 200_000_000, "floor_fen": 0},
                validity_days=365,
            ),
        )
        self.do(
            "provider.accredit",
            "shanghai-treasury",
            programme="shanghai-treasury/compute-2026",
            provider="guian-cluster",
            valid_from="2026-01-05T08:00:00.000000Z",
            items=limits_of("ascend-910b", price_limit_fen=800),
        )
        self.do(
            "tariff.publish",
            "guian-cluster",
            item="ascend-910b",
            price_fen=600,
            valid_from="2026-01-05T08:00:00.000000Z",
        )
        self.do(
            "contract.sign",
            "acme-ai",
            signers=("acme-ai/desk", "guian-cluster/desk"),
            **contract_of("acme-ai/k-1", "acme-ai", "guian-cluster", "2026-01-05", "2026-12-31"),
        )
        self.do(
            "voucher.issue",
            "shanghai-treasury",
            voucher="shanghai-treasury/v-1",
            programme="shanghai-treasury/compute-2026",
            holder="acme-ai",
            face_fen=150_000_000,
            valid_from="2026-01-05T08:00:00.000000Z",
        )
        self.do(
            "voucher.reserve",
            "acme-ai",
            reservation="acme-ai/r-1",
            voucher="shanghai-treasury/v-1",
            contract="acme-ai/k-1",
            amount_fen=1_000_000,
            until="2026-03-31T16:00:00.000000Z",
        )

    def statement(self, *jobs: tuple[str, int, str, str, int], ref: str) -> Path:
        """Sign a statement; a job is its name, its GPUs, from, to (in whole seconds), and seconds."""
        lines = [[job, 1_000 * gpus, starts_at, ends_at, seconds] for job, gpus, starts_at, ends_at, seconds in jobs]
        groups = [{"item": "ascend-910b", "lines": lines}]
        return self.sign("time.burn", "guian-cluster", contract="acme-ai/k-1", groups=groups, ref=ref)
