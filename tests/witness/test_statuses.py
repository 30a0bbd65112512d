"""Every status of C2SP tlog-witness over raw HTTP, in the specification's order; and nothing else, whatever comes."""

import contextlib
import http.client
import random
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from support.witnesses import (
    CLOCK_S,
    LOG_KEY,
    ORIGIN,
    History,
    Replied,
    ask,
    checkpoint_path,
    make_witness,
    post,
    reopened,
    serving,
    verified,
)
from tallystick.signing.keys import SigningKey
from tallystick.signing.note import Note, Signature, sign_text
from tallystick.transparency.checkpoint import Checkpoint, sign_checkpoint
from tallystick.transparency.policy import LogLine, Policy, QuorumLine, WitnessLine
from tallystick.witness.request import REQUEST_SIZE_MAX, AddCheckpoint
from tallystick.witness.server import BOUNDS

LOG = History(12)
FORK = History(12, forked_at=3)
STRANGER = History(12, origin="log.example/stranger")


class Running(NamedTuple):
    """A witness at work that has cosigned 5 entries of `LOG`."""

    url: str
    key: SigningKey
    log: list[str]
    folder: Path


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    folder = tmp_path / "w1"
    key = make_witness(folder)
    log: list[str] = []
    with reopened(folder) as witness, serving(witness, log) as url:
        assert post(url, LOG.request(0, 5)).status == 200
        yield Running(url, key, log, folder)


def test_200_is_a_cosignature_that_a_policy_counts(running: Running) -> None:
    """One line, with the witness's time, that makes the checkpoint fulfil a quorum."""
    replied = post(running.url, LOG.request(5, 9))
    assert (replied.status, replied.content_type) == (200, "text/plain; charset=utf-8")
    assert verified(replied.body, LOG.note(9), running.key) == CLOCK_S
    lines = (LogLine(LOG_KEY.verifier), WitnessLine("w1", running.key.verifier), QuorumLine("w1"))
    assert Policy(lines).open_checkpoint(LOG.note(9) + replied.body).size == 9


def test_the_same_again_is_cosigned_again(running: Running) -> None:
    """Size and root are those cosigned last: that is no second history."""
    replied = post(running.url, LOG.request(5, 5))
    assert replied.status == 200
    assert verified(replied.body, LOG.note(5), running.key) == CLOCK_S


def test_a_log_without_entries_is_cosigned(tmp_path: Path) -> None:
    """Size 0 with the empty root, and then the first entries."""
    key = make_witness(tmp_path / "w")
    with reopened(tmp_path / "w") as witness, serving(witness) as url:
        assert verified(post(url, LOG.request(0, 0)).body, LOG.note(0), key) == CLOCK_S
        assert post(url, LOG.request(0, 4)).status == 200
        assert post(url, LOG.request(0, 0)) == Replied(409, "text/x.tlog.size", b"4\n")


def test_404_for_a_log_that_nobody_told_it_of(running: Running) -> None:
    """Even with a good signature by that log's own key."""
    assert post(running.url, STRANGER.request(0, 5)).status == 404
    own_words = sign_text(b"log.example/stranger\nnot a size\n\n", STRANGER.key)
    assert post(running.url, AddCheckpoint(9, (), own_words).to_bytes()).status == 404


def test_403_for_a_checkpoint_that_the_log_did_not_sign(running: Running) -> None:
    """No line by its key, or one that isn't its signature, whatever other lines there are."""
    text = Note.from_bytes(LOG.note(9)).text
    stranger = sign_text(text, STRANGER.key)
    assert post(running.url, AddCheckpoint(5, LOG.proof(5, 9), stranger).to_bytes()).status == 403
    impostor = SigningKey.from_seed(ORIGIN, b"\x07" * 32)
    assert post(running.url, AddCheckpoint(5, LOG.proof(5, 9), sign_text(text, impostor)).to_bytes()).status == 403
    good = Note.from_bytes(LOG.note(9)).signatures[0]
    flipped = Signature(good.name, good.key_id, good.blob[:-1] + bytes([good.blob[-1] ^ 1]))
    bad = Note(text, (flipped, *Note.from_bytes(stranger).signatures)).to_bytes()
    assert post(running.url, AddCheckpoint(5, LOG.proof(5, 9), bad).to_bytes()).status == 403
    # Not what the old size is: nobody learns that from a forged checkpoint.
    assert post(running.url, AddCheckpoint(400, (), bad).to_bytes()).status == 403


def test_lines_by_unknown_keys_are_passed_over(running: Running) -> None:
    """They don't spoil a request, and aren't shown again."""
    text = Note.from_bytes(LOG.note(9)).text
    both = sign_text(text, STRANGER.key, LOG_KEY)
    replied = post(running.url, AddCheckpoint(5, LOG.proof(5, 9), both).to_bytes())
    assert replied.status == 200
    assert ask(running.url, "GET", checkpoint_path()).body == LOG.note(9) + replied.body


def test_400_for_an_old_size_beyond_the_checkpoint(running: Running) -> None:
    """Before it is compared with the size cosigned last."""
    assert post(running.url, AddCheckpoint(9, (), LOG.note(5)).to_bytes()).status == 400


@pytest.mark.parametrize("text", [b"x\n\n", b"%b\n+9\n", b"%b\n9\n!\n", b"%b\n"], ids=["odd", "size", "root", "short"])
def test_400_for_what_is_signed_and_no_checkpoint(text: bytes, running: Running) -> None:
    """The log's key may sign nonsense."""
    filled = text.replace(b"%b", ORIGIN.encode())
    status = post(running.url, AddCheckpoint(5, (), sign_text(filled, LOG_KEY)).to_bytes()).status
    assert status == (400 if text.startswith(b"%b") else 404)


def test_400_for_what_is_no_request(running: Running) -> None:
    """One line says why, without repeating what came."""
    replied = post(running.url, b"old three\n\n" + LOG.note(9))
    assert replied.status == 400
    assert replied.body.count(b"\n") == 1


@pytest.mark.parametrize("old_size", [0, 3, 4, 6, 9])
def test_409_says_the_size_cosigned_last(old_size: int, running: Running) -> None:
    """In a type of its own; also for a checkpoint that is no extension, and a proof that leads nowhere."""
    for history in (LOG, FORK):
        assert post(running.url, history.request(old_size, 9)) == Replied(409, "text/x.tlog.size", b"5\n")
    rubbish = AddCheckpoint(old_size, (b"h" * 32,), LOG.note(9)).to_bytes()
    assert post(running.url, rubbish) == Replied(409, "text/x.tlog.size", b"5\n")


def test_409_for_a_smaller_tree(running: Running) -> None:
    """A witness never goes back."""
    assert post(running.url, LOG.request(3, 4)) == Replied(409, "text/x.tlog.size", b"5\n")


def test_422_names_two_trees_of_one_size(running: Running) -> None:
    """By the log's own signatures, that is a rewritten history, and nothing else."""
    replied = post(running.url, FORK.request(5, 5))
    assert (replied.status, replied.content_type) == (422, "text/plain; charset=utf-8")
    assert replied.body.startswith(b"history_rewritten: the log signed two trees of 5 leaves")
    assert LOG.roots[5].hex().encode() in replied.body


def test_422_for_a_proof_that_is_right_in_another_history(running: Running) -> None:
    """The proof joins the fork's own two trees."""
    replied = post(running.url, FORK.request(5, 9))
    assert replied.status == 422
    assert b"history_rewritten" in replied.body


@pytest.mark.parametrize(
    "proof",
    [
        (),
        LOG.proof(5, 9)[:-1],
        LOG.proof(5, 9)[1:],
        (*LOG.proof(5, 9), b"h" * 32),
        (b"h" * 32, *LOG.proof(5, 9)),
        LOG.proof(5, 9)[::-1],
        LOG.proof(4, 9),
        LOG.proof(5, 10),
        (LOG.roots[5], *LOG.proof(5, 9)),
    ],
)
def test_422_for_a_proof_that_fails(proof: tuple[bytes, ...], running: Running) -> None:
    """Nothing is kept: the right one is still good afterwards."""
    assert post(running.url, AddCheckpoint(5, proof, LOG.note(9)).to_bytes()).status == 422
    assert post(running.url, LOG.request(5, 9)).status == 200


def test_422_for_a_proof_between_equal_trees(running: Running) -> None:
    """There is nothing to prove, so nothing may be said."""
    replied = post(running.url, AddCheckpoint(5, (LOG.roots[5],), LOG.note(5)).to_bytes())
    assert replied.status == 422
    assert b"history_rewritten" not in replied.body


def test_422_at_size_0(tmp_path: Path) -> None:
    """A proof from nothing, or a tree of nothing with another root."""
    make_witness(tmp_path / "w")
    with reopened(tmp_path / "w") as witness, serving(witness) as url:
        assert post(url, AddCheckpoint(0, (b"h" * 32,), LOG.note(5)).to_bytes()).status == 422
        odd = sign_checkpoint(Checkpoint(ORIGIN, 0, b"h" * 32), LOG_KEY)
        assert post(url, AddCheckpoint(0, (), odd).to_bytes()).status == 422
        assert ask(url, "GET", checkpoint_path()).status == 404


def test_the_newest_checkpoint_is_shown(running: Running) -> None:
    """With the log's line and the witness's, under the hash of the origin and no other name."""
    shown = ask(running.url, "GET", checkpoint_path())
    assert (shown.status, shown.content_type) == (200, "text/plain; charset=utf-8")
    line = shown.body.removeprefix(LOG.note(5))
    assert verified(line, LOG.note(5), running.key) == CLOCK_S
    assert ask(running.url, "GET", checkpoint_path(STRANGER.origin)).status == 404
    assert ask(running.url, "GET", checkpoint_path().upper().replace("CHECKPOINT", "checkpoint")).status == 404
    for path in ("/checkpoint", "//checkpoint", f"/{ORIGIN}/checkpoint", "/", "/../state.db", "*"):
        assert ask(running.url, "GET", path).status == 404


def test_logs_do_not_touch_each_other(tmp_path: Path) -> None:
    """Each origin has a size of its own."""
    make_witness(tmp_path / "w", ORIGIN, STRANGER.origin)
    with reopened(tmp_path / "w") as witness, serving(witness) as url:
        assert post(url, LOG.request(0, 5)).status == 200
        assert post(url, STRANGER.request(0, 9)).status == 200
        assert post(url, LOG.request(9, 9)) == Replied(409, "text/x.tlog.size", b"5\n")
        assert post(url, STRANGER.request(9, 10)).status == 200


def test_time_never_goes_back(tmp_path: Path) -> None:
    """A later cosignature of a larger tree would make the earlier one's claim untrue."""
    key = make_witness(tmp_path / "w")
    with reopened(tmp_path / "w", 2_000) as witness:
        assert verified(witness.add_checkpoint(LOG.request(0, 5)).body, LOG.note(5), key) == 2_000
    with reopened(tmp_path / "w", 1_000) as witness:
        assert verified(witness.add_checkpoint(LOG.request(5, 9)).body, LOG.note(9), key) == 2_000


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\n\r\n", 411),
        (b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411),
        (b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc", 400),
        (b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: +2\r\n\r\nab", 400),
        (b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: -2\r\n\r\nab", 400),
        (b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: 2_0\r\n\r\nab", 400),
        (b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: %d\r\n\r\n" % (REQUEST_SIZE_MAX + 1), 413),
        (b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: 99999999999999999999999\r\n\r\n", 413),
        (b"POST /elsewhere HTTP/1.1\r\nHost: w\r\nContent-Length: 2\r\n\r\nab", 404),
        (b"GET /add-checkpoint HTTP/1.1\r\nHost: w\r\n\r\n", 405),
        (b"DELETE /add-checkpoint HTTP/1.1\r\nHost: w\r\n\r\n", 405),
        (b"PROPFIND /add-checkpoint HTTP/1.1\r\nHost: w\r\n\r\n", 501),
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\n\r\n", 505),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 200 + b"\r\n", 431),
    ],
)
def test_what_is_no_request_of_ours_gets_a_status(head: bytes, status: int, running: Running) -> None:
    """Every one with a line of text, and the connection is closed where more could be misread."""
    assert _status_of(_exchange(running.url, head)) == status
    assert post(running.url, LOG.request(5, 5)).status == 200


def test_a_body_shorter_than_stated_signs_nothing(running: Running) -> None:
    """Even if what came were a request."""
    body = LOG.request(5, 9)
    head = b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: %d\r\n\r\n" % (len(body) + 1)
    assert _status_of(_exchange(running.url, head + body, finished=True)) == 400
    assert post(running.url, LOG.request(5, 5)).status == 200


def test_a_connection_serves_many_requests(running: Running) -> None:
    """As clients of the specification expect."""
    connection = http.client.HTTPConnection(urlsplit(running.url).netloc, timeout=20)
    with contextlib.closing(connection):
        for old_size in range(5, 12):
            connection.request("POST", "/add-checkpoint", LOG.request(old_size, old_size + 1))
            response = connection.getresponse()
            assert (response.status, response.will_close) == (200, False)
            assert response.read().startswith("— witness.example/w1 ".encode())


QUICK = replace(BOUNDS, head_seconds=0.2, body_seconds=0.2, idle_seconds=0.2)


def test_who_is_too_slow_is_cut_off(tmp_path: Path) -> None:
    """Neither a body that doesn't come nor a head that never ends keeps a thread."""
    make_witness(tmp_path / "w")
    log: list[str] = []
    with reopened(tmp_path / "w") as witness, serving(witness, log, bounds=QUICK) as url:
        for head in (
            b"",
            b"POST /add-checkp",
            b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: 9\r\n\r\nold",
        ):
            assert b" 200 " not in _exchange(url, head)
        assert post(url, LOG.request(0, 5)).status == 200


def test_connections_beyond_the_limit_are_closed(tmp_path: Path) -> None:
    """And those within it go on."""
    few = replace(BOUNDS, connections_max=2, spared_seconds=60.0)
    make_witness(tmp_path / "w")
    log: list[str] = []
    with (
        reopened(tmp_path / "w") as witness,
        serving(witness, log, bounds=few) as url,
        contextlib.ExitStack() as opened,
    ):
        host, port = urlsplit(url).hostname, urlsplit(url).port
        idle = [opened.enter_context(socket.create_connection((host, port), timeout=20)) for _ in range(2)]
        assert _exchange(url, b"") == b""
        assert log == ["127.0.0.1 closed: 2 connections are open"]
        idle[0].sendall(b"GET /checkpoint HTTP/1.1\r\nHost: w\r\n\r\n")
        assert _status_of(idle[0].recv(65_536)) == 404


def test_each_request_is_one_line_of_log(running: Running) -> None:
    """With time, place, question and status; what a stranger typed can't steer a terminal."""
    _exchange(running.url, b"GET /\x1b[2J\xff HTTP/1.1\r\nConnection: close\r\n\r\n")
    post(running.url, FORK.request(5, 5))
    first, odd, refused = running.log
    assert first.endswith("Z 127.0.0.1 'POST /add-checkpoint' 200")
    assert "\x1b" not in odd
    assert "422 history_rewritten" in refused
    assert all("\n" not in line for line in running.log)


def test_malformed_bodies_get_their_status_and_nothing_else(running: Running) -> None:
    """A few hundred mutations: never a 500, never a hang, never a signature for what isn't the log's."""
    chance = random.Random(20_261_123)
    good = LOG.request(5, 9)
    connection = http.client.HTTPConnection(urlsplit(running.url).netloc, timeout=20)
    seen = set()
    with contextlib.closing(connection):
        for _ in range(400):
            connection.request("POST", "/add-checkpoint", _mutated(good, chance))
            response = connection.getresponse()
            body = response.read()
            seen.add(response.status)
            assert body.endswith(b"\n")
    assert seen <= {400, 403, 404, 409, 422}
    assert {400, 403} <= seen
    assert post(running.url, LOG.request(5, 9)).status == 200
    assert not any("closed" in line for line in running.log)


def _mutated(good: bytes, chance: random.Random) -> bytes:
    while True:
        data = bytearray(good)
        for _ in range(chance.randint(1, 3)):
            place = chance.randrange(len(data))
            match chance.randrange(4):
                case 0:
                    data[place] = chance.randrange(256)
                case 1:
                    del data[place : place + chance.randint(1, 60)]
                case 2:
                    data[place:place] = chance.choice([b"\n", b"\n\n", b"0", b"+", b"\xff", b"=", b"\x00", b"\xe2\x80"])
                case _:
                    data[place:place] = data[: chance.randint(1, 200)]
        if bytes(data) != good:
            return bytes(data)


def test_the_log_key_may_change(tmp_path: Path) -> None:
    """Two lines in the list of logs: either key's signature counts, and both are shown."""
    new_key = SigningKey.from_seed(ORIGIN, b"\x09" * 32)
    folder = tmp_path / "w"
    make_witness(folder)
    listed = (LogLine(LOG_KEY.verifier), LogLine(new_key.verifier), QuorumLine("none"))
    (folder / "logs.policy").write_bytes(Policy(listed).to_text())
    text = Checkpoint(ORIGIN, 9, LOG.roots[9]).to_text()
    with reopened(folder) as witness:
        assert witness.add_checkpoint(LOG.request(0, 5)).status == 200
        both = sign_text(text, LOG_KEY, new_key)
        answer = witness.add_checkpoint(AddCheckpoint(5, LOG.proof(5, 9), both).to_bytes())
        assert answer.status == 200
        latest = witness.latest(ORIGIN)
        assert latest is not None
        assert latest.note == both + answer.body
        assert witness.add_checkpoint(AddCheckpoint(9, (), sign_text(text, new_key)).to_bytes()).status == 200


def _exchange(url: str, data: bytes, *, finished: bool = False) -> bytes:
    """Send bytes on a connection of their own, and return all that comes until it is closed, or one answer."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=20) as connection:
        with contextlib.suppress(OSError):
            connection.sendall(data)
            if finished:
                connection.shutdown(socket.SHUT_WR)
        received = b""
        with contextlib.suppress(OSError):
            while b"\r\n\r\n" not in received and (more := connection.recv(65_536)):
                received += more
        return received


def _status_of(received: bytes) -> int:
    """Return the status of an answer."""
    assert received.startswith(b"HTTP/1.1 "), received
    return int(received.split(b" ")[1])
