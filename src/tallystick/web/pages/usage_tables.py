"""What was used: by item and by provider, and how much of it on domestic chips."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

from tallystick.web.charts import Bar, Chart, Part
from tallystick.web.pages.cells import columns_of
from tallystick.web.pages.drawn import Drawn
from tallystick.web.pages.envelopes import basis_points
from tallystick.web.pages.page import Column, Table
from tallystick.web.pages.words import Words
from tallystick.wire import DataclassValue


class Domestic(NamedTuple):
    """How much of some GPU-time was on domestic chips."""

    gpu_milliseconds: int
    all_gpu_milliseconds: int

    @property
    def share_bp(self) -> int:
        """Its share in basis points."""
        return basis_points(self.gpu_milliseconds, self.all_gpu_milliseconds)


def domestic_of(origins: Iterable[Any]) -> Domestic | None:
    """Return how much was on domestic chips, of GPU-time by origin (`origin`, `gpu_milliseconds`); None without any."""
    by_origin = {one.origin: one.gpu_milliseconds for one in origins if one.origin is not None}
    everything = sum(by_origin.values())
    return Domestic(by_origin.get("domestic", 0), everything) if everything else None


def domestic_of_rows(usage: Sequence[Any]) -> Domestic | None:
    """Return how much was on domestic chips at several providers; None without any GPU-time."""
    domestic = sum(row.domestic_gpu_milliseconds for row in usage)
    everything = domestic + sum(row.foreign_gpu_milliseconds for row in usage)
    return Domestic(domestic, everything) if everything else None


def items_table(usage: DataclassValue, words: Words) -> Table:
    """Return what was used by item, net of what was taken back."""
    rows = [
        {
            **one,
            "net_gpu_milliseconds": one["gpu_milliseconds"] - one["reversed_gpu_milliseconds"],
            "net_lines": one["lines"] - one["reversed_lines"],
            "net_fen": one["from_voucher_fen"] - one["reversed_fen"],
        }
        for one in asdict(usage)["items"]
    ]
    columns = (
        *columns_of(("item", "name", "origin"), words),
        Column("net_lines", words.gettext("Lines, net"), "count"),
        Column("net_gpu_milliseconds", words.gettext("GPU-time, net"), "gpu_time"),
        Column("net_fen", words.gettext("Paid by vouchers, net"), "yuan"),
    )
    return Table("used_items", words.gettext("By item, what was taken back left out"), columns, rows)


def providers_table(balances: Sequence[Mapping[str, Any]], usage: Sequence[Any], words: Words) -> Table:
    """Return what providers gave: their balances, and what they have and used of each origin."""
    used = {row.id: row for row in usage}
    rows = [{**row, **_used(used.get(row["provider"]))} for row in balances]
    columns = (
        *columns_of(("provider", "name"), words),
        Column("capacity", words.gettext("Declared capacity")),
        Column("net_gpu_milliseconds", words.gettext("GPU-time, net"), "gpu_time"),
        Column("domestic_bp", words.gettext("On domestic chips"), "share"),
        *columns_of(("lines_accepted", "lines_refused", "fee_fen", "from_voucher_fen", "paid_fen"), words),
    )
    return Table("providers", words.gettext("Providers and what they gave"), columns, rows)


def _used(row: Any) -> dict[str, Any]:  # noqa: ANN401 - a row of usage, or None
    if row is None:
        return {}
    of_origin = row.domestic_gpu_milliseconds + row.foreign_gpu_milliseconds
    return {
        "capacity": ", ".join(f"{one.installed:,} × {one.item}" for one in row.installed),
        "net_gpu_milliseconds": row.gpu_milliseconds,
        "domestic_bp": basis_points(row.domestic_gpu_milliseconds, of_origin) if of_origin else None,
    }


def providers_chart(usage: Sequence[Any], words: Words, limit: int) -> Chart:
    """Return the GPU-time of the providers with most of it, by where the chips are from."""
    domestic, foreign = words.gettext("On domestic chips"), words.gettext("On foreign chips")
    rows = [
        Bar(
            row.name or row.id,
            (
                Part(domestic, "available", row.domestic_gpu_milliseconds),
                Part(foreign, "reserved", row.foreign_gpu_milliseconds),
            ),
        )
        for row in usage
    ]
    rows = sorted((row for row in rows if row.value), key=lambda row: -row.value)[:limit]
    title = words.gettext("GPU-time by provider, and where the chips are from")
    return Drawn(words).gpu_bars(title, words.gettext("A bar for each provider; the table has the figures."), rows)
