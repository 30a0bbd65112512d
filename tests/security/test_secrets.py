"""No secret is shown: not by a key or what holds one, not by a message, not by a traceback, not by the command line.

Secrets here are a key's seed, in any form that a program would print it in, a passphrase, and a password in a URL.
What is not promised: a debugger or a crash reporter that renders local variables while a key file is being opened sees
the file and its passphrase (docs/threat-model.md says so); the program itself never renders them.
"""

import base64
import copy
import json
import pickle
import pprint
import stat
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

from support.actors import ORIGIN
from support.burning import Clock, founding_notes
from support.command_line import Desk, Ran, done, finish, run, start
from support.schedules import schedule
from tallystick import keyfiles
from tallystick.errors import KeyFileError, MalformedError
from tallystick.ledger import create_ledger
from tallystick.ledger.settings import LedgerSettings, load_settings
from tallystick.signing.keys import COSIGNATURE_ED25519, SigningKey, VerifierKey
from tallystick.signing.note import Note, add_signatures, sign_text
from tallystick.transparency.checkpoint import Checkpoint, sign_checkpoint
from tallystick.transparency.cosignature import cosign
from tallystick.transparency.policy import Policy
from tallystick.transparency.receipt import Receipt
from tallystick.vouchers.rulebook import parse_command
from tallystick.witness.cosigner import create_witness, open_witness
from tallystick.witness.state import WitnessState

SEED = bytes.fromhex("9f1c7a3e5b2d4860a1b2c3d4e5f60718293a4b5c6d7e8f90fedcba9876543210")
PASSPHRASE = b"correct-horse-battery-staple"
PASSWORD = "hunter2-of-the-writer"


def renderings(secret: bytes) -> set[str]:
    """What a secret looks like wherever somebody prints it; whole, or a good part of it."""
    half = secret[: len(secret) // 2]
    spelled = {
        encoded.decode().rstrip("=")
        for part in (secret, half)
        for encoded in (base64.b64encode(part)[:-4], base64.urlsafe_b64encode(part)[:-4], part.hex().encode())
    }
    number = {str(int.from_bytes(secret, order)) for order in ("big", "little")}
    lists = {", ".join(map(str, half)), ":".join(f"{byte:02x}" for byte in half)}
    return spelled | number | lists | {repr(half)[2:-1], secret.hex(" ")[:47], half.hex().upper()}


SHOWN_SEED = renderings(SEED)


def assert_hidden(text: str, *more: bytes) -> None:
    shown = text.lower()
    for rendering in SHOWN_SEED | {one.decode() for one in (PASSPHRASE, *more)}:
        assert rendering.lower() not in shown


@pytest.fixture
def key() -> SigningKey:
    return SigningKey.from_seed(ORIGIN, SEED)


def test_the_test_would_notice() -> None:
    """A seed in any of these renderings is one that `assert_hidden` finds."""
    listed = ", ".join(map(str, SEED))
    for shown in (SEED.hex(), repr(SEED), base64.b64encode(SEED).decode(), str([*SEED]), listed, SEED.hex(":")):
        with pytest.raises(AssertionError):
            assert_hidden(f"seed {shown}")
    with pytest.raises(AssertionError):
        assert_hidden(PASSPHRASE.decode())


# --------------------------------------------------------------------------------------------------- what holds a key

HOLDERS: dict[str, Callable[[SigningKey, Path], object]] = {
    "a key": lambda key, _: key,
    "a list of keys": lambda key, _: [key, {"key": key}],
    "a ledger": lambda key, folder: create_ledger(folder / "ledger", founding_notes()[0], key, clock=Clock()),
    "a witness": lambda _, folder: _witness(folder),
    "settings": lambda _, folder: LedgerSettings(
        origin=ORIGIN, log_key=folder / "k", log_key_passphrase_file=_passphrase_file(folder)
    ),
    "an error with a key": lambda key, _: ValueError(f"{key} {key!r}", key),
}


def _witness(folder: Path) -> object:
    witness_key = SigningKey.from_seed("witness.example/w", SEED, COSIGNATURE_ED25519)
    create_witness(folder / "witness", "witness.example/w", [SigningKey.from_seed(ORIGIN, SEED).verifier], PASSPHRASE)
    (folder / "witness" / "state.db").unlink()

    WitnessState.create(folder / "witness" / "state.db", witness_key.verifier.to_text())
    return open_witness(folder / "witness", witness_key, lambda: 1)


def _passphrase_file(folder: Path) -> Path:
    path = folder / "passphrase"
    path.touch(mode=0o600)
    path.write_bytes(PASSPHRASE + b"\n")
    return path


@pytest.mark.parametrize("holder", HOLDERS)
def test_what_holds_a_key_shows_none_of_it(holder: str, key: SigningKey, tmp_path: Path) -> None:
    """However it is printed, two levels of its attributes included."""
    held = HOLDERS[holder](key, tmp_path)
    for one in (held, *_attributes(held), *[deep for part in _attributes(held) for deep in _attributes(part)]):
        for shown in (repr(one), str(one), f"{one}", pprint.pformat(one)):
            assert_hidden(shown)
    close = getattr(held, "close", None)
    if close is not None:
        close()


def _attributes(one: object) -> list[object]:
    """What `vars` gives of an object, or its slots."""
    slots = [getattr(one, name, None) for kind in type(one).__mro__ for name in getattr(kind, "__slots__", ())]
    return [*slots, *getattr(one, "__dict__", {}).values()]


@pytest.mark.parametrize("copied", [pickle.dumps, copy.deepcopy], ids=["pickled", "copied deeply"])
def test_a_key_leaves_the_process_in_no_way(copied: Callable[[object], object], key: SigningKey) -> None:
    """Not to another process, a cache or a queue by accident."""
    with pytest.raises(TypeError) as caught:
        pickle.dumps(copied(key))
    assert_hidden(str(caught.value))


def test_a_ledger_folder_holds_no_secret(key: SigningKey, tmp_path: Path) -> None:
    """Not in the database, its WAL, the snapshot or the settings: whoever copies it gets no key."""
    with create_ledger(tmp_path / "ledger", founding_notes()[0], key, clock=Clock()):
        files = {path.name: path.read_bytes() for path in (tmp_path / "ledger").iterdir()}
    assert {"ledger.db", "ledger.db-wal", "ledger.lock"} <= set(files)
    for data in files.values():
        assert SEED not in data
        assert_hidden(data.decode("latin-1"))


# --------------------------------------------------------------------------------------------------------- tracebacks


def rendered(error: BaseException) -> str:
    """A traceback with every frame's local variables, as a crash reporter would send it."""
    return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())


def _fail_to_sign(key: SigningKey) -> None:
    sign_text(b"no newline", key)


def _fail_to_sign_twice(key: SigningKey) -> None:
    sign_text(b"text\n", key, key)


def _fail_to_add(key: SigningKey) -> None:
    add_signatures(sign_text(b"text\n", key), key)


def _fail_in_the_library(key: SigningKey) -> None:
    key.sign("text")  # type: ignore[arg-type]


def _fail_to_sign_a_checkpoint(key: SigningKey) -> None:
    other = SigningKey.from_seed("other.example/log", SEED)
    sign_checkpoint(Checkpoint(key.name, 0, bytes(32)), other)


def _fail_to_cosign(key: SigningKey) -> None:
    cosign(sign_text(b"text\n", key), key, 1)


@pytest.mark.parametrize(
    "fail",
    [
        _fail_to_sign,
        _fail_to_sign_twice,
        _fail_to_add,
        _fail_in_the_library,
        _fail_to_sign_a_checkpoint,
        _fail_to_cosign,
    ],
    ids=lambda fail: fail.__name__.strip("_"),
)
def test_a_traceback_of_signing_shows_no_seed_even_with_local_variables(
    fail: Callable[[SigningKey], None], key: SigningKey
) -> None:
    with pytest.raises((ValueError, TypeError)) as caught:
        fail(key)
    shown = rendered(caught.value)
    assert "SigningKey(" in shown  # the key was in a frame, and was shown
    assert_hidden(shown)


def test_the_command_line_never_renders_local_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Typer would, with rich: the very application that runs has it switched off."""
    made: list[dict[str, Any]] = []
    real = typer.Typer

    class Watched(real):  # type: ignore[misc, valid-type]
        def __init__(self, *arguments: Any, **options: Any) -> None:
            made.append(options)
            super().__init__(*arguments, **options)

    monkeypatch.setattr(typer, "Typer", Watched)
    assert run("balances", "--help").status == 0
    assert made
    assert made[0]["pretty_exceptions_enable"] is False


# --------------------------------------------------------------------------------------------------- the command line


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A desk with a key that is made of the seed, locked and unlocked, and a passphrase file."""
    desk = Desk(tmp_path)
    (tmp_path / "keys").mkdir()
    keyfiles.create(tmp_path / "keys" / "plain.pem", ORIGIN, None, unencrypted=True, seed=SEED)
    keyfiles.create(tmp_path / "keys" / "locked.pem", ORIGIN, PASSPHRASE, seed=SEED)
    keyfiles.create(tmp_path / "keys" / "open.pem", ORIGIN, None, unencrypted=True, seed=SEED)
    (tmp_path / "keys" / "open.pem").chmod(0o644)
    damaged = tmp_path / "keys" / "damaged.pem"
    damaged.touch(mode=0o600)
    damaged.write_bytes((tmp_path / "keys" / "plain.pem").read_bytes().replace(b"END", b"UND"))
    _passphrase_file(tmp_path)
    (tmp_path / "wrong").touch(mode=0o600)
    (tmp_path / "wrong").write_bytes(PASSPHRASE[:-1] + b"E")
    (tmp_path / "command.json").write_text(json.dumps({"kind": "book.expire/1", "log": ORIGIN}))
    (tmp_path / "not.json").write_bytes((tmp_path / "keys" / "plain.pem").read_bytes())
    return desk


BAD_COMMANDS = {
    "a damaged key": "sign command.json --key keys/damaged.pem",
    "an open key": "sign command.json --key keys/open.pem",
    "a key for a command": "sign keys/plain.pem --key keys/plain.pem",
    "a command for a key": "sign command.json --key command.json",
    "no passphrase": "sign command.json --key keys/locked.pem",
    "a wrong passphrase": "sign command.json --key keys/locked.pem --passphrase-file wrong",
    "a needless passphrase": "sign command.json --key keys/plain.pem --passphrase-file passphrase",
    "a key for a passphrase": "sign command.json --key keys/locked.pem --passphrase-file keys/plain.pem",
    "a passphrase for a key": "sign command.json --key passphrase --passphrase-file keys/locked.pem",
    "a malformed command": "sign command.json --key keys/locked.pem --passphrase-file passphrase",
    "a key for a genesis": "ledger create ledger --genesis keys/plain.pem --log-key keys/plain.pem",
    "a key for a policy": "verify command.json --trust keys/plain.pem",
    "a key for a receipt": "verify keys/plain.pem --trust keys/plain.pem",
    "a key for a folder": "audit keys/plain.pem --trust keys/plain.pem",
    "a key that is there": "key new a/b -o keys/locked.pem --passphrase-file passphrase",
    "an unfit name": "key new two+words -o keys/new.pem --passphrase-file passphrase",
}


def _secret_line(desk: Desk) -> bytes:
    """Some letters of the base64 of a key file in the clear; the first 22 of that are the same for every key."""
    return (desk.folder / "keys" / "plain.pem").read_bytes().splitlines()[2][24:40]


@pytest.mark.long
@pytest.mark.parametrize("traced", [False, True], ids=["one line", "TALLYSTICK_TRACEBACK"])
def test_misused_keys_are_not_shown(desk: Desk, traced: bool) -> None:
    """Whatever file is taken for another: by real processes, with and without the developer's traceback."""
    more = {"TALLYSTICK_TRACEBACK": "1", "COLUMNS": "400"} if traced else {}
    tried = [*BAD_COMMANDS.items()][traced :: schedule(4, 1)]
    processes = {name: start(*command.split(), cwd=desk.folder, env_more=more) for name, command in tried}
    for name, process in processes.items():
        ran = finish(process)
        assert ran.status in (1, 2), (name, ran)
        assert ran.out + ran.err
        assert_hidden(ran.out + ran.err, _secret_line(desk))
        assert ("Traceback" in ran.err) <= traced, (name, ran)


def test_what_is_done_with_keys_shows_none_either(desk: Desk) -> None:
    """Success is as quiet about them as failure."""
    said = done("key", "new", "a/b", "-o", desk.folder / "new.pem", "--passphrase-file", desk.folder / "passphrase")
    assert_hidden(said)
    with pytest.raises(KeyFileError):
        keyfiles.load(desk.folder / "new.pem", b"wrong")
    keyfiles.load(desk.folder / "new.pem", PASSPHRASE)
    desk.found()
    settings = (desk.ledger / "ledger.toml").read_text()
    assert_hidden(settings)
    assert_hidden(repr(load_settings(desk.ledger)))


@pytest.mark.parametrize(
    "arguments",
    [
        ("balances", "postgresql://writer:{password}@127.0.0.1:1/ledger"),
        ("balances", "postgresql://writer:{password}@[nowhere/ledger"),
        ("balances", "postgresql://127.0.0.1:1/ledger?user=writer&password={password}"),
        ("balances", "postgresql://writer:{password}@127.0.0.1:1/ledger?bogus=1"),
        ("audit", "postgresql://writer:{password}@127.0.0.1:1/ledger", "--trust", "trust.policy"),
        ("submit", "postgresql://writer:{password}@127.0.0.1:1/ledger", "command.json"),
        ("export", "postgresql://writer:{password}@127.0.0.1:1/ledger", "tiles"),
        ("balances", "https://reader:{password}@127.0.0.1:1/ledger"),
        ("submit", "https://reader:{password}@127.0.0.1:1/ledger", "command.json"),
    ],
    ids=lambda arguments: " ".join(arguments)[:60],
)
def test_a_password_in_a_url_is_not_repeated(arguments: tuple[str, ...], desk: Desk) -> None:
    """In whatever way the place can't be used."""
    (desk.folder / "trust.policy").write_text(
        f"log {SigningKey.from_seed(ORIGIN, SEED).verifier.to_text()}\nquorum none\n"
    )
    words = [desk.folder / word if word in ("command.json", "tiles", "trust.policy") else word for word in arguments]
    ran: Ran = run(*[str(word).format(password=PASSWORD) for word in words])
    assert ran.status == 2
    assert ran.err
    assert PASSWORD not in ran.out + ran.err


# ----------------------------------------------------------------------------------------------- files that hold keys


def test_a_device_is_no_key_file(tmp_path: Path) -> None:
    """Nor anything else that would be read for ever; tests/journeys/test_key_files.py has folders, pipes and links."""
    for path in (Path("/dev/zero"), Path("/dev/null")):
        with pytest.raises(KeyFileError, match="is not a file"):
            keyfiles.load(path, None)
    link = tmp_path / "link"
    link.symlink_to("/dev/zero")
    with pytest.raises(KeyFileError, match="is not a file"):
        keyfiles.load(link, None)
    link.unlink()
    link.symlink_to(link)
    with pytest.raises(KeyFileError, match="cannot read"):
        keyfiles.load(link, None)


def test_a_link_to_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    """The mode that counts is the file's, not the link's."""
    keyfiles.create(tmp_path / "key", ORIGIN, None, unencrypted=True, seed=SEED)
    (tmp_path / "key").chmod(0o604)
    (tmp_path / "link").symlink_to("key")
    with pytest.raises(KeyFileError, match="others may open") as caught:
        keyfiles.load(tmp_path / "link", None)
    assert_hidden(str(caught.value))


def test_a_passphrase_file_that_others_can_read_is_refused(desk: Desk) -> None:
    """As the key itself is; the command line asks."""
    passphrase = desk.folder / "passphrase"
    passphrase.chmod(0o640)
    key = ("--key", desk.folder / "keys" / "locked.pem")
    ran = run("sign", desk.folder / "command.json", *key, "--passphrase-file", passphrase)
    assert (ran.status, ran.out) == (2, "")
    assert "can be read by others" in ran.err
    assert_hidden(ran.err)
    assert stat.S_IMODE(passphrase.stat().st_mode) == 0o640


def test_a_key_is_not_taken_for_text(desk: Desk) -> None:
    """A parser that may be given a key file by mistake doesn't quote it."""

    data = (desk.folder / "keys" / "plain.pem").read_bytes()
    pem = data.partition(b"\n")[2]
    parsers: tuple[Callable[[bytes], object], ...] = (
        Note.from_bytes,
        Receipt.from_bytes,
        Policy.from_text,
        parse_command,
        lambda text: VerifierKey.from_text(text.decode()),
    )
    for parse in parsers:
        for given in (data, pem, pem + data):
            with pytest.raises(MalformedError) as caught:
                parse(given)
            assert_hidden(str(caught.value), _secret_line(desk))
