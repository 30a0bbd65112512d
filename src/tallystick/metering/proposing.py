"""A mapping proposed from what files hold: their accounts, kinds of devices and places without a kind.

What only a person can say stands as `FILL-IN`, and a mapping that still has that isn't read: which contract, which
item. Beside each account and kind stands its GPU-time, largest first.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from tallystick.metering.mapping import ANY, PLACEHOLDER, SAID_LENGTH_MAX, Mapping
from tallystick.metering.reasons import SkipReason
from tallystick.metering.remarks import Remarks
from tallystick.metering.run import Run, Skipped
from tallystick.metering.runs import Spool, one_each

FACTS_MAX: Final = 100_000
"""Different accounts, kinds and the like that are told apart; more are one line of the proposal."""
_NAMED: Final = 6
_GPU_MS_OF_HOUR: Final = 3_600_000
_MORE: Final = "\0"


@dataclass(slots=True)
class _Facts:
    """What was seen: GPU-time by account, kind and place; users and partitions by account."""

    accounts: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    partitions: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    of_account: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def see(self, record: Run | Skipped) -> None:
        """Take what a record shows."""
        if isinstance(record, Skipped):
            if record.reason is SkipReason.ITEM_UNMAPPED:
                _add(self.accounts, record.account, record.gpu_milliseconds)
                _add(self.kinds, record.device, record.gpu_milliseconds)
            return
        _add(self.accounts, record.payer.account, record.gpu_milliseconds)
        _add(self.states, record.state, 1)
        for device in record.devices:
            of_device = record.seconds * device.count_milli
            if device.source:
                _add(self.kinds, device.source, of_device)
            else:
                _add(self.partitions, record.payer.partition or ANY, of_device)
        beside = self.of_account[record.payer.account if record.payer.account in self.accounts else _MORE]
        for what, said in (("user", record.payer.user), ("partition", record.payer.partition)):
            if said and len(beside) <= _NAMED:
                beside.add(f"{what} {said}")


def propose(records: Iterable[Run | Skipped], given: Mapping, remarks: Remarks, spool: Spool | None = None) -> str:
    """Return a mapping in TOML for records, with placeholders.

    Args:
        records: as a reader yields them.
        given: the mapping that they were read with; what it has isn't proposed again.
        remarks: of the reader, filled while records are read.
        spool: where runs lie that don't fit into memory.
    """
    facts = _Facts()
    for record in one_each(records, spool):
        facts.see(record)
    return "\n".join(_lines(facts, given, remarks)) + "\n"


def _add(counts: Counter[str], name: str, amount: int) -> None:
    counts[name if name in counts or len(counts) < FACTS_MAX else _MORE] += amount


def _lines(facts: _Facts, given: Mapping, remarks: Remarks) -> Iterator[str]:
    yield f"# Proposed from what the files hold. Replace each {PLACEHOLDER}; until then this isn't read."
    yield f'cluster = "{given.cluster or PLACEHOLDER}"'
    yield f'time_zone = "{given.time_zone or PLACEHOLDER}"  # of wall times; UTC where all times have an offset'
    if given.step_seconds:
        yield f"step_seconds = {given.step_seconds}"
    nodes: dict[str, int] = remarks.get("nodes_without_kind", {})
    # readers that don't remark on it name the partition in each run
    partitions: dict[str, int] = remarks.get("partitions_without_kind", {}) or ({} if nodes else facts.partitions)
    yield from _accounts(facts, given)
    yield from _kinds(facts, given, has_places=bool(nodes or partitions))
    yield from _places("node", nodes)
    yield from _places("partition", partitions)
    states = ", ".join(f"{state} {count:,}" for state, count in facts.states.most_common(12) if _fits(state))
    if states:
        yield from (
            "",
            f"# States that runs ended in: {_comment(states)}",
            '# [free]\n# states = ["…"]  # those that nobody pays for',
        )


def _accounts(facts: _Facts, given: Mapping) -> Iterator[str]:
    mapped = {rule.name for rule in given.accounts}
    for name, amount in facts.accounts.most_common():
        if name in mapped:
            continue
        beside = sorted(facts.of_account[name])
        said = f" ({', '.join(beside[:_NAMED])}{', …' if len(beside) > _NAMED else ''})" if beside else ""
        yield ""
        if not _fits(name):
            what = 'have no account, or one that no name can be: only name = "*" fits them'
            yield f"# {_hours(amount)} GPU-hours{_comment(said)} {what}"
            continue
        yield f"# {_hours(amount)} GPU-hours{_comment(said)}"
        yield f"[[account]]\nname = {_quoted(name)}\ncontract = {_quoted(PLACEHOLDER)}"


def _kinds(facts: _Facts, given: Mapping, *, has_places: bool) -> Iterator[str]:
    mapped = {rule.source for rule in given.gpus}
    kinds = [(kind, amount) for kind, amount in facts.kinds.most_common() if kind not in mapped and _fits(kind)]
    for kind, amount in kinds:
        yield ""
        what = (
            f"{_hours(amount)} hours of devices" if amount else 'if it has no GPUs, put it into no_gpu = ["…"] instead'
        )
        yield f"# {what}"
        yield f"[[gpu]]\nsource = {_quoted(kind)}\nitem = {_quoted(PLACEHOLDER)}\ngpu_milli = 1000"
    if has_places and not mapped and not kinds:
        yield f"\n[[gpu]]\nsource = {_quoted(PLACEHOLDER)}\nitem = {_quoted(PLACEHOLDER)}\ngpu_milli = 1000"


def _places(table: str, places: dict[str, int]) -> Iterator[str]:
    if places:
        yield f"\n# Nothing says which kind of GPU these have: say a source of a [[gpu]].\n[{table}]"
    for place, amount in sorted(places.items(), key=lambda one: (-one[1], one[0])):
        if _fits(place):
            yield f"{_quoted(place)} = {_quoted(PLACEHOLDER)}  # {_hours(amount)} hours of devices"


def _fits(text: str) -> bool:
    """Whether a text can stand in a mapping."""
    return (
        0 < len(text) <= SAID_LENGTH_MAX and "\0" not in text and not any("\ud800" <= one <= "\udfff" for one in text)
    )


def _quoted(text: str) -> str:
    """Return a text as TOML's basic string."""
    return "".join(one if one.isprintable() else f"\\U{ord(one):08X}" for one in json.dumps(text, ensure_ascii=False))


def _comment(text: str) -> str:
    """Return a text as it can stand in a comment of TOML."""
    return "".join(one if one.isprintable() else "�" for one in text)


def _hours(gpu_milliseconds: int) -> str:
    return f"{gpu_milliseconds / _GPU_MS_OF_HOUR:,.1f}"
