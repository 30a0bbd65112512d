"""The browser's signing modules, run in Node: the same bytes as ours, of notes, keys, commands and what people write.

`make test-system` runs it on Node 20; NODE names another.
"""

import base64
import hashlib
import json
import os
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from support.actors import ORIGIN, key_of, text_of
from tallystick import keyfiles
from tallystick.forms import amounts
from tallystick.forms.leaves import Leaf, Surroundings, leaf_of
from tallystick.forms.words import shown_time
from tallystick.signing.algorithms import COSIGNER
from tallystick.signing.keys import SigningKey
from tallystick.signing.note import add_signatures, sign_text
from tallystick.vouchers.quantities import Day, Fen, Instant, parse_instant
from tallystick.vouchers.rulebook import RULEBOOK, parse_command
from tallystick.vouchers.sessions import session_text

pytestmark = pytest.mark.system

ANSWERING = Path(__file__).resolve().parents[1] / "support" / "signing.mjs"
ENTRIES = Path(__file__).resolve().parents[1] / "vectors" / "entries"
NAME = "acme-ai/officer-1"
PASSPHRASE = "correct 券 battery"
TEXT = '{"a":"\u2014 \U0001f600\\"\\\\"}\n'


def asked(*questions: dict[str, Any]) -> list[dict[str, Any]]:
    """What the modules answer, in order: `is`, or `refused` with why."""
    told = "".join(json.dumps(question) + "\n" for question in questions)
    command = [os.environ.get("NODE", "node"), str(ANSWERING)]
    ran = subprocess.run(command, input=told, capture_output=True, text=True, timeout=60, check=False)
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines()]


def in_base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., bytes]:
    """Makes a key file of one key, locked or not."""
    folder = tmp_path_factory.mktemp("keys")

    def make(passphrase: str | None = PASSPHRASE, name: str = NAME, seed: bytes = bytes([7]) * 32) -> bytes:
        path = folder / f"{len([*folder.iterdir()])}.pem"
        secret = None if passphrase is None else passphrase.encode()
        keyfiles.create(path, name, secret, unencrypted=secret is None, seed=seed)
        return path.read_bytes()

    return make


def test_node_can_sign() -> None:
    """There is nothing that it lacks."""
    assert asked({"ask": "why"}) == [{"is": None}]


def test_every_command_is_the_same_text() -> None:
    """Of each kind one that is recorded, its fields in another order and with other blanks."""
    texts = {}
    for path in sorted(ENTRIES.glob("*.txt")):
        text = path.read_bytes().partition(b"\n")[2].partition(b"\n\n")[0] + b"\n"
        texts[parse_command(text).kind] = text.decode()
    adopts = text_of(json.loads(texts["book.expire/1"]) | {"kind": "rules.adopt/1", "edition": 1})
    texts[parse_command(adopts).kind] = adopts.decode()
    assert {*texts} == {*RULEBOOK.rules}
    shuffled = [json.dumps(dict(reversed(json.loads(text).items())), indent=1) for text in texts.values()]
    answers = asked(*[{"ask": "text", "fields": fields} for fields in shuffled])
    assert [one["is"] for one in answers] == [*texts.values()]
    answers = asked(*[{"ask": "fields", "of": text} for text in texts.values()])
    assert [one["is"] for one in answers] == [json.loads(text) for text in texts.values()]


def test_what_is_no_text_of_a_command() -> None:
    """Another encoding, a number that isn't whole, nothing, no newline."""
    of = [
        '{"kind":"a"}',
        '{"kind": "a"}\n',
        '{"kind":1.5}\n',
        "{}\n",
        "[]\n",
        '{"kind":"a","kind":"b"}\n',
        '{"kind":null}\n',
    ]
    assert ["refused" in one for one in asked(*[{"ask": "fields", "of": text} for text in of])] == [True] * len(of)
    odd = ['{"a":9007199254740992}', '{"a":0.1}', '{"a":null}', '{"\u00e9":1}', '{"a":"\\ud800"}']
    assert ["refused" in one for one in asked(*[{"ask": "text", "fields": text} for text in odd])] == [True] * len(odd)


def test_a_login_and_what_every_command_has() -> None:
    """The same text as the client's; a reference of day, time and random bits."""
    ms = 1_767_600_000_123
    at = ms // 1_000 * 1_000_000
    login, common, other = asked(
        {"ask": "session", "log": ORIGIN, "party": "acme-ai", "audience": "https://v.example", "ms": ms, "hours": 12},
        *[{"ask": "common", "log": ORIGIN, "party": "acme-ai", "ms": ms}] * 2,
    )
    expected = session_text(ORIGIN, "acme-ai", "https://v.example", at, at + 12 * 3_600 * 1_000_000)
    assert login["is"].encode() == expected
    stamp = datetime.fromtimestamp(ms // 1_000, UTC)
    assert common["is"] | {"ref": ""} == {
        "log": ORIGIN, "party": "acme-ai", "ref": "", "signed_at": f"{stamp:%Y-%m-%dT%H:%M:%S}.000000Z",
    }  # fmt: skip
    assert common["is"]["ref"].startswith(f"{stamp:%Y%m%dT%H%M%S}-")
    assert common["is"]["ref"] != other["is"]["ref"]


def test_notes_are_the_same_bytes(key_file: Callable[..., bytes]) -> None:
    """Signed first, and added to; by a key that is locked, and one that isn't; and what a note is called."""
    key, other = (SigningKey.from_seed(name, bytes([n]) * 32) for name, n in ((NAME, 7), ("acme-ai/officer-2", 8)))
    locked, clear = key_file(), key_file(None)
    first = sign_text(TEXT.encode(), other)
    for file, passphrase in ((locked, PASSPHRASE), (clear, None)):
        how = {"file": in_base64(file)} | ({} if passphrase is None else {"passphrase": passphrase})
        said, signed, added, again, name = asked(
            {"ask": "key", "file": in_base64(file)},
            {"ask": "sign", "text": TEXT} | how,
            {"ask": "add", "note": first.decode()} | how,
            {"ask": "add", "note": sign_text(TEXT.encode(), key).decode()} | how,
            {"ask": "id", "note": first.decode()},
        )
        label = key.verifier.label
        assert said["is"] == {"label": label, "name": NAME, "isEncrypted": passphrase is not None}
        assert signed["is"].encode() == sign_text(TEXT.encode(), key)
        assert added["is"].encode() == add_signatures(first, key)
        assert again["refused"] == f"{label} has signed this already"
        assert name["is"] == hashlib.sha256(TEXT.encode()).hexdigest()


def test_keys_as_openssl_writes_them_too(key_file: Callable[..., bytes], tmp_path: Path) -> None:
    """Other hashes, rounds and key sizes of PBES2; scrypt is named, and what to do."""
    vkey, _, pem = key_file(None).partition(b"\n")
    (tmp_path / "clear.pem").write_bytes(pem)
    files = []
    for options in (
        ["-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA512", "-iter", "1"],
        ["-v2", "aes-128-cbc", "-v2prf", "hmacWithSHA256", "-iter", "100000"],
        ["-v2", "aes-256-cbc", "-scrypt"],
        ["-v2", "des3"],
        ["-v1", "PBE-MD5-DES"],
    ):
        made = [
            "openssl",
            "pkcs8",
            "-topk8",
            "-in",
            "clear.pem",
            "-passout",
            "pass:x",
            *options,
            "-provider",
            "default",
        ]
        ran = subprocess.run([*made, "-provider", "legacy"], cwd=tmp_path, capture_output=True, check=True)
        files.append(vkey + b"\n" + ran.stdout)
    answers = asked(*[{"ask": "sign", "text": TEXT, "file": in_base64(file), "passphrase": "x"} for file in files])
    note = sign_text(TEXT.encode(), SigningKey.from_seed(NAME, bytes([7]) * 32)).decode()
    assert [one.get("is") for one in answers] == [note, note, None, None, None]
    scrypt, cipher, old = (one["refused"] for one in answers[2:])
    assert "scrypt, which browsers don't have" in scrypt
    assert "tallystick key passphrase" in scrypt
    assert "tallystick key passphrase" in cipher
    assert "tallystick key passphrase" in old


def test_key_files_that_open_nothing(key_file: Callable[..., bytes]) -> None:
    """One line each, and nothing of the passphrase in it."""
    locked, clear = key_file(), key_file(None)
    vkey, _, pem = clear.partition(b"\n")
    plain = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    exchange = X25519PrivateKey.generate().private_bytes(*plain)
    another = Ed25519PrivateKey.generate().private_bytes(*plain)
    locked_x = X25519PrivateKey.generate().private_bytes(*plain[:2], BestAvailableEncryption(PASSPHRASE.encode()))
    cosigner = SigningKey.from_seed(NAME, bytes([7]) * 32, COSIGNER.type_byte).verifier.to_text().encode()
    cut = locked[:200] + locked[204:]
    does_not_belong = "the vkey line of the key file does not belong to the private key below it"
    tried: list[tuple[bytes, str | None, str]] = [
        (locked, "wrong", "the passphrase is wrong"),
        (locked, "", "give its passphrase"),
        (locked, None, "give its passphrase"),
        (locked, "x" * 1_024, "at most 1023 bytes"),
        (clear, PASSPHRASE, "is not encrypted"),
        (cut, PASSPHRASE, "damaged"),
        (vkey + b"\n" + another, None, does_not_belong),
        (vkey + b"\n" + exchange, None, "none of Ed25519"),
        (vkey + b"\n" + locked_x, PASSPHRASE, "cannot be decrypted"),
        (vkey.replace(b"officer-1", b"officer-2") + b"\n" + pem, None, "is another key's"),
        (b"vkey: " + cosigner + b"\n" + pem, None, "signs notes"),
        (pem, None, "this is not a key file"),
        (b"", None, "this is not a key file"),
        (b"\xff" * 100, None, "not UTF-8"),
        (clear + b"\n" * 16_384, None, "this is not a key file"),
        (clear + pem, None, "this is not a key file"),
    ]
    answers = asked(
        *[
            {"ask": "sign", "text": TEXT, "file": in_base64(file)} | ({} if secret is None else {"passphrase": secret})
            for file, secret, _ in tried
        ]
    )
    for (_, _, why), answer in zip(tried, answers, strict=True):
        assert why in answer.get("refused", ""), (why, answer)
        assert PASSPHRASE not in answer["refused"]
        assert "\n" not in answer["refused"]


def python_reads(leaf: Leaf, text: str, zone: int) -> object:
    """What our form reads; None if it refuses."""
    try:
        return leaf.checked(text, Surroundings(zone))
    except ValueError:
        return None


def test_what_people_write_is_read_alike() -> None:
    """Amounts, days, times at an offset, of a day its end where that is meant."""
    yuan, day = leaf_of("amount_fen", Fen), leaf_of("last_day", Day)
    begin, end = leaf_of("valid_from", Instant), leaf_of("until", Instant)
    assert yuan is not None
    assert day is not None
    assert begin is not None
    assert end is not None
    tried = []
    for said in (
        "1",
        "0.01",
        "1,500,000.00",
        "1500000",
        "1,50.00",
        "1.5",
        "1.005",
        "\u0661",
        "",
        " 1",
        "1e3",
        "9" * 16,
    ):
        tried.append(("YUAN", yuan, said, 0, False))
    for said in ("90071992547409.91", "90071992547409.92", "000000000000000000001", "-1.00", "01.00"):
        tried.append(("YUAN", yuan, said, 0, False))
    for said in ("2026-01-05", "2026-1-5", "2026-02-29", "2028-02-29", "0000-01-01", "2026-13-01", "2026-01-05T00:00"):
        tried.append(("DAY", day, said, 0, False))
    for said in (
        "2026-01-05", "2026-01-05T16:00", "2026-01-05 16:00", "2026-01-05T16:00:07", "2026-01-05T16:00:07.5",
        "2026-01-05T16:00:07.123456", "2026-01-05T16:00.5", "2026-01-05T16:00Z", "2026-01-05T16:00+08:00",
        "2026-01-05T16:00-0330", "2026-01-05T16:00+15:00", "2026-01-05T16:00+01:75", "2026-01-05T24:00",
        "2026-01-05T16:60", "1970-01-01T00:00Z", "1970-01-01", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59Z",
        "9999-12-31", "2026-02-30T00:00", "2026-01-05T16", "", "tomorrow", "2026-01-05T16:00z",
    ):  # fmt: skip
        for zone in (0, 28_800, -12_600):
            tried += [("TIME", begin, said, zone, False), ("TIME", end, said, zone, True)]
    answers = asked(
        *[
            {"ask": "value", "metavar": metavar, "said": said, "zone": zone, "isEnd": is_end}
            for metavar, _, said, zone, is_end in tried
        ]
    )
    for (metavar, leaf, said, zone, is_end), answer in zip(tried, answers, strict=True):
        expected = python_reads(leaf, said, zone)
        if metavar == "YUAN" and expected is None and "is" in answer:
            assert answer["is"] < 1, (said, answer)  # a bound, which the service says
            continue
        assert answer.get("is") == expected, (metavar, said, zone, is_end, answer, expected)


def test_amounts_and_times_are_shown_alike() -> None:
    """As sentences have them."""
    fens = [0, 1, 99, 100, 123_456, 100_000_000, 2**53 - 1, -1, -123_456]
    assert [one["is"] for one in asked(*[{"ask": "yuan", "fen": fen} for fen in fens])] == [*map(amounts.yuan, fens)]
    for zone in (0, 28_800, -12_600):
        texts = ["2026-01-05T08:00:00.000000Z", "2026-01-05T08:00:07.000000Z", "2026-12-31T23:59:59.500000Z"]
        answers = asked(*[{"ask": "time", "instant": text, "zone": zone} for text in texts])
        assert [one["is"] for one in answers] == [shown_time(parse_instant(text), zone) for text in texts]


def test_the_key_of_an_actor_is_its_own(key_file: Callable[..., bytes]) -> None:
    """A key id of ours is the browser's."""
    actor = key_of("shanghai-treasury/officer-1").verifier
    seed = hashlib.sha256(b"shanghai-treasury/officer-1").digest()
    (said,) = asked({"ask": "key", "file": in_base64(key_file(None, "shanghai-treasury/officer-1", seed))})
    assert said["is"]["label"] == actor.label
