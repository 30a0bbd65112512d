"""Physical limits: what a signature, a hash and a durable commit cost by themselves, without anything of ours around.

Ed25519 is verified with the documented accept set: R is no point of small order and has one encoding. The signature of
each of many messages is verified, by a key whose object is made once.
"""

import hashlib
import sqlite3
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from importlib.util import find_spec

import network
import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from parts import postgres
from places import Place
from rounds import Part

from support.burning import LOG_KEY
from tallystick.signing.algorithms import SIGNER

TEXT_SIZE = 420
"""Bytes of a single-line command's text."""
LARGE_SIZE = 16_000_000

Verify = Callable[[bytes, bytes], None]
"""Verifies a signature of a message, or raises."""


def has_one_good_r(signature: bytes) -> bool:
    """Return whether R is a point that the accept set allows: the rule for keys, which is that for R."""
    return SIGNER.flaw_of(signature[:32]) is None


def by_cryptography() -> Verify:
    """Return the verifier of OpenSSL, with our rule on R."""
    key = Ed25519PublicKey.from_public_bytes(LOG_KEY.verifier.public_key)

    def verify(signature: bytes, message: bytes) -> None:
        assert has_one_good_r(signature)
        key.verify(signature, message)

    return verify


def by_sodium() -> Verify:
    """Return the verifier of libsodium, with our rule on R."""
    from nacl.bindings import crypto_sign_open  # noqa: PLC0415 - an extra

    public_key = LOG_KEY.verifier.public_key

    def verify(signature: bytes, message: bytes) -> None:
        assert has_one_good_r(signature)
        crypto_sign_open(signature + message, public_key)

    return verify


def signed_messages(how_many: int) -> list[tuple[bytes, bytes]]:
    """Return signatures, and what they sign."""
    texts = [number.to_bytes(8) * (TEXT_SIZE // 8) for number in range(how_many)]
    return [(LOG_KEY.sign(text), text) for text in texts]


def rates_of(verify: Verify, signed: Sequence[tuple[bytes, bytes]]) -> tuple[float, float]:
    """Return verifications a second in one thread, and in two."""

    def verify_all(_: int) -> None:
        for signature, text in signed:
            verify(signature, text)

    begin = time.perf_counter()
    verify_all(0)
    between = time.perf_counter()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(verify_all, range(2)))
    end = time.perf_counter()
    return len(signed) / (between - begin), 2 * len(signed) / (end - between)


def measure_cryptography(place: Place) -> dict[str, float]:
    """Ed25519 verified by `cryptography` with our accept set, in one thread and in two."""
    one, two = rates_of(by_cryptography(), _signed(place))
    return {"verify_cryptography_1_thread": one, "verify_cryptography_2_threads": two}


def measure_sodium(place: Place) -> dict[str, float]:
    """Ed25519 verified by libsodium with our accept set, in one thread and in two."""
    one, two = rates_of(by_sodium(), _signed(place))
    return {"verify_sodium_1_thread": one, "verify_sodium_2_threads": two}


def _signed(place: Place) -> list[tuple[bytes, bytes]]:
    return place.once("signed messages", lambda: signed_messages(place.count(6_000)))


def measure_hashing(place: Place) -> dict[str, float]:
    """SHA-256 of large buffers, and of such as a single-line entry is."""
    large = b"x" * LARGE_SIZE
    entries = [number.to_bytes(8) * (len(network.statements(1, 1)[0]) // 8) for number in range(place.count(100_000))]
    begin = time.perf_counter()
    for _ in range(place.count(10)):
        hashlib.sha256(large).digest()
    between = time.perf_counter()
    for entry in entries:
        hashlib.sha256(entry).digest()
    end = time.perf_counter()
    return {
        "sha256_large_mb": place.count(10) * LARGE_SIZE / (between - begin) / 1e6,
        "sha256_entry_mb": len(entries) * len(entries[0]) / (end - between) / 1e6,
    }


def measure_sqlite(place: Place) -> dict[str, float]:
    """Durable commits of one row each by SQLite: WAL, synchronous=FULL."""
    count = place.count(2_000, least=50)
    with place.folder() as where, closing(sqlite3.connect(where / "rows.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("CREATE TABLE rows (number INTEGER PRIMARY KEY)")
        return {"sqlite_commits": count / _seconds_to_insert(connection.execute, "?", count)}


def measure_postgres(place: Place) -> dict[str, float]:
    """Durable commits of one row each by PostgreSQL: fsync on."""
    count = place.count(2_000, least=50)
    with psycopg.connect(postgres.fresh_database(place), autocommit=True) as connection:
        connection.execute("CREATE TABLE rows (number BIGINT PRIMARY KEY)")
        return {"postgres_commits": count / _seconds_to_insert(connection.execute, "%s", count)}


def _seconds_to_insert(execute: Callable[..., object], mark: str, count: int) -> float:
    begin = time.perf_counter()
    for number in range(count):
        execute(f"INSERT INTO rows VALUES ({mark})", (number,))
    return time.perf_counter() - begin


def _missing_sodium() -> str | None:
    return None if find_spec("nacl") else "libsodium (PyNaCl) isn't installed"


PARTS = (
    Part("verification", measure_cryptography),
    Part("verification_sodium", measure_sodium, _missing_sodium),
    Part("hashing", measure_hashing),
    Part("sqlite_commits", measure_sqlite),
    Part("postgres_commits", measure_postgres, postgres.missing),
)
