"""Several logs together: what each may do once, and what the network's log recorded of each, over all of them."""

import shutil
from pathlib import Path

import pytest

from support.actors import checkpoint_of, key_of, uscc_of, vkey_of
from support.editions import SAID, founded_otherwise, in_edition
from support.several_logs import (
    CODES,
    FACE_FEN,
    NATIONAL,
    NOW,
    Log,
    origin_of,
    policy_of,
    write_several_logs,
)
from support.tampering import entries_of, forge
from support.terms import contract_of
from tallystick.audit import audit, log_process
from tallystick.audit.network_audit import audit_network
from tallystick.audit.network_report import NetworkReport
from tallystick.audit.uses import Uses
from tallystick.errors import EditionUnknownError, SourceUnreadableError, UsageError
from tallystick.findings import FindingCode
from tallystick.publishing import read_ledger
from tallystick.publishing.export import export_tiles
from tallystick.transparency.policy import Policy
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.quantities import DAY_US, SECOND_US

C = FindingCode
POLICY = policy_of(NATIONAL, "first", "second")
HOUR_US = 3_600 * SECOND_US


@pytest.fixture(scope="module")
def pristine_logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the three logs, never to be changed."""
    folder = tmp_path_factory.mktemp("several")
    write_several_logs(folder)
    return folder


@pytest.fixture
def logs(pristine_logs: Path, tmp_path: Path) -> Path:
    """A folder with the three logs, to go on with."""
    return Path(shutil.copytree(pristine_logs, tmp_path / "logs"))


@pytest.fixture
def second(logs: Path) -> Log:
    """The city's second log."""
    return Log(logs, "second")


def audited(logs: Path, *policies: Policy) -> NetworkReport:
    """All three of them."""
    members = [logs / "first", logs / "second"]
    return audit_network(logs / NATIONAL, members, policies or (POLICY,), workers=1)


def found(logs: Path) -> list[tuple[FindingCode, list[tuple[str, int | None]]]]:
    """What is found of all together, each in which entries; every log by itself is clean."""
    report = audited(logs)
    assert [log.report.findings for log in report.logs] == [(), (), ()]
    return [(one.code, [(place.log, place.index) for place in one.places]) for one in report.findings]


def last_of(logs: Path, name: str, kind: str) -> tuple[str, int]:
    """The place of the last entry of a kind in a log."""
    indices = [index for index, data in enumerate(entries_of(logs / name)) if Entry.from_bytes(data).event.kind == kind]
    return origin_of(name), indices[-1]


def both(logs: Path, kind: str) -> list[tuple[str, int]]:
    """The places of the last entries of a kind in the city's two logs."""
    return [last_of(logs, "first", kind), last_of(logs, "second", kind)]


# ------------------------------------------------------------------------------------------------- what is sound


def test_two_logs_of_one_city_are_clean_together(pristine_logs: Path) -> None:
    """The same treasury, provider and holder in both; each report is that of the log's own audit."""
    report = audited(pristine_logs)
    assert (report.verdict, report.findings, report.not_given) == ("clean", (), ())
    assert [log.origin for log in report.logs] == [origin_of(name) for name in (NATIONAL, "first", "second")]
    for log, name in zip(report.logs, (NATIONAL, "first", "second"), strict=True):
        assert log.report == audit(pristine_logs / name, policy_of(name), processes=1)
        assert log.member_of == (None if name == NATIONAL else origin_of(NATIONAL))
    (national, *members) = report.logs
    assert national.recorded is None
    for place, log in enumerate(members, 2):
        assert log.recorded is not None
        assert (log.recorded.checkpoints, log.recorded.by_other_keys, log.recorded.index) == (1, 0, place)
        assert (log.recorded.size, log.recorded.entries_beyond) == (log.report.entries, 0)


def test_exports_give_the_report_of_their_ledgers(pristine_logs: Path, tmp_path: Path) -> None:
    for name in (NATIONAL, "first", "second"):
        with read_ledger(pristine_logs / name) as reader:
            export_tiles(reader, tmp_path / name)
    assert audited(tmp_path).to_bytes() == audited(pristine_logs).to_bytes()


def test_a_policy_for_each_log_does_as_one_for_all(pristine_logs: Path) -> None:
    each = [policy_of(name) for name in ("second", NATIONAL, "first")]
    assert audited(pristine_logs, *each) == audited(pristine_logs)


def test_what_is_beyond_the_newest_recorded_checkpoint_is_shown(logs: Path, second: Log) -> None:
    """It is no finding: the next checkpoint may cover it."""
    second.burn("another", ref="s2")
    report = audited(logs)
    assert report.is_clean
    assert [log.recorded and log.recorded.entries_beyond for log in report.logs] == [None, 0, 1]


def test_several_checkpoints_of_one_log_all_hold(logs: Path, second: Log) -> None:
    national = Log(logs, NATIONAL)
    for number in range(3):
        second.burn(f"further-{number}", ref=f"further-{number}")
        national.record(second.checkpoint(), vkey_of(origin_of("second")))
    national.record(second.checkpoint(), vkey_of(origin_of("second")))  # nothing new: that may be said too
    report = audited(logs)
    assert report.is_clean
    recorded = report.logs[2].recorded
    assert recorded is not None
    assert (recorded.checkpoints, recorded.index, recorded.entries_beyond) == (5, national.size - 1, 0)


def test_logs_audited_at_the_same_time_give_the_same_report(logs: Path, second: Log) -> None:
    """With findings of one log, of all together, and with what each used in a file of its own process."""
    second.burn("first-1", ref="again")
    second.sign_contract("k2", contract_of("first-holder/k1", "", "", "", "")["document_hash"])
    members = [logs / "first", logs / "second"]
    told: list[tuple[int, int]] = []
    apart = audit_network(logs / NATIONAL, members, [POLICY], workers=2, progress=lambda *far: told.append(far))
    assert apart == audited(logs)
    assert {one.code for one in apart.findings} == {C.DOCUMENT_IN_TWO_LOGS, C.JOB_TIME_IN_TWO_LOGS}
    assert told[-1] == (Log(logs, NATIONAL).size + Log(logs, "first").size + second.size,) * 2
    assert [done for done, _ in told] == sorted(done for done, _ in told)


@pytest.mark.parametrize("workers", [1, 2])
def test_what_keeps_one_log_from_being_read_ends_the_audit(workers: int, logs: Path) -> None:
    """Nothing is said about any: the same error, whoever met it."""
    first, *others = entries_of(logs / "second")
    newer = founded_otherwise(first, in_edition(2), *Log(logs, "second").party("office").key_names)
    forge(logs / "second", [newer, *others], key_of(origin_of("second")))
    with pytest.raises(EditionUnknownError, match=SAID):
        audit_network(logs / NATIONAL, [logs / "first", logs / "second"], [POLICY], workers=workers)


def test_a_process_that_dies_ends_the_audit(
    pristine_logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one does that is killed because it takes too much memory."""
    dies = tmp_path / "dies.py"
    dies.write_text("import os\nos.kill(os.getpid(), 9)\n")
    monkeypatch.setattr(log_process, "__file__", str(dies))
    members = [pristine_logs / "first", pristine_logs / "second"]
    with pytest.raises(SourceUnreadableError, match="the process that audited it is gone"):
        audit_network(pristine_logs / NATIONAL, members, [POLICY], workers=2)


def test_a_full_disk_ends_the_audit() -> None:
    uses = Uses()
    list(uses.ask("PRAGMA max_page_count = 40"))
    with pytest.raises(SourceUnreadableError, match=r"no room to compare the logs .*full.*TMPDIR"):
        uses.add("documents", (("sha256:" + "0" * 64, 0, entry) for entry in range(10_000)))
    uses.close()


# --------------------------------------------------------------------------------------- what the network recorded


def test_a_log_that_was_cut_back_is_named(logs: Path, second: Log) -> None:
    shutil.copytree(logs / "second", logs / "before")
    second.burn("gone", ref="gone")
    Log(logs, NATIONAL).record(second.checkpoint(), vkey_of(origin_of("second")))
    shutil.rmtree(logs / "second")
    (logs / "before").rename(logs / "second")
    places = [last_of(logs, NATIONAL, "checkpoint.recorded/1"), (origin_of("second"), None)]
    assert found(logs) == [(C.RECORDED_CHECKPOINT_CONTRADICTED, places)]
    (finding,) = audited(logs).findings
    assert "was cut back" in finding.detail


@pytest.mark.parametrize("more", [1, 3], ids=["of the same size", "longer"])
def test_a_log_that_was_forked_is_named(more: int, logs: Path, second: Log) -> None:
    shutil.copytree(logs / "second", logs / "fork" / "second")
    second.burn("told-to-the-network", ref="s2")
    Log(logs, NATIONAL).record(second.checkpoint(), vkey_of(origin_of("second")))
    fork = Log(logs / "fork", "second")
    for number in range(more):
        fork.burn(f"told-to-the-auditor-{number}", ref=f"s{number + 2}")
    shutil.rmtree(logs / "second")
    (logs / "fork" / "second").rename(logs / "second")
    places = [last_of(logs, NATIONAL, "checkpoint.recorded/1"), (origin_of("second"), None)]
    assert found(logs) == [(C.RECORDED_CHECKPOINT_CONTRADICTED, places)]
    (finding,) = audited(logs).findings
    assert "forked" in finding.detail


def test_a_checkpoint_of_a_log_that_was_not_given_is_shown(logs: Path) -> None:
    """Part of a network may be audited; the report says what was left out."""
    third = origin_of("third")
    Log(logs, NATIONAL).record(checkpoint_of(third, 1_000), vkey_of(third))
    report = audited(logs)
    assert report.is_clean
    assert [(one.log, one.checkpoints) for one in report.not_given] == [(third, 1)]


def test_a_checkpoint_by_a_key_that_only_has_the_logs_name_accuses_nobody(logs: Path) -> None:
    """Anybody can make such a key: what it signed says nothing about the log."""
    stranger = f"{origin_of('second')}:stranger"
    checkpoint = checkpoint_of(origin_of("second"), 10**6, signed_by=stranger)
    Log(logs, NATIONAL).record(checkpoint, vkey_of(stranger))
    report = audited(logs)
    assert report.is_clean
    recorded = report.logs[2].recorded
    assert recorded is not None
    assert (recorded.checkpoints, recorded.by_other_keys) == (1, 1)


def test_a_wrong_policy_is_a_finding_of_that_log(logs: Path) -> None:
    report = audited(logs, policy_of(NATIONAL, "first"))
    assert report.verdict == "findings"
    assert [log.report.verdict for log in report.logs] == ["clean", "clean", "findings"]
    assert report.logs[2].report.codes()[0] is C.CHECKPOINT_SIGNATURE_INVALID


# ---------------------------------------------------------------------------------------------- what is used twice


def test_a_contract_of_a_document_that_another_log_has(logs: Path, second: Log) -> None:
    document = contract_of("first-holder/k1", "", "", "", "")["document_hash"]
    second.sign_contract("k2", document)
    assert found(logs) == [(C.DOCUMENT_IN_TWO_LOGS, both(logs, "contract.signed/1"))]


def test_a_job_that_another_log_has(logs: Path, second: Log) -> None:
    """The same moments of the same job of the same firm on the same item."""
    second.burn("other", "first-1", "first-2", ref="s2", starts_at=NOW - DAY_US + HOUR_US // 2)
    assert found(logs) == [(C.JOB_TIME_IN_TWO_LOGS, both(logs, "time.burned/1"))]
    (finding,) = audited(logs).findings
    assert finding.detail == (
        f"2 times, for example job first-1 on ascend-910b of {CODES['centre']}, "
        "from 2026-02-03T00:30:00Z to 2026-02-03T01:00:00Z"
    )


def test_a_job_at_another_time_or_taken_back_is_no_use(logs: Path, second: Log) -> None:
    """It goes on where it ended in the other log; and what was reversed isn't burned."""
    second.burn("first-1", ref="after", starts_at=NOW - DAY_US + HOUR_US)
    second.burn("first-2", ref="mistaken")
    second.do("provider", "burn.reverse", statement="mistaken", line=0, reason="it is in the other log")
    assert found(logs) == []


def test_a_payment_reference_that_another_log_has(logs: Path, second: Log) -> None:
    second.at += DAY_US
    second.burn("another", ref="s2")
    second.pay("c2", "first payment 1", 180)
    assert found(logs) == [(C.PAYMENT_IN_TWO_LOGS, both(logs, "redemption.settled/1"))]


def test_a_voucher_that_was_brought_into_another_log(logs: Path, second: Log) -> None:
    second.bring("again", evidence="cd")
    assert found(logs) == [(C.VOUCHER_IN_TWO_LOGS, both(logs, "voucher.imported/1"))]
    second.bring("other", face_fen=2_000, evidence="cd")  # of the same list, and another one
    assert len(found(logs)) == 1


def test_more_than_the_cap_in_both_logs(logs: Path, second: Log) -> None:
    """Each log alone keeps to it; the 1,000 fen that were brought along count too."""
    second.issue("v2", 1_000_000 - 2 * FACE_FEN - 2 * 1_000)
    assert found(logs) == []
    second.issue("v3", 1)
    places = [last_of(logs, "first", "voucher.imported/1"), last_of(logs, "second", "voucher.issued/1")]
    assert found(logs) == [(C.CAP_EXCEEDED_TOGETHER, places)]
    (finding,) = audited(logs).findings
    assert finding.detail == (
        f"1000001 fen to {CODES['firm']} for 2026 compute by {CODES['treasury']}: the cap is 1000000"
    )


def test_a_provider_that_is_a_holder_in_another_log(logs: Path, second: Log) -> None:
    first = Log(logs, "first")
    first.admit("provider", "office", uscc_of("both"), "supplier")
    second.admit("holder", "treasury", uscc_of("both"), "user")
    assert found(logs) == [(C.PARTY_IN_TWO_ROLES, both(logs, "party.admitted/1"))]


def test_a_holder_in_both_logs_is_as_it_should_be(logs: Path, second: Log) -> None:
    for log in (Log(logs, "first"), second):
        log.admit("holder", "treasury", uscc_of("a firm in two cities"), "user")
    assert found(logs) == []


def test_a_key_that_signs_for_two_firms(logs: Path, second: Log) -> None:
    Log(logs, "first").admit("holder", "treasury", uscc_of("one"), "one")
    key = "officer-1:first-one/officer-1"
    assert key_of(f"second-two/{key}").verifier.public_key == key_of("first-one/officer-1").verifier.public_key
    second.admit("holder", "treasury", uscc_of("two"), "two", label=key)
    assert found(logs) == [(C.KEY_OF_TWO_PARTIES, both(logs, "party.admitted/1"))]


def test_parties_without_a_code_are_one_by_a_key_that_both_have(logs: Path, second: Log) -> None:
    """A maker has no code; with a provider's key it is that provider."""
    Log(logs, "first").admit("provider", "office", uscc_of("supplier"), "supplier")
    second.admit("holder", "treasury", None, "maker", "officer-1:first-supplier/officer-1")
    assert found(logs) == [(C.PARTY_IN_TWO_ROLES, both(logs, "party.admitted/1"))]


def test_of_many_only_the_first_are_listed(logs: Path, second: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tallystick.audit.network_report.FINDINGS_MAX", 1)
    first = Log(logs, "first")
    for number in range(3):
        for log in (first, second):
            log.sign_contract(f"twice-{number}", f"sha256:{number:064x}")
    report = audited(logs)
    assert [one.code for one in report.findings] == [C.DOCUMENT_IN_TWO_LOGS, C.FINDINGS_CUT]
    assert report.findings[1].detail == "2 more"


# -------------------------------------------------------------------------------------------------- what isn't asked


def test_the_same_log_twice_is_no_network(pristine_logs: Path, tmp_path: Path) -> None:
    copied = shutil.copytree(pristine_logs / "first", tmp_path / "copy")
    with pytest.raises(UsageError, match=r"are both of the log tallystick\.example/first: give one of them"):
        audit_network(pristine_logs / NATIONAL, [pristine_logs / "first", copied], [POLICY])


def test_one_log_is_no_network(pristine_logs: Path) -> None:
    with pytest.raises(UsageError, match="one log alone is audited by `tallystick audit`"):
        audit_network(pristine_logs / NATIONAL, [], [POLICY])


def test_two_policies_for_one_log_are_refused(pristine_logs: Path) -> None:
    with pytest.raises(UsageError, match=r"2 policies name the log tallystick\.example/first"):
        audited(pristine_logs, POLICY, policy_of("first"))
