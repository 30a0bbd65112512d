"""docs/sign-with-openssl.md, run as it stands: OpenSSL and a shell sign, Tallystick reads, and the other way round."""

import re
import subprocess
from pathlib import Path

import pytest

from tallystick import keyfiles
from tallystick.errors import SignatureInvalidError
from tallystick.signing import keys, note
from tallystick.vouchers.rulebook import parse_command
from tallystick.vouchers.rules.items import TariffPublish

pytestmark = pytest.mark.system

PAGE = Path(__file__).resolve().parents[2] / "docs" / "sign-with-openssl.md"


def sh(script: str, folder: Path) -> str:
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C"}
    done = subprocess.run(
        ["/bin/sh", "-eu", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the page's blocks were run, all in one shell."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(), flags=re.MULTILINE | re.DOTALL)
    assert len(blocks) == 8
    folder = tmp_path_factory.mktemp("officer")
    assert sh("\n".join(blocks), folder).endswith("Signature Verified Successfully\n")
    return folder


def read_vkey(folder: Path) -> keys.VerifierKey:
    return keys.VerifierKey.from_text((folder / "officer-1.vkey").read_text().removesuffix("\n"))


def test_the_note_opens_with_the_vkey(folder: Path) -> None:
    key = read_vkey(folder)
    opened, signers = note.open_note((folder / "command.note").read_bytes(), [key])
    assert signers == (key,)
    assert opened.text == (folder / "command.json").read_bytes()


def test_the_text_is_a_command(folder: Path) -> None:
    command = parse_command((folder / "command.json").read_bytes())
    assert isinstance(command, TariffPublish)
    assert command.price_fen == 600


def test_the_second_officer_signed_the_same_text(folder: Path) -> None:
    public_key = (folder / "public-2.bin").read_bytes()
    second = keys.VerifierKey("guian-cluster/officer-2", keys.ED25519, public_key)
    first = read_vkey(folder)
    opened, signers = note.open_note((folder / "command-2.note").read_bytes(), [second, first])
    assert signers == (first, second)
    assert opened.text == (folder / "command.json").read_bytes()


def test_one_changed_digit_is_found(folder: Path) -> None:
    forged = (folder / "command.note").read_bytes().replace(b":600,", b":900,")
    with pytest.raises(SignatureInvalidError):
        note.open_note(forged, [read_vkey(folder)])


def test_tallystick_signs_with_the_same_key_file(folder: Path) -> None:
    key = keyfiles.load(folder / "officer-1.key", None)
    signed = note.sign_text((folder / "command.json").read_bytes(), key)
    assert signed == (folder / "command.note").read_bytes()


def test_openssl_signs_with_an_encrypted_key_file_of_ours(tmp_path: Path) -> None:
    verifier = keyfiles.create(tmp_path / "a.key", "guian-cluster/officer-3", b"correct horse")
    (tmp_path / "text").write_bytes(b"a line\n")
    sh("openssl pkeyutl -sign -rawin -inkey a.key -passin 'pass:correct horse' -in text -out signature", tmp_path)
    signature = (tmp_path / "signature").read_bytes()
    assert len(signature) == 64
    verifier.verify(signature, b"a line\n")
