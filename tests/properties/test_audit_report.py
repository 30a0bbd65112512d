"""A report has one canonical encoding."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.audit import Finding, FindingCode, Report
from tallystick.audit.report import (
    CheckedCheckpoint,
    CompromisedKey,
    EarlierCheckpoint,
    ProgrammeTotals,
    SavedState,
    Totals,
)
from tallystick.errors import MalformedError
from tallystick.findings import FINDINGS_MAX, Findings, code_of
from tallystick.vouchers.refusals import Reason, Refusal

NUMBERS = st.integers(0, 2**70)
ROWS = st.builds(
    Finding,
    code=st.sampled_from(FindingCode),
    index=st.none() | st.integers(0, 2**63 - 1),
    reason=st.none() | st.sampled_from(Reason),
    detail=st.text(),
)
TOTALS = st.builds(
    Totals,
    programmes=st.dictionaries(
        st.text(), st.builds(ProgrammeTotals, **dict.fromkeys(ProgrammeTotals.model_fields, NUMBERS)), max_size=3
    ),
    **dict.fromkeys(Totals.model_fields.keys() - {"programmes"}, NUMBERS),
)
KEYS = st.builds(
    CompromisedKey,
    key=st.text(),
    party=st.text(),
    since=st.text(),
    revoked_index=NUMBERS,
    said_index=NUMBERS,
    signed=NUMBERS,
    entries=st.lists(NUMBERS, max_size=3).map(tuple),
)
REPORTS = st.builds(
    Report,
    verdict=st.sampled_from(["clean", "findings"]),
    checkpoint=st.none() | st.builds(CheckedCheckpoint, origin=st.text(), size=NUMBERS, root=st.just("A" * 43 + "=")),
    entries=NUMBERS,
    findings=st.lists(ROWS, max_size=3).map(tuple),
    totals=TOTALS,
    compromised_keys=st.none() | st.lists(KEYS, max_size=2).map(tuple),
    since=st.none() | st.builds(EarlierCheckpoint, size=NUMBERS, root=st.text()),
    state=st.none() | st.builds(SavedState, sha256=st.text(), size=NUMBERS),
)


@given(REPORTS)
def test_bytes_and_report_are_each_other_s(report: Report) -> None:
    """In both directions."""
    data = report.to_bytes()
    assert Report.from_bytes(data) == report
    assert Report.from_bytes(data).to_bytes() == data


@given(REPORTS, st.data())
def test_other_bytes_are_refused(report: Report, data: st.DataObject) -> None:
    """A report cut short, or with a blank more."""
    written = report.to_bytes()
    place = data.draw(st.integers(0, len(written) - 1))
    with pytest.raises(MalformedError):
        Report.from_bytes(written[:place])
    with pytest.raises(MalformedError):
        Report.from_bytes(written + b" ")


@pytest.mark.parametrize(
    ("word", "place"), [("log_empty", "findings.0.code"), ("period_sealed", "findings.0.reason"), ("detail", "")]
)
def test_a_word_that_is_not_on_the_lists_is_refused(word: str, place: str) -> None:
    """They are closed, and so is a finding."""
    report = Report(
        verdict="findings",
        checkpoint=None,
        entries=0,
        findings=(Finding(FindingCode.LOG_EMPTY, None, Reason.PERIOD_SEALED, ""),),
        totals=Totals(programmes={}, **dict.fromkeys(Totals.model_fields.keys() - {"programmes"}, 0)),
    )
    data = report.to_bytes()
    with pytest.raises(MalformedError, match="bad_mood" if place else r"findings\.0\.detail: is missing") as raised:
        Report.from_bytes(data.replace(b'"%s"' % word.encode(), b'"bad_mood"'))
    assert place in str(raised.value)
    assert len(str(raised.value)) < 200
    more = data.replace(b'"detail": ""', b'"detail": "",\n      "mood": ""')
    with pytest.raises(MalformedError):
        Report.from_bytes(more)


def test_findings_are_counted_beyond_the_limit() -> None:
    """By entry, those of no entry last, doubles once, and the rest of a code as a number."""
    findings = Findings()
    for index in reversed(range(FINDINGS_MAX + 4)):
        findings.add(FindingCode.ENTRY_MISSING, index, "")
    findings.add(FindingCode.ENTRY_MISSING, FINDINGS_MAX, "")
    findings.add(FindingCode.ROOT_DIFFERS, None, "")
    listed = findings.by_entry()
    assert [one.index for one in listed[:-2]] == list(range(4, FINDINGS_MAX + 4))
    assert [one.code for one in listed[-2:]] == [FindingCode.ROOT_DIFFERS, FindingCode.FINDINGS_CUT]
    assert listed[-1].detail == "4 more"
    assert str(listed[0]) == "entry_missing at entry 4: an entry that the checkpoint counts is not there"
    assert str(listed[-2]) == "root_differs: " + FindingCode.ROOT_DIFFERS.meaning


def test_what_comes_first_on_the_list_explains_the_rest() -> None:
    """By precedence a finding of no entry comes before all that follow from it."""
    findings = Findings()
    assert not findings
    findings.add(FindingCode.OUTCOME_DIFFERS, 3, "")
    findings.add(FindingCode.ENTRY_LEFT_OUT, None, "")
    findings.add(FindingCode.OUTCOME_DIFFERS, 2, "")
    assert [(one.code, one.index) for one in findings.by_precedence()] == [
        (FindingCode.ENTRY_LEFT_OUT, None),
        (FindingCode.OUTCOME_DIFFERS, 2),
        (FindingCode.OUTCOME_DIFFERS, 3),
    ]


@pytest.mark.parametrize("reason", Reason)
def test_a_finding_has_the_name_of_the_refusal_or_its_reason(reason: Reason) -> None:
    """One fact has one name; no program needs a sentence to tell what was refused."""
    findings = Findings()
    findings.add_refusal(7, Refusal(reason))
    findings.add_refusal(8, Refusal(reason, "this one"))
    first, second = findings.by_entry()
    assert (first.code, first.reason, first.detail) == (code_of(reason), reason, reason.meaning)
    shared = {code.value: code for code in FindingCode}.get(reason.value)
    if shared is not None:
        assert first.code is shared
        assert shared.meaning == reason.meaning
        assert str(second) == f"{reason.value} at entry 8: this one"
    else:
        assert first.code in (FindingCode.DECISION_REFUSED, FindingCode.ENTRY_MALFORMED)
        assert str(second) == f"{first.code.value} at entry 8: {reason.value}: this one"
