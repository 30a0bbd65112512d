"""Every limit is written down in docs/limits.md with the number that the code has; at the limit it passes, beyond not.

Most limits are tested where what they bound is tested (tests/vectors, tests/rules, tests/properties, tests/witness);
here is that the page is complete and right, and what is about strangers' bytes alone.
"""

import importlib
import pkgutil
import re
import sqlite3
import tracemalloc
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from pydantic import TypeAdapter

import tallystick
from support.burning import LOG_KEY, NOW, Clock, burn_note, founding_notes
from support.command_line import Desk, failed, run
from tallystick.audit import audit
from tallystick.errors import MalformedError
from tallystick.ledger import create_ledger
from tallystick.signing import canonical_json
from tallystick.signing.keys import SigningKey, VerifierKey
from tallystick.signing.note import NOTE_SIZE_MAX, SIGNATURES_MAX, Note, Signature
from tallystick.transparency.policy import POLICY_SIZE_MAX, Policy
from tallystick.vouchers.admit import SignedCommand, read_note
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rulebook import RULEBOOK
from tallystick.vouchers.rules.burn_lines import BurnLine

PAGE = Path(__file__).resolve().parents[2] / "docs" / "limits.md"
NAMES_OF_OBJECTS = {
    "a burn line": "row",
    "a cap": "CapFields",
    "a contract's price": "ItemPrice",
    "a correction": "Corrected",
    "a group": "LineGroup",
    "a payment": "PaymentFields",
    "a price limit": "PriceLimit",
    "a settled contract": "SettledRow",
    "an offset": "Offset",
    "a share": "ShareFields",
    "claims": "ClaimFields",
    "a gate": "GateFields",
    "declarations": "Declarations",
    "officers": "OfficersFields",
    "a declared item": "InstalledItem",
    "proration": "ProrationFields",
    "rules": "RulesFields",
}


def rows() -> list[list[str]]:
    """The cells of every row of every table, without those of the heads."""
    found = [line.strip("|").split("|") for line in PAGE.read_text("utf-8").splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in found if not set("".join(row)) <= set("-| ")]


def number(cell: str) -> int:
    return int(cell.replace(",", ""))


# ---------------------------------------------------------------------------------------------------- the page is right

CONSTANT = re.compile(r"`((?:\w+\.)+)(\w+)`")
LIMITS = {place[0]: row for row in rows() if len(row) == 5 and (place := CONSTANT.fullmatch(row[2]))}


@pytest.mark.parametrize("place", LIMITS, ids=lambda place: place.strip("`"))
def test_the_page_has_the_number_of_the_code(place: str) -> None:
    module, name = place.strip("`").rsplit(".", 1)
    assert getattr(importlib.import_module(f"tallystick.{module}"), name) == number(LIMITS[place][1])


def test_no_limit_of_the_code_is_missing_from_the_page() -> None:
    """Every constant `…_MAX`, wherever it is made."""
    made = set()
    for module in pkgutil.walk_packages(tallystick.__path__, "tallystick."):
        source = Path(importlib.util.find_spec(module.name).origin or "").read_text("utf-8")  # type: ignore[union-attr]
        names = re.findall(r"^(_?[A-Z][A-Z_0-9]*_MAX)\b[^=\n]*=", source, re.MULTILINE)
        made |= {f"`{module.name.removeprefix('tallystick.')}.{name}`" for name in names}
    assert len(made) > 40
    assert made - set(LIMITS) == set()


class Bounds(NamedTuple):
    """What a schema says of a field: the least and the most, of its value or of its members."""

    least: int
    most: int


def _bounds(schema: dict[str, Any]) -> Bounds | None:
    if "maximum" in schema or "exclusiveMaximum" in schema:
        most = schema["maximum"] if "maximum" in schema else schema["exclusiveMaximum"] - 1
        return Bounds(schema["minimum"], most)
    for kind in ("Items", "Length"):
        if f"max{kind}" in schema:
            return Bounds(schema.get(f"min{kind}", 0), schema[f"max{kind}"])
    return None


def bounds_of_commands() -> dict[tuple[str, str], Bounds]:
    """Bounds by command and field, as the schema that reads commands has them."""
    schema = TypeAdapter(RULEBOOK.any_command).json_schema()
    found = {}
    for name, one in schema["$defs"].items():
        kind = one["properties"].get("kind", {}).get("const", name)
        for field, described in one["properties"].items():
            for part in (described, *described.get("anyOf", ())):
                bounds = _bounds(part)
                if bounds is not None:
                    found[kind, field] = bounds
            inner = described.get("items", {})
            if "prefixItems" in inner:
                found |= _bounds_of_rows(inner)
            elif (bounds := _bounds(inner)) is not None:
                found[kind, f"{field}[]"] = bounds
    return found


def _bounds_of_rows(schema: dict[str, Any]) -> dict[tuple[str, str], Bounds]:
    """How many values a row of a statement has, and what its integers may be."""
    values = {"values": schema} | dict(zip(BurnLine._fields, schema["prefixItems"], strict=True))
    return {("row", name): bounds for name, value in values.items() if (bounds := _bounds(value)) is not None}


ANY = {
    "log": Bounds(1, 255),
    "vkey": Bounds(0, 400),
    "keys[]": Bounds(0, 400),
    "root_keys[]": Bounds(0, 400),
} | dict.fromkeys(("name", "reason"), Bounds(1, 200))


def test_the_page_has_the_bounds_of_every_field_of_every_command() -> None:
    """No more and no fewer."""
    said = {}
    for row in rows():
        if len(row) == 5 and not CONSTANT.fullmatch(row[2]) and row[0] not in ("what", "command", "any"):
            kind = NAMES_OF_OBJECTS.get(row[0], row[0].strip("`"))
            said[kind, row[1].strip("`")] = Bounds(number(row[2]), number(row[3]))
    made = bounds_of_commands()
    assert {place: bounds for place, bounds in made.items() if ANY.get(place[1]) != bounds} == said


def test_the_page_has_the_bounds_that_all_commands_share() -> None:
    said = {row[1]: Bounds(number(row[2]), number(row[3])) for row in rows() if row[0] == "any"}
    assert said == {
        "`log`": ANY["log"],
        "`name`, `reason`": ANY["name"],
        "`vkey`, and one of `keys` or `root_keys`": ANY["vkey"],
    }


# ------------------------------------------------------------------------------------- at the limit, and one beyond it


def filled(size: int) -> bytes:
    """A note of so many bytes, read as far as its text, which is no command."""
    head, tail = b'{"a":"', '"}\n\n— a/b YWFhYWI=\n'.encode()
    return head + b"x" * (size - len(head) - len(tail)) + tail


def reason_of(note: bytes) -> tuple[Reason, str]:
    answer = read_note(note, "log.example")
    assert isinstance(answer, Refusal)
    assert len(str(answer).splitlines()) == 1
    return answer.reason, answer.detail


def test_the_largest_note_is_read_and_the_next_is_not_looked_at() -> None:
    assert reason_of(filled(NOTE_SIZE_MAX))[0] is Reason.COMMAND_MALFORMED
    assert reason_of(filled(NOTE_SIZE_MAX + 1)) == (Reason.NOTE_TOO_LARGE, "65536 bytes")
    assert reason_of(bytes(50_000_000)) == (Reason.NOTE_TOO_LARGE, "50000000 bytes")


def test_the_most_signatures_are_read_and_one_more_is_not() -> None:
    opened = Note.from_bytes(burn_note("many"))
    lines = tuple(Signature(f"a-{number}/k", b"aaaa", bytes(64)) for number in range(SIGNATURES_MAX + 1))
    assert isinstance(read_note(Note(opened.text, lines[1:]).to_bytes(), LOG_KEY.name), SignedCommand)
    answer = read_note(Note(opened.text, lines).to_bytes(), LOG_KEY.name)
    assert answer == Refusal(Reason.NOTE_MALFORMED, "a note has at most 64 signatures")


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_the_deepest_json_is_read_and_deeper_is_refused_before_any_stack_is_full(opening: bytes) -> None:
    closing = b"]" if opening == b"[" else b"}"
    deepest = canonical_json.DEPTH_MAX
    assert canonical_json.decode(opening * deepest + b"1" + closing * deepest)
    for depth in (deepest + 1, 1_000, 10_000, 32_000):
        with pytest.raises(MalformedError) as caught:
            canonical_json.decode(opening * depth + b"1" + closing * depth, size_max=300_000)
        assert len(str(caught.value)) < 200


def test_the_largest_policy_is_read_and_a_longer_one_is_not() -> None:
    policy = Policy.for_log(LOG_KEY.verifier).to_text()
    comment = b"#" * (POLICY_SIZE_MAX - len(policy) - 1) + b"\n"
    assert Policy.from_text(policy + comment).logs
    with pytest.raises(MalformedError, match="larger than 65535"):
        Policy.from_text(policy + b"#" + comment)


def test_a_deep_policy_exhausts_no_stack() -> None:
    """Groups of groups, as many as fit."""
    witness = SigningKey.from_seed("w", bytes(range(32)), 4).verifier
    lines = [f"log {LOG_KEY.verifier.to_text()}", f"witness w {witness.to_text()}", "group g0 1 w"]
    lines += [f"group g{number} 1 g{number - 1}" for number in range(1, 3_000)]
    policy = Policy.from_text("\n".join([*lines, "quorum g2999", ""]).encode())
    assert len(policy.witnesses) == 1


def test_the_largest_file_is_read_and_a_larger_one_is_one_line(tmp_path: Path) -> None:
    """By the command line, of a file and of standard input."""
    desk = Desk(tmp_path)
    desk.found()
    exact, beyond = tmp_path / "exact", tmp_path / "beyond"
    exact.write_bytes(b"a" * 1_048_576)
    beyond.write_bytes(b"a" * 1_048_577)
    assert "note_too_large" in run("submit", desk.ledger, exact).out
    assert "larger than 1,048,576 bytes" in failed("submit", desk.ledger, beyond)
    assert "larger than 1,048,576 bytes" in failed("submit", desk.ledger, "-", stdin=beyond.read_bytes())
    assert "larger than 1,048,576 bytes" in failed("submit", desk.ledger, "/dev/zero")


def test_a_group_is_cut_by_notes_and_by_bytes(tmp_path: Path) -> None:
    """Each checkpoint is a transaction: one more note than fits makes a second, and so do a few large ones."""
    clock = Clock()
    genesis, *rest = founding_notes()
    with create_ledger(tmp_path, genesis, LOG_KEY, clock=clock) as ledger:
        ledger.submit(rest)
        clock.at = NOW
        for notes, transactions in (
            ([burn_note(f"a-{number}") for number in range(512)], 1),
            ([burn_note(f"b-{number}") for number in range(513)], 2),
            ([burn_note(f"c-{number}", lines=680) for number in range(70)], 1),
            ([burn_note(f"d-{number}", lines=680) for number in range(90)], 2),
        ):
            before = _checkpoints(tmp_path)
            ledger.submit(notes)
            assert _checkpoints(tmp_path) == before + transactions, sum(map(len, notes))


def _checkpoints(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "ledger.db")) as connection, connection:
        (count,) = connection.execute("SELECT count(*) FROM checkpoints").fetchone()
    connection.close()
    return int(count)


# ------------------------------------------------------------------------------------------- memory that strangers take


def test_a_refusal_is_no_longer_than_a_person_reads() -> None:
    """A stranger's key name of sixty kilobytes isn't repeated to whoever reads the answer."""
    opened = Note.from_bytes(burn_note("named"))
    for name in ("x" * 60_000, "é" * 30_000, "network/" + "y" * 60_000):
        note = Note(opened.text, (Signature(name, b"aaaa", bytes(64)),)).to_bytes()
        assert reason_of(note)[0] is Reason.NOTE_MALFORMED
        assert len(reason_of(note)[1]) < 400


def test_long_key_names_are_not_remembered() -> None:
    """Names are cached by the thousand: of the length that a note can have they would take hundreds of megabytes."""
    opened = Note.from_bytes(burn_note("cached"))
    tracemalloc.start()
    try:
        for number in range(300):
            name = f"{number}/" + "é" * 30_000
            with pytest.raises(MalformedError):
                Note.from_bytes(Note(opened.text, (Signature(name, b"aaaa", bytes(64)),)).to_bytes())
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 2_000_000


def test_a_misspelt_vkey_is_not_quoted_whole() -> None:
    with pytest.raises(MalformedError) as caught:
        VerifierKey.from_text("white space " * 300)
    assert len(str(caught.value)) < 400


def test_an_auditor_reads_no_cell_larger_than_an_entry_may_be(tmp_path: Path) -> None:
    """A store from a stranger may hold values of a gigabyte; 256 rows are read at a time."""
    genesis, *rest = founding_notes()
    with create_ledger(tmp_path, genesis, LOG_KEY, clock=Clock()) as ledger:
        ledger.submit(rest)
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as connection, connection:
        connection.execute("DROP TRIGGER stored_events_refuses_update")
        connection.execute("UPDATE stored_events SET state = zeroblob(50000000) WHERE originator_version > 4")
    connection.close()
    tracemalloc.start()
    try:
        report = audit(tmp_path, Policy.for_log(LOG_KEY.verifier), processes=1)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert report.verdict == "findings"
    assert peak < 50_000_000
