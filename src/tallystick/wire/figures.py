"""Figures of a thing or the network.

    {"of", "id", "entries", "today", "from", "until", "before": {...}, "days": [{"day", ...}, ...]}
    {"of", "id", "entries", ...}                                  usage by item, ageing, what waits
    {"by", "entries", "rows": [{"id", "name", ...}, ...]}         what was used of each
    {"of", "id", "entries", "next", "lines": [{...}, ...]}        what is newest, page by page

The other members are the fields of the views' answers.
"""

from collections.abc import Iterable
from dataclasses import asdict

from tallystick.wire import DataclassValue, JsonObject


def daily(size: int, series: DataclassValue) -> JsonObject:
    """Return what moved of a thing day by day, after so many entries."""
    said = about(size, series)
    said["from"], said["until"] = said.pop("first"), said.pop("last")
    return said | {"days": daily_rows(series)}


def daily_rows(series: DataclassValue) -> list[JsonObject]:
    """Return the days of it, each as a row."""
    days: list[JsonObject] = asdict(series)["days"]
    return [{"day": day.pop("day")} | day for day in days]


def about(size: int, figures: DataclassValue) -> JsonObject:
    """Return figures of a thing or the network, after so many entries."""
    said = asdict(figures)
    return {"of": said.pop("of"), "id": said.pop("subject"), "entries": size} | said


def used(by: str, size: int, rows: Iterable[DataclassValue]) -> JsonObject:
    """Return what was used of each of a kind, after so many entries."""
    return {"by": by, "entries": size, "rows": [asdict(row) for row in rows]}


def newest(
    of: str, id_: str, size: int, name: str, rows: Iterable[DataclassValue], following: int | None
) -> JsonObject:
    """Return a page of what is newest about a thing, and before which entry the next page goes on."""
    return {"of": of, "id": id_, "entries": size, "next": following, name: [asdict(row) for row in rows]}
