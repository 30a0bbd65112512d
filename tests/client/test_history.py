"""What a log signed once must hold in all that it signs later; what contradicts it is kept as evidence."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from support.actors import key_of
from support.log_server import LogServer, Said, Time, serving_log
from support.small_ledger import LOG_KEY, POLICY
from tallystick.client import Client
from tallystick.client.newest import CONTRADICTION_SUFFIX
from tallystick.errors import (
    AnswerMalformedError,
    HistoryRewrittenError,
    ProofInvalidError,
    QuorumMissingError,
    TallystickError,
    UnreachableError,
    UsageError,
)
from tallystick.ledger import Ledger, open_ledger
from tallystick.publishing import read_ledger
from tallystick.signing.keys import COSIGNATURE_ED25519, SigningKey
from tallystick.transparency.policy import LogLine, Policy, QuorumLine, WitnessLine
from tallystick.transparency.receipt import Receipt

MakeClient = Callable[..., Client]


@pytest.fixture
def fork(folder: Path, ledger: Ledger, tmp_path: Path) -> Path:
    """The log as it stands now; what is written to it later is another history."""
    return shutil.copytree(folder, tmp_path / "fork")


def test_the_newest_checkpoint_is_kept_in_a_file(
    impatient: MakeClient, server: LogServer, tmp_path: Path, time: Time
) -> None:
    kept = tmp_path / "kept.checkpoint"
    with impatient(server.url, checkpoint_file=kept) as client:
        recorded = client.submit(time.note())
    assert POLICY.open_checkpoint(kept.read_bytes()) == recorded.checkpoint
    with impatient(server.url, checkpoint_file=kept) as client:
        assert client.newest_note == kept.read_bytes()
        more = [time.note() for _ in range(300)]
        client.submit(more)
    assert POLICY.open_checkpoint(kept.read_bytes()).size == recorded.checkpoint.size + 300


def test_an_entry_right_after_the_kept_tree_needs_no_tile(client: Client, server: LogServer, time: Time) -> None:
    """Its own receipt has the root of the tree before it, so one party alone asks once a note."""
    for _ in range(5):
        client.submit(time.note())
    assert server.asked == ["POST /v1/entries"] * 5


def test_where_others_wrote_too_the_way_leads_over_tiles(
    client: Client, server: LogServer, ledger: Ledger, time: Time
) -> None:
    client.submit(time.note())
    ledger.submit([time.note() for _ in range(200)])
    client.submit(time.note())
    tiles = server.count("GET /tile/")
    assert 1 <= tiles <= 4


def test_a_log_that_forked_is_refused_and_both_checkpoints_are_kept(
    impatient: MakeClient, server: LogServer, fork: Path, tmp_path: Path, time: Time
) -> None:
    kept = tmp_path / "kept.checkpoint"
    with impatient(server.url, checkpoint_file=kept) as client:
        client.submit([time.note() for _ in range(3)])
    first = kept.read_bytes()
    with open_ledger(fork, LOG_KEY, clock=time) as other, serving_log(fork, other, time) as forked:
        other.submit([time.note() for _ in range(10)])
        asks: tuple[Callable[[Client], object], ...] = (Client.checkpoint, lambda one: one.submit(time.note()))
        for ask in asks:
            with impatient(forked.url, checkpoint_file=kept) as client, pytest.raises(HistoryRewrittenError) as found:
                ask(client)
            evidence = kept.with_name(kept.name + CONTRADICTION_SUFFIX)
            assert "history_rewritten" in str(found.value)
            assert (found.value.kept, found.value.other) == (first, evidence.read_bytes())
            assert str(evidence) in str(found.value)
            assert kept.read_bytes() == first
            assert POLICY.open_checkpoint(evidence.read_bytes()).size > POLICY.open_checkpoint(first).size


def test_two_trees_of_one_size_are_evidence_by_themselves(
    impatient: MakeClient, server: LogServer, fork: Path, time: Time
) -> None:
    with open_ledger(fork, LOG_KEY, clock=time) as other, impatient(server.url) as client:
        client.submit(time.note())
        other.submit([time.note()])
        server.twist = lambda *_: Said(200, checkpoint_in(fork))
        with pytest.raises(HistoryRewrittenError):
            client.checkpoint()


def checkpoint_in(folder: Path) -> bytes:
    """The newest checkpoint of a ledger."""
    with read_ledger(folder) as reader:
        return reader.checkpoint_note()


def test_a_log_that_was_cut_back_is_refused(impatient: MakeClient, server: LogServer, fork: Path, time: Time) -> None:
    """As is a server that lags behind; the other of a pair is asked then."""
    with serving_log(fork, None) as older, impatient([server.url, older.url]) as client:
        size = client.submit(time.note()).checkpoint.size
        client._connections.current = older.url
        assert client.checkpoint().size == size
        assert client.current_url == server.url
        server.twist = lambda *_: None
        with pytest.raises(UnreachableError, match=r"had \d+ before: it is a server that lags behind"):
            client.checkpoint()


def test_a_receipt_under_an_older_tree_of_the_same_history_is_good(
    client: Client, server: LogServer, fork: Path, time: Time
) -> None:
    """Witnesses may have cosigned an older tree than the newest that was seen."""
    client.submit([time.note() for _ in range(4)])
    with serving_log(fork, None) as older:
        server.twist = lambda method, target, body, said: (
            said if target.startswith("/tile") else older_answer(older, target)
        )
        assert client.receipt(3).index == 3


def older_answer(server: LogServer, target: str) -> Said:
    """What a server that is behind answers."""
    with read_ledger(server.folder) as reader:
        return Said(200, reader.receipt(int(target.split("/")[3])).to_bytes())


@pytest.mark.parametrize("damage", ["other hashes", "too short", "missing"])
def test_tiles_that_are_damaged_accuse_nobody(
    client: Client, server: LogServer, ledger: Ledger, time: Time, damage: str
) -> None:
    def damaged(method: str, target: str, body: bytes, said: Said) -> Said:
        if not target.startswith("/tile/"):
            return said
        others = {"other hashes": bytes(len(said.body)), "too short": said.body[:-1]}
        return said._replace(body=others[damage]) if damage in others else Said(404, b"")

    client.submit(time.note())
    ledger.submit([time.note() for _ in range(5)])
    server.twist = damaged
    with pytest.raises(AnswerMalformedError):
        client.checkpoint()
    server.twist = None
    assert client.checkpoint().size > 0


def test_a_tile_that_a_replica_lacks_for_a_moment_is_looked_for_again(
    client: Client, server: LogServer, ledger: Ledger, time: Time
) -> None:
    missing: list[str] = []

    def lagging(method: str, target: str, body: bytes, said: Said) -> Said:
        if target.startswith("/tile/") and len(missing) < 2:
            missing.append(target)
            return Said(404, b"")
        return said

    client.submit(time.note())
    ledger.submit([time.note() for _ in range(5)])
    server.twist = lagging
    assert client.checkpoint().size > 0
    assert len(missing) == 2


def spoiled(receipt: Receipt, how: str, other: bytes) -> bytes:
    """A receipt that isn't one of the note that was sent."""
    made = {
        "another note": lambda: Receipt(receipt.index, receipt.proof, receipt.checkpoint_note, other),
        "no entry": lambda: Receipt(receipt.index, receipt.proof, receipt.checkpoint_note),
        "another proof": lambda: Receipt(
            receipt.index, (bytes(32), *receipt.proof[1:]), receipt.checkpoint_note, receipt.entry
        ),
        "another index": lambda: Receipt(receipt.index - 1, receipt.proof, receipt.checkpoint_note, receipt.entry),
        "another signature": lambda: Receipt(
            receipt.index,
            receipt.proof,
            receipt.checkpoint_note[:-10] + b"AAAAAA" + receipt.checkpoint_note[-4:],
            receipt.entry,
        ),
    }
    return made[how]().to_bytes()


@pytest.mark.parametrize(
    "how", ["another note", "no entry", "another proof", "another index", "another signature", "an earlier receipt"]
)
def test_a_receipt_that_proves_something_else_is_refused(
    client: Client, server: LogServer, time: Time, how: str
) -> None:
    earlier = client.submit(time.note())

    def twisted(method: str, target: str, body: bytes, said: Said) -> Said:
        if method != "POST":
            return said
        receipt = Receipt.from_bytes(said.body)
        if how == "an earlier receipt":
            return said._replace(body=earlier.receipt.to_bytes())
        return said._replace(body=spoiled(receipt, how, earlier.entry))

    server.twist = twisted
    with pytest.raises(TallystickError) as refused:
        client.submit(time.note())
    assert "\n" not in str(refused.value)


def test_an_entry_of_a_batch_that_isnt_in_the_tree_is_refused(client: Client, server: LogServer, time: Time) -> None:
    def twisted(method: str, target: str, body: bytes, said: Said) -> Said:
        return said._replace(body=said.body.replace(b"h100", b"h200")) if method == "POST" else said

    server.twist = twisted
    with pytest.raises(ProofInvalidError, match="is not in the log's tree"):
        client.submit([time.note()])


def test_a_page_of_entries_with_one_left_out_or_changed_is_refused(
    client: Client, server: LogServer, time: Time
) -> None:
    for twist in (
        lambda said: said._replace(body=said.body.split(b"\n", 1)[1]),
        lambda said: said._replace(body=said.body.replace(b"tallystick.example/national", b"tallystick.example/other")),
    ):
        server.twist = lambda method, target, body, said, twist=twist: (
            twist(said) if target.startswith("/v1/entries") else said
        )
        with pytest.raises(TallystickError):
            client.entries(3)


def test_a_policy_with_witnesses_is_waited_for_by_receipt_alone(
    impatient: MakeClient, server: LogServer, time: Time
) -> None:
    """A note that is recorded is said to be, though no witness has cosigned yet."""
    key = SigningKey.from_seed("witness.example/w", bytes(32), COSIGNATURE_ED25519)
    witness = WitnessLine("w", key.verifier)
    policy = Policy((LogLine(LOG_KEY.verifier), witness, QuorumLine("w")))
    with impatient(server.url, policy=policy) as client:
        recorded = client.submit(time.note())
        assert not recorded.is_witnessed
        with pytest.raises(QuorumMissingError):
            client.receipt(recorded.index)


def test_a_file_of_another_log_is_refused_before_anything_is_asked(
    impatient: MakeClient, server: LogServer, tmp_path: Path
) -> None:
    kept = tmp_path / "kept.checkpoint"
    kept.write_bytes(b"something else\n")
    with pytest.raises(UsageError, match="holds no checkpoint"):
        impatient(server.url, checkpoint_file=kept)
    assert kept.read_bytes() == b"something else\n"


def test_a_policy_that_names_several_logs_needs_the_origin() -> None:
    two = Policy((LogLine(LOG_KEY.verifier), LogLine(key_of("b.example/log").verifier), QuorumLine("none")))
    with pytest.raises(UsageError, match="names 2 logs"):
        Client("http://log.example", two)
    with pytest.raises(UsageError, match="doesn't name the log"):
        Client("http://log.example", two, origin="c.example/log")
    assert Client("http://log.example", two, origin="b.example/log").origin == "b.example/log"
