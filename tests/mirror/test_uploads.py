"""What is uploaded is kept if it is in the tree that the log signed, and every answer is as C2SP tlog-mirror says."""

import gzip
import http.client
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from support.mirrors import EntryLog, make_mirror, reopened, serving
from support.witnesses import CLOCK_S, ORIGIN, Replied, ask, verified
from tallystick.errors import MalformedError, NotALedgerError
from tallystick.mirror.mirror import Mirror
from tallystick.mirror.packages import (
    AddEntries,
    Interval,
    MirrorInfo,
    Package,
    intervals,
    package_from_bytes,
)
from tallystick.mirror.server import UPLOAD_SIZE_MAX
from tallystick.mirror.state import PENDING_KEPT
from tallystick.signing.keys import SigningKey
from tallystick.witness.cosigner import origin_hash

LOG = EntryLog(1_100)
FORK = EntryLog(1_100, forked_at=300)
INFO = "text/x.tlog.mirror-info"


@pytest.fixture
def key(tmp_path: Path) -> SigningKey:
    return make_mirror(tmp_path / "m")


@pytest.fixture
def mirror(key: SigningKey, tmp_path: Path) -> Iterator[Mirror]:
    with reopened(tmp_path / "m") as opened:
        yield opened


def told(mirror: Mirror, body: bytes) -> tuple[int, MirrorInfo]:
    """Upload, and return what the mirror says of itself."""
    answer = mirror.add_entries(body)
    assert answer.content_type == INFO
    return answer.status, MirrorInfo.from_bytes(answer.body)


# ------------------------------------------------------------------------------------------------------- the answers


def test_200_is_a_cosignature_of_all_that_is_here(mirror: Mirror, key: SigningKey) -> None:
    """With the mirror's time; nothing was cosigned before."""
    pending = mirror.add_checkpoint(LOG.pending(0, 700))
    assert (pending.status, pending.body) == (200, b"")
    assert mirror.latest_note(origin_hash(ORIGIN)) is None
    answer = mirror.add_entries(LOG.upload(0, 700))
    assert answer.status == 200
    assert verified(answer.body, LOG.note(700), key) == CLOCK_S
    assert mirror.latest_note(origin_hash(ORIGIN)) == LOG.note(700) + answer.body
    again = mirror.add_entries(LOG.upload(700, 700))
    assert verified(again.body, LOG.note(700), key) == CLOCK_S


def test_202_says_what_is_lacking(mirror: Mirror) -> None:
    """After the first few packages, or bytes that end within one."""
    mirror.add_checkpoint(LOG.pending(0, 700))
    assert told(mirror, LOG.upload(0, 700, packages=1)) == (202, MirrorInfo(700, 256))
    cut = LOG.upload(256, 700)[:-1]
    assert told(mirror, cut) == (202, MirrorInfo(700, 512))
    assert mirror.latest_note(origin_hash(ORIGIN)) is None
    assert mirror.add_entries(LOG.upload(512, 700)).status == 200


def test_what_is_here_already_may_come_again(mirror: Mirror) -> None:
    """From any entry before the one that is lacking."""
    mirror.add_checkpoint(LOG.pending(0, 300))
    assert mirror.add_entries(LOG.upload(0, 300)).status == 200
    mirror.add_checkpoint(LOG.pending(300, 700))
    for start in (0, 100, 256, 290, 300):
        assert told(mirror, LOG.upload(start, 700, packages=1))[0] == 202
    assert mirror.add_entries(LOG.upload(17, 700)).status == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00",
        b"\xff\xff",
        AddEntries(ORIGIN, 0, 700).to_bytes()[:-1],
        AddEntries(ORIGIN, 0, 700, b"ticket").to_bytes()[:-1],
        AddEntries(ORIGIN, 0, 700).to_bytes(),
        LOG.upload(0, 700, packages=1)[:-1],
        b"\x00\x02\xff\xff" + bytes(18),
        LOG.upload(0, 700) + b"\x00",
        b"\x00\x01o" + (9).to_bytes(8) + (3).to_bytes(8) + bytes(2),
        b"\x00\x01o" + (0).to_bytes(8) + (2**63).to_bytes(8) + bytes(2),
    ],
)
def test_400_for_what_is_no_upload(body: bytes, mirror: Mirror) -> None:
    """Too short for anything, or with too much behind it."""
    mirror.add_checkpoint(LOG.pending(0, 700))
    answer = mirror.add_entries(body)
    assert answer.status == 400
    assert answer.body.endswith(b"\n")


def test_404_for_a_log_that_nobody_told_it_of(mirror: Mirror) -> None:
    assert mirror.add_entries(AddEntries("log.example/stranger", 0, 0).to_bytes()).status == 404


def test_422_without_a_pending_checkpoint(mirror: Mirror) -> None:
    assert mirror.add_entries(LOG.upload(0, 256)).status == 422


@pytest.mark.parametrize(
    ("start", "end", "info"),
    [
        (0, 699, MirrorInfo(700, 512)),
        (0, 701, MirrorInfo(700, 512)),
        (513, 700, MirrorInfo(700, 512)),
        (700, 700, MirrorInfo(700, 512)),
        (2**62, 2**63 - 1, MirrorInfo(700, 512)),
    ],
)
def test_409_says_where_to_go_on(start: int, end: int, info: MirrorInfo, mirror: Mirror) -> None:
    """For a size that isn't pending, or entries before which others are lacking; no package is read."""
    mirror.add_checkpoint(LOG.pending(0, 700))
    mirror.add_entries(LOG.upload(0, 700, packages=2))
    assert told(mirror, AddEntries(ORIGIN, start, end).to_bytes()) == (409, info)


def test_409_for_a_tree_that_was_passed(mirror: Mirror) -> None:
    """The mirror never goes back, even to a checkpoint that was pending."""
    mirror.add_checkpoint(LOG.pending(0, 300))
    mirror.add_checkpoint(LOG.pending(300, 700))
    assert mirror.add_entries(LOG.upload(0, 700)).status == 200
    assert told(mirror, LOG.upload(300, 300)) == (409, MirrorInfo(700, 700))


def test_409_for_too_much_that_is_here(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody makes the mirror verify again and again what it has."""
    monkeypatch.setattr("tallystick.mirror.mirror.EXCESS_MAX", 256)
    mirror.add_checkpoint(LOG.pending(0, 700))
    assert mirror.add_entries(LOG.upload(0, 700)).status == 200
    assert told(mirror, LOG.upload(443, 700)) == (409, MirrorInfo(700, 700))
    assert mirror.add_entries(LOG.upload(444, 700)).status == 200


def test_a_pending_checkpoint_stays_good_for_a_while(mirror: Mirror) -> None:
    """A log that grows while it is uploaded doesn't begin again; the oldest few are forgotten."""
    for size in range(1, PENDING_KEPT + 3):
        assert mirror.add_checkpoint(LOG.pending(size - 1, size)).status == 200
    assert told(mirror, LOG.upload(0, 2)) == (409, MirrorInfo(PENDING_KEPT + 2, 0))
    for size in (3, PENDING_KEPT + 2):
        assert mirror.add_entries(LOG.upload(0, size)).status == 200


@pytest.mark.parametrize(
    "what", ["entry", "order", "hash", "fewer hashes", "more hashes", "other history", "other size"]
)
def test_422_for_what_is_not_in_the_tree(what: str, mirror: Mirror, key: SigningKey) -> None:
    """Nothing of such a package is kept, and what came before it is."""
    mirror.add_checkpoint(LOG.pending(0, 700))
    good = LOG.package(Interval(256, 256, 512), 700)
    entries, proof = good
    bad = {
        "entry": Package((b"another", *entries[1:]), proof),
        "order": Package((entries[1], entries[0], *entries[2:]), proof),
        "hash": Package(entries, (b"h" * 32, *proof[1:])),
        "fewer hashes": Package(entries, proof[:-1]),
        "more hashes": Package(entries, (*proof, b"h" * 32)),
        "other history": FORK.package(Interval(256, 256, 512), 700),
        "other size": LOG.package(Interval(256, 256, 512), 1_000),
    }[what]
    assert bad != good
    answer = mirror.add_entries(LOG.upload(0, 700, packages=1) + bad.to_bytes())
    assert answer.status == 422
    assert answer.text.startswith("entries 256 to before 512: ")
    assert told(mirror, LOG.upload(0, 700, packages=1)) == (202, MirrorInfo(700, 256))
    assert verified(mirror.add_entries(LOG.upload(256, 700)).body, LOG.note(700), key) == CLOCK_S


def test_64_hashes_are_no_proof(mirror: Mirror) -> None:
    """Not even read."""
    mirror.add_checkpoint(LOG.pending(0, 256))
    body = AddEntries(ORIGIN, 0, 256).to_bytes() + Package(tuple(LOG.all[:256]), ()).to_bytes()[:-1]
    assert mirror.add_entries(body + b"\x40" + 64 * b"h" * 32).status == 422


def test_a_checkpoint_of_another_history_is_not_pending(mirror: Mirror) -> None:
    """As a witness says it."""
    mirror.add_checkpoint(LOG.pending(0, 700))
    assert mirror.add_checkpoint(FORK.pending(700, 1_000)).status == 422
    assert mirror.add_checkpoint(LOG.pending(0, 1_000)).status == 409


# ---------------------------------------------------------------------------------------------- what must not be lost


def test_what_was_answered_is_there_after_a_restart(key: SigningKey, tmp_path: Path) -> None:
    """Pending checkpoints, entries, and the time of the last cosignature, which never goes back."""
    with reopened(tmp_path / "m", 2_000) as mirror:
        mirror.add_checkpoint(LOG.pending(0, 300))
        assert verified(mirror.add_entries(LOG.upload(0, 300)).body, LOG.note(300), key) == 2_000
        mirror.add_checkpoint(LOG.pending(300, 700))
        mirror.add_entries(LOG.upload(300, 700, packages=1))
    with reopened(tmp_path / "m", 1_000) as mirror:
        assert mirror.latest_note(origin_hash(ORIGIN)) is not None
        assert told(mirror, LOG.upload(700, 700)) == (409, MirrorInfo(700, 512))
        assert verified(mirror.add_entries(LOG.upload(512, 700)).body, LOG.note(700), key) == 2_000


def test_entries_that_the_state_does_not_know_of_come_again(key: SigningKey, tmp_path: Path) -> None:
    """As after a crash between a file and the state: the files are written anew, and are the same."""
    with reopened(tmp_path / "m") as mirror:
        mirror.add_checkpoint(LOG.pending(0, 700))
        keep = mirror._state.note_received
        mirror._state.note_received = lambda origin, next_entry: None  # type: ignore[method-assign]
        mirror.add_entries(LOG.upload(0, 700, packages=1))
        mirror._state.note_received = keep  # type: ignore[method-assign]
        assert told(mirror, LOG.upload(700, 700)) == (409, MirrorInfo(700, 0))
        assert mirror.add_entries(LOG.upload(0, 700)).status == 200


def test_a_damaged_file_is_not_cosigned(key: SigningKey, tmp_path: Path) -> None:
    """The tree is read again before the mirror vouches for it."""
    tile = tmp_path / "m" / "logs" / origin_hash(ORIGIN) / "tile" / "0" / "000"
    with reopened(tmp_path / "m") as mirror:
        mirror.add_checkpoint(LOG.pending(0, 700))
        mirror.add_entries(LOG.upload(0, 700, packages=2))
        tile.write_bytes(bytes(8_192))
        with pytest.raises(NotALedgerError, match="is damaged: its 700 entries don't have the root they had"):
            mirror.add_entries(LOG.upload(512, 700))
        assert mirror.latest_note(origin_hash(ORIGIN)) is None
        with serving(mirror) as url:
            assert post(url, LOG.upload(700, 700)).status == 503


# ---------------------------------------------------------------------------------------------------------- over HTTP


def post(url: str, body: bytes, **headers: str) -> Replied:
    """Upload over HTTP."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
    try:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("POST", "/add-entries", body, {"Content-Type": "application/octet-stream", **given})
        response = connection.getresponse()
        assert response.status in (413, 415) or response.getheader("Accept-Encoding") == "gzip"
        return Replied(response.status, response.getheader("Content-Type"), response.read())
    finally:
        connection.close()


def test_an_upload_may_be_compressed(mirror: Mirror, key: SigningKey) -> None:
    """And no further than to its bound: a bomb is 413."""
    with serving(mirror) as url:
        assert ask(url, "POST", "/add-checkpoint", LOG.pending(0, 700)).status == 200
        body = gzip.compress(LOG.upload(0, 700))
        assert post(url, body[:-1], Content_Encoding="gzip").status == 400
        assert post(url, body + b"x", Content_Encoding="gzip").status == 400
        assert post(url, LOG.upload(0, 700), Content_Encoding="gzip").status == 400
        assert post(url, body, Content_Encoding="br").status == 415
        assert post(url, body, Content_Type="text/plain").status == 415
        bomb = gzip.compress(bytes(UPLOAD_SIZE_MAX + 1))
        assert len(bomb) < 40_000
        assert post(url, bomb, Content_Encoding="gzip").status == 413
        answer = post(url, body, Content_Encoding="gzip")
        assert (answer.status, answer.content_type) == (200, "text/plain; charset=utf-8")
        assert verified(answer.body, LOG.note(700), key) == CLOCK_S


def test_what_is_served_is_the_log_and_nothing_else(mirror: Mirror) -> None:
    """Under its origin's hash; the mirror's own files have no URL."""
    with serving(mirror) as url:
        assert ask(url, "GET", f"/{origin_hash(ORIGIN)}/checkpoint").status == 404
        ask(url, "POST", "/add-checkpoint", LOG.pending(0, 300))
        assert post(url, LOG.upload(0, 300)).status == 200
        shown = ask(url, "GET", f"/{origin_hash(ORIGIN)}/checkpoint")
        assert (shown.status, shown.content_type) == (200, "text/plain; charset=utf-8")
        tile = ask(url, "GET", f"/{origin_hash(ORIGIN)}/tile/0/000")
        assert (tile.status, tile.content_type) == (200, "application/octet-stream")
        assert tile.body == LOG.read_tile(0, 0, 256)
        for path in (
            "/",
            "/mirror.pem",
            "/logs.policy",
            f"/{origin_hash(ORIGIN)}/",
            f"/{origin_hash(ORIGIN)}/../../mirror.pem",
            f"/{origin_hash(ORIGIN)}/tile/0/001",
            f"/{origin_hash(ORIGIN)}/tile/0/000.p/256",
            f"/{origin_hash('log.example/stranger')}/checkpoint",
            f"/{origin_hash(ORIGIN).upper()}/checkpoint",
        ):
            assert ask(url, "GET", path).status == 404, path


# ----------------------------------------------------------------------------------------------------------- encodings


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (0, 0, []),
        (300, 300, []),
        (0, 1, [(0, 0, 1)]),
        (0, 256, [(0, 0, 256)]),
        (0, 257, [(0, 0, 256), (256, 256, 257)]),
        (255, 257, [(0, 255, 256), (256, 256, 257)]),
        (300, 700, [(256, 300, 512), (512, 512, 700)]),
    ],
)
def test_packages_part_at_multiples_of_256(start: int, end: int, expected: list[tuple[int, int, int]]) -> None:
    assert list(intervals(start, end)) == expected


def test_what_is_written_is_read_again() -> None:
    """Heads, packages and what a mirror says of itself."""
    head = AddEntries("log.example/ü", 3, 2**63 - 1, b"\x00ticket")
    assert AddEntries.from_bytes(head.to_bytes() + b"rest") == (head, len(head.to_bytes()))
    package = LOG.package(Interval(0, 3, 256), 700)
    data = b"before" + package.to_bytes()
    assert package_from_bytes(data, 6, Interval(0, 3, 256)) == (package, len(data))
    for end in range(6, len(data), 7):
        assert package_from_bytes(data[:end], 6, Interval(0, 3, 256)) is None
    info = MirrorInfo(2**63 - 1, 0, b"\xff\x00")
    assert MirrorInfo.from_bytes(info.to_bytes()) == info
    assert info.to_bytes() == b"9223372036854775807\n0\n/wA=\n"


@pytest.mark.parametrize(
    "data", [b"", b"1\n2\n", b"1\n2\n\n\n", b"01\n2\n\n", b"1\n-2\n\n", b"1\n2\n=\n", b"1\n2\n\nx"]
)
def test_what_a_mirror_says_has_one_encoding(data: bytes) -> None:
    with pytest.raises(MalformedError):
        MirrorInfo.from_bytes(data)


def test_an_upload_has_known_bytes() -> None:
    """Worked out by hand from the specification: one entry, in a tree of two."""
    two = EntryLog(2)
    assert two.upload(1, 2).hex() == (
        "0015" + b"log.example/witnessed".hex() + "0000000000000001" + "0000000000000002" + "0000"
        "0007" + b"entry 1".hex() + "00"
    )
