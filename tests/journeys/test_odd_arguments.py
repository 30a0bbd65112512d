"""Every command against every odd thing that may be given to it: one line and status 2, or an answer about the log.

Files that aren't what they should be, paths where nothing of use is, numbers without end, texts that are no text.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.command_line import ORIGIN, Desk, done, run
from support.small_ledger import write_small_ledger
from tallystick.static import web

Words = tuple[object, ...]

GROUPS = ("checkpoint", "key", "ledger", "mirror", "network", "proof", "witness")

NINES = b"9" * 5_000
DEEP = b"[" * 100_000
ODD_FILES: dict[str, bytes] = {
    "empty": b"",
    "binary": bytes(range(256)) * 8,
    "digits": b'{"kind":"voucher.issue/1","face_fen":' + NINES + b"}",
    "deep": DEEP,
}
# These are read to the number by who reads that format.
DIGITS_IN = [
    ("check ledger odd", b'{"kind":"voucher.issue/1","face_fen":' + NINES + "}\n\n— a/b AAAA\n".encode()),
    ("submit ledger odd", b'{"kind":"voucher.issue/1","face_fen":' + NINES + "}\n\n— a/b AAAA\n".encode()),
    ("verify odd --trust policy", b"c2sp.org/tlog-proof@v1\nindex " + NINES + b"\n\nx\n1\n"),
    ("verify odd --trust policy", b'{"format":"tallystick-balance-proof/1","position":' + NINES + b"}\n"),
    ("verify odd --trust policy", b'{"account":"holder x","checkpoint":' + NINES + b"}\n"),
    ("verify odd --trust policy", b'{"account":' + DEEP + b"\n"),
    ("verify receipt --trust odd", b"group g " + NINES + b" a\n"),
    ("witness cosign witness odd", b"log.example\n" + NINES + b"\nAAAA\n"),
    ("audit ledger --trust policy --since odd", b'{\n  "verdict": "clean",\n  "entries": ' + NINES + b"}\n"),
    (
        "demo new --jobs odd",
        b"timestamp,duration,num_gpus,gpu_time,cluster\n2017-08-07 00:00:00," + NINES + b",1,60.0,vc1\n",
    ),
]
ODD_PATHS = ("folder", "missing", "below a file", "circle", "too long", "a\nnewline", "NUL", os.fsdecode(b"\xff\xfe"))
ODD_WORDS = ("9" * 5_000, "-" + "9" * 5_000, "-1", "1e5", "", "\0", "٣", "x" * 100_000, "~root", "../../etc/passwd")

# `ledger`, `sealed` (another one), `policy`, `note`, `command`, `key`, `genesis`, `log key`, `receipt`, `witness`,
# `mirror`, `checkpoint` are good; `odd` is what is tried; `new` isn't there.
WITH_A_FILE = """
sign odd --key key
sign command --key odd
sign command --key key --passphrase-file odd
check ledger odd
check odd note
submit ledger odd
submit odd note
submit ledger note --log-key odd
submit ledger note --passphrase-file odd
show odd voucher shanghai-treasury/v-1
balances odd
audit odd --trust policy
audit ledger --trust odd
audit ledger --trust policy --since odd
audit ledger --trust policy --receipts odd
verify odd --trust policy
verify receipt --trust odd
verify odd 0 --trust policy
receipt odd 0 -o new
dossier odd holder acme-ai -o new
proof inclusion odd 0
proof inclusion ledger 0 --trust odd
proof consistency odd 1
proof balance odd voucher a/b --seal 1 -o new
key new a/b -o new --passphrase-file odd
ledger create new --genesis odd --log-key log-key
ledger create new --genesis genesis --log-key odd
ledger backup odd new
ledger backup ledger new --trust odd
ledger restore odd new
export odd new
demo new --jobs odd
witness init new --name w.example --log x --passphrase-file odd
witness cosign odd ledger
witness cosign witness odd
witness cosign witness checkpoint --proof odd
witness serve odd
mirror serve odd
mirror push odd --mirror http://127.0.0.1:1 --trust policy
mirror push ledger --mirror http://127.0.0.1:1 --trust odd
checkpoint collect odd --line receipt --trust policy
checkpoint collect ledger --line odd --trust policy
checkpoint collect ledger --line receipt --trust odd
writer odd
"""
TO_A_FILE = """
sign command --key key -o odd
audit ledger --trust policy --report odd
receipt ledger 0 -o odd
dossier ledger holder acme-ai -o odd
proof balance sealed voucher shanghai/v1 --seal registry/first -o odd
key new a/b -o odd --no-passphrase
export ledger odd
ledger backup ledger odd
ledger restore ledger odd
ledger create odd --genesis odd --log-key log-key
witness init odd --name w.example --log x --no-passphrase
mirror init odd --name m.example --log x --no-passphrase
submit ledger note --receipts odd
demo odd --limit 1 --jobs note
"""
WITH_A_WORD = """
show ledger entry odd
show ledger voucher odd
proof inclusion ledger odd
proof inclusion ledger 0 --size odd
proof consistency ledger odd
proof consistency ledger 1 odd
proof balance sealed voucher odd --seal registry/first -o new
proof balance sealed voucher shanghai/v1 --seal odd -o new
receipt ledger odd -o new
verify ledger odd --trust policy
dossier ledger odd acme-ai -o new
dossier ledger holder odd -o new
dossier ledger holder acme-ai --from odd -o new
dossier ledger holder acme-ai --until odd -o new
sign command --key key --signed-at odd
submit ledger note --log-time odd
writer ledger --log-time odd
witness cosign witness checkpoint --old odd
witness serve witness --port odd
witness serve witness --host odd
mirror serve mirror --port odd
mirror serve mirror --host odd
mirror init new --name odd --log x --no-passphrase
mirror push ledger --mirror odd --trust policy
mirror push ledger --mirror http://odd/ --trust policy
witness init new --name odd --log x --no-passphrase
witness init new --name w.example --log odd --no-passphrase
checkpoint collect ledger --witness odd --trust policy
checkpoint collect ledger --witness http://odd/ --trust policy
demo new --limit odd
demo new --limit 1 --jobs missing --seed odd
key new odd -o new --no-passphrase
audit odd --trust policy
audit http://odd --trust policy
ledger create new --genesis odd --log-key log-key
frobnicate odd
"""


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "PAUSES_SECONDS", ())


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What goes into a command where nothing odd does."""
    folder = tmp_path_factory.mktemp("good")
    desk = Desk(folder)
    desk.found()
    desk.open_programme()
    write_small_ledger(folder / "sealed")
    done("export", desk.ledger, folder / "tiles")
    done("receipt", desk.ledger, 3, "-o", folder / "receipt")
    done("witness", "init", folder / "witness", "--name", "w.example/1", "--log", desk.vkey(ORIGIN), "--no-passphrase")
    done("mirror", "init", folder / "mirror", "--name", "m.example/1", "--log", desk.vkey(ORIGIN), "--no-passphrase")
    note = desk.sign("voucher.suspend", "shanghai-treasury", voucher="shanghai-treasury/v-1", reason="x")
    return {
        "ledger": desk.ledger,
        "sealed": folder / "sealed",
        "policy": desk.policy,
        "note": note,
        "command": note.with_suffix(".json"),
        "key": desk.key("shanghai-treasury/desk"),
        "genesis": folder / "001.note",
        "log-key": desk.key(ORIGIN),
        "receipt": folder / "receipt",
        "witness": folder / "witness",
        "mirror": folder / "mirror",
        "checkpoint": folder / "tiles" / "checkpoint",
    }


def commands(lines: str, good: dict[str, object], new: Path, odd: object) -> Iterator[Words]:
    """Each command with what is odd in its place."""
    given = good | {"new": new, "odd": odd, "http://odd": f"http://{odd}", "http://odd/": f"http://{odd}/"}
    for line in lines.strip().splitlines():
        first, *rest = line.split()
        name = [first, rest.pop(0)] if first in GROUPS else [first]  # its words are commands here, and files elsewhere
        yield (*name, *[given.get(word, word) for word in rest])


LIBRARIES = re.compile(
    r"Value error|Input should|validation error|Field required|Errno|pydantic|Traceback|fault in tallystick"
    r"|set_int_max_str_digits|codec can't|embedded null|NoneType|Unable to parse"
)


def tried(words: Words) -> int:
    """Run a command, which must end in a line and status 2, or with an answer about the log; return the status."""
    ran = run(*words)
    shown = [str(word)[:60] for word in words], ran.err[:400]
    assert ran.status in (0, 1, 2), shown
    assert not LIBRARIES.search(ran.err), shown
    assert len(ran.err) < 1_500, shown
    if ran.status == 2:
        assert ran.out == "" or words[:2] == ("checkpoint", "collect"), shown  # which says what each place answered
        assert ran.err.startswith("tallystick: "), shown
        assert ran.err.count("\n") == 1, shown
    return ran.status


@pytest.mark.parametrize("name", ODD_FILES)
def test_a_file_that_is_not_what_it_should_be(good: dict[str, object], name: str, tmp_path: Path) -> None:
    """It stays as it is, and nothing is made for it."""
    odd, new = tmp_path / "odd", tmp_path / "new"
    odd.write_bytes(ODD_FILES[name])
    odd.chmod(0o600)
    for words in commands(WITH_A_FILE, good, new, odd):
        if tried(words) == 0:  # the first line of any file is a passphrase
            new.unlink(missing_ok=True)
        assert odd.read_bytes() == ODD_FILES[name], words
        assert [*tmp_path.iterdir()] == [odd], words


def test_numbers_without_end_where_a_format_has_numbers(good: dict[str, object], tmp_path: Path) -> None:
    """Python reads none of more than 4,300 digits."""
    for line, data in DIGITS_IN:
        (tmp_path / "odd").write_bytes(data)
        for words in commands(line, good, tmp_path / "new", tmp_path / "odd"):
            tried(words)


@pytest.mark.parametrize("name", ODD_PATHS, ids=ascii)
def test_a_path_where_nothing_of_use_is(good: dict[str, object], name: str, tmp_path: Path) -> None:
    """A folder, nothing, a file instead of a folder, links in a circle, names that no file has."""
    (tmp_path / "file").touch()
    (tmp_path / "circle").symlink_to("circle")
    (tmp_path / "folder").mkdir()
    odd = {"below a file": tmp_path / "file" / "x", "too long": tmp_path / ("n" * 300), "NUL": "a\0b"}.get(name)
    for words in commands(WITH_A_FILE, good, tmp_path / "new", odd or tmp_path / name):
        tried(words)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["circle", "file", "folder"], words
    for number, words in enumerate(commands(TO_A_FILE, good, tmp_path / "new", odd or tmp_path / name)):
        tried(words)
        if (tmp_path / name).is_dir() or name in ("missing", "a\nnewline", ODD_PATHS[-1]):
            if os.path.lexists(tmp_path / name):  # it was made, as asked
                (tmp_path / name).rename(tmp_path / f"made-{number}")
            if name == "folder":
                (tmp_path / "folder").mkdir()


@pytest.mark.parametrize("word", ODD_WORDS, ids=lambda word: ascii(word[:20]))
def test_a_word_that_is_not_what_it_should_be(good: dict[str, object], word: str, tmp_path: Path) -> None:
    """A number that is none or far too long, and names that nothing has."""
    for words in commands(WITH_A_WORD, good, tmp_path / "new", word):
        tried(words)
