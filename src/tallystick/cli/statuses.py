"""What the process ends with; `main` and the commands say it by the same names."""

from typing import Final

AS_ASKED: Final = 0
REFUSED: Final = 1
"""Refused, findings, or a proof that doesn't hold."""
FAILED: Final = 2
"""Usage, unreadable input, or a store that failed: nothing is said of the log."""
INTERRUPTED: Final = 130
PIPE_CLOSED: Final = 141
