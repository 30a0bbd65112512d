"""Where the entries of a provider come from: a ledger or an export on this machine, or a log's server.

Each gives at least the entries that say something of the provider's jobs, in the log's order; standing.py reads them.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, Protocol

from tallystick.progress import Progress
from tallystick.usage.standing import KINDS, OWN_KINDS

if TYPE_CHECKING:
    from tallystick.client import Client
    from tallystick.publishing import Reader

_TOLD_EVERY: Final = 256


class ProviderLog(Protocol):
    """A log, as a provider may read it."""

    def entries(self, provider: str, progress: Progress | None = None) -> Iterator[bytes]:
        """Yield the entries that say something of a provider's jobs, in order, and perhaps others.

        Args:
            provider: whose.
            progress: told how far it is.
        """


class LogHere:
    """A log that can be read as a whole: a ledger, a database, an export."""

    def __init__(self, reader: "Reader") -> None:
        """Take what reads it."""
        self._reader = reader

    def entries(self, provider: str, progress: Progress | None = None) -> Iterator[bytes]:
        """Yield every entry: those of others are passed over where they are read.

        Raises:
            NotALedgerError: one can't be read.
        """
        for number, data in enumerate(self._reader.entries()):
            yield data
            if progress is not None and number % _TOLD_EVERY == 0:
                progress(number, self._reader.size)


class LogServed:
    """A log's server, which shows a provider what is its own."""

    def __init__(self, client: "Client") -> None:
        """Take what asks it, logged in where that is needed."""
        self._client = client

    def entries(self, provider: str, progress: Progress | None = None) -> Iterator[bytes]:
        """Yield the entries, each proved to be in the log; that none is left out, the server says alone.

        Raises:
            ServerError: no usable answer.
            VerificationError: what is given as an entry isn't in the log.
            OSError: the newest checkpoint can't be kept.
        """
        wanted: set[int] = {0}
        size = self._client.checkpoint().size  # what was recorded before this is asked is in what is shown
        for kind in KINDS:
            of_party = provider if kind in OWN_KINDS else None
            wanted |= set(self._client.recorded(kind=kind, party=of_party, min_size=size))
        for number, entry in enumerate(self._client.entries_at(sorted(wanted))):
            yield entry.data
            if progress is not None:
                progress(number + 1, len(wanted))
