"""Figures of a thing or the network.

    {"of", "id", "entries", "today", "from", "until", "before": {...}, "days": [{"day", ...}, ...]}

The members of `before` and of a day are the fields of `views.daily.Moved`.
"""

from dataclasses import asdict

from tallystick.wire import DataclassValue, JsonObject


def daily(size: int, series: DataclassValue) -> JsonObject:
    """Return what moved of a thing day by day, after so many entries."""
    said = asdict(series)
    of, id_, first, last = (said.pop(name) for name in ("of", "subject", "first", "last"))
    days = daily_rows(series)
    return {"of": of, "id": id_, "entries": size, "from": first, "until": last} | said | {"days": days}


def daily_rows(series: DataclassValue) -> list[JsonObject]:
    """Return the days of it, each as a row."""
    days: list[JsonObject] = asdict(series)["days"]
    return [{"day": day.pop("day")} | day for day in days]
