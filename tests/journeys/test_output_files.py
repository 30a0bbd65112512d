"""Whatever a person names for output, nothing is destroyed: devices, pipes, links, other people's files."""

import os
import socket
import stat
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.command_line import ORIGIN, Desk, Ran, done, failed, finish, run, start
from support.small_ledger import write_small_ledger
from tallystick.dossiers.balance_proof import BalanceProof
from tallystick.transparency.receipt import Receipt

Words = tuple[object, ...]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A desk with a witness, and beside it a ledger whose books were sealed; tests write elsewhere."""
    made = Desk(tmp_path_factory.mktemp("desk"))
    made.found()
    made.open_programme()
    write_small_ledger(made.folder / "sealed")
    witness = made.folder / "witness"
    done("witness", "init", witness, "--name", "w.example/1", "--log", made.vkey(ORIGIN), "--no-passphrase")
    made.sign("voucher.suspend", "shanghai-treasury", voucher="shanghai-treasury/v-1", reason="being looked into")
    return made


# by name: the command without its -o, and what the file then begins with
WRITERS: dict[str, tuple[Callable[[Desk], Words], bytes]] = {
    "receipt": (lambda desk: ("receipt", desk.ledger, 3, "-o"), b"c2sp.org/tlog-proof@v1\n"),
    "sign": (
        lambda desk: ("sign", newest_command(desk), "--key", desk.key("shanghai-treasury/desk"), "-o"),
        b'{"kind":"voucher.suspend/1"',
    ),
    "balance": (
        lambda desk: (
            *("proof", "balance", desk.folder / "sealed", "voucher", "shanghai/v1"),
            *("--seal", "registry/first", "-o"),
        ),
        b'{"format":"',
    ),
    "dossier": (lambda desk: ("dossier", desk.ledger, "holder", "acme-ai", "-o"), b'{"account":"holder acme-ai"'),
    "audit": (
        lambda desk: ("audit", desk.ledger, "--trust", desk.policy, "--report"),
        b'{\n  "verdict": "clean"',
    ),
    "cosign": (lambda desk: ("witness", "cosign", desk.folder / "witness", desk.ledger, "-o"), ORIGIN.encode()),
}


def newest_command(desk: Desk) -> Path:
    return desk.folder / f"{desk.written:03d}.json"


@pytest.fixture(params=WRITERS)
def writer(request: pytest.FixtureRequest, desk: Desk) -> tuple[Words, bytes]:
    """A command that ends in -o, and how what it writes begins."""
    command, begins = WRITERS[request.param]
    return command(desk), begins


def written(writer: tuple[Words, bytes], place: object) -> bytes:
    """Run the command with standard output left alone, and return what lies at the place."""
    done(*writer[0], place)
    data = Path(str(place)).read_bytes()
    assert data.startswith(writer[1])
    return data


def refused(writer: tuple[Words, bytes], place: object, *more: object) -> str:
    """Run the command, which must say in one line why it doesn't write there."""
    return failed(*writer[0], place, *more)


@contextmanager
def kept(*paths: Path) -> Iterator[None]:
    """Assert that files stay what they were, and that nothing is left beside them."""

    def look() -> list[object]:
        beside = sorted({name for path in paths for name in path.parent.iterdir()})
        return [(name, name.lstat().st_mode, name.lstat().st_ino, name.lstat().st_nlink) for name in beside] + [
            path.read_bytes() for path in paths if path.is_file()
        ]

    before = look()
    yield
    assert look() == before


def test_a_file_is_made_and_made_again(writer: tuple[Words, bytes], tmp_path: Path) -> None:
    """Over a file of its own kind, without being told; nothing is left over."""
    place = tmp_path / "out"
    first = written(writer, place)
    assert written(writer, place)[:20] == first[:20]
    assert {path.name for path in tmp_path.iterdir()} <= {"out", "out.state"}


def test_an_empty_file_is_nothing_to_lose(writer: tuple[Words, bytes], tmp_path: Path) -> None:
    """As `mktemp` makes one; a lock is empty too, and is not."""
    (tmp_path / "out").touch()
    written(writer, tmp_path / "out")
    (tmp_path / "ledger.lock").touch()
    with kept(tmp_path / "ledger.lock"):
        refused(writer, tmp_path / "ledger.lock")


def test_a_symlink_is_followed(writer: tuple[Words, bytes], tmp_path: Path) -> None:
    """Over two links, into another folder; a dangling one makes its target."""
    (tmp_path / "far").mkdir()
    (tmp_path / "link").symlink_to("link2")
    (tmp_path / "link2").symlink_to(tmp_path / "far" / "out")
    for _ in range(2):
        written(writer, tmp_path / "link")
        assert [(tmp_path / name).is_symlink() for name in ("link", "link2")] == [True, True]
        assert (tmp_path / "far" / "out").is_file()
    (tmp_path / "circle").symlink_to("circle")
    (tmp_path / "nowhere").symlink_to("no-folder/out")
    assert "circle" in refused(writer, tmp_path / "circle")
    assert "no-folder" in refused(writer, tmp_path / "nowhere")


def device(path: Path, major: int, minor: int, system: str) -> Path:
    """Make a character device, or a link to the system's own, for who may not make one."""
    if os.geteuid() == 0:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(major, minor))
    else:
        path.symlink_to(system)
    return path


def test_a_device_is_written_to(writer: tuple[Words, bytes], tmp_path: Path) -> None:
    """It stays a device, also behind a link, and nothing is made beside it; a full one says so."""
    null, full = device(tmp_path / "null", 1, 3, "/dev/null"), device(tmp_path / "full", 1, 7, "/dev/full")
    (tmp_path / "link").symlink_to("null")
    with kept(null, full):
        done(*writer[0], null)
        done(*writer[0], tmp_path / "link")
        assert "No space left" in refused(writer, full)


def test_a_disk_is_not_written_to(writer: tuple[Words, bytes], tmp_path: Path) -> None:
    """What is on it would be lost, so --force doesn't help."""
    disk = next((path for path in Path("/dev").iterdir() if path.is_block_device()), None)
    if os.geteuid() == 0:
        disk = tmp_path / "disk"
        os.mknod(disk, stat.S_IFBLK | 0o666, os.makedev(7, 77))
    for force in ((), ("--force",)) if disk is not None else ():
        line = refused(writer, disk, *force)
        assert "is a disk" in line or "write-protected" in line


def test_the_null_device_is_written_to(writer: tuple[Words, bytes]) -> None:
    """The one that every machine has."""
    before = os.lstat("/dev/null")
    beside = sorted(Path("/dev").iterdir())
    done(*writer[0], "/dev/null")
    assert (os.lstat("/dev/null").st_ino, os.lstat("/dev/null").st_rdev) == (before.st_ino, before.st_rdev)
    assert sorted(Path("/dev").iterdir()) == beside


def test_a_pipe_is_written_to(writer: tuple[Words, bytes], tmp_path: Path) -> None:
    """One that has a name; its reader gets all of it."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(fifo.read_bytes()))
    reader.start()
    with kept(fifo):
        done(*writer[0], fifo)
    reader.join()
    assert got[0].startswith(writer[1])


def test_a_socket_and_a_folder_are_named(writer: tuple[Words, bytes], tmp_path: Path) -> None:
    """Neither can be written to as a file."""
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tmp_path / "socket"))
        (tmp_path / "folder").mkdir()
        with kept(tmp_path / "socket"):
            assert "is a socket" in refused(writer, tmp_path / "socket")
            for folder in (tmp_path / "folder", f"{tmp_path}/folder/", f"{tmp_path}/new/", "", ".", "/"):
                assert "folder" in refused(writer, folder)


def test_a_folder_that_is_missing_is_named(writer: tuple[Words, bytes], tmp_path: Path) -> None:
    """And not a hidden file in it; a file where the folder should be is named too."""
    assert refused(writer, tmp_path / "no" / "out") == f"there is no folder {tmp_path}/no"
    (tmp_path / "file").touch()
    with kept(tmp_path / "file"):
        assert refused(writer, tmp_path / "file" / "out") == f"{tmp_path}/file is not a folder"


OTHERS = {
    "a letter": b"Dear colleague,\n",
    "a photo": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00",
    "a key": b"vkey: a/b+1+x\n-----BEGIN PRIVATE KEY-----\n",
    "JSON": b'{"a": 1}\n',
}


@pytest.mark.parametrize("other", OTHERS)
def test_a_file_of_another_kind_stays(writer: tuple[Words, bytes], other: str, tmp_path: Path) -> None:
    """Unless --force is given; through a link as well."""
    place = tmp_path / "out"
    place.write_bytes(OTHERS[other])
    (tmp_path / "link").symlink_to("out")
    with kept(place):
        assert "--force" in refused(writer, place)
        assert "--force" in refused(writer, tmp_path / "link")
    done(*writer[0], place, "--force")
    assert place.read_bytes().startswith(writer[1])


def test_no_kind_is_taken_for_another(desk: Desk, tmp_path: Path) -> None:
    """Each command refuses to write over what each other one wrote."""
    commands = {name: (command(desk), begins) for name, (command, begins) in WRITERS.items()}
    for name, writer in commands.items():
        written(writer, tmp_path / name)
    for name, writer in commands.items():
        for other in commands.keys() - {name}:
            before = (tmp_path / other).read_bytes()
            assert "--force" in refused(writer, tmp_path / other)
            assert (tmp_path / other).read_bytes() == before


def test_a_protected_file_stays(writer: tuple[Words, bytes], tmp_path: Path) -> None:
    """Somebody took its write permission away: for root too, and in a folder where anybody may write."""
    place = tmp_path / "out"
    written(writer, place)
    place.chmod(0o444)
    with kept(place):
        assert "write-protected" in refused(writer, place)
        assert "write-protected" in refused(writer, place, "--force")


def test_a_hard_link_is_not_parted_unasked(writer: tuple[Words, bytes], tmp_path: Path) -> None:
    """Its other name would keep the old content, and nobody would see it."""
    place = tmp_path / "out"
    old = written(writer, place)
    (tmp_path / "other").hardlink_to(place)
    with kept(place):
        assert "hard links" in refused(writer, place)
    done(*writer[0], place, "--force")
    assert (tmp_path / "other").read_bytes() == old
    assert place.stat().st_nlink == 1


def test_mode_and_owner_are_kept(writer: tuple[Words, bytes], tmp_path: Path) -> None:
    """Of a file that is replaced; a new one has what the umask leaves."""
    place = tmp_path / "out"
    before = os.umask(0o027)
    try:
        written(writer, place)
    finally:
        os.umask(before)
    assert stat.S_IMODE(place.stat().st_mode) == 0o640
    place.chmod(0o600)
    if os.geteuid() == 0:
        os.chown(place, 1234, 2345)
    owner = place.stat().st_uid, place.stat().st_gid
    written(writer, place)
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert (place.stat().st_uid, place.stat().st_gid) == owner


def test_a_dash_is_standard_output(
    writer: tuple[Words, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It carries the file and nothing else; what people read goes to standard error. `./-` is a file."""
    monkeypatch.chdir(tmp_path)
    ran = run(*writer[0], "-")
    assert ran.status == 0
    assert ran.out.encode().startswith(writer[1])
    assert list(tmp_path.iterdir()) == []
    file = written(writer, "./-")
    if writer[1] in (WRITERS["receipt"][1], WRITERS["balance"][1], WRITERS["dossier"][1]):  # the same each time
        assert ran.out.encode() == file
        assert ran.err.count("\n") >= 1


@pytest.mark.parametrize("place", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
def test_standard_output_by_its_path(place: str, desk: Desk, tmp_path: Path) -> None:
    """It is appended to where it stands, be it a file, a pipe or a socket, and never replaced."""
    command = ("receipt", desk.ledger, 3, "-o", place)
    log = tmp_path / "log"
    log.write_bytes(b"before\n")
    inode = log.stat().st_ino
    with log.open("ab") as opened:
        assert "entry 3" in finish(start(*command, stdout=opened)).err
    assert log.read_bytes().startswith(b"before\nc2sp.org/tlog-proof@v1\n")
    assert log.stat().st_ino == inode
    piped = finish(start(*command))
    assert (piped.status, piped.out.encode()) == (0, log.read_bytes().removeprefix(b"before\n"))
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            assert finish(start(*command, stdout=theirs)).status == 0
        assert ours.makefile("rb").read() == piped.out.encode()


def test_another_open_file_by_its_number(desk: Desk, tmp_path: Path) -> None:
    """As a shell's `3>file` opens it, or `>(command)`."""
    with (tmp_path / "three").open("wb") as three:
        number = three.fileno()
        process = start("receipt", desk.ledger, 3, "-o", f"/dev/fd/{number}", pass_fds=[number])
        ran = finish(process)
    assert (ran.status, ran.err) == (0, "")
    assert Receipt.from_bytes((tmp_path / "three").read_bytes()).index == 3
    assert "/dev/fd/77" in the_failure(start("receipt", desk.ledger, 3, "-o", "/dev/fd/77"))


def the_failure(process: "subprocess.Popen[str]") -> str:
    ran: Ran = finish(process)
    assert (ran.status, ran.out, ran.err.count("\n")) == (2, "", 1)
    return ran.err


def test_what_is_refused_is_refused_before_anything_is_done(desk: Desk, tmp_path: Path) -> None:
    """A witness that can't write hasn't cosigned; a ledger isn't made; an audit isn't run for nothing."""
    letter = tmp_path / "letter"
    letter.write_bytes(OTHERS["a letter"])
    new = tmp_path / "witness"
    done("witness", "init", new, "--name", "w.example/2", "--log", desk.vkey(ORIGIN), "--no-passphrase")
    before = (new / "state.db").read_bytes()
    failed("witness", "cosign", new, desk.ledger, "-o", letter)
    assert (new / "state.db").read_bytes() == before
    failed("audit", tmp_path / "no ledger", "--trust", desk.policy, "--report", tmp_path / "no" / "folder")


def test_a_report_that_is_no_file_has_no_state(desk: Desk, tmp_path: Path) -> None:
    """There is no place beside it; behind a link it lies beside the file itself."""
    ran = run("audit", desk.ledger, "--trust", desk.policy, "--report", "-")
    assert '"state"' not in ran.out
    assert "verdict: clean" in ran.err
    (tmp_path / "far").mkdir()
    (tmp_path / "newest.json").symlink_to("far/report.json")
    done("audit", desk.ledger, "--trust", desk.policy, "--report", tmp_path / "newest.json")
    assert sorted(path.name for path in (tmp_path / "far").iterdir()) == ["report.json", "report.state"]
    for since in ("newest.json", "far/report.json"):
        done("audit", desk.ledger, "--trust", desk.policy, "--since", tmp_path / since)
    assert "exclude" in failed("audit", desk.ledger, "--trust", desk.policy, "--json", "--report", "-")


def test_a_state_is_not_written_over_another_file(desk: Desk, tmp_path: Path) -> None:
    """It isn't named by the person, so it destroys even less."""
    state = tmp_path / "out.state"
    state.write_bytes(OTHERS["a photo"])
    with kept(state):
        line = failed("audit", desk.ledger, "--trust", desk.policy, "--report", tmp_path / "out")
    assert "out.state" in line


def test_receipts_of_a_submission_do_no_harm_either(desk: Desk, tmp_path: Path) -> None:
    """What is recorded is recorded, and the line says so."""
    letter = tmp_path / "3.tlog-proof"
    letter.write_bytes(OTHERS["a letter"])
    note = desk.folder / "004.note"
    with kept(letter):
        line = failed("submit", desk.ledger, note, "--log-time", desk.at, "--receipts", tmp_path)
    assert "answered and recorded" in line
    assert str(letter) in line
    letter.unlink()
    done("submit", desk.ledger, note, "--log-time", desk.at, "--receipts", tmp_path)
    assert Receipt.from_bytes(letter.read_bytes()).index == 3


def test_a_new_ledger_spares_what_lies_in_its_folder(desk: Desk, tmp_path: Path) -> None:
    """An auditor's policy, somebody's settings: it is made elsewhere."""
    genesis = (
        "--genesis",
        desk.folder / "001.note",
        "--log-key",
        desk.key(ORIGIN),
        "--log-time",
        "2026-01-05T08:00:00Z",
    )
    for name in ("trust.policy", "ledger.toml"):
        place = tmp_path / name.split(".", maxsplit=1)[0] / name
        place.parent.mkdir()
        place.symlink_to("elsewhere")
        with kept(place):
            assert name in failed("ledger", "create", place.parent, *genesis)


def test_balance_proof_behind_a_pipe_is_whole(desk: Desk) -> None:
    """What standard output got is a proof."""
    command, _ = WRITERS["balance"]
    data = run(*command(desk), "-").out.encode()
    assert BalanceProof.from_bytes(data).to_bytes() == data
