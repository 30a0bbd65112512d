"""A report has one spelling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.audit import FindingCode, Report
from tallystick.audit.findings import FINDINGS_MAX, Findings
from tallystick.audit.report import (
    CheckedCheckpoint,
    EarlierCheckpoint,
    FindingRow,
    ProgrammeTotals,
    SavedState,
    Totals,
)
from tallystick.errors import MalformedError

NUMBERS = st.integers(0, 2**70)
ROWS = st.builds(
    FindingRow,
    code=st.sampled_from([code.value for code in FindingCode]),
    index=st.none() | st.integers(0, 2**63 - 1),
    detail=st.text(),
)
TOTALS = st.builds(
    Totals,
    programmes=st.dictionaries(
        st.text(), st.builds(ProgrammeTotals, **dict.fromkeys(ProgrammeTotals.model_fields, NUMBERS)), max_size=3
    ),
    **dict.fromkeys(Totals.model_fields.keys() - {"programmes"}, NUMBERS),
)
REPORTS = st.builds(
    Report,
    verdict=st.sampled_from(["clean", "findings"]),
    checkpoint=st.none() | st.builds(CheckedCheckpoint, origin=st.text(), size=NUMBERS, root=st.just("A" * 43 + "=")),
    entries=NUMBERS,
    findings=st.lists(ROWS, max_size=3).map(tuple),
    totals=TOTALS,
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


def test_an_unknown_code_is_refused() -> None:
    """The list is closed."""
    report = Report(
        verdict="findings",
        checkpoint=None,
        entries=0,
        findings=(FindingRow(code="bad_mood", index=None, detail=""),),
        totals=Totals(programmes={}, **dict.fromkeys(Totals.model_fields.keys() - {"programmes"}, 0)),
    )
    with pytest.raises(MalformedError, match="bad_mood"):
        Report.from_bytes(report.to_bytes())


def test_findings_are_counted_beyond_the_limit() -> None:
    """By entry, those of no entry last, doubles once, and the rest as a number."""
    findings = Findings()
    findings.add(FindingCode.ROOT_DIFFERS, None, "")
    for index in reversed(range(FINDINGS_MAX + 4)):
        findings.add(FindingCode.ENTRY_MISSING, index, "")
    findings.add(FindingCode.ENTRY_MISSING, FINDINGS_MAX, "")
    listed = findings.in_order()
    assert [one.index for one in listed[:-2]] == list(range(5, FINDINGS_MAX + 4))
    assert [one.code for one in listed[-2:]] == [FindingCode.ROOT_DIFFERS, FindingCode.FINDINGS_CUT]
    assert listed[-1].detail == "5 more"
    assert str(listed[0]) == "entry_missing at entry 5: an entry that the checkpoint counts is not there"
    assert str(listed[-2]) == "root_differs: " + FindingCode.ROOT_DIFFERS.meaning
