"""A key is named by a file or a PKCS#11 URI; its passphrase comes from a file, a program or a terminal, never a URI."""

import os
import shlex
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from support.command_line import ORIGIN, Desk, done, failed, run
from tallystick import keyfiles, token_uris
from tallystick.cli.passphrase_commands import OUTPUT_SIZE_MAX, run_passphrase_command
from tallystick.errors import KeyFileError, NotALedgerError, UsageError
from tallystick.ledger.settings import load_settings, write_settings
from tallystick.token_uris import TokenUri, key_place

NAME = "shanghai-treasury/officer-1"


def python(code: str) -> str:
    """A passphrase command that runs some Python."""
    return shlex.join([sys.executable, "-c", code])


def secret_file(path: Path, text: str) -> Path:
    path.write_text(f"{text}\n")
    path.chmod(0o600)
    return path


def locked(folder: Path, passphrase: str) -> Path:
    """A key file with this passphrase."""
    path = folder / "officer.pem"
    keyfiles.create(path, NAME, passphrase.encode())
    return path


# ------------------------------------------------------------------------------------------------------------- URIs


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("pkcs11:token=officers", {"token": "officers"}),
        ("pkcs11:token=city%20hall;object=a%2Fb", {"token": "city hall", "object": "a/b"}),
        ("pkcs11:object=a%2Fb;id=%01%ff", {"object": "a/b", "id": b"\x01\xff"}),
        ("pkcs11:serial=3ed0;model=v2", {"serial": "3ed0", "model": "v2"}),
        ("pkcs11:token=%E5%BA%86?module-path=/p.so", {"token": "庆", "module_path": Path("/p.so")}),
        ("pkcs11:manufacturer=M%20%26%20N;object=x", {"manufacturer": "M & N", "object": "x"}),
    ],
)
def test_a_uri_names_a_key(text: str, fields: dict[str, Any]) -> None:
    """And is written again as RFC 7512 has it, which names the same."""
    uri = key_place(text)
    assert uri == TokenUri(**fields)
    assert key_place(str(uri)) == uri
    assert str(uri).isascii()


def test_other_spellings_of_the_same() -> None:
    """A slash as it is, and the type that is meant anyway."""
    uri = key_place("pkcs11:token=t;object=shanghai-treasury/officer-1;type=private")
    assert str(uri) == "pkcs11:token=t;object=shanghai-treasury%2Fofficer-1"


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("pkcs11:", "names no token"),
        ("pkcs11:?module-path=/a.so", "names no token"),
        ("pkcs11:type=private", "names no token"),
        ("pkcs11:token", "'token'"),
        ("pkcs11:token=", "'token'"),
        ("pkcs11:=a", "''"),
        ("pkcs11:token=a;;object=b", "''"),
        ("pkcs11:token=a;token=b", "token twice"),
        ("pkcs11:token=a;type=public", "'public'"),
        ("pkcs11:token=a;slot-id=1", "'slot-id'"),
        ("pkcs11:token=%ff", "UTF-8"),
        ("pkcs11:token=a%0Ab", "control character"),
        ("pkcs11:token=a?module-path=p.so", "path from /"),
        ("pkcs11:token=" + "a" * 5_000, "4096"),
    ],
)
def test_a_uri_that_names_none_is_refused(text: str, word: str) -> None:
    with pytest.raises(UsageError) as caught:
        key_place(text)
    assert word in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "text", ["?pin-value=8472", "?module-path=/a.so&pin-value=8472", "?pin-source=file:/8472", ";pin-value=8472"]
)
def test_a_pin_in_a_uri_is_refused_and_not_repeated(text: str, tmp_path: Path) -> None:
    """Arguments and settings are read by others; so is what a command complains of."""
    line = failed("key", "show", f"pkcs11:token=a;object=b{text}")
    assert "--passphrase-file" in line
    assert "8472" not in line
    (tmp_path / "ledger.toml").write_text(f'log_key = "pkcs11:token=a;object=b{text}"\n')
    with pytest.raises(NotALedgerError, match="log_key: a PKCS#11 URI has pin-") as caught:
        load_settings(tmp_path)
    assert "8472" not in str(caught.value)


def test_all_else_is_a_file() -> None:
    assert key_place("keys/log.pem") == Path("keys/log.pem")
    assert key_place("./pkcs11:token=a") == Path("pkcs11:token=a")
    assert token_uris.key_place("PKCS11:token=a") == Path("PKCS11:token=a")


# ------------------------------------------------------------------------------------- modules that can't be loaded


def test_a_module_that_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not named, not there, a folder, not a library: one line each, and no PIN is asked for."""
    monkeypatch.delenv("TALLYSTICK_PKCS11_MODULE", raising=False)
    assert "TALLYSTICK_PKCS11_MODULE" in failed("key", "show", "pkcs11:token=a;object=b")
    (tmp_path / "text.so").write_text("no library")
    for name, word in (("none.so", "there is no such file"), ("", "read"), ("text.so", "file too short")):
        uri = f"pkcs11:token=a;object=b?module-path={tmp_path / name}"
        line = failed("sign", "-", "--key", uri, stdin=b"{}")
        assert word in line
        assert str(tmp_path) in line
    monkeypatch.setenv("TALLYSTICK_PKCS11_MODULE", str(tmp_path / "text.so"))
    assert "file too short" in failed("key", "show", "pkcs11:token=a;object=b")


def test_a_key_is_made_in_a_file_or_in_a_token(tmp_path: Path) -> None:
    """Not in both, not in neither, and a token's is never without its PIN."""
    for more in ([], ["-o", tmp_path / "k", "--token", "pkcs11:token=a"]):
        assert "either -o FILE or --token URI" in failed("key", "new", NAME, *more)
    assert "has a PIN" in failed("key", "new", NAME, "--token", "pkcs11:token=a", "--no-passphrase")
    assert [*tmp_path.iterdir()] == []


# -------------------------------------------------------------------------------------------------------- programs


def test_a_passphrase_is_the_first_line_of_what_a_program_prints(tmp_path: Path) -> None:
    """Wherever a key is opened or made; the words are split as a shell would, and no shell sees them."""
    key = tmp_path / "k.pem"
    done("key", "new", NAME, "-o", key, "--passphrase-command", python("print('correct horse\\nsecond line')"))
    assert keyfiles.load(key, b"correct horse").name == NAME
    for printed in ("correct horse", "correct horse\r\n", "correct horse\nmore"):
        assert run_passphrase_command(python(f"print({printed!r}, end='')")) == b"correct horse"
    words = shlex.join([sys.executable, "-c", "import sys; print(sys.argv[1:])", "$HOME", "a; b"])
    assert run_passphrase_command(words) == b"['$HOME', 'a; b']"


@pytest.mark.parametrize(
    ("code", "word"),
    [
        ("pass", "printed no passphrase"),
        ("print()", "printed no passphrase"),
        ("import sys; print('hunter2'); sys.exit(3)", "ended with status 3"),
        ("import os; print('hunter2', flush=True); os.kill(os.getpid(), 9)", "was ended by signal 9"),
        (f"print('hunter2' * {OUTPUT_SIZE_MAX})", "printed more than 65,536 bytes"),
    ],
)
def test_a_program_that_gives_none(code: str, word: str, tmp_path: Path) -> None:
    """One line, and not what it printed, which may be a passphrase all the same."""
    key = locked(tmp_path, "hunter2")
    line = failed("sign", "-", "--key", key, "--passphrase-command", python(code), stdin=b"{}")
    assert word in line
    assert "hunter2" not in line


@pytest.mark.parametrize(
    ("command", "word"),
    [
        ("", "empty"),
        ("'", "No closing quotation"),
        ("/nowhere/at-all x", "No such file"),
        ("/", "Permission denied"),
        ("a\0b", "NUL character"),
    ],
)
def test_a_program_that_can_not_be_run(command: str, word: str, tmp_path: Path) -> None:
    assert word in failed("sign", "-", "--key", locked(tmp_path, "p"), "--passphrase-command", command, stdin=b"{}")


def test_a_credential_of_systemd_is_its_units_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An access list makes the mode say something of the group. Elsewhere, and of all others, that is refused."""
    key, file = locked(tmp_path, "p"), secret_file(tmp_path / "passphrase", "p")
    sign = ["sign", "-", "--key", key, "--passphrase-file", file]
    for path in (key, file):
        path.chmod(0o440)
        assert f"chmod 600 {path}" in failed(*sign, stdin=b"{}")
        monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
        assert "kind: is missing" in failed(*sign, stdin=b"{}")
        path.chmod(0o444)
        assert f"chmod 600 {path}" in failed(*sign, stdin=b"{}")
        monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "elsewhere"))
        path.chmod(0o600)


def test_a_program_has_a_time(tmp_path: Path) -> None:
    """And is gone after it; also one that closed its output and stays."""
    pid = tmp_path / "pid"
    waits = f"import os, time; open({str(pid)!r}, 'w').write(str(os.getpid())); print('p', flush=True)"
    for code, word in (("", "took too long"), ("os.close(1)", "doesn't end")):
        before = time.monotonic()
        with pytest.raises(KeyFileError, match=word):
            run_passphrase_command(python(f"{waits}; {code or 'pass'}; time.sleep(60)"), seconds=0.5)
        assert time.monotonic() - before < 20
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid.read_text()), 0)


def test_it_asks_on_standard_error_and_reads_nothing_of_ours(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Standard input is the command's to sign."""
    code = "import sys; sys.stderr.write('card, please\\n'); print(len(sys.stdin.read()))"
    assert run_passphrase_command(python(code)) == b"0"
    assert capfd.readouterr().err == "card, please\n"


def test_a_file_and_a_program_exclude_each_other(tmp_path: Path) -> None:
    key, file = locked(tmp_path, "p"), secret_file(tmp_path / "p", "p")
    both = ["--passphrase-file", file, "--passphrase-command", "echo p"]
    for command in (["sign", "-", "--key", key], ["key", "new", NAME, "-o", tmp_path / "new"]):
        assert "exclude each other" in failed(*command, *both, stdin=b"{}")
    none = ["--no-passphrase", "--passphrase-command", "echo p"]
    assert "--passphrase-command exclude" in failed("key", "new", NAME, "-o", tmp_path / "new", *none)
    three = ["sign", "-", "--key", key, "--key", key, "--key", key, *["--passphrase-command", "echo p"] * 2]
    assert "3 keys and 2 passphrase commands" in failed(*three, stdin=b"{}")


# ------------------------------------------------------------------------------------------------- a log's settings


def test_a_ledger_whose_key_is_opened_by_a_program(tmp_path: Path) -> None:
    """Said once when it is made; its folder's settings remember it."""
    desk, log = Desk(tmp_path), tmp_path / "log.pem"
    keyfiles.create(log, ORIGIN, b"p")
    desk.found("--passphrase-command", "echo p", log_key=log)
    assert load_settings(desk.ledger).log_key_passphrase_command == "echo p"
    assert desk.size == 4


def test_settings_that_others_may_write_run_no_program(tmp_path: Path) -> None:
    """Neither a program nor a module; what names neither is believed as before."""
    settings = tmp_path / "ledger.toml"
    module = TokenUri(token="t", module_path=Path("/a.so"))
    for key, program in ((Path("k"), "echo p"), (module, None)):
        write_settings(tmp_path, ORIGIN, key, None, program)
        assert load_settings(tmp_path).log_key_passphrase_command == program
        for place, mode in ((settings, 0o620), (settings, 0o602), (tmp_path, 0o770)):
            before = place.stat().st_mode & 0o777
            place.chmod(mode)
            with pytest.raises(NotALedgerError, match="others could have written it"):
                load_settings(tmp_path)
            place.chmod(before)
    write_settings(tmp_path, ORIGIN, TokenUri(token="t"), None)
    settings.chmod(0o666)
    assert load_settings(tmp_path).log_key == TokenUri(token="t")


def test_settings_name_a_file_or_a_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_settings(tmp_path, ORIGIN, Path("k"), tmp_path / "p", "echo p")
    with pytest.raises(NotALedgerError, match="exclude each other"):
        load_settings(tmp_path)
    write_settings(tmp_path, ORIGIN, Path("k"), None)
    monkeypatch.setenv("TALLYSTICK_LOG_KEY", "pkcs11:token=t;object=a%2Fb")
    monkeypatch.setenv("TALLYSTICK_LOG_KEY_PASSPHRASE_COMMAND", "echo p")
    found = load_settings(tmp_path)
    assert (found.log_key, found.log_key_passphrase_command) == (TokenUri(token="t", object="a/b"), "echo p")


# ------------------------------------------------------------------------------------------------------ key show


def test_the_public_half_needs_no_passphrase(tmp_path: Path) -> None:
    key = locked(tmp_path, "p")
    vkey = keyfiles.load(key, b"p").verifier.to_text()
    assert done("key", "show", key) == f"{vkey}\n"
    assert run("key", "show", key, "--json").json == {"key_file": str(key), "name": NAME, "vkey": vkey}
    key.chmod(0o644)
    assert "chmod 600" in failed("key", "show", key)
    (tmp_path / "text").write_text("no key\n")
    (tmp_path / "text").chmod(0o600)
    assert "is not a key file" in failed("key", "show", tmp_path / "text")


# -------------------------------------------------------------------------------------------------- key passphrase


def changed(key: Path, *more: object) -> None:
    assert done("key", "passphrase", key, *more) == ""


def test_a_passphrase_is_changed(tmp_path: Path) -> None:
    """To another, to none, and from none; the vkey stays, and only the newest passphrase opens the file."""
    key = locked(tmp_path, "old")
    vkey = done("key", "show", key)
    old, new = secret_file(tmp_path / "old", "old"), secret_file(tmp_path / "new", "new")
    changed(key, "--passphrase-file", old, "--new-passphrase-file", new)
    keyfiles.load(key, b"new")
    assert "passphrase is wrong" in failed("key", "passphrase", key, "--passphrase-file", old, "--no-passphrase")
    changed(key, "--passphrase-file", new, "--no-passphrase")
    keyfiles.load(key, None)
    changed(key, "--new-passphrase-command", "echo third")
    keyfiles.load(key, b"third")
    assert done("key", "show", key) == vkey
    assert key.stat().st_mode & 0o777 == 0o600
    assert {path.name for path in tmp_path.iterdir()} == {"officer.pem", "old", "new"}


def test_a_link_to_a_key_stays_one(tmp_path: Path) -> None:
    key, link = locked(tmp_path, "old"), tmp_path / "link.pem"
    link.symlink_to(key.name)
    changed(link, "--passphrase-command", "echo old", "--new-passphrase-command", "echo new")
    assert link.is_symlink()
    keyfiles.load(key, b"new")


def test_no_terminal_to_ask_on(tmp_path: Path) -> None:
    key = locked(tmp_path, "old")
    before = key.read_bytes()
    assert "no terminal" in failed("key", "passphrase", key, "--new-passphrase-command", "echo new")
    assert "no terminal" in failed("key", "passphrase", key, "--passphrase-command", "echo old")
    assert key.read_bytes() == before


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_the_old_file_stays_until_the_new_is_durable(
    call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that fails on the way leaves the old one, and nothing beside it."""
    key = locked(tmp_path, "old")
    before = key.read_bytes()

    def fail(*_: object, **__: object) -> None:
        assert key.read_bytes() == before
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path if call == "replace" else os, call, fail)
    with pytest.raises(KeyFileError, match=r"as it was: No space left"):
        keyfiles.change_passphrase(key, b"old", b"new")
    monkeypatch.undo()
    assert key.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [key.name]


def test_a_new_passphrase_is_given_or_none() -> None:
    for new, unencrypted in ((None, False), (b"p", True)):
        with pytest.raises(ValueError, match="either"):
            keyfiles.change_passphrase(Path("k"), None, new, unencrypted=unencrypted)
