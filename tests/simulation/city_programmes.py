"""The cities of the decade: the parameter sets of examples/programmes, one for each treasury, made into one a year."""

import json
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from support.actors import Json
from tallystick.vouchers.quantities import format_instant, parse_day, start_of_day

UTC_OFFSET_SECONDS: Final = 28_800
FACE_FEN: Final = 150_000_000
"""What a voucher is worth on average: 1.5 million yuan, some USD 200,000."""
ISSUED: Final = 0.9
"""Of an envelope."""
PARAMETER_SETS: Final = Path(__file__).parents[2] / "examples" / "programmes"
CITIES: Final = (
    "beijing-compute-2024",
    "chengdu-compute-2023",
    "guizhou-compute-2024",
    "hangzhou-compute-2024",
    "henan-compute-2024-city",
    "henan-compute-2024-province",
    "langfang-compute-2024",
    "nanning-compute-2025",
    "qingdao-compute-2024",
    "qingyang-compute-2024",
    "shanghai-compute-2025",
    "shenzhen-training-2025",
    "tianjin-compute-2024",
    "wuhu-compute-2024",
    "yangzhou-compute-2024",
    "zhejiang-compute-2024",
)
"""One parameter set a treasury."""
INVENTED: Final = "qingyang-compute-2024"
"""The seventeenth city has these parameters and passes vouchers on; no rules of a seventeenth are known."""


@dataclass(frozen=True)
class City:
    """A treasury, what it opens each year, and how much goes on there.

    Attributes:
        opening: fields of `programme.open/1`, of the year in the parameter set.
        vouchers: that it issues a year.
    """

    treasury: str
    opening: Json
    vouchers: int

    @property
    def rules(self) -> Json:
        rules: Json = self.opening["rules"]
        return rules

    @property
    def face_fen(self) -> int:
        """The most that a voucher of it is worth here."""
        return min(int(self.rules["cap"]["holder_fen"]), FACE_FEN * 4 // 3)

    @property
    def share_bp(self) -> int:
        """The share of the fee of domestic GPU-time, of a holder of no class."""
        rows = [row for row in self.rules["shares"] if "filed" not in row and "holder_class" not in row]
        return int(next(row["share_bp"] for row in rows if row.get("origin", "domestic") == "domestic"))

    def gates(self, before: str) -> list[Json]:
        """The gates before an act."""
        return [gate for gate in self.rules.get("gates", []) if gate["before"] == before]

    def opening_of(self, year: int) -> Json:
        """Return the fields of the programme of a year."""
        fields = deepcopy(self.opening)
        rules, opened = fields["rules"], int(fields["fiscal_year"])
        fields["programme"] = self.programme_of(year)
        fields["name"] = f"Vouchers of {year}"
        fields["fiscal_year"] = year
        for name, beginning in (("opens_at", year), ("closes_at", year + 1)):
            fields[name] = format_instant(start_of_day(parse_day(f"{beginning}-01-01"), UTC_OFFSET_SECONDS))
        for name in ("first_day", "last_day") if "proration" in rules else ():
            rules["proration"][name] = rules["proration"][name].replace(str(opened), str(year))
        return fields

    def programme_of(self, year: int) -> str:
        """Return the id of the programme of a year."""
        return f"{self.treasury}/compute-{year}"


def read_cities(scale: float) -> list[City]:
    """Return the seventeen, each with as many vouchers a year as nine tenths of its envelope are, times a scale."""
    cities: list[City] = []
    for name in (*CITIES, INVENTED):
        command = json.loads((PARAMETER_SETS / f"{name}.json").read_text("utf-8"))["command"]
        treasury = command["party"]
        opening = {
            field: value
            for field, value in command.items()
            if field not in ("kind", "log", "party", "ref", "signed_at")
        }
        if any(city.treasury == treasury for city in cities):
            treasury, opening["rules"]["transfer"] = "seventeenth-treasury", "open"
            opening["rules"]["cap"]["holder_fen"] *= 3  # what was passed on counts too
        vouchers = max(2, round(opening["envelope_fen"] / FACE_FEN * ISSUED * scale))
        cities.append(City(treasury, opening, vouchers))
    return cities
