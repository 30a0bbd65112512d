"""Of each key that is said to have been compromised, an audit lists what it signed since, for a person to look at.

That is no finding: what a key signed while it was active stays valid. Which entries are meant is known when that is
said, after they went by, and nothing keeps who signed what. So once all is audited, the entries from the key's own
on are read a second time, if there is such a key at all; an audit that goes on from an earlier report takes over what
that one lists.
"""

from collections.abc import Iterator
from contextlib import closing
from typing import Final

from tallystick.audit.earlier import Earlier
from tallystick.audit.evidence_source import open_evidence
from tallystick.audit.report import CompromisedKey, Report
from tallystick.errors import MalformedError
from tallystick.findings import Findings
from tallystick.signing.note import Note
from tallystick.sources import Source
from tallystick.vouchers.entry import Header, split_entry
from tallystick.vouchers.quantities import format_instant
from tallystick.vouchers.state import State

ENTRIES_MAX: Final = 1_000
"""Of each key so many entries are listed, the first ones, and all are counted."""


def with_compromised_keys(report: Report, source: Source, state: State, earlier: Earlier | None) -> Report:
    """Return an audit's report with the keys that were revoked as compromised, in the order in which that was said.

    Args:
        report: what the audit came to.
        source: what was audited.
        state: after the entries that were replayed.
        earlier: what was gone on from.

    Raises:
        SourceUnreadableError: a lock, a right, a full disk or an I/O error keeps it from being read again.
        LedgerError: the server can't be reached, or stopped giving usable answers.
    """
    start = 0 if earlier is None else earlier.checkpoint.size
    size = None if report.checkpoint is None else report.checkpoint.size
    before = () if earlier is None else earlier.compromised_keys
    keys = (*before, *_compromised_keys(source, state, size, start))
    return report.model_copy(update={"compromised_keys": keys}) if keys else report


def _compromised_keys(source: Source, state: State, size: int | None, start: int) -> tuple[CompromisedKey, ...]:
    said = {key.compromised_index: label for label, key in state.keys.items() if key.compromised_index is not None}
    labels = [said[index] for index in sorted(said) if index >= start]
    signed: dict[str, list[int]] = {label: [] for label in labels}
    if labels:
        first = min(state.keys[label].added_index for label in labels)
        last = max(state.keys[label].revoked_index or 0 for label in labels)
        for index, at, signers in _signed(source, state.origin, size, first, last):
            for label in signers & signed.keys():
                key = state.keys[label]
                since, stop = key.compromised_since, key.revoked_index
                if since is not None and stop is not None and key.added_index <= index <= stop and at >= since:
                    signed[label].append(index)
    return tuple([_listed(state, label, signed[label]) for label in labels])


def _signed(
    source: Source, origin: str, size: int | None, first: int, last: int
) -> Iterator[tuple[int, int, set[str]]]:
    """Yield index, time and signers' labels of the entries from `first` to `last` that can be read."""
    # What is odd in the evidence is a finding already.
    with closing(open_evidence(source, Findings(), first)) as evidence:
        for run in evidence.entries(origin, size):
            for index, data in enumerate(run.data, run.first):
                if index > last:
                    return
                if data is None:
                    continue
                try:
                    header, note = split_entry(data)
                    signers = {signature.label for signature in Note.from_bytes(note).signatures}
                    yield index, Header.from_bytes(header).at, signers
                except MalformedError:
                    continue  # that is a finding too


def _listed(state: State, label: str, signed: list[int]) -> CompromisedKey:
    key = state.keys[label]
    assert key.compromised_since is not None
    assert key.revoked_index is not None
    assert key.compromised_index is not None
    return CompromisedKey(
        key=label,
        party=key.party,
        since=format_instant(key.compromised_since),
        revoked_index=key.revoked_index,
        said_index=key.compromised_index,
        signed=len(signed),
        entries=tuple(signed[:ENTRIES_MAX]),
    )
