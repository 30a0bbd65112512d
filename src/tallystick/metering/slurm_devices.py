"""Which GPUs a Slurm record names: `gres/gpu:a100=2,gres/gpu=2` and the same in JSON.

The untyped number is the total of the typed ones, and all are totals over nodes already. What the types don't explain
is of the kind that the mapping gives to the partition or the nodes; else of no kind, and the run isn't burned.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from tallystick.errors import MalformedError
from tallystick.metering.assigning import held
from tallystick.metering.mapping import ANY, Mapping
from tallystick.metering.run import Device

_COUNT_DIGITS: Final = 9
_NOT_DEVICES: Final = frozenset({"gpumem", "gpuutil"})
_DEVICES: Final = ("gpu", "shard")
_NODES_ASKED: Final = 4_096
_REMEMBERED: Final = 65_536
_HOST: Final = re.compile(r"([^\[\],]*)(?:\[([0-9,-]+)\])?([^\[\],]*)", re.ASCII)


class SlurmDevices:
    """Finds the devices of records; what it found for a text is remembered.

    Attributes:
        asks_nodes: whether the mapping says of which kind nodes' devices are.
    """

    def __init__(self, mapping: Mapping) -> None:
        self._mapping = mapping
        self.asks_nodes = bool(mapping.nodes)
        self._mapped = frozenset(rule.source for rule in mapping.gpus)
        self._found: dict[tuple[str, str, str], tuple[Device, ...] | MalformedError] = {}

    def of_text(self, tres: str, partition: str, nodes: str) -> tuple[Device, ...]:
        """Return what `AllocTRES` says.

        Raises:
            MalformedError: a count isn't a number, or the counts contradict one another.
        """
        if "gres/" not in tres:
            return ()
        key = (tres, partition, nodes if self._mapping.nodes else "")
        found = self._found.get(key)
        if found is None:
            try:
                found = self.of_counts(gres_counts(tres), partition, nodes)
            except MalformedError as error:
                found = error
            if len(self._found) >= _REMEMBERED:
                self._found.clear()
            self._found[key] = found
        if isinstance(found, MalformedError):
            raise found
        return found

    def of_counts(self, counts: Iterable[tuple[str, int]], partition: str, nodes: str) -> tuple[Device, ...]:
        """Return which devices counts are, such as `("gpu:a100", 2), ("gpu", 2)`.

        Raises:
            MalformedError: the counts contradict one another.
        """
        totals: dict[str, int] = {}
        typed: dict[str, dict[str, int]] = {}
        for name, count in counts:
            kind, _, of_type = name.partition(":")
            if not self._is_device(kind, name):
                continue
            of_kind = typed.setdefault(kind, {})
            if (kind in totals) if not of_type else (of_type in of_kind):
                raise MalformedError(f"it counts {name} twice")
            if of_type:
                of_kind[of_type] = count
            else:
                totals[kind] = count
        devices = [
            device
            for kind, of_kind in typed.items()
            for device in self._of_kind(kind, of_kind, totals.get(kind), partition, nodes)
        ]
        return held(devices)

    def _is_device(self, kind: str, name: str) -> bool:
        return kind in _DEVICES or (kind not in _NOT_DEVICES and (kind in self._mapped or name in self._mapped))

    def _of_kind(
        self, kind: str, typed: dict[str, int], total: int | None, partition: str, nodes: str
    ) -> Iterator[Device]:
        explained = sum(typed.values())
        for of_type, count in typed.items():
            yield Device(self._source(kind, of_type), count * 1000)
        if total is None:
            return
        if total < explained:
            raise MalformedError(f"it has {explained} {kind} by type, and {total} in all")
        yield Device(self._untyped(kind, partition, nodes), (total - explained) * 1000)

    def _source(self, kind: str, of_type: str) -> str:
        """Return the mapping's word for a type: `a100` of gpu:a100, or the whole name where the mapping has that."""
        whole = f"{kind}:{of_type}"
        if whole in self._mapped:
            return whole
        if kind != "gpu":
            return kind if kind in self._mapped else whole
        return of_type

    def _untyped(self, kind: str, partition: str, nodes: str) -> str:
        if kind != "gpu":
            return kind
        partitions = self._mapping.partitions
        source = partitions.get(partition) or self._of_nodes(nodes) or partitions.get(ANY)
        return source or (kind if kind in self._mapped else "")

    def _of_nodes(self, nodes: str) -> str:
        if not self._mapping.nodes or not nodes:
            return ""
        kinds = {self._mapping.nodes.get(node, "") for node in hosts(nodes)}
        return kinds.pop() if len(kinds) == 1 else ""


def gres_counts(tres: str) -> Iterator[tuple[str, int]]:
    """Yield the generic resources of a text like `cpu=8,gres/gpu:a100=2,gres/gpu=2`, without their `gres/`.

    Raises:
        MalformedError: a count isn't a number.
    """
    for item in tres.split(","):
        name, _, count = item.partition("=")
        if not name.startswith("gres/") or name.partition(":")[0][5:] in _NOT_DEVICES:
            continue
        if not (count.isdecimal() and count.isascii() and len(count) <= _COUNT_DIGITS):
            raise MalformedError(f"{name} is {count[:40]!a}, which is no number of devices")
        yield name[5:], int(count)


def hosts(text: str) -> Iterator[str]:
    """Yield the names of `gpu[01-03,07],cpu1`, at most some thousand; what is written otherwise is yielded as it is."""
    left = _NODES_ASKED
    for part in re.split(r",(?![^\[]*\])", text):
        matched = _HOST.fullmatch(part)
        if matched is None or matched[2] is None:
            yield part
            continue
        for piece in matched[2].split(","):
            first, _, last = piece.partition("-")
            if not first or "-" in last or len(first) > _COUNT_DIGITS or len(last) > _COUNT_DIGITS:
                yield part
                continue
            for number in range(int(first), int(last or first) + 1):
                yield f"{matched[1]}{number:0{len(first)}d}{matched[3]}"
                left -= 1
                if left < 0:
                    return
