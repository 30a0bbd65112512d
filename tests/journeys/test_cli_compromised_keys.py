"""An audit lists what a key signed since it was compromised, wherever the log lies, and finds nothing wrong in it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.actors import Actor, key_of, label_of, note_of, vkey_of
from support.burning import BEGIN, LOG_KEY, NOW, Clock, burn_note, founding_notes
from support.command_line import done, run
from support.earlier_audits import begin_of
from support.postgres import fresh_database
from support.web_server import serving
from tallystick.audit import Report, audit, review
from tallystick.audit.evidence import Evidence
from tallystick.audit.evidence_source import open_evidence
from tallystick.audit.report import CompromisedKey
from tallystick.findings import Findings
from tallystick.ledger import Admitted, create_ledger
from tallystick.publishing import read_ledger
from tallystick.publishing.export import export_tiles
from tallystick.signing.note import Note, sign_text
from tallystick.sources import Source
from tallystick.transparency.policy import Policy
from tallystick.vouchers.quantities import DAY_US, SECOND_US, format_instant

POLICY = Policy.for_log(LOG_KEY.verifier)
PROVIDER, TREASURY = Actor("provider"), Actor("treasury")
METER, OTHER, THIEFS = "provider/meter-1", "provider/meter-2", "provider/meter-3"
SINCE = NOW + 2 * SECOND_US
SIZE = 11 + 2 + 6 + 1 + 1 + 1 + 1
"""Founding, two meters, six statements, a revocation, a statement of the other meter, its rotation, its revocation."""
EXPECTED = (
    CompromisedKey(
        key=label_of(METER),
        party="provider",
        since=format_instant(SINCE),
        revoked_index=19,
        said_index=19,
        signed=4,
        entries=(15, 16, 17, 18),
    ),
    CompromisedKey(
        key=label_of(OTHER),
        party="provider",
        since=format_instant(BEGIN),
        revoked_index=21,
        said_index=22,
        signed=3,
        entries=(12, 20, 21),
    ),
)


def _revocation(name: str, since: int, at: int) -> bytes:
    fields = {"subject": "provider", "key": label_of(name), "cause": "compromised", "since": format_instant(since)}
    return PROVIDER.note("key.revoke", at, ref=f"stolen-{name}", reason="the rack was opened", **fields)


def _signed_by(note: bytes, name: str) -> bytes:
    return sign_text(Note.from_bytes(note).text, key_of(name))


def _write(place: Path | str) -> None:
    """Write a log in which a meter key is compromised from the third of its six statements on, each a second later."""
    clock = Clock()
    genesis, *rest = founding_notes()
    with create_ledger(place, genesis, LOG_KEY, clock=clock) as ledger:

        def submit(at: int, note: bytes) -> None:
            clock.at = at
            (answer,) = ledger.submit([note])
            assert isinstance(answer, Admitted), answer

        for note in rest:
            submit(BEGIN, note)
        for name in (METER, OTHER):
            fields = {"subject": "provider", "purpose": "meter", "vkey": vkey_of(name)}
            submit(NOW, PROVIDER.note("key.add", NOW, ref=name, **fields))
        for number in range(6):
            submit(NOW + number * SECOND_US, _signed_by(burn_note(f"statement-{number}"), METER))
        submit(NOW + DAY_US, _revocation(METER, SINCE, NOW + DAY_US))
        submit(NOW + DAY_US, _signed_by(burn_note("another"), OTHER))
        fields = {"key": label_of(OTHER), "vkey": vkey_of(THIEFS)}
        rotation = PROVIDER.command("key.rotate", NOW + DAY_US, ref="rotated", **fields)
        submit(NOW + DAY_US, note_of(rotation, OTHER, THIEFS))
        submit(NOW + DAY_US, _revocation(OTHER, BEGIN, NOW + DAY_US))
        assert ledger.state.size == SIZE


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with `ledger`, its export `tiles`, and `trust.policy`."""
    folder = tmp_path_factory.mktemp("compromised")
    _write(folder / "ledger")
    with read_ledger(folder / "ledger") as reader:
        export_tiles(reader, folder / "tiles")
    (folder / "trust.policy").write_bytes(POLICY.to_text())
    yield folder
    shutil.rmtree(folder)


def test_it_is_listed_wherever_the_log_lies(folder: Path) -> None:
    """From the first entry that it signed then, which may be the one that brought it, to its revocation."""
    database = fresh_database()
    _write(database)
    with serving(folder / "tiles") as server:
        for source in (folder / "ledger", folder / "tiles", server.url, database):
            report = audit(source, POLICY)
            assert report.is_clean
            assert report.compromised_keys == EXPECTED
            assert Report.from_bytes(report.to_bytes()) == report


@pytest.mark.parametrize("size", [1, 13, 17, 19, 20, 21, 22, SIZE])
def test_an_audit_that_goes_on_lists_what_a_whole_one_lists(folder: Path, tmp_path: Path, size: int) -> None:
    """What the key signed before the earlier report's end, and keys that this one listed."""
    earlier, later = tmp_path / "earlier.json", tmp_path / "later.json"
    begun = audit(begin_of(folder / "ledger", size, tmp_path / "begin"), POLICY, report_file=earlier)
    assert (begun.compromised_keys or ()) == tuple(one for one in EXPECTED if one.said_index < size)
    for source in ("ledger", "tiles"):
        assert audit(folder / source, POLICY, since=earlier, report_file=later).compromised_keys == EXPECTED


def test_many_are_counted_and_the_first_ones_listed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(review, "ENTRIES_MAX", 3)
    (first, _) = audit(folder / "ledger", POLICY).compromised_keys or ()
    assert (first.signed, first.entries) == (4, (15, 16, 17))


def test_nothing_is_read_again_where_no_key_was_compromised(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[int] = []

    def counted(source: Source, findings: Findings, start: int) -> Evidence:
        opened.append(start)
        return open_evidence(source, findings, start)

    monkeypatch.setattr(review, "open_evidence", counted)
    assert audit(begin_of(folder / "ledger", 19, tmp_path / "begin"), POLICY).compromised_keys is None
    assert opened == []
    audit(folder / "ledger", POLICY)
    assert opened == [11]  # where the older of the two keys was brought


def test_it_is_printed_for_a_person_and_the_status_is_0(folder: Path) -> None:
    trust = folder / "trust.policy"
    said = done("audit", folder / "tiles", "--trust", trust)
    assert (
        f"to be reviewed: {label_of(METER)}, compromised since 2026-01-31T00:00:02.000000Z as entry 19 says: "
        "since then it signed entries 15, 16, 17, 18\n" in said
    )
    told = run("audit", folder / "tiles", "--trust", trust, "--json").json
    assert told["verdict"] == "clean"
    assert [one["entries"] for one in told["compromised_keys"]] == [[15, 16, 17, 18], [12, 20, 21]]
