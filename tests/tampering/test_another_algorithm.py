"""Another hash function and another signature algorithm are rows of a table: no format changes, and none is accused.

A later version (edition 2) knows both. What it writes is read by the formats as they are; this version says that the
log was made by newer rules, and a log of edition 1 is decided without the rows by both versions.
"""

import base64
import hashlib
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.actors import Actor, key_of, note_of, text_of, uscc_of
from support.command_line import failed, run
from support.editions import SAID, adopt_edition
from support.more_algorithms import DOMAIN_KEYS, SM3, domain_key, later_version
from support.small_ledger import LOG_KEY, NETWORK, POLICY, PROVIDER, START, TREASURY
from support.tampering import entries_of, forge
from support.terms import contract_of
from tallystick.audit import FindingCode, audit
from tallystick.ledger import Admitted, create_ledger, open_ledger
from tallystick.publishing import read_ledger
from tallystick.publishing.export import export_tiles
from tallystick.signing.algorithms import HASH_FUNCTIONS, SHA256, SIGNATURE_ALGORITHMS, SIGNER
from tallystick.signing.keys import SigningKey
from tallystick.signing.note import Note, add_signatures, sign_text
from tallystick.vouchers.entry import split_entry
from tallystick.vouchers.refusals import Reason, Refusal

MAKER = Actor("maker-c")
KEY = domain_key("maker-c/officer-1")
DOCUMENT = SM3.of(b"a contract")
PROFILE = SM3.of(b"who it is, and a nonce")
PLAIN_KEY = SigningKey.from_seed("maker-c/officer-1", bytes(range(32)))
HASH = re.compile(rb'"(\w+_hash|evidence_root)":"([^"]*)"')
SIGNATURE_LINE = re.compile("— ([^ +]+) ([A-Za-z0-9+/]+={0,2})\n")


def _founding(edition: int, **changes: Any) -> bytes:
    seconds = {"clock_skew_seconds": 300, "freshness_seconds": 604_800, "burn_window_seconds": 3_456_000}
    seconds |= {"release_grace_seconds": 3_600, "tariff_notice_seconds": 3_600, "takeover_seconds": 86_400}
    fields = {"name": "N", "currency": "CNY", "root_keys": NETWORK.vkeys, "root_quorum": 2, **seconds}
    fields |= {"sealing_grace_seconds": 3_600, "utc_offset_seconds": 28_800}
    return NETWORK.note("network.found", START, edition=edition, **fields | changes)


def _admission(actor: Actor, by: Actor, role: str, **more: Any) -> bytes:
    fields = {"admitted": actor.party, "role": role, "name": actor.party, "keys": actor.vkeys, **more}
    return by.note("party.admit", START, **{name: value for name, value in fields.items() if value is not None})


def _maker(key: SigningKey = KEY, profile_hash: str = PROFILE) -> bytes:
    """Its admission, which its own key signs too."""
    terms = {"name": None, "maker": True, "profile_hash": profile_hash, "keys": [key.verifier.to_text()]}
    fields = {name: value for name, value in terms.items() if value is not None}
    command = TREASURY.command("party.admit", START, admitted="maker-c", role="holder", **fields)
    return add_signatures(note_of(command, *TREASURY.key_names[:1]), key)


def _contract(document_hash: str = DOCUMENT, key: SigningKey = KEY, ref: str = "k") -> bytes:
    """A contract of the maker, signed by both sides."""
    terms = contract_of("maker-c/k1", "maker-c", "guian", "2026-01-01", "2026-12-31", document_hash=document_hash)
    text = text_of(MAKER.command("contract.sign", START, ref=ref, **terms))
    return add_signatures(sign_text(text, key), *[key_of(name) for name in PROVIDER.key_names])


def _recorded(source: Path, edition: int, *notes: bytes) -> list[Admitted | Refusal]:
    """What becomes of notes in a new log of an edition, with a treasury and a provider."""
    parties = [
        _admission(TREASURY, NETWORK, "treasury"),
        _admission(PROVIDER, NETWORK, "provider", uscc=uscc_of("guian")),
        NETWORK.note("item.register", START, item="ascend-910b", name="A", unit="gpu_time", origin="domestic"),
    ]
    with create_ledger(source, _founding(edition), LOG_KEY, clock=lambda: START) as ledger:
        assert all(isinstance(answer, Admitted) for answer in ledger.submit(parties))
        return [*ledger.submit(notes)]


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """A log of edition 2, in which a maker's key, its profile and a contract's document name algorithms of it."""
    with later_version():
        answers = _recorded(tmp_path / "newer", 2, _maker(), _contract())
        assert all(isinstance(answer, Admitted) for answer in answers), answers
    return tmp_path / "newer"


@pytest.fixture
def policy(pristine: Path) -> Path:
    """The policy that was obtained out of band."""
    return pristine / "ledger" / "trust.policy"


# ------------------------------------------------------------------------------------------- a version that knows them


def test_what_names_them_is_recorded_and_audited(newer: Path, tmp_path: Path) -> None:
    """A party with such a key, what it signed, hashes by another function; in the folder and in an export."""
    with later_version():
        with read_ledger(newer) as reader:
            export_tiles(reader, tmp_path / "tiles")
            state = reader.state()
        assert [state.parties["maker-c"].profile_hash, state.contracts["maker-c/k1"].document_hash] == [
            PROFILE,
            DOCUMENT,
        ]
        assert state.keys[KEY.verifier.label].vkey == KEY.verifier.to_text()
        for source in (newer, tmp_path / "tiles"):
            report = audit(source, POLICY)
            assert (report.verdict, report.totals.entries) == ("clean", 6)


def test_a_signature_of_that_algorithm_is_verified(newer: Path) -> None:
    """By its own rule: a plain signature by the same private key is none, nor one with another byte."""
    contract = Note.from_bytes(_contract(SM3.of(b"another"), ref="k-2"))
    lines = [SIGNER.private_key(SM3.digest(b"maker-c/officer-1")).sign(contract.text), b"\x01" * 65]
    with later_version(), open_ledger(newer, LOG_KEY, clock=lambda: START) as ledger:
        for blob in lines:
            first, *others = contract.signatures
            spoiled = Note(contract.text, (first._replace(blob=blob), *others))
            (answer,) = ledger.submit([spoiled.to_bytes()])
            assert isinstance(answer, Refusal)
            assert answer.reason is Reason.SIGNATURE_INVALID


def test_one_document_is_one_hash_by_one_function(newer: Path) -> None:
    """Hashes are compared as they stand: the same document under two functions is two."""
    with later_version(), open_ledger(newer, LOG_KEY, clock=lambda: START) as ledger:
        terms = contract_of("maker-c/k2", "maker-c", "guian", "2026-01-01", "2026-12-31", document_hash=DOCUMENT)
        text = text_of(MAKER.command("contract.sign", START, ref="again", **terms))
        (answer,) = ledger.submit([add_signatures(sign_text(text, KEY), key_of("guian/officer-1"))])
        assert isinstance(answer, Refusal)
        assert answer.reason is Reason.DOCUMENT_ALREADY_USED


def test_they_come_into_force_with_the_edition(tmp_path: Path) -> None:
    """A log of edition 1 refuses them until it adopts edition 2."""
    with later_version():
        refused = _recorded(tmp_path / "log", 1, _maker(), _contract())
        assert [answer.reason for answer in refused if isinstance(answer, Refusal)] == [Reason.COMMAND_MALFORMED] * 2
        with open_ledger(tmp_path / "log", LOG_KEY, clock=lambda: START) as ledger:
            adoption = NETWORK.note("rules.adopt", START, edition=2)
            answers = [*ledger.submit([adoption, _maker()]), *ledger.submit([_contract()])]
        assert all(isinstance(answer, Admitted) for answer in answers), answers
        assert audit(tmp_path / "log", POLICY).verdict == "clean"


# ----------------------------------------------------------------------------------------- the formats are as they were


def test_the_bytes_follow_the_formats(newer: Path) -> None:
    """Notes, vkeys, key ids and hashes as docs/formats.md has them, read here by nothing that knows a table."""
    vkey, label = KEY.verifier.to_text(), KEY.verifier.label
    name, key_id, encoded = vkey.split("+", 2)
    material = base64.b64decode(encoded, validate=True)
    assert (name, material[:1], len(vkey) <= 400) == ("maker-c/officer-1", b"\xff", True)
    assert key_id == hashlib.sha256(name.encode() + b"\n" + material).hexdigest()[:8]
    hashes = dict[bytes, set[bytes]]()
    signed = 0
    for entry in entries_of(newer):
        header, note = split_entry(entry)
        assert header + b"\n" + note == entry
        text, lines = note.decode().rsplit("\n\n", 1)
        for line in lines.splitlines(keepends=True):
            match = SIGNATURE_LINE.fullmatch(line)
            assert match, line
            blob = base64.b64decode(match[2], validate=True)
            signed += f"{match[1]}+{blob[:4].hex()}" == label
        for field, value in HASH.findall(text.encode()):
            assert re.fullmatch(rb"[a-z0-9]+:[0-9a-f]{64}", value)
            hashes.setdefault(field, set()).add(value.split(b":")[0])
    assert hashes == {b"profile_hash": {b"sm3"}, b"document_hash": {b"sm3"}}
    assert signed == 2


# ------------------------------------------------------------------------------------- a version that doesn't know them


def test_such_a_log_is_of_newer_rules_and_no_finding(newer: Path, policy: Path, tmp_path: Path) -> None:
    """Status 2 and one line, also from a process of its own; no report is written."""
    assert not {SM3.name, DOMAIN_KEYS.prefix} & {*HASH_FUNCTIONS, *SIGNATURE_ALGORITHMS}
    report = tmp_path / "report.json"
    assert failed("audit", newer, "--trust", policy, "--report", report) == SAID
    arguments = [sys.executable, "-m", "tallystick", "audit", str(newer), "--trust", str(policy)]
    ran = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (2, "", f"tallystick: {SAID}\n")
    assert not report.exists()
    assert failed("balances", newer) == SAID
    assert run("export", newer, tmp_path / "tiles").status == 0
    assert run("receipt", newer, 3, "-o", tmp_path / "3.tlog-proof").status == 0
    assert run("verify", tmp_path / "3.tlog-proof", "--trust", policy).status == 0


def test_after_an_adoption_it_is_judged_up_to_there(ledger: Path, policy: Path) -> None:
    """A key and a hash of the later edition stand behind it, and are no finding."""
    adopt_edition(ledger, 40)
    entries = entries_of(ledger)
    header = split_entry(entries[41])[0]
    forge(ledger, [*entries[:41], header + b"\n" + _maker(), *entries[42:]])
    assert "from entry 41 on" in failed("audit", ledger, "--trust", policy)


UNKNOWN: dict[str, tuple[Callable[[], bytes], str]] = {
    "a hash": (
        lambda: PROVIDER.note("contract.sign", START, **_terms(f"sm3:{'0' * 64}")),
        "document_hash: must begin with the name of a known hash function, sha256:, not 'sm3:",
    ),
    "a hash whose function isn't named": (
        lambda: PROVIDER.note("contract.sign", START, **_terms("0" * 64)),
        "document_hash: must begin with the name of a known hash function, sha256:, not '000",
    ),
    "a hash of another length": (
        lambda: PROVIDER.note("contract.sign", START, **_terms(f"sha256:{'0' * 66}")),
        "document_hash: must be sha256: and 64 of 0-9 and a-f, not ",
    ),
    "a key": (
        lambda: _maker(domain_key("maker-c/officer-2"), SHA256.of(b"x")),
        "keys.0: key maker-c/officer-2 has algorithm 0xff, and known are 0x01 (Ed25519), 0x04 (Ed25519 cosignature)",
    ),
}


def _terms(document_hash: str) -> dict[str, Any]:
    return contract_of("maker-c/k1", "maker-c", "guian", "2026-01-01", "2026-12-31", document_hash=document_hash)


@pytest.mark.parametrize("case", UNKNOWN)
def test_a_command_that_names_one_is_refused_with_one_reason(tmp_path: Path, case: str) -> None:
    """And the line says which field, and what is known."""
    make, said = UNKNOWN[case]
    with later_version():
        note = make()
    (answer,) = _recorded(tmp_path / "log", 1, note)
    assert isinstance(answer, Refusal)
    assert (answer.reason, answer.detail[: len(said)]) == (Reason.COMMAND_MALFORMED, said)


def test_root_keys_are_of_what_every_version_knows(tmp_path: Path) -> None:
    """Else a version that doesn't know them couldn't tell a newer log from a forged number."""
    key = domain_key("network/root-1")
    with later_version():
        founding = Note.from_bytes(_founding(2, root_keys=[key.verifier.to_text()], root_quorum=1)).text
        with pytest.raises(Exception, match="must be a key of Ed25519, which every version can verify"):
            create_ledger(tmp_path / "log", sign_text(founding, key), LOG_KEY, clock=lambda: START)


@pytest.mark.parametrize("field", ["profile_hash", "keys"])
def test_both_versions_find_the_same_in_a_log_of_edition_1(tmp_path: Path, field: str) -> None:
    """An algorithm that came later is no excuse in it: it is malformed, as it always was."""
    _recorded(tmp_path / "log", 1)
    entries = entries_of(tmp_path / "log")
    headers = [split_entry(entry)[0] for entry in entries[2:]]
    with later_version():
        note = _maker(profile_hash=SHA256.of(b"x")) if field == "keys" else _maker(PLAIN_KEY)
    forge(tmp_path / "log", [*entries[:2], *[header + b"\n" + note for header in headers]])
    found = [(row.code, row.index, row.reason) for row in audit(tmp_path / "log", POLICY).findings]
    malformed = [index for code, index, _ in found if code is FindingCode.ENTRY_MALFORMED]
    assert malformed == [2, 3]
    with later_version():
        assert [(row.code, row.index, row.reason) for row in audit(tmp_path / "log", POLICY).findings] == found
