"""The cluster of deploy/patroni as a test sees it: three machines that can be killed, paused and cut off.

A machine is a Patroni and its PostgreSQL. Everything between machines, etcd and clients goes through wires of the
test's own, so cutting one off needs no right to change the network.
"""

import json
import os
import random
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from signal import Signals

from cluster.wires import Wires

SCRIPTS = Path(__file__).resolve().parents[2] / "deploy" / "patroni"
NODES = ("n1", "n2", "n3")
ETCD = ("e1", "e2", "e3")
SECONDS_TO_STAND = 90.0


@dataclass(frozen=True, slots=True)
class Roles:
    """Who is what, as Patroni has it."""

    leader: str | None
    synchronous: str | None
    running: frozenset[str]


def wait_for(what: str, condition: Callable[[], bool], seconds: float = SECONDS_TO_STAND) -> float:
    """Wait until something holds, and return how many seconds that took."""
    begin = time.monotonic()
    while not condition():
        if time.monotonic() - begin > seconds:
            raise TimeoutError(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.1)
    return time.monotonic() - begin


class Cluster:
    """A running cluster in a folder of its own."""

    def __init__(self) -> None:
        self._top = Path(tempfile.mkdtemp(prefix="tallystick-cluster-", dir="/tmp"))  # not deep: sockets lie in it
        self._top.chmod(0o755)
        # Root becomes another user, who perhaps can't look where this repository is.
        self._scripts = Path(shutil.copytree(SCRIPTS, self._top / "scripts"))
        self.folder = self._top / "cluster"
        self.base = _free_base_port()
        self._wires = Wires(_wiring(self.base))
        try:
            self.urls = self.up()
        except subprocess.CalledProcessError:
            self.remove()
            raise

    def up(self) -> list[str]:
        """Start what doesn't run; return the URLs, by way of HAProxy and with all hosts."""
        arguments = ["--base-port", str(self.base), "--through-gateways", str(self.folder)]
        done = subprocess.run([self._scripts / "up", *arguments], check=True, stdout=subprocess.PIPE, text=True)
        return done.stdout.split()

    def down(self) -> None:
        """Kill whatever runs of it."""
        subprocess.run([self._scripts / "down", self.folder], check=True)

    def remove(self) -> None:
        """Stop it, and delete what it had."""
        self.close()
        shutil.rmtree(self._top, ignore_errors=True)

    def close(self) -> None:
        """Stop it, and keep its folder."""
        self.down()
        self._wires.close()

    # -- parts --------------------------------------------------------------------------------------------------------

    def processes(self, *part: str) -> list[int]:
        """Return the processes of n1 … n3, e1 … e3 or haproxy, or of all of them."""
        arguments = [str(self._scripts / "processes"), str(self.folder), *part]
        done = subprocess.run(arguments, check=True, stdout=subprocess.PIPE, text=True)
        return [int(pid) for pid in done.stdout.split()]

    def signal(self, number: Signals, *part: str) -> None:
        """Send a signal to every process of a part, or of all; twice, for one may be born of another in between."""
        for _ in range(2):
            _signal(self.processes(*part), number)

    def signal_patroni(self, node: str, number: Signals) -> None:
        """Send a signal to a machine's Patroni, and not to its PostgreSQL."""
        _signal([pid for pid in self.processes(node) if not _is_postgres(pid)], number)

    def signal_postgres(self, node: str, number: Signals) -> None:
        """Send a signal to a machine's PostgreSQL, and not to its Patroni."""
        _signal([pid for pid in self.processes(node) if _is_postgres(pid)], number)

    def start(self, part: str) -> None:
        """Start a part that was killed."""
        subprocess.run([self._scripts / "start", self.folder, part], check=True)

    def cut_off(self, node: str, *, clients_too: bool = True) -> None:
        """Cut a machine's wires to the others and to etcd, and to clients unless told otherwise."""
        self._wires.cut(_wires_of(self.base, node, clients_too))

    def mend(self, node: str) -> None:
        """Undo a cut."""
        self._wires.mend(_wires_of(self.base, node, True))

    def client_port(self, node: str) -> int:
        """Return the port by which clients reach a machine's PostgreSQL directly."""
        return self.base + 10 * int(node[1]) + 105

    # -- what Patroni says --------------------------------------------------------------------------------------------

    def roles(self) -> Roles:
        """Ask whichever Patroni answers first."""
        for number in (1, 2, 3):
            url = f"http://127.0.0.1:{self.base + 10 * number + 2}/cluster"
            with suppress(OSError, ValueError), urllib.request.urlopen(url, timeout=1) as answer:
                members = json.loads(answer.read())["members"]
                by_role = {member["role"]: member["name"] for member in members}
                running = {member["name"] for member in members if member["state"] in ("running", "streaming")}
                return Roles(by_role.get("leader"), by_role.get("sync_standby"), frozenset(running))
        return Roles(None, None, frozenset())

    def is_whole(self) -> bool:
        """Whether there are a leader, a synchronous standby, and nobody who doesn't run."""
        roles = self.roles()
        return bool(roles.leader and roles.synchronous) and roles.running == frozenset(NODES)

    def leader(self) -> str:
        """Return the machine that has the lock."""
        wait_for("a leader", lambda: self.roles().leader is not None)
        leader = self.roles().leader
        assert leader is not None
        return leader

    def patronictl(self, *arguments: str) -> None:
        """Let an operator do something."""
        node = self.leader()
        command = ["patronictl", "-c", str(self.folder / node / "patroni.yml"), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def etcd_leader(self) -> str | None:
        """Return the etcd member that leads, if one says so."""
        for name in ETCD:
            port = self.base + 10 * int(name[1]) + 3
            request = urllib.request.Request(f"http://127.0.0.1:{port}/v3/maintenance/status", data=b"{}")
            with suppress(OSError, ValueError), urllib.request.urlopen(request, timeout=1) as answer:
                status = json.loads(answer.read())
                if status.get("leader") == status["header"]["member_id"]:
                    return name
        return None


def _wiring(base: int) -> dict[int, int]:
    """Return each gateway's port and where it leads; deploy/patroni/cluster.sh has the table."""
    wiring: dict[int, int] = {}
    for number in (1, 2, 3):
        postgres, patroni = base + 10 * number + 1, base + 10 * number + 2
        wiring |= {postgres + 100: postgres, patroni + 100: patroni, postgres + 104: postgres}
        wiring |= {base + 100 + 100 * number + 10 * member + 3: base + 10 * member + 3 for member in (1, 2, 3)}
    return wiring


def _wires_of(base: int, node: str, clients_too: bool) -> set[int]:
    number = int(node[1])
    postgres, patroni = base + 10 * number + 101, base + 10 * number + 102
    wires = {postgres, patroni, *(base + 100 + 100 * number + 10 * member + 3 for member in (1, 2, 3))}
    return wires | {postgres + 4} if clients_too else wires


def _free_base_port() -> int:
    """Return a port above which the cluster's ports and all gateways are free now."""
    for _ in range(50):
        base = random.randrange(15_000, 32_000, 500)
        with suppress(OSError):
            for port in (base, base + 1, *_wiring(base), *_wiring(base).values()):
                with socket.socket() as listening:
                    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    listening.bind(("127.0.0.1", port))
            return base
    raise TimeoutError("no free ports")


def _is_postgres(pid: int) -> bool:
    with suppress(OSError):
        return "/postgresql/" in str(Path(f"/proc/{pid}/exe").readlink())
    return False


def _signal(pids: list[int], number: Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
