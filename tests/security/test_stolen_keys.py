"""One stolen key of each role and purpose: every kind of command tried with it, and the worst that it does.

Which kinds a key alone signs, and which keys there are, is read from docs/threat-model.md.
"""

import re
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from support.actors import ORIGIN, Actor, brought_by, checkpoint_of, label_of, note_of, vkey_of
from support.attacked_city import MANDATED, World, attacked_city
from support.attacked_commands import KINDS, command_of
from support.scenario import Story, ledger_for, read_sentences
from tallystick.vouchers.refusals import Reason, Refusal

ROOT: Final = Path(__file__).resolve().parents[2]
PAGE: Final = (ROOT / "docs" / "threat-model.md").read_text("utf-8")
RULES_PAGE: Final = (ROOT / "docs" / "rules.md").read_text("utf-8")
STORIES: Final = tuple(read_sentences((Path(__file__).parent / "stolen_keys.txt").read_text("utf-8")))
PARTIES: Final = {
    "network": "the network, where more must sign",
    "city": "a treasury with a quorum and officers",
    "town": "a treasury without a quorum",
    "hall": "a provider",
    "maker": "a holder",
    "desk": "an operator without a mandate",
    "platform": "an operator with a mandate of every kind",
    "bureau": "an attester",
    "court": "an auditor",
}
"""Parties of the attacked city, with their rows in the page."""
ROLES: Final = {
    "network": "network",
    "city": "treasury",
    "town": "treasury",
    "hall": "provider",
    "maker": "holder",
    "desk": "operator",
    "platform": "operator",
    "bureau": "attester",
    "court": "auditor",
}
PURPOSES: Final = ("sign", "meter", "read")
BURNS: Final = {"burn.reverse", "service.burn", "time.burn"}


@cache
def _city() -> World:
    return attacked_city()


@cache
def alone() -> dict[str, dict[str, set[str]]]:
    """By row of the page and purpose, the kinds of command that such a key alone signs."""
    table = PAGE.partition("## What one key alone signs")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line[:2] == "| "]
    kinds = re.compile(r"`([a-z]+\.[a-z]+)/1`")
    return {row[0]: dict(zip(PURPOSES, map(set, map(kinds.findall, row[1:4])), strict=True)) for row in rows[1:]}


@cache
def _roles() -> dict[str, str]:
    """By kind, the roles that may give it, as docs/rules.md says."""
    table = RULES_PAGE.partition("<!-- from the rulebook: signers -->")[2].partition("<!-- end -->")[0]
    roles: dict[str, str] = {}
    for line in table.splitlines()[3:]:
        if line.startswith("| "):
            commands, said, _ = [cell.strip() for cell in line.strip("|").split("|")]
            roles |= dict.fromkeys(re.findall(r"`([a-z]+\.[a-z]+)/1`", commands), said)
    return roles


def _may(role: str, kind: str) -> bool:
    """Whether a role may give a kind of command, as docs/rules.md says."""
    return _roles()[kind] == "any" or role in _roles()[kind].split(", ")


def _tried(party: str, kind: str, key: str) -> Reason | None:
    """Why a command signed by one key is refused; what the thief's own new keys must sign, they do."""
    world = _city()
    changed = {"key": label_of(key)} if kind == "key.rotate" and key.startswith(f"{party}/") else {}
    command = command_of(world, party, kind, **changed)
    answer = world.decide(note_of(command, *dict.fromkeys((key, *brought_by(command)))))
    return answer.reason if isinstance(answer, Refusal) else None


def _expected(party: str, purpose: str, kind: str) -> Reason:
    """Why a kind that a key doesn't sign alone is refused."""
    if kind == "network.found":
        return Reason.NETWORK_ALREADY_FOUNDED
    if not _may(ROLES[party], kind):
        return Reason.ROLE_MAY_NOT
    if purpose == "read" or (purpose == "meter" and kind not in BURNS):
        return Reason.SIGNATURES_MISSING if kind == "key.rotate" else Reason.KEY_NOT_FOR_THIS_COMMAND
    if party == "desk" and f"{kind}/1" in MANDATED:
        return Reason.MANDATE_MISPLACED
    return Reason.SIGNATURES_MISSING


def test_the_page_has_a_row_for_each_party_and_kinds_that_there_are() -> None:
    assert set(alone()) == set(PARTIES.values())
    assert {kind for row in alone().values() for kinds in row.values() for kind in kinds} <= set(KINDS)


@pytest.mark.parametrize("purpose", PURPOSES)
@pytest.mark.parametrize("party", PARTIES)
def test_one_key_alone_signs_what_the_page_says(party: str, purpose: str) -> None:
    """Every kind of command in the rulebook: accepted, or refused for its role, its purpose, or who else must sign."""
    allowed = alone()[PARTIES[party]][purpose]
    found = {kind: _tried(party, kind, f"{party}/{purpose}-1") for kind in KINDS}
    assert found == {kind: None if kind in allowed else _expected(party, purpose, kind) for kind in KINDS}


@pytest.mark.parametrize("key", [f"{party}/sign-1" for party in PARTIES] + [ORIGIN, "nobody/sign-1"])
def test_no_key_signs_for_another_party(key: str) -> None:
    """Whatever the kind: neither a party's key, nor the log's own, nor one that the log doesn't know."""
    own = key.partition("/")[0]
    expected = {Reason.SIGNER_NOT_INVOLVED, Reason.SIGNATURES_MISSING} if own in PARTIES else {Reason.KEY_UNKNOWN}
    for kind in set(KINDS) - {"network.found"}:
        others = [party for party, role in ROLES.items() if party != own and _may(role, kind)]
        if others:  # the network's own kinds no other party may give
            assert _tried(others[0], kind, key) in expected, (others[0], kind)


@pytest.mark.parametrize("story", STORIES, ids=[story.title.partition(":")[0] for story in STORIES])
def test_the_worst_that_a_key_does_and_what_ends_it(story: Story) -> None:
    """It is done as far as it goes; what is beyond is refused; then the key is stopped, and the damage undone."""
    ledger_for(story).play(story)


def test_an_operator_shuts_no_other_log_out() -> None:
    """By a checkpoint of a huge tree, signed by a key of its own making that is called like the other log."""
    world, thiefs = attacked_city(), "other.example/log:thief/sign-1"
    for signed_by, size, expected in (
        (thiefs, 2**53, None),
        ("other.example/log", 5, None),
        (thiefs, 4, Reason.CHECKPOINT_SMALLER),
        ("other.example/log", 4, Reason.CHECKPOINT_SMALLER),
        ("other.example/log", 6, None),
    ):
        checkpoint = checkpoint_of("other.example/log", size, signed_by=signed_by)
        fields = {
            "checkpoint": checkpoint,
            "log_vkey": vkey_of(signed_by),
            "ref": f"{signed_by} {size}".replace(" ", "-"),
        }
        answer = world.submit(note_of(Actor("desk").command("checkpoint.record", world.at, **fields), "desk/sign-1"))
        assert (answer.reason if isinstance(answer, Refusal) else None) is expected
