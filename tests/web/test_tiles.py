"""The log over HTTP as static files is byte by byte its export, and shows nothing that doesn't stay."""

import gzip
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.postgres import fresh_database
from support.reading_app import Running, add_entry, reading
from support.small_ledger import export_small_ledger, write_small_ledger
from tallystick.publishing import read_ledger
from tallystick.web import reads


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger whose tree has two levels."""
    folder = tmp_path_factory.mktemp("tiles")
    write_small_ledger(folder / "ledger", up_to=(213, 289))
    export_small_ledger(folder / "ledger", folder / "export")
    return folder


@pytest.fixture(scope="module")
def service(folder: Path) -> Iterator[Running]:
    """It, served."""
    with reading(folder / "ledger") as running:
        yield running


def test_every_file_of_an_export_is_served_byte_by_byte(service: Running, folder: Path) -> None:
    """Also its checkpoint."""
    export = folder / "export"
    paths = [path.relative_to(export) for path in export.rglob("*") if path.is_file() and path.name[0] != "."]
    assert len(paths) > 5
    for path in paths:
        answer = service.get(f"/{path}", accept_encoding="identity")
        assert (answer.status_code, answer.content) == (200, (export / path).read_bytes()), path
        assert answer.headers["tallystick-size"] == "289"


def test_what_may_be_kept(service: Running) -> None:
    """A checkpoint not at all; hashes by everybody, for ever; entries by him alone who may read them."""
    assert service.get("/checkpoint").headers["cache-control"] == "no-store"
    assert service.get("/checkpoint").headers["content-type"] == "text/plain; charset=utf-8"
    hashes = service.get("/tile/0/000")
    assert hashes.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert hashes.headers["content-type"] == "application/octet-stream"
    assert service.get("/tile/entries/000").headers["cache-control"] == "private, max-age=31536000, immutable"


def test_bundles_are_packed_for_those_who_take_it(service: Running) -> None:
    """The same bytes in fewer; who says q=0 doesn't take it."""
    plain = service.get("/tile/entries/000", accept_encoding="gzip;q=0, identity")
    assert "content-encoding" not in plain.headers
    with service.client.stream("GET", "/tile/entries/000", headers={"Accept-Encoding": "br, gzip"}) as packed:
        data = b"".join(packed.iter_raw())
        assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(data) == plain.content
    assert len(data) < len(plain.content) // 2
    assert "Accept-Encoding" in plain.headers["vary"]


def test_every_width_of_a_tile_can_be_had_and_none_beyond_the_tree(service: Running) -> None:
    """Whoever holds an older checkpoint asks for its tiles."""
    full = service.get("/tile/0/000").content
    assert service.get("/tile/0/000.p/213").content == full[: 213 * 32]
    assert service.get("/tile/0/001.p/33").status_code == 200
    for path in ("/tile/0/001.p/34", "/tile/0/001", "/tile/1/000.p/2", "/tile/entries/001.p/34", "/tile/63/000"):
        answer = service.get(path)
        assert (answer.status_code, answer.json()["reason"]) == (404, "not_found"), path


@pytest.mark.parametrize(
    "path", ["0/000.p/256", "00/000", "0/0", "0/x000/000", "64/000", "entries/000.p/0", "0/000/", "0/-01", "entries/"]
)
def test_a_file_has_one_path(service: Running, path: str) -> None:
    """Other ways to write a tile's name are no names."""
    assert service.get(f"/tile/{path}").status_code == 404


def test_a_known_checkpoint_is_not_sent_again(service: Running) -> None:
    """By its size; also in a list, and as a weak tag."""
    assert service.get("/checkpoint").headers["etag"] == '"289"'
    for known in ('"289"', 'W/"289"', '"1", "289"', "*"):
        answer = service.get("/checkpoint", if_none_match=known)
        assert (answer.status_code, answer.content) == (304, b""), known
    assert service.get("/checkpoint", if_none_match='"288"').status_code == 200


def test_head_says_what_get_says(service: Running) -> None:
    """Without the body."""
    answer = service.client.head("/tile/0/000")
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", str(256 * 32))


def test_a_long_poll_is_answered_when_the_log_grows(tmp_path: Path) -> None:
    """Though another process, or another connection, writes; and at once if it is larger already."""
    size = write_small_ledger(tmp_path)
    with reading(tmp_path) as service:
        assert service.get(f"/checkpoint?beyond={size - 1}&wait=30").headers["etag"] == f'"{size}"'
        answers = []
        asking = threading.Thread(target=lambda: answers.append(service.get(f"/checkpoint?beyond={size}&wait=30")))
        asking.start()
        assert add_entry(tmp_path) == size
        asking.join()
        assert answers[0].headers["etag"] == f'"{size + 1}"'
        with read_ledger(tmp_path) as reader:
            assert answers[0].content == reader.checkpoint_note()


def test_who_waits_is_answered_when_the_service_ends(tmp_path: Path) -> None:
    """A long poll doesn't hold it up."""
    size = write_small_ledger(tmp_path)
    with reading(tmp_path) as service:
        answers = []
        asking = threading.Thread(target=lambda: answers.append(service.get(f"/checkpoint?beyond={size}&wait=30")))
        asking.start()
        while not service.reads.log_growth.waiting:
            pass
        service.reads.drain()
        asking.join(5)
        assert [answer.headers["etag"] for answer in answers] == [f'"{size}"']


def test_a_tile_that_has_just_come_into_being_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A receipt may be under a checkpoint that is newer than what was looked at last."""
    monkeypatch.setattr(reads, "LOG_LOOKED_AT_SECONDS", 3_600)
    write_small_ledger(tmp_path)
    with reading(tmp_path) as service:
        width = add_entry(tmp_path) + 1
        assert service.get(f"/tile/0/000.p/{width}").status_code == 200
        assert service.get(f"/tile/0/000.p/{width + 1}").status_code == 404


def test_a_database_is_served_like_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Its views are in the user's cache; it is the same log."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    url = fresh_database()
    write_small_ledger(url, up_to=(213, 289))
    with reading(url) as service:
        assert service.get("/checkpoint").content == (folder / "export" / "checkpoint").read_bytes()
        assert service.get("/tile/0/001.p/33").content == (folder / "export/tile/0/001.p/33").read_bytes()
        assert service.get("/v1/parties/guian").json()["party"]["balance"]["role"] == "provider"
        assert service.get("/v1/entries/17/receipt?size=213").status_code == 200
        assert service.get("/v1/recorded?limit=1").json()["recorded"][0]["index"] == 288
