"""A log for every code that an audit can find, or why no folder alone shows it.

What an entry records although the rules refuse it is taken from recorded.txt, or from tests/rules/tables: the refused
note of a row, written down as if it had been accepted. What is damaged is a folder of a few entries. The others are in
falsified.py.
"""

from collections.abc import Callable
from datetime import date, timedelta
from functools import cache
from pathlib import Path

from support.actors import ORIGIN
from support.finding_codes import AUDIT_CODES
from support.scenario import REASONS, TABLES, Row, Story, read_sentences
from support.sentences import VERBS
from tallystick.findings import FindingCode
from tallystick.signing.keys import COSIGNATURE_ED25519, SigningKey
from tallystick.signing.note import Note, sign_text
from tallystick.transparency.merkle import EMPTY_ROOT
from tallystick.transparency.policy import GroupLine, LogLine, Policy, QuorumLine, WitnessLine
from tallystick.vouchers.refusals import Reason
from tallystick.vouchers.rulebook import EVENT_KINDS
from vectors.corpus.falsified import replaced
from vectors.corpus.folders import LOG_KEY, Entries, Files, checkpoint, exported
from vectors.corpus.stories import entries_of, ledger_before, play, stories, the_entries, with_recorded

C = FindingCode
FEW = 6
"""Entries of a log in which something is damaged."""
BUNDLE, TILE = "tile/entries/000.p/6", "tile/0/000.p/6"
REVERSED = 30
"""The place of an entry of the story that reverses a line of the entry before it, at the same time."""

_TESTS = "`tests/tampering/test_{}.py`"
_OF_A_STORE = f"a ledger's database, which holds more than its export: {_TESTS.format('store_attacks')}"
_OF_SEVERAL_LOGS = f"several logs (`network audit`): {_TESTS.format('network_attacks')}"
ELSEWHERE = {
    C.STORE_DAMAGED: _OF_A_STORE,
    C.CHECKPOINT_ROW_DIFFERS: _OF_A_STORE,
    C.CHECKPOINT_ROOT_DIFFERS: _OF_A_STORE,
    C.HISTORY_REWRITTEN: f"an earlier audit to go on from (`--since`): {_TESTS.format('incremental_attacks')}",
    C.RECEIPT_CONTRADICTED: f"receipts (`--receipts`): {_TESTS.format('receipt_attacks')}",
    C.COSIGNED_CHECKPOINT_CONTRADICTED: f"a checkpoint beside a ledger: {_TESTS.format('cosigned_attacks')}",
    C.RECORDED_CHECKPOINT_CONTRADICTED: _OF_SEVERAL_LOGS,
    C.ENTRY_BEYOND_CHECKPOINT: _OF_A_STORE,
    C.ENTRY_MISPLACED: _OF_A_STORE,
    C.TOPIC_DIFFERS: _OF_A_STORE,
    C.CONSERVATION_BROKEN: f"a fault in the rules, which no log brings: {_TESTS.format('store_attacks')}",
    C.TREE_DIFFERS: _OF_A_STORE,
    C.REFERENCE_INDEX_DIFFERS: _OF_A_STORE,
    C.STATE_DIFFERS: f"a saved state beside an export: {_TESTS.format('state_attacks')}",
    C.DOCUMENT_IN_TWO_LOGS: _OF_SEVERAL_LOGS,
    C.JOB_TIME_IN_TWO_LOGS: _OF_SEVERAL_LOGS,
    C.PAYMENT_IN_TWO_LOGS: _OF_SEVERAL_LOGS,
    C.VOUCHER_IN_TWO_LOGS: _OF_SEVERAL_LOGS,
    C.CAP_EXCEEDED_TOGETHER: _OF_SEVERAL_LOGS,
    C.PARTY_IN_TWO_ROLES: _OF_SEVERAL_LOGS,
    C.KEY_OF_TWO_PARTIES: _OF_SEVERAL_LOGS,
}
"""What no exported folder shows by itself: what it takes, and which tests try it."""


def few() -> Entries:
    """The first entries of the story."""
    return [*the_entries()[:FEW]]


def checkpoint_missing() -> Files:
    """there is no checkpoint"""
    return {path: data for path, data in exported(few()).items() if path != "checkpoint"}


def checkpoint_malformed() -> Files:
    """the checkpoint's size is written with a zero before it, and signed so"""
    files = exported(few())
    text = replaced(Note.from_bytes(files["checkpoint"]).text, b"\n6\n", b"\n06\n")
    return files | {"checkpoint": sign_text(text, LOG_KEY)}


def checkpoint_of_another_key() -> Files:
    """a key that the policy doesn't name signed the checkpoint"""
    return exported(few(), SigningKey.from_seed(ORIGIN, b"another".ljust(32)))


def checkpoint_quorum_missing() -> Files:
    """the policy asks for a witness, and none cosigned"""
    witness = SigningKey.from_seed("witness.example", b"witness".ljust(32), COSIGNATURE_ED25519)
    log = LogLine(LOG_KEY.verifier)
    policy = Policy((log, WitnessLine("w1", witness.verifier), GroupLine("g", 1, ("w1",)), QuorumLine("g")))
    return exported(few(), policy=policy)


def log_empty() -> Files:
    """a checkpoint of no entry"""
    return exported([]) | {"checkpoint": checkpoint(0, EMPTY_ROOT)}


def entries_cut_off() -> Files:
    """the bundle of entries is gone"""
    return {path: data for path, data in exported(few()).items() if path != BUNDLE}


def index_differs() -> Files:
    """an entry's header has the index of the one before it"""
    return _last_entry(b'"index":5', b'"index":4')


def time_went_backwards() -> Files:
    """an entry lies a second before the one before it"""
    *before, last = the_entries()[: REVERSED + 1]
    return exported([*before, replaced(last, b'{"at":"2026-01-07T08:00:00.', b'{"at":"2026-01-07T07:59:59.')])


def kind_differs() -> Files:
    """a suspension is recorded as a reinstatement"""
    return _last_entry(b'"kind":"party.suspended/1"', b'"kind":"party.reinstated/1"')


def leaf_differs() -> Files:
    """a bit of the hash of an entry is another in its tile"""
    return _damaged(TILE, lambda data: data[:64] + bytes([data[64] ^ 1]) + data[65:])


def tile_missing() -> Files:
    """the tile of the entries' hashes is gone"""
    return {path: data for path, data in exported(few()).items() if path != TILE}


def tile_malformed() -> Files:
    """a tile is a byte too long"""
    return _damaged(TILE, lambda data: data + b"\x00")


def tile_differs() -> Files:
    """a hash of the second level is not over those below it"""
    files = exported(many())
    return files | {"tile/1/000.p/1": bytes(32)}


def root_differs() -> Files:
    """the checkpoint has another root than its entries"""
    return exported(few()) | {"checkpoint": checkpoint(FEW, b"\x07" * 32)}


def findings_cut() -> Files:
    """every hash of 101 entries is another in its tile"""
    files = exported(many()[:101])
    return files | {"tile/0/000.p/101": bytes(101 * 32)}


def many() -> Entries:
    """A log of 256 entries, so that there is a second level of tiles: a provider declares its capacity day by day."""
    text = "network founds the network -> founded\nnetwork admits guian as provider -> admitted\n"
    text += "network registers 910b as domestic -> registered\n"
    days = [date(2026, 1, 5) + timedelta(n) for n in range(253)]
    declared = [f"guian declares that it has {n}×910b from {day} on -> declared" for n, day in enumerate(days, 1)]
    (story,) = read_sentences(f"== many [empty log]\n{text}" + "\n".join(declared))
    ledger = ledger_before(story)
    ledger.play(story)
    return entries_of(ledger)


def _last_entry(old: bytes, new: bytes) -> Files:
    """Few entries, the last with other bytes in its header."""
    *before, last = few()
    return exported([*before, replaced(last, old, new)])


def _damaged(path: str, change: Callable[[bytes], bytes]) -> Files:
    files = exported(few())
    return files | {path: change(files[path])}


DAMAGED = (
    checkpoint_missing,
    checkpoint_malformed,
    checkpoint_of_another_key,
    checkpoint_quorum_missing,
    log_empty,
    entries_cut_off,
    index_differs,
    time_went_backwards,
    kind_differs,
    leaf_differs,
    tile_missing,
    tile_malformed,
    tile_differs,
    root_differs,
    findings_cut,
)
"""In the order of the README."""

RECORDED = tuple(REASONS[code.value] for code in FindingCode if code in AUDIT_CODES and code.value in REASONS)
"""The reasons that are findings of their own, where an entry records what they refuse."""
RECORDED_HERE = Path(__file__).with_name("recorded.txt")


def name_of(reason: Reason) -> str:
    """The folder of the log that records what is refused for this reason."""
    return f"recorded-{reason.value.replace('_', '-')}"


def recorded_although_refused(reason: Reason) -> Files:
    """A log that ends with a note that the rules refuse for this reason, where least comes before it."""
    story, row = _where_refused()[reason]
    ledger = ledger_before(story)
    for one in story.rows[: story.rows.index(row)]:
        play(ledger, story, one)
    command, note = ledger.note(row)
    return exported(with_recorded(ledger, EVENT_KINDS[command["kind"]], note))


@cache
def _where_refused() -> dict[Reason, tuple[Story, Row]]:
    """Where a command is refused for each of them, soonest."""
    found: dict[Reason, tuple[int, Story, Row]] = {}
    for table in (RECORDED_HERE, *sorted(TABLES.glob("*.txt"))):
        for story in stories(table):
            is_founded = not story.from_nothing
            for number, row in enumerate(story.rows):
                reason = REASONS.get(row.answer)
                before = number if story.from_nothing else number + 1_000
                is_wanted = is_founded and row.verb in VERBS and reason in RECORDED
                if reason and is_wanted and (reason not in found or before < found[reason][0]):
                    found[reason] = (before, story, row)
                is_founded |= row.verb == "found" and not reason
    return {reason: (story, row) for reason, (_, story, row) in found.items()}
