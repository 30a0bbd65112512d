"""One of several logs is audited by itself: an order, and what comes of it; both can go to another process and back."""

from typing import NamedTuple

from tallystick.audit.auditing import audit
from tallystick.audit.report import Report
from tallystick.audit.uses import LogUses, Uses
from tallystick.progress import Progress
from tallystick.sources import Source
from tallystick.transparency.policy import Policy


class LogOrder(NamedTuple):
    """Which log is to be audited: its place among them, where it is, and what its audit believes."""

    place: int
    source: Source
    policy: Policy


class LogOutcome(NamedTuple):
    """What the audit of one log came to.

    Attributes:
        report: as of `tallystick audit` of this log alone.
        member_of: the origin of the log that it says that it is a member of.
        vkeys: of the keys that signed its checkpoints, as its entries say; none, if they say nothing of it.
    """

    report: Report
    member_of: str | None
    vkeys: frozenset[str]


def audit_one(order: LogOrder, uses: Uses, processes: int | None, progress: Progress | None = None) -> LogOutcome:
    """Audit a log, and write down what it used.

    Args:
        order: which log.
        uses: where that is written down.
        processes: how many verify signatures beside this one, as of an audit.
        progress: told now and then how far it is.

    Raises:
        UsageError, NotALedgerError, EditionUnknownError, SourceUnreadableError, LedgerError, ModuleNotFoundError: as of
            an audit.
    """
    observer = LogUses(uses, order.place)
    report = audit(order.source, order.policy, processes=processes, progress=progress, observer=observer)
    return LogOutcome(report.model_copy(update={"patterns": None}), observer.member_of, observer.vkeys)
