"""What was used of which item, by whom of the network, and how much of it on domestic chips.

It is read from the one row of all days of each (days.py). The shares are net of what was taken back.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from tallystick.views.balances import PARTIES
from tallystick.views.catalogue import ITEMS, Installed, capacity_balances
from tallystick.views.days import BACK, NETWORK, moved_in_all
from tallystick.views.library import SQLiteCursor
from tallystick.views.programme_balances import PROGRAMMES

UsedBy = Literal["treasury", "programme", "provider"]
UsageKind = Literal["network", "treasury", "programme", "provider"]
"""Of what there is usage by item."""


@dataclass(frozen=True, slots=True)
class ItemUsage:
    """What was used of an item, and what was taken back of that.

    Attributes:
        origin: of the chips, `domestic` or `foreign`; None of what isn't GPU-time.
        lines, gpu_milliseconds: of accepted lines; of a programme and a treasury, of those that it paid something of.
        from_voucher_fen: what vouchers paid of them.
    """

    item: str
    name: str
    unit: str
    counted: str | None
    origin: str | None
    lines: int
    gpu_milliseconds: int
    from_voucher_fen: int
    reversed_lines: int
    reversed_gpu_milliseconds: int
    reversed_fen: int


@dataclass(frozen=True, slots=True)
class OriginUsage:
    """What was used of items of one origin, and not taken back."""

    origin: str | None
    gpu_milliseconds: int
    from_voucher_fen: int


@dataclass(frozen=True, slots=True)
class UsageByItem:
    """What was used of a thing or the network, by item and by where the chips come from."""

    of: UsageKind
    subject: str | None
    items: tuple[ItemUsage, ...]
    origins: tuple[OriginUsage, ...]


@dataclass(frozen=True, slots=True)
class UsageRow:
    """What was used at a provider, or paid by a programme or treasury, and not taken back; and how much of each origin.

    Attributes:
        installed: what a provider says that it has of each item today.
    """

    id: str
    name: str
    gpu_milliseconds: int
    from_voucher_fen: int
    domestic_gpu_milliseconds: int
    domestic_fen: int
    foreign_gpu_milliseconds: int
    foreign_fen: int
    installed: tuple[Installed, ...]


_ORIGINS: Final = ("domestic", "foreign", None)


def usage_by_item(c: SQLiteCursor, of: UsageKind, subject: str | None) -> UsageByItem:
    """Return what was used of the network, or a thing that is there, by item."""
    used = _used(c, _subjects(c, of, subject or ""))
    items = tuple(
        ItemUsage(
            item=item.item,
            name=item.name,
            unit=item.unit,
            counted=item.counted,
            origin=item.origin,
            lines=used[item.item, "lines"],
            gpu_milliseconds=used[item.item, "gpu"],
            from_voucher_fen=used[item.item, "fen"],
            reversed_lines=used[item.item, f"lines {BACK}"],
            reversed_gpu_milliseconds=used[item.item, f"gpu {BACK}"],
            reversed_fen=used[item.item, f"fen {BACK}"],
        )
        for item in ITEMS.rows(c)
        if used[item.item, "lines"]
    )
    return UsageByItem(of, subject, items, _by_origin(items))


def usage_rows(c: SQLiteCursor, by: UsedBy) -> tuple[UsageRow, ...]:
    """Return what was used of each treasury, programme or provider, in the order of their ids."""
    origins = {item.item: item.origin for item in ITEMS.rows(c)}
    if by == "programme":
        named = [(row.programme, row.name) for row in PROGRAMMES.rows(c)]
    else:
        named = [(row.party, row.name) for row in PARTIES.rows(c, role=by)]
    installed: dict[str, tuple[Installed, ...]] = {}
    if by == "provider":
        installed = {row.provider: row.capacity for row in capacity_balances(c) if row.status == "in_force"}
    programmes: dict[str, list[str]] = {}
    if by == "treasury":
        for row in PROGRAMMES.rows(c):
            programmes.setdefault(row.treasury, []).append(f"programme {row.programme}")
    return tuple(
        _row(id_, name, _used(c, programmes.get(id_, []) if by == "treasury" else [f"{by} {id_}"]), origins, installed)
        for id_, name in named
    )


def _row(
    id_: str,
    called: str,
    used: Mapping[tuple[str, str], int],
    origins: Mapping[str, str | None],
    installed: Mapping[str, tuple[Installed, ...]],
) -> UsageRow:
    sums: Counter[tuple[str | None, str]] = Counter()
    for (item, what), amount in used.items():
        name, _, back = what.partition(" ")
        sums[origins.get(item), name] += -amount if back else amount
    return UsageRow(
        id=id_,
        name=called,
        gpu_milliseconds=sum(sums[origin, "gpu"] for origin in _ORIGINS),
        from_voucher_fen=sum(sums[origin, "fen"] for origin in _ORIGINS),
        domestic_gpu_milliseconds=sums["domestic", "gpu"],
        domestic_fen=sums["domestic", "fen"],
        foreign_gpu_milliseconds=sums["foreign", "gpu"],
        foreign_fen=sums["foreign", "fen"],
        installed=installed.get(id_, ()),
    )


def _by_origin(items: Iterable[ItemUsage]) -> tuple[OriginUsage, ...]:
    gpu_milliseconds: Counter[str | None] = Counter()
    amounts_fen: Counter[str | None] = Counter()
    for one in items:
        gpu_milliseconds[one.origin] += one.gpu_milliseconds - one.reversed_gpu_milliseconds
        amounts_fen[one.origin] += one.from_voucher_fen - one.reversed_fen
    return tuple(OriginUsage(one, gpu_milliseconds[one], amounts_fen[one]) for one in _ORIGINS if one in amounts_fen)


def _subjects(c: SQLiteCursor, of: UsageKind, subject: str) -> list[str]:
    if of == "treasury":
        return [f"programme {row.programme}" for row in PROGRAMMES.rows(c) if row.treasury == subject]
    return [NETWORK if of == "network" else f"{of} {subject}"]


def _used(c: SQLiteCursor, subjects: Iterable[str]) -> Counter[tuple[str, str]]:
    """Return what was used, by item and what is counted: `lines`, `gpu`, `fen`, and these taken back."""
    used: Counter[tuple[str, str]] = Counter()
    for subject in subjects:
        for name, amount in moved_in_all(c, subject).items():
            what, item, *back = name.split(" ")
            if what in ("lines", "gpu", "fen"):
                used[item, " ".join((what, *back))] += amount
    return used
