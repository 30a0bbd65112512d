"""A command in plain words leaves nothing out that is signed."""

import json
from pathlib import Path
from typing import Any

import pytest

from tallystick.forms.form import COMMON, forms
from tallystick.forms.sentences import SENTENCES
from tallystick.forms.words import in_words

Json = dict[str, Any]
VECTORS = Path(__file__).resolve().parents[1] / "vectors" / "entries"
STORY = [json.loads(path.read_bytes().split(b"\n")[1]) for path in sorted(VECTORS.glob("[0-9]*.txt"))]
ZONE = 28_800
NAMES = {
    ("party", "shanghai"): "Shanghai treasury",
    ("party", "acme"): "Acme AI",
    ("programme", "shanghai/S1"): "Compute 2026",
}


def first(kind: str) -> Json:
    return next(command for command in STORY if command["kind"] == kind)


def said(command: Json) -> str:
    return "\n".join(in_words(command, ZONE).lines())


def values(value: Any) -> list[str]:
    """What is in a command, as its text has it."""
    if isinstance(value, dict):
        return [text for one in value.values() for text in values(one)]
    if isinstance(value, list):
        return [text for one in value for text in values(one)]
    return [value] if isinstance(value, str) else []


def test_there_is_a_sentence_for_every_kind_and_no_other() -> None:
    """A new command gets one, or nobody could say what is signed."""
    assert set(SENTENCES) == set(forms())


def test_an_issue_says_who_gives_how_much_to_whom() -> None:
    """Names where they are known, amounts in yuan, times in the network's zone."""
    command = first("voucher.issue/1") | {"face_fen": 150_000_000}
    words = in_words(command, ZONE, lambda kind, name: NAMES.get((kind, name)))
    assert words.sentence == (
        "Shanghai treasury (shanghai) issues voucher shanghai/V1 of 1,500,000.00 yuan to Acme AI (acme) "
        "under programme Compute 2026 (shanghai/S1), valid from 2026-01-05 16:00"
    )
    assert words.signed.startswith("for the log tallystick.example/national, as ref ref-")
    assert words.signed.endswith(", signed at 2026-01-05 16:00 (UTC+08:00)")


@pytest.mark.parametrize("command", STORY, ids=lambda command: command["ref"])
def test_all_texts_of_a_command_are_said(command: Json) -> None:
    """Ids, reasons, names, keys, hashes and days word for word; times differ, and are asked for below."""
    words = said(command)
    missing = [
        text
        for text in values({name: value for name, value in command.items() if name != "kind"})
        if not text.endswith("Z") and any(line not in words for line in text.split("\n"))
    ]
    assert missing == []


@pytest.mark.parametrize("kind", [*forms()])
def test_every_field_makes_a_difference_to_what_is_said(kind: str) -> None:
    """Of each field that a sentence leaves out and some command of the story has: without it, other words."""
    for command in [one for one in STORY if one["kind"] == kind]:
        for option in forms()[kind].options:
            if f"{{{option.path[0]}" in SENTENCES[kind]:
                continue
            less: Json = json.loads(json.dumps(command))
            holder: Any = less
            for name in option.path[:-1]:
                holder = holder.get(name, {})
            if holder.pop(option.path[-1], None) is not None:
                assert said(less) != said(command), option.name


def test_a_text_cannot_be_taken_for_more_of_the_sentence() -> None:
    """What a stranger wrote is in quotes, and so is a name that has more than a name has."""
    command = first("party.suspend/1") | {"reason": 'late", and "so on'}
    words = in_words(command, ZONE, lambda _kind, name: f"{name}, of 5 yuan")
    assert words.sentence == '"shanghai, of 5 yuan" (shanghai) suspends "bolt, of 5 yuan" (bolt): "late"", and ""so on"'


def test_a_settlement_says_what_is_paid_in_all() -> None:
    """A signer needn't add up rows."""
    command = first("redemption.settle/1") | {
        "rows": [{"contract": "a/1", "paid_fen": 100}, {"contract": "a/2", "paid_fen": 250}]
    }
    assert ("row, in all", "paid 3.50 yuan") in in_words(command, ZONE).details


def test_no_capacity_is_said() -> None:
    """An empty list says something too."""
    assert ("capacity", "none") in in_words(first("capacity.declare/1") | {"capacity": []}, ZONE).details


def test_common_fields_are_said() -> None:
    """Whose, for which log, under which reference."""
    command = first("book.expire/1")
    assert all(command[name] in said(command) for name in COMMON if name not in ("kind", "signed_at"))
