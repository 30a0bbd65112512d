"""Of saved states beside an export, each that lies is named with its segment, and what isn't there is no finding.

Each row is tried on the folder and, where a web server shows it as well, on its URL; in one piece and in segments.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from support.earlier_audits import begin_of, report_on
from support.planted_states import change_header, move_a_fen, read_state
from support.segmented_audits import same_in_segments
from support.small_ledger import POLICY
from support.web_server import serving
from tallystick.audit import FindingCode, audit
from tallystick.vouchers.saved_state import SCHEMA_SHA256

LYING = "states/128"
SEGMENT = "states/128, after the segment of entries 64 to 127: "


@pytest.fixture
def log(with_states: Path, tmp_path: Path) -> Path:
    """An export with states, to spoil."""
    return Path(shutil.copytree(with_states, tmp_path / "log"))


def put(log: Path, name: str) -> None:
    """Put the state of another size in the place of the second."""
    (log / LYING).write_bytes((log / "states" / name).read_bytes())


def cut(log: Path) -> None:
    data = (log / LYING).read_bytes()
    (log / LYING).write_bytes(data[:-1])


def garble(log: Path) -> None:
    (log / LYING).write_bytes(b"not a state\n" * 1_000)


def lengthen(log: Path) -> None:
    (log / LYING).write_bytes((log / LYING).read_bytes() + b" ")


def put_folder(log: Path) -> None:
    (log / LYING).unlink()
    (log / LYING).mkdir()


def link_in_a_circle(log: Path) -> None:
    (log / LYING).unlink()
    (log / LYING).symlink_to(log / LYING)


def link_to_another(log: Path) -> None:
    (log / LYING).unlink()
    (log / LYING).symlink_to(log / "states/64")


def link_to_nothing(log: Path) -> None:
    (log / LYING).unlink()
    (log / LYING).symlink_to(log / "states/nothing")


def say_another_log(log: Path) -> None:
    change_header(log / LYING, origin="log.example/another")


def say_another_root(log: Path) -> None:
    change_header(log / LYING, root=bytes(32))


def say_another_digest(log: Path) -> None:
    change_header(log / LYING, state_sha256="0" * 64)


def change_a_byte(log: Path) -> None:
    data = bytearray((log / LYING).read_bytes())
    data[-20] ^= 1
    (log / LYING).write_bytes(data)


ATTACKS: list[tuple[Callable[[Path], object], str]] = [
    (lambda log: move_a_fen(log / LYING), "the entries come to another state"),
    (lambda log: put(log, "64"), "it says that it is the state after 64 entries"),
    (lambda log: put(log, "192"), "it says that it is the state after 192 entries"),
    (say_another_log, "it is of another log, log.example/another"),
    (say_another_root, f"it says that their root is {'00' * 32}, rebuilt "),
    (say_another_digest, "the entries come to another state"),
    (change_a_byte, "it has other bytes than its header says"),
    (cut, "it has other bytes than its header says"),
    (lengthen, "it has other bytes than its header says"),
    (garble, "no header of a saved state"),
    (link_to_another, "it says that it is the state after 64 entries"),
]
LOCAL: list[tuple[Callable[[Path], object], str]] = [
    (put_folder, "it can't be read: not a file"),
    (link_in_a_circle, "it can't be read: Too many levels of symbolic links"),
]
"""What a web server doesn't show: there is nothing, or an answer that ends the audit."""


@pytest.mark.parametrize(("attack", "detail"), ATTACKS + LOCAL)
def test_a_state_that_lies_is_named_with_its_segment(log: Path, attack: Callable[[Path], object], detail: str) -> None:
    attack(log)
    (finding,) = audit(log, POLICY).findings
    assert (finding.code, finding.index) == (FindingCode.STATE_DIFFERS, 127)
    assert finding.detail.startswith(SEGMENT + detail)


@pytest.mark.parametrize(("attack", "detail"), ATTACKS)
def test_it_is_named_over_a_url_too(log: Path, attack: Callable[[Path], object], detail: str) -> None:
    attack(log)
    with serving(log) as server:
        report = same_in_segments(server.url, POLICY)
    assert report is not None
    (finding,) = report.findings
    assert finding.detail.startswith(SEGMENT + detail)


def test_a_planted_state_is_seen_though_no_list_has_it(log: Path) -> None:
    """In a folder, of which it can be asked what is there."""
    shutil.copy(log / "states/128", log / "states/100")
    (finding,) = audit(log, POLICY).findings
    assert finding.detail.startswith("states/100, after the segment of entries 64 to 99: ")
    with serving(log) as server:
        assert audit(server.url, POLICY).is_clean


def test_every_state_that_lies_is_named(log: Path) -> None:
    """Then no segment begins with the truth but the first, which runs to the end."""
    for name in ("64", "128", "192", "256"):
        move_a_fen(log / "states" / name)
    assert [finding.index for finding in audit(log, POLICY).findings] == [63, 127, 191, 255]


def no_states(log: Path) -> None:
    shutil.rmtree(log / "states")


def one_is_gone(log: Path) -> None:
    (log / LYING).unlink()


def no_list(log: Path) -> None:
    (log / "states/index").unlink()


def list_is_garbled(log: Path) -> None:
    (log / "states/index").write_bytes(b"<!doctype html>\n")


def folder_for_a_list(log: Path) -> None:
    (log / "states/index").unlink()
    (log / "states/index").mkdir()


def file_for_a_folder(log: Path) -> None:
    shutil.rmtree(log / "states")
    (log / "states").write_bytes(b"")


def strange_names(log: Path) -> None:
    for name in ("0", "064", "+64", "1e2", "64.p", "64 ", "६४"):
        (log / "states" / name).write_bytes(b"not a state")


def beyond_the_checkpoint(log: Path) -> None:
    (log / "states/290").write_bytes(b"not a state")


def of_another_version(log: Path) -> None:
    data = (log / LYING).read_bytes()
    (log / LYING).write_bytes(data.replace(SCHEMA_SHA256.encode(), b"0" * 64, 1))


def signed(log: Path) -> None:
    """As a writer's own is: the signature says nothing to an audit."""
    header, data = read_state(log / LYING)
    lines = "\n— log.example/x bm90IGEgc2lnbmF0dXJl\n".encode()
    (log / LYING).write_bytes(header.to_text() + lines + data)


@pytest.mark.parametrize(
    "change",
    [
        no_states,
        one_is_gone,
        link_to_nothing,
        no_list,
        list_is_garbled,
        folder_for_a_list,
        file_for_a_folder,
        strange_names,
        beyond_the_checkpoint,
        of_another_version,
        signed,
    ],
)
def test_what_is_missing_or_says_nothing_is_no_finding(log: Path, change: Callable[[Path], object]) -> None:
    change(log)
    assert audit(log, POLICY).is_clean


def test_the_report_is_that_of_an_export_without_states(pristine: Path, with_states: Path) -> None:
    assert audit(with_states, POLICY) == audit(pristine / "tiles", POLICY)


def test_one_that_goes_on_from_a_report_compares_what_comes_after(pristine: Path, log: Path, tmp_path: Path) -> None:
    """The states before it were the earlier audit's matter."""
    report_on(begin_of(pristine / "ledger", 130, tmp_path / "begin"), tmp_path / "report.json")
    move_a_fen(log / LYING)
    assert audit(log, POLICY, since=tmp_path / "report.json").is_clean
    move_a_fen(log / "states/192")
    (finding,) = audit(log, POLICY, since=tmp_path / "report.json").findings
    assert finding.index == 191
