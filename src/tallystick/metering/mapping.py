"""The mapping: from a source's accounts to contracts, and from its devices to items. TOML, kept by the provider.

    cluster = "guian"
    time_zone = "Asia/Shanghai"        # of wall times; not needed where the source writes offsets or epochs
    end = "exclusive"                  # or "last_second": an end of 23:59:59 is midnight

    [[account]]                        # the first one that fits counts
    name = "acme_lab"                  # account, namespace, sub-account or customer; * is any
    user = "*"                         # may be left out, as partition may
    contract = "acme-ai/c-1"
    holder = "acme-ai"                 # may be left out
    from = "2026-01-01"                # local days; may be left out, as until may (its day is the first that isn't)

    [[gpu]]
    source = "a100"                    # as the source calls it: a gres type, a resource, a model, a SKU
    item = "a100-80g"
    gpu_milli = 1000                   # of one device; 500 where the source counts halves

    [partition]                        # for sources that don't say which kind; * is any other
    gpu-a = "a100"

    [node]
    n1 = "h100"

    no_gpu = ["vm-16c"]                # kinds that are no GPUs; at the top of the file

    [sheet.columns]                    # of an operator's sheet: what we read, and how the sheet calls it
    account = "客户名称"

    [free]
    states = ["BOOT_FAIL"]
    outages = [{from = "2026-03-01T10:00:00Z", until = "2026-03-01T12:00:00Z"}]

Nothing in it is a pattern but `*`, which alone is any word.
"""

import tomllib
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from tallystick.errors import UsageError
from tallystick.field_faults import first_fault
from tallystick.metering.run import Payer
from tallystick.vouchers.fields import IN_WORDS
from tallystick.vouchers.quantities import GpuMilli, ItemId, OwnedId, PartyId

MAPPING_BYTES_MAX: Final = 4 * 1024 * 1024
ANY: Final = "*"
PLACEHOLDER: Final = "FILL-IN"
"""What stands in a proposed mapping where a person has to decide; no id is spelled so."""

SAID_LENGTH_MAX: Final = 256
Said = Annotated[str, StringConstraints(min_length=1, max_length=SAID_LENGTH_MAX)]
"""A word of the source's own."""


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("must be a time zone like Asia/Shanghai or UTC") from None
    return name


def _with_offset(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("must have an offset such as Z")
    return at


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)


class _Dated(_Part):
    """What holds from a local day on, and until another.

    Attributes:
        from_day: the first day; None: always.
        until_day: the first day on which it holds no more; None: never.
    """

    from_day: Annotated[date | None, Field(alias="from", strict=False)] = None
    until_day: Annotated[date | None, Field(alias="until", strict=False)] = None

    def holds_on(self, day: date) -> bool:
        """Whether it holds on a local day."""
        return (self.from_day is None or self.from_day <= day) and (self.until_day is None or day < self.until_day)


class AccountRule(_Dated):
    """Whose usage goes under which contract."""

    name: Said
    user: Said = ANY
    partition: Said = ANY
    contract: OwnedId
    holder: PartyId | None = None

    def fits(self, payer: Payer) -> bool:
        """Whether it speaks of this payer."""
        pairs = zip((self.name, self.user, self.partition), payer, strict=True)
        return all(rule in (ANY, said) for rule, said in pairs)


class GpuRule(_Dated):
    """Which item a kind of device is.

    Attributes:
        source: the source's word.
        gpu_milli: thousandths of a GPU that one device is.
        unit: of a bill's quantity: hours of the device, or GPU-hours.
        share: another quantity of the record that says which percentage of each device is held.
        share_if_absent: the percentage where it says none.
    """

    source: Said
    item: ItemId
    gpu_milli: GpuMilli = 1000
    unit: Literal["hours", "gpu-hours"] = "hours"
    share: Said | None = None
    share_if_absent: Annotated[int, Field(ge=1, le=100)] = 100


class Outage(_Part):
    """A time that no one pays for."""

    from_time: Annotated[datetime, Field(alias="from", strict=False)]
    until_time: Annotated[datetime, Field(alias="until", strict=False)]

    @model_validator(mode="after")
    def _check(self) -> "Outage":
        if self.from_time.tzinfo is None or self.until_time.tzinfo is None or self.from_time >= self.until_time:
            raise ValueError("from must be before until, both with an offset such as Z")
        return self


class Free(_Part):
    """What isn't paid for.

    Attributes:
        states: how runs end that are free, in the source's words.
        outages: a run that begins and ends in one is free; any other is burned whole.
    """

    states: Annotated[tuple[Said, ...], Field(strict=False)] = ()
    outages: Annotated[tuple[Outage, ...], Field(strict=False)] = ()


SheetColumn = Literal[
    "account", "user", "partition", "cluster", "job", "gpu", "gpus", "workers", "from", "to", "seconds", "hours",
    "gpu_hours", "state",
]  # fmt: skip


class SheetRules(_Part):
    """How an operator's sheet is read.

    Attributes:
        encoding: of a CSV; None: by byte order mark, else UTF-8, else GB18030.
        sheet: of a workbook; None: the only one that isn't hidden.
        columns: the sheet's headings, by what they are; those that aren't named are found by usual headings.
        whole_days: an end without a time of day is the end of that day.
    """

    encoding: Literal["utf-8", "gb18030"] | None = None
    sheet: Said | None = None
    columns: dict[SheetColumn, Said] = {}
    whole_days: bool = False


class Mapping(_Part):
    """A mapping file, read and checked; `accounts` and `gpus` are tried in order, and the first that fits counts.

    Attributes:
        cluster: the name before each job's; None: the records say it.
        time_zone: of wall times without an offset; None: there are none.
        end: whether an end is the first second that wasn't held, or the last that was.
        step_seconds: the step of a range of samples (Prometheus).
        trace_start: when second 0 was, of sources that count seconds from a start of their own.
        partitions: the kind of device in a partition, for records that don't say.
        nodes: the kind of device in a node.
        no_gpus: kinds that a source counts and that are no GPUs: SKUs, resources; `*`: all that `gpus` doesn't have.
    """

    cluster: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,39}$")] | None = None
    time_zone: Annotated[str, AfterValidator(_zone)] | None = None
    end: Literal["exclusive", "last_second"] = "exclusive"
    step_seconds: Annotated[int, Field(ge=1, le=86_400)] | None = None
    trace_start: Annotated[datetime, Field(strict=False), AfterValidator(_with_offset)] | None = None
    accounts: Annotated[tuple[AccountRule, ...], Field(alias="account", strict=False)] = ()
    gpus: Annotated[tuple[GpuRule, ...], Field(alias="gpu", strict=False)] = ()
    partitions: Annotated[dict[Said, Said], Field(alias="partition")] = {}
    nodes: Annotated[dict[Said, Said], Field(alias="node")] = {}
    no_gpus: Annotated[tuple[Said, ...], Field(alias="no_gpu", strict=False)] = ()
    free: Free = Free()
    sheet: SheetRules = SheetRules()

    @property
    def zone(self) -> ZoneInfo | None:
        """The zone of wall times."""
        return None if self.time_zone is None else ZoneInfo(self.time_zone)

    def account_of(self, payer: Payer, day: date) -> AccountRule | None:
        """Return the first account that fits a payer on a local day."""
        return next((one for one in self.accounts if one.fits(payer) and one.holds_on(day)), None)

    def gpu_of(self, source: str, day: date) -> GpuRule | None:
        """Return the first kind of device of that name on a local day."""
        return next((one for one in self.gpus if one.source == source and one.holds_on(day)), None)

    def has_kind(self, source: str) -> bool:
        """Whether it has a kind of device, on any day."""
        return any(one.source == source for one in self.gpus)

    def is_no_gpu(self, source: str) -> bool:
        """Whether a kind that `gpus` doesn't have is said to be no GPU."""
        return source in self.no_gpus or ANY in self.no_gpus

    def kind_of(self, partition: str = "", node: str = "") -> str:
        """Return the kind of device in a node, else in a partition, else in any; empty if it isn't said."""
        return self.nodes.get(node) or self.partitions.get(partition) or self.partitions.get(ANY, "")

    def day_of(self, at: int) -> date:
        """Return the local day of an instant (µs since the epoch); of UTC where the mapping has no zone."""
        instant = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)
        return instant.astimezone(self.zone or UTC).date()


def read_mapping(data: bytes, name: str) -> Mapping:
    """Return the mapping that a file holds.

    Args:
        data: the file's bytes.
        name: the file's, for messages.

    Raises:
        UsageError: it isn't TOML, or not a mapping; the place is named.
    """
    if len(data) > MAPPING_BYTES_MAX:
        raise UsageError(f"{name}: a mapping has at most {MAPPING_BYTES_MAX:,} bytes")
    try:
        values: dict[str, Any] = tomllib.loads(data.decode("utf-8"))
        _refuse_placeholders(values, name)
        return Mapping.model_validate(values)
    except UnicodeDecodeError as error:
        raise UsageError(f"{name}: byte {error.start} isn't UTF-8; save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{name}: not TOML: {error}") from None
    except ValidationError as error:
        raise UsageError(f"{name}: {first_fault(error, IN_WORDS)}") from None


def _refuse_placeholders(values: dict[str, Any], name: str) -> None:
    """Refuse a proposal that isn't filled in.

    Raises:
        UsageError: it has a placeholder; which is said.
    """
    for what, key in _placeholders(values):
        raise UsageError(f"{name}: {what} still has {PLACEHOLDER} as its {key}: replace it")


def _placeholders(values: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield of what, and where, a placeholder stands."""
    for key, value in values.items():
        if value == PLACEHOLDER:
            yield "the mapping", key
        elif isinstance(value, list):
            for row in value:
                for part, said in row.items() if isinstance(row, dict) else ():
                    if said == PLACEHOLDER:
                        yield f"{key} {str(row.get('name') or row.get('source') or '')[:80]!r}", part
        elif isinstance(value, dict):
            for part, said in value.items():
                if said == PLACEHOLDER:
                    yield f"{key} {part[:80]!r}", "kind of GPU"
