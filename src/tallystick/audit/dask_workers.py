"""Segments are audited by the workers of a Dask scheduler, on as many machines as it has.

    before     scheduler and workers must be of this version of the program, and every worker must find the export
    submit     a segment's order: the address of the export and numbers. A worker looks again at version and export
    lost       what a worker had is given to another by Dask; over a segment that four were lost with, to none
    nobody     without any worker for `WORKERLESS_SECONDS_MAX`, or without the scheduler, the audit ends with an error

What a worker answers is taken: its machine is the auditor's own (docs/audit-on-many-machines.md).
"""

import logging
import re
import time
import warnings
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from typing import Any, Final, NamedTuple, Self, cast

from distributed import CancelledError, Client, Future, KilledWorker, Security, get_worker
from distributed.versions import VersionMismatchWarning

from tallystick.audit.evidence_source import open_evidence
from tallystick.audit.segments import SegmentOrder, SegmentResult, audit_segment
from tallystick.errors import SourceUnreadableError, TallystickError, UsageError
from tallystick.findings import Findings
from tallystick.sources import StaticFolder, StaticUrl
from tallystick.vouchers.saved_state import SCHEMA_SHA256

CONNECT_SECONDS_MAX: Final = 10
WORKERLESS_SECONDS_MAX: Final = 60
_LOOK_SECONDS: Final = 2
_ADDRESS: Final = re.compile(r"(tcp|tls)://[^\s/@]+:\d{1,5}")
_MUST_AGREE: Final = ("python", "distributed", "tallystick")


class Unfit(NamedTuple):
    """Why a worker, at an address, can't audit a segment; for a person."""

    worker: str
    why: str

    def error(self) -> SourceUnreadableError:
        """Return the error that ends the audit."""
        return SourceUnreadableError(f"worker {self.worker} {self.why}")


class DaskWorkers:
    """The workers of a scheduler, which were there before and stay when this is closed."""

    def __init__(self, address: str) -> None:
        """Take the scheduler's address.

        Raises:
            UsageError: it is none.
        """
        if _ADDRESS.fullmatch(address) is None:
            raise UsageError(f"{address!a:.80} is no address of a Dask scheduler, such as tcp://10.0.0.1:8786")
        self._address = address
        self._client: Client | None = None
        self._submitted = 0

    def submit(self, order: SegmentOrder) -> "DaskPending":
        """Have a worker audit a segment, those before it first.

        Raises:
            UsageError: the scheduler's address needs certificates.
            SourceUnreadableError: no scheduler there, no worker, or one of another version or without the export.
        """
        source = order.source
        if isinstance(source, StaticFolder):
            order = replace(order, source=StaticFolder(source.folder.absolute()))
        if self._client is None:
            self._client = _connected(self._address)
            self._check(self._client, order.source)
        self._submitted += 1
        given = self._client.submit(audit_here, order, SCHEMA_SHA256, pure=False, priority=-self._submitted)
        return DaskPending(order, given, self)

    def has_workers(self) -> bool:
        """Return whether there is a worker at the moment.

        Raises:
            OSError: the scheduler is gone.
        """
        return self._client is not None and bool(self._client.scheduler_info()["workers"])

    def gone(self, what: str) -> SourceUnreadableError:
        """Return the error that ends the audit."""
        return SourceUnreadableError(f"{what} at {self._address}: nothing is said about the log")

    def close(self) -> None:
        """Take back what is still to be done, and leave the scheduler."""
        if self._client is not None:
            self._client.close(timeout=_LOOK_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _check(self, client: Client, source: StaticFolder | StaticUrl) -> None:
        versions = client.get_versions(packages=["tallystick"])
        if not versions["workers"]:
            raise self.gone("the scheduler has no workers")
        why = other_version(versions)
        if why is not None:
            raise SourceUnreadableError(why)
        for worker, found in client.run(unfit_here, source, SCHEMA_SHA256).items():
            if found is not None:
                raise Unfit(worker, found).error()


class DaskPending:
    """A segment at a worker, or waiting for one."""

    def __init__(self, order: SegmentOrder, given: Future, workers: DaskWorkers) -> None:
        """Take the order, Dask's future of it, and where it was submitted."""
        self._order = order
        self._given = given
        self._workers = workers

    def result(self) -> SegmentResult:
        """Wait for it.

        Raises:
            SourceUnreadableError: the worker can't audit it, or there is nobody who could.
        """
        try:
            found = self._wait()
        except KilledWorker:
            return SegmentResult(self._order.start, trouble="four workers were lost with it, one after another")
        except CancelledError:
            raise self._workers.gone("the scheduler is gone") from None
        if isinstance(found, Unfit):
            raise found.error()
        return found

    def cancel(self) -> None:
        """Have nobody begin it any more."""
        self._given.release()

    def _wait(self) -> SegmentResult | Unfit:
        without_since: float | None = None
        while True:
            try:
                return cast(SegmentResult | Unfit, self._given.result(timeout=_LOOK_SECONDS))
            except TimeoutError:
                now = time.monotonic()
                try:
                    is_anybody_there = self._workers.has_workers()
                except OSError:
                    raise self._workers.gone("the scheduler is gone") from None
            without_since = None if is_anybody_there else without_since or now
            if without_since is not None and now - without_since > WORKERLESS_SECONDS_MAX:
                raise self._workers.gone("there is no worker any more")


def audit_here(order: SegmentOrder, schema: str) -> SegmentResult | Unfit:
    """Audit a segment in this worker."""
    why = unfit_here(order.source, schema)
    return audit_segment(order) if why is None else Unfit(get_worker().address, why)


def unfit_here(source: StaticFolder | StaticUrl, schema: str) -> str | None:
    """Return why this process can't audit segments of an export; None if it can."""
    if schema != SCHEMA_SHA256:
        return "has another program of the same version, with other states: install the same everywhere"
    try:
        with closing(open_evidence(source, Findings(), 0)) as evidence:
            why = None if evidence.state_sizes() else "no saved states are there"
    except (OSError, TallystickError) as error:
        why = str(error)
    return None if why is None else f"can't read {source}: {why}; give every worker the same folder, or a URL"


def other_version(versions: Mapping[str, Any]) -> str | None:
    """Return which of scheduler and workers is of another version than this; None if they agree.

    Args:
        versions: what Dask found of each (`Client.get_versions`).
    """
    own = versions["client"]["packages"]
    others = {
        "the scheduler": versions["scheduler"],
        **{f"worker {name}": found for name, found in versions["workers"].items()},
    }
    for who, found in others.items():
        for package in _MUST_AGREE:
            theirs, ours = _said(found["packages"], package), _said(own, package)
            if theirs != ours:
                return (
                    f"{who} has {package} {theirs or 'not installed'}, and here is {ours}: install the same everywhere"
                )
    return None


def _said(packages: Mapping[str, str | None], package: str) -> str | None:
    version = packages.get(package)
    return ".".join(version.split(".")[:2]) if version is not None and package == "python" else version


def _connected(address: str) -> Client:
    """Return a client of the scheduler.

    Raises:
        UsageError: the address needs certificates.
        SourceUnreadableError: no scheduler answers.
    """
    for name in ("distributed", "distributed.client", "tornado"):  # what it has to say is said in one line
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        security = Security()
        if address.startswith("tls:") and security.get_connection_args("client").get("ssl_context") is None:
            raise UsageError(f"{address} needs certificates, which Dask's own settings name")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", VersionMismatchWarning)  # looked at, and said, by `_check`
            return Client(address, timeout=CONNECT_SECONDS_MAX, security=security, set_as_default=False)
    except (OSError, ValueError) as error:
        raise SourceUnreadableError(f"no Dask scheduler answers at {address}: {error}") from None
