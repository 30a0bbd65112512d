"""What a reader of a format yields: a run that it understood, or a record that it counts under a reason.

All are named tuples: a million of them are made for a year's file, and a frozen dataclass takes five times as long.
"""

from typing import NamedTuple

from tallystick.metering.reasons import SkipReason


class Device(NamedTuple):
    """How much of one kind of device a run held.

    Attributes:
        source: the kind, as the source calls it; empty if it doesn't say.
        count_milli: devices, in thousandths.
    """

    source: str
    count_milli: int


class Payer(NamedTuple):
    """By what the mapping finds the contract, in the source's words; empty where there is none.

    Attributes:
        account: an account, a namespace, a sub-account, a customer.
        user: who ran it.
        partition: a partition or queue.
    """

    account: str
    user: str = ""
    partition: str = ""


class Run(NamedTuple):
    """One spell in which a job held devices, as its source says.

    Attributes:
        job: its name on the cluster, the same in every export.
        starts_at: when it began to hold them (µs since the epoch, whole seconds).
        ends_at: when it ended (µs, whole seconds); None while it runs.
        seconds: for how long it held them, at most the interval; so far, while it runs.
        devices: what it held, each kind once; never empty.
        payer: by what its contract is found.
        line: where the record stands: a line of a text, or the number of a record, from 1.
        record: the record as it was read, as evidence; whether two records are the same is told by the other fields.
        cluster: whose it is, if the record says.
        state: how it ended, in the source's word.
        seen_until: while it runs: until when the record knows (µs, whole seconds).
        records: how many records of the file it is made of; 0 for a further spell of one record.
        file: which of the files that are read together, from 0.
        is_part: its source has a record for each kind of device: those of one file are put together (`runs.py`).
    """

    job: str
    starts_at: int
    ends_at: int | None
    seconds: int
    devices: tuple[Device, ...]
    payer: Payer
    line: int
    record: bytes
    cluster: str = ""
    state: str = ""
    seen_until: int | None = None
    records: int = 1
    file: int = 0
    is_part: bool = False

    @property
    def gpu_milliseconds(self) -> int:
        """GPU-time in thousandths of a GPU-second."""
        return self.seconds * sum(device.count_milli for device in self.devices)


class Skipped(NamedTuple):
    """A record that isn't burned.

    Attributes:
        job: its name, if it has one.
        line: where it stands.
        gpu_milliseconds: what it would have burned, as far as that is known (thousandths of a GPU-second).
        why: what is wrong, where the reason alone doesn't say.
        account: whose it is, where that is known.
        device: the kind of device, where that is what is wrong.
        records: how many records of the file these are.
        file: which of the files that are read together, from 0.
    """

    reason: SkipReason
    line: int
    job: str = ""
    gpu_milliseconds: int = 0
    why: str = ""
    account: str = ""
    device: str = ""
    records: int = 1
    file: int = 0


class UsageLine(NamedTuple):
    """What one run burns of one item under one contract: a line of a statement to be.

    Attributes:
        contract: the contract's id.
        item: the item's id.
        job: the ledger's name of the job: `<cluster>/<job>`.
        gpu_milli: GPUs held, in thousandths.
        starts_at: µs since the epoch, whole seconds.
        ends_at: µs since the epoch, whole seconds.
        seconds: at most the interval.
        line: where the record stands.
        holder: whose contract it is, if the mapping says.
        so_far: the job runs; this is what it held until the export.
        record: the record as it was read, of which evidence is made.
        records: how many records of the file its run is made of.
        file: which of the files that are read together, from 0.
    """

    contract: str
    item: str
    job: str
    gpu_milli: int
    starts_at: int
    ends_at: int
    seconds: int
    line: int
    holder: str = ""
    so_far: bool = False
    record: bytes = b""
    records: int = 1
    file: int = 0

    @property
    def gpu_milliseconds(self) -> int:
        """GPU-time in thousandths of a GPU-second."""
        return self.gpu_milli * self.seconds
