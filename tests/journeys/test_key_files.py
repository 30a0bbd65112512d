"""A key is made, kept, found again, and refused with one line whenever its file can't be trusted."""

import os
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tallystick import keyfiles
from tallystick.errors import KeyFileError, KeyMalformedError
from tallystick.signing.algorithms import COSIGNER
from tallystick.signing.keys import COSIGNATURE_ED25519, SigningKey, VerifierKey

NAME = "guian-cluster/officer-1"
PASSPHRASE = "correct horse 电池".encode()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "officer-1.key"


def refusal(path: Path, passphrase: bytes | None = None) -> str:
    with pytest.raises(KeyFileError) as caught:
        keyfiles.load(path, passphrase)
    message = str(caught.value)
    assert message.isprintable()
    assert str(path) in message
    return message


def names_in(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir()]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_key_is_found_again(path: Path) -> None:
    verifier = keyfiles.create(path, NAME, PASSPHRASE)
    key = keyfiles.load(path, PASSPHRASE)
    assert key.verifier == verifier
    assert key.name == NAME
    verifier.verify(key.sign(b"a"), b"a")


def test_a_key_is_not_made_where_others_could_read_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a file system without permissions, as NTFS or a USB stick: nothing of it was ever written."""
    fstat, written = os.fstat, []

    def without_permissions(descriptor: int) -> os.stat_result:
        found = fstat(descriptor)
        written.append(found.st_size)
        return os.stat_result((found.st_mode | 0o777, *found[1:]))

    monkeypatch.setattr(os, "fstat", without_permissions)
    with pytest.raises(KeyFileError, match=r"would be open to others \(mode 0777\)") as caught:
        keyfiles.create(path, NAME, None, unencrypted=True)
    assert str(caught.value).isprintable()
    assert set(written) == {0}
    assert names_in(path.parent) == []


def test_a_key_in_the_clear_must_be_asked_for(path: Path) -> None:
    with pytest.raises(ValueError, match="unencrypted=True"):
        keyfiles.create(path, NAME, None)
    with pytest.raises(ValueError, match="unencrypted=True"):
        keyfiles.create(path, NAME, PASSPHRASE, unencrypted=True)
    assert not path.exists()
    verifier = keyfiles.create(path, NAME, None, unencrypted=True)
    assert keyfiles.load(path, None).verifier == verifier


def test_a_witness_key_stays_one(path: Path) -> None:
    verifier = keyfiles.create(path, "witness.example/w1", PASSPHRASE, algorithm=COSIGNER)
    assert keyfiles.load(path, PASSPHRASE).verifier == verifier
    assert verifier.algorithm == COSIGNATURE_ED25519


def test_a_seed_gives_its_own_key(path: Path) -> None:
    verifier = keyfiles.create(path, NAME, None, unencrypted=True, seed=bytes(32))
    assert verifier == SigningKey.from_seed(NAME, bytes(32)).verifier
    assert keyfiles.load(path, None).verifier == verifier


def test_two_keys_differ(tmp_path: Path) -> None:
    one = keyfiles.create(tmp_path / "1", NAME, None, unencrypted=True)
    assert one != keyfiles.create(tmp_path / "2", NAME, None, unencrypted=True)


def test_the_file_says_its_vkey_and_hides_the_seed(path: Path) -> None:
    seed = bytes(range(32))
    verifier = keyfiles.create(path, NAME, PASSPHRASE, seed=seed)
    first, second, *_ = path.read_text().splitlines()
    assert first == f"vkey: {verifier.to_text()}"
    assert second == "-----BEGIN ENCRYPTED PRIVATE KEY-----"
    assert VerifierKey.from_text(first.removeprefix("vkey: ")) == verifier
    plain = path.with_name("plain.key")
    keyfiles.create(plain, NAME, None, unencrypted=True, seed=seed)
    secret_line = plain.read_text().splitlines()[2]
    assert secret_line not in path.read_text()


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_only_its_owner_may_read_it(path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        keyfiles.create(path, NAME, PASSPHRASE)
    finally:
        os.umask(before)
    assert mode(path) == 0o600
    assert names_in(path.parent) == [path.name]
    assert path.stat().st_nlink == 1


def test_no_key_is_overwritten(path: Path) -> None:
    keyfiles.create(path, NAME, PASSPHRASE)
    before = path.read_bytes()
    with pytest.raises(KeyFileError, match="exists already"):
        keyfiles.create(path, NAME, PASSPHRASE)
    assert path.read_bytes() == before
    assert names_in(path.parent) == [path.name]


def test_no_key_is_written_through_a_link(path: Path, tmp_path: Path) -> None:
    """Else somebody who may write to the folder chooses where the key goes."""
    elsewhere = tmp_path / "elsewhere"
    path.symlink_to(elsewhere)
    with pytest.raises(KeyFileError, match="exists already"):
        keyfiles.create(path, NAME, PASSPHRASE)
    assert not elsewhere.exists()


@pytest.mark.parametrize("call", ["fsync", "link"])
def test_a_failure_leaves_nothing_behind(path: Path, call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def fail(*_: object) -> None:
        seen.extend(map(mode, path.parent.iterdir()))
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(KeyFileError, match="No space left on device"):
        keyfiles.create(path, NAME, PASSPHRASE)
    assert seen == [0o600]  # what was half-written was private already
    assert names_in(path.parent) == []


def test_the_name_is_taken_only_after_the_bytes_are_kept(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    fsync, link = os.fsync, os.link

    def recorded_fsync(descriptor: int) -> None:
        calls.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    def recorded_link(source: str, target: Path) -> None:
        calls.append("link")
        link(source, target)

    monkeypatch.setattr(os, "fsync", recorded_fsync)
    monkeypatch.setattr(os, "link", recorded_link)
    keyfiles.create(path, NAME, PASSPHRASE)
    assert calls == ["file", "link", "folder"]


def test_a_folder_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="there is no folder"):
        keyfiles.create(tmp_path / "none" / "a.key", NAME, PASSPHRASE)


@pytest.mark.parametrize("passphrase", [b"", b"x" * 1_024])
def test_a_passphrase_has_a_length(path: Path, passphrase: bytes) -> None:
    with pytest.raises(KeyFileError, match="1 to 1023 bytes"):
        keyfiles.create(path, NAME, passphrase)
    assert not path.exists()


def test_an_unfit_name_makes_no_file(path: Path) -> None:
    with pytest.raises(KeyMalformedError):
        keyfiles.create(path, "two words", PASSPHRASE)
    assert not path.exists()


def test_a_missing_file(path: Path) -> None:
    assert "there is no key file" in refusal(path)


@pytest.mark.parametrize("bits", [0o640, 0o604, 0o620, 0o610, 0o644, 0o666, 0o700 | 0o070])
def test_a_file_open_to_others(path: Path, bits: int) -> None:
    keyfiles.create(path, NAME, None, unencrypted=True)
    path.chmod(bits)
    assert refusal(path).endswith(f"chmod 600 {path}")
    path.chmod(0o400)
    assert keyfiles.load(path, None).name == NAME


def test_links_may_lead_to_the_file(path: Path, tmp_path: Path) -> None:
    verifier = keyfiles.create(path, NAME, None, unencrypted=True)
    (tmp_path / "folder").symlink_to(tmp_path)
    (tmp_path / "file").symlink_to(path)
    assert keyfiles.load(tmp_path / "folder" / path.name, None).verifier == verifier
    assert keyfiles.load(tmp_path / "file", None).verifier == verifier


def test_what_is_no_file(path: Path) -> None:
    path.mkdir(mode=0o700)
    assert refusal(path).endswith("is not a file")
    path.rmdir()
    os.mkfifo(path, 0o600)  # opening a pipe to read waits for a writer, if one is not careful
    assert refusal(path).endswith("is not a file")


def test_a_passphrase_is_needed_and_must_be_right(path: Path) -> None:
    keyfiles.create(path, NAME, PASSPHRASE)
    assert "give its passphrase" in refusal(path, None)
    assert "give its passphrase" in refusal(path, b"")
    for wrong in (b"wrong", PASSPHRASE + b"\n", b"x" * 2_000, b"\xff\0"):
        assert "the passphrase is wrong" in refusal(path, wrong)


def test_a_passphrase_for_a_key_in_the_clear_is_refused(path: Path) -> None:
    """Who gives one believes that the file is protected."""
    keyfiles.create(path, NAME, None, unencrypted=True)
    assert "is not encrypted" in refusal(path, PASSPHRASE)


def test_what_is_no_key_file(path: Path) -> None:
    keyfiles.create(path, NAME, None, unencrypted=True)
    whole = path.read_bytes()
    vkey_line, _, pem = whole.partition(b"\n")
    for data in (
        b"",
        b"vkey: ",
        b"hello\n",
        pem,
        vkey_line,
        b"\n" + whole,
        whole.replace(b"vkey", b"Vkey"),
        os.urandom(99),
    ):
        path.write_bytes(data)
        assert "is not a key file" in refusal(path)
    path.write_bytes(whole + b"\n" * keyfiles.FILE_SIZE_MAX)
    assert "larger than" in refusal(path)


def test_a_damaged_vkey_line(path: Path) -> None:
    keyfiles.create(path, NAME, None, unencrypted=True)
    whole = path.read_bytes()
    for data in (
        whole.replace(b"officer-1", b"officer-2"),
        whole.replace(b"vkey: g", b"vkey: \xff"),
        whole.replace(b"+", b"-"),
    ):
        path.write_bytes(data)
        assert "has a bad vkey line" in refusal(path)


def test_a_damaged_key(path: Path) -> None:
    for passphrase in (None, PASSPHRASE):
        keyfiles.create(path, NAME, passphrase, unencrypted=passphrase is None)
        path.write_bytes(path.read_bytes()[:-60])
        assert "damaged" in refusal(path, passphrase)
        path.unlink()


def test_a_vkey_line_of_another_key(path: Path) -> None:
    """Else a party would sign under a name that isn't this key's, and find out when it is refused."""
    keyfiles.create(path, NAME, None, unencrypted=True)
    other = SigningKey.from_seed(NAME, bytes(32)).verifier
    pem = path.read_bytes().partition(b"\n")[2]
    path.write_bytes(b"vkey: " + other.to_text().encode() + b"\n" + pem)
    assert "does not belong to the private key" in refusal(path)


def test_a_key_of_another_kind(path: Path) -> None:
    keyfiles.create(path, NAME, None, unencrypted=True)
    vkey_line = path.read_bytes().partition(b"\n")[0]
    pem = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(vkey_line + b"\n" + pem)
    assert "not Ed25519's" in refusal(path)


def test_no_refusal_shows_a_secret(path: Path) -> None:
    """Neither in its text nor in the chain of causes, which a traceback would print."""
    keyfiles.create(path, NAME, None, unencrypted=True)
    secret = path.read_text().splitlines()[2]
    encrypted = path.with_name("encrypted.key")
    keyfiles.create(encrypted, NAME, b"hunter2")
    damaged = path.with_name("damaged.key")
    damaged.touch(mode=0o600)
    damaged.write_text(path.read_text().replace("END", "UND"))
    for file, passphrase in ((path, b"hunter2"), (encrypted, b"hunter3"), (damaged, None)):
        with pytest.raises(KeyFileError) as caught:
            keyfiles.load(file, passphrase)
        shown = repr(caught.getrepr(chain=False).reprcrash)
        assert secret not in shown
        assert "hunter" not in shown
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__ or caught.value.__context__ is None
