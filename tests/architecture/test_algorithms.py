"""Algorithms are named in one table; what is fixed to one of them by a specification says so here.

A second place that knows an algorithm is a second place to change, and to forget, when another is added.
"""

import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "src" / "tallystick"
TABLE = "signing/algorithms.py"
NAMED = re.compile(r"ed25519|\b0x0[14]\b|[\"']sha256:?[\"'{]", re.IGNORECASE)
HASHING = re.compile(r"\bhashlib\b|\bhazmat\.primitives\.hashes\b")
NAMED_BY = {
    "cli/first_page.py": "which libraries verify it, beside the version",
    "cli/usage_files.py": "what sha256sum says of a file that was read, for people to compare",
    "signing/keys.py": "the types of keys as constants, from the table",
    "signing/ed25519.py": "which keys and signatures of it are refused, for the table",
    "signing/libsodium.py": "one of those that verify it",
    "usage/workbook.py": "the same of files of usage, in a workbook",
    "token_keys.py": "PKCS#11 has numbers of its own for each",
    "transparency/cosignature.py": "C2SP tlog-cosignature is Ed25519's",
}
SHA256_BY_SPECIFICATION = {
    "signing/keys.py": "key ids (C2SP signed-note)",
    "transparency/merkle.py": "trees (RFC 6962, C2SP tlog-tiles)",
    "transparency/tiles.py": "leaves of a bundle (RFC 6962, C2SP tlog-tiles)",
    "witness/cosigner.py": "a log's path at a witness (C2SP tlog-witness)",
}
SHA256_OF_THIS_VERSION_ALONE = {
    "cli/usage_files.py": "what sha256sum says of a file that was read",
    "accounting/payables.py": "names a claim in a bank's text",
    "accounting/sampling.py": "draws a sample that a shell can draw again",
    "accounting/working_papers.py": "what sha256sum says of each paper",
    "audit/earlier.py": "the state that a report was saved with",
    "audit/stored_states.py": "saved states, which the version that wrote them reads",
    "cli/sending.py": "names files of notes that wait for an answer",
    "client/auditors.py": "names files in an outbox",
    "demo/cast.py": "made-up numbers",
    "demo/incidents.py": "another log, made up",
    "ledger/note_faults.py": "names a note in a message",
    "ledger/recorded_before.py": "a text that came before, within the state",
    "metering/naming.py": "names jobs that the ledger would not take",
    "publishing/recorded.py": "a text that came before, within the state",
    "views/follow.py": "names a lock",
    "views/follower.py": "the views' own file",
    "views/view_store.py": "the views' own file",
    "vouchers/admit.py": "a text that came before, within the state",
    "vouchers/entry.py": "a text that came before, within the state",
    "vouchers/state_pieces.py": "saved states, which the version that wrote them reads",
    "vouchers/saved_state.py": "saved states, which the version that wrote them reads",
    "web/pages/answering.py": "names a page that a browser has",
    "web/pages/static_files.py": "names a file that a browser has",
    "web/pending.py": "names a note that waits",
    "web/receipts_box.py": "names files in a box",
    "web/sessions.py": "tokens, in this process's memory",
    "web/verify_page.py": "names the script and the style that a page may have (Content Security Policy)",
}


def code_of(source: str) -> str:
    """A module without its docstrings and comments, which may name an algorithm."""
    source = re.sub(r'"""[\s\S]*?"""', "", source)
    return re.sub(r"#.*", "", source)


def modules() -> dict[str, str]:
    """The code of each module, by its path."""
    return {str(path.relative_to(PACKAGE)): code_of(path.read_text("utf-8")) for path in PACKAGE.rglob("*.py")}


def found(pattern: re.Pattern[str]) -> set[str]:
    """The modules whose code has it, but the table."""
    return {name for name, code in modules().items() if pattern.search(code)} - {TABLE}


def test_no_other_module_names_an_algorithm() -> None:
    """Nor does one that is listed and has no need to be."""
    assert found(NAMED) == {*NAMED_BY}


def test_what_else_hashes_is_fixed_or_read_by_nobody_else() -> None:
    """A hash in a field that others read is made by the table."""
    assert found(HASHING) == {*SHA256_BY_SPECIFICATION, *SHA256_OF_THIS_VERSION_ALONE}


@pytest.mark.parametrize("code", ['x = f"sha256:{x}"', "ED25519 = 1", "if kind == 'sha256':", "if key.type == 0x01:"])
def test_a_named_one_is_seen(code: str) -> None:
    assert NAMED.search(code_of(f'"""A module."""\n{code}  # why\n'))
