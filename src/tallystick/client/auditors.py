"""Receipts are handed on to auditors, so that a log that forks is found without its parties' doing.

After a receipt was verified it is posted to `<auditor>/v1/receipts`. That an auditor can't be reached never fails what
the receipt was for, and costs little time: it is asked once, and then not again for `PAUSE_SECONDS`. What it didn't get
is kept in the outbox, if there is one, and is posted when the auditor answers again:

    <outbox>/<SHA-256 of the auditor's URL, 16 hex digits>/<SHA-256 of the receipt>.tlog-proof
"""

import hashlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tallystick.client.connection import Connections
from tallystick.client.endpoint import Patience, Question
from tallystick.durable_files import whole_file
from tallystick.errors import ServerError
from tallystick.static.files import FolderFiles
from tallystick.transparency.receipt import RECEIPT_SIZE_MAX, Receipt

PAUSE_SECONDS: Final = 60.0
AUDITORS_PATIENCE: Final = Patience(connect_seconds=3.0, silence_seconds=5.0, attempt_seconds=5.0, total_seconds=5.0)
AUDITORS_ANSWER_SIZE_MAX: Final = 65_536

_HEADERS: Final = {"Content-Type": "text/x.tlog-proof"}
_PATTERN: Final = "*.tlog-proof"


class Auditors:
    """Auditors to whom receipts are posted.

    Attributes:
        troubles: what was wrong with them last, a line each.
    """

    def __init__(self, urls: Sequence[str], outbox: Path | None, ca_file: Path | None) -> None:
        """Take the URLs apart; nothing is posted yet.

        Raises:
            UsageError: not such URLs.
        """
        self._auditors = [_Auditor(url, outbox, ca_file) for url in urls]

    @property
    def troubles(self) -> tuple[str, ...]:
        """What was wrong with auditors last, a line each."""
        return tuple([one.trouble for one in self._auditors if one.trouble is not None])

    def post(self, receipt: Receipt) -> None:
        """Post a receipt to each auditor, or keep it for later."""
        for auditor in self._auditors:
            auditor.post(receipt.to_bytes())

    def send_outbox(self) -> int:
        """Post what waits, and return how many receipts still wait."""
        return sum(auditor.send_outbox() for auditor in self._auditors)

    def close(self) -> None:
        """Hang up."""
        for auditor in self._auditors:
            auditor.close()


class _Auditor:
    def __init__(self, url: str, outbox: Path | None, ca_file: Path | None) -> None:
        self._connections = Connections([url], AUDITORS_PATIENCE, ca_file)
        self.url = self._connections.urls[0]
        self.trouble: str | None = None
        self._outbox = None if outbox is None else outbox / hashlib.sha256(self.url.encode()).hexdigest()[:16]
        self._not_before = 0.0

    def post(self, data: bytes) -> None:
        """Post a receipt, or keep it for later."""
        if time.monotonic() < self._not_before or not self._is_posted(data):
            self._keep(data)
        else:
            self.send_outbox()

    def send_outbox(self) -> int:
        """Post what waits, as long as it goes well, and return how many still wait."""
        if self._outbox is None or not self._outbox.is_dir():
            return 0
        waiting = sorted(self._outbox.glob(_PATTERN))
        for place, path in enumerate(waiting):
            try:
                data = FolderFiles(path.parent).read(path.name, RECEIPT_SIZE_MAX)
                if data is not None and not self._is_posted(data):
                    return len(waiting) - place
                path.unlink(missing_ok=True)
            except OSError as error:
                self.trouble = f"{path}: {error.strerror}"
                return len(waiting) - place
        return 0

    def close(self) -> None:
        self._connections.close()

    def _is_posted(self, data: bytes) -> bool:
        """Post once; where that fails, leave the auditor alone for a while."""
        question = Question("v1/receipts", AUDITORS_ANSWER_SIZE_MAX, "POST", data, _HEADERS)
        try:
            self._connections.ask_once(question, time.monotonic() + AUDITORS_PATIENCE.total_seconds)
        except ServerError as error:
            self.trouble = str(error)
        else:
            self.trouble = None
            return True
        self._not_before = time.monotonic() + PAUSE_SECONDS
        return False

    def _keep(self, data: bytes) -> None:
        if self._outbox is None:
            return
        try:
            self._outbox.mkdir(parents=True, exist_ok=True)
            with whole_file(self._outbox / f"{hashlib.sha256(data).hexdigest()}.tlog-proof") as file:
                file.write(data)
        except OSError as error:
            self.trouble = f"{self._outbox}: {error.strerror}; a receipt was not kept for {self.url}"
