"""The states that lie beside an export are compared with what the entries come to; none of them is believed.

Of each that a replay arrives at, header and bytes must be those that this replay would write. One that differs is
named with its segment: the entries since the size of the state before it. So one that was put there without the log is
found, whether or not an audit begins anything at it (segments.py). One that isn't there is no finding, and neither is
one that another version saved, which says nothing to this one. Signature lines are passed over.
"""

import hashlib
from bisect import bisect_left, bisect_right

from tallystick.audit.evidence import Evidence
from tallystick.errors import MalformedError, NotAFileError
from tallystick.findings import FindingCode, Findings
from tallystick.static.states import state_path
from tallystick.vouchers.saved_state import HEADER_SIZE_MAX, StateHeader, is_of_another_version, split_saved
from tallystick.vouchers.state import State


class StoredStates:
    """The states beside an export of so many entries, as a replay comes by them from `start` on."""

    def __init__(self, evidence: Evidence, findings: Findings, start: int, size: int) -> None:
        """Find out which there are; those beyond the checkpoint are of no entries that count.

        Raises:
            SourceUnreadableError: this machine can't read the list.
        """
        self._evidence = evidence
        self._findings = findings
        sizes = evidence.state_sizes()
        self._sizes = sizes[: bisect_right(sizes, size)]
        self._place = bisect_right(self._sizes, start)

    def next_size(self) -> int | None:
        """Return after how many entries the next one is due."""
        return self._sizes[self._place] if self._place < len(self._sizes) else None

    def due(self) -> list[int]:
        """Return after how many entries one is due, of all that are to come."""
        return self._sizes[self._place :]

    def are_of_another_version(self) -> bool:
        """Return whether the one that is due, and so most likely each, was saved by another version."""
        size = self.next_size()
        try:
            stored = None if size is None else self._evidence.state(size, HEADER_SIZE_MAX)
            return is_of_another_version(split_saved(stored or b"")[0])
        except (NotAFileError, MalformedError):
            return False

    def pass_over(self, placed: int) -> None:
        """Leave out those up to a size, since nothing can be compared with them."""
        self._place = max(self._place, bisect_right(self._sizes, placed))

    def compare(self, state: State, root: bytes) -> StateHeader | None:
        """Compare the one that is due with the state after so many entries, and the root of their tree.

        Returns:
            its header if it is the same; None if it differs, isn't there or can't be compared.

        Raises:
            SourceUnreadableError: this machine can't read it.
        """
        size = self._sizes[self._place]
        self._place += 1
        data = state.to_bytes()
        expected, length = StateHeader.of(state, root, data), len(data)
        del data  # so that only one of the two is held at a time
        try:
            stored = self._evidence.state(size, HEADER_SIZE_MAX + length)
            if stored is None:
                return None
            text, start = split_saved(stored)
            if is_of_another_version(text):
                return None
            fault = _fault(StateHeader.from_text(text), expected)
            if fault is None and hashlib.sha256(memoryview(stored)[start:]).hexdigest() == expected.state_sha256:
                return expected
            self._differs(size, fault or "it has other bytes than its header says")
        except NotAFileError as error:
            self._differs(size, f"it can't be read: {error.strerror}")
        except MalformedError as error:
            self._differs(size, str(error))
        return None

    def _differs(self, size: int, why: str) -> None:
        place = bisect_left(self._sizes, size)
        start = self._sizes[place - 1] if place else 0
        detail = f"{state_path(size)}, after the segment of entries {start} to {size - 1}: {why}"
        self._findings.add(FindingCode.STATE_DIFFERS, size - 1, detail)


def _fault(header: StateHeader, expected: StateHeader) -> str | None:
    """Return what a header says that it must not."""
    if header.origin != expected.origin:
        return f"it is of another log, {header.origin}"
    if header.size != expected.size:
        return f"it says that it is the state after {header.size} entries"
    if header.root != expected.root:
        return f"it says that their root is {header.root.hex()}, rebuilt {expected.root.hex()}"
    if header.state_sha256 != expected.state_sha256:
        return "the entries come to another state"
    return None
