"""What a store files entries under, topic and reference, must be what they say; an export files them under nothing."""

from tallystick.audit.evidence import Evidence, StoredRun
from tallystick.audit.replay import Described
from tallystick.findings import FindingCode, Findings


def check_filing(run: StoredRun, described: list[Described], evidence: Evidence, findings: Findings) -> None:
    """Compare the topics and references of a run with what its entries are to be filed under."""
    _check_topics(run, [told[0] for told in described], findings)
    rows = evidence.references(run.first, run.first + len(described))
    expected = [(index, told[1], told[2]) for index, told in enumerate(described, run.first)]
    if rows is None or rows == expected:
        return
    found: dict[object, tuple[object, object, object]] = {}
    for one in rows:
        if type(one[0]) is not int or found.setdefault(one[0], one) is not one:
            findings.add(FindingCode.REFERENCE_INDEX_DIFFERS, None, f"a row too many, {one!a:.120}")
    for told_row in expected:
        row = found.get(told_row[0])
        if told_row[1] is not None and row != told_row:
            detail = f"stored {row[1:]!a:.120}, it is {told_row[1:]!a}" if row else f"no row for {told_row[1:]!a}"
            findings.add(FindingCode.REFERENCE_INDEX_DIFFERS, told_row[0], detail)


def _check_topics(run: StoredRun, kinds: list[str | None], findings: Findings) -> None:
    if run.topics is None or run.topics == kinds:
        return
    for index, (topic, kind) in enumerate(zip(run.topics, kinds, strict=True), run.first):
        if topic != kind and topic is not None and kind is not None:
            findings.add(FindingCode.TOPIC_DIFFERS, index, f"filed as {topic!a:.100}, it is {kind!a:.100}")
