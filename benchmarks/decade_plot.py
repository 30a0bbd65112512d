"""Two plots of the decade as one SVG: the state's size by what it is made of, and the time to open the log."""

from math import floor, log10
from typing import Any, Final, NamedTuple

WIDTH: Final = 760
HEIGHT: Final = 300
TOP, BOTTOM = 46, 250
REMEMBERED: Final = "ids, documents and payments: never used again"
STANDING: Final = "parties, keys, programmes, what was granted and paid"
ALIVE: Final = "what is alive or ended since the last seal"
CLASSES: Final = {ALIVE: "alive", STANDING: "standing", REMEMBERED: "remembered"}
STYLE: Final = """<defs><style>
  .page{fill:#ffffff} text{fill:#1a202c} .rule{stroke:#cbd5e0}
  .alive{fill:#3c5a99} .standing{fill:#9db4dc} .remembered{fill:#d69e2e}
  .open{stroke:#3c5a99;fill:none} .read{stroke:#d69e2e;fill:none}
  @media (prefers-color-scheme: dark) {
    .page{fill:#161b22} text{fill:#e6edf3} .rule{stroke:#4a5568}
    .alive{fill:#7aa2e3} .standing{fill:#35507f} .remembered{fill:#e0b03d}
    .open{stroke:#7aa2e3} .read{stroke:#e0b03d}
  }
</style></defs>"""
_REMEMBERED: Final = ("left ", "documents", "payments", "seals")
_STANDING: Final = ("parties", "keys", "public_keys", "usccs", "programmes", "book past_", "book paid", "book granted")
_STANDING_SUMS: Final = (
    "book totals",
    "book envelope",
    "book unissued",
    "book appropriated",
    "book held",
    "book promised",
)


class Panel(NamedTuple):
    """Where a plot lies (pixels), and what its axis goes up to."""

    left: int
    right: int
    top_value: float

    def y(self, value: float) -> float:
        return BOTTOM - (BOTTOM - TOP) * value / self.top_value

    def x(self, place: float, places: int) -> float:
        return self.left + (self.right - self.left) * (place / places)


def kind_of(field: str) -> str:
    """Return which part of the state a field belongs to."""
    if field.startswith(_REMEMBERED):
        return REMEMBERED
    return STANDING if field.startswith(_STANDING + _STANDING_SUMS) else ALIVE


def bytes_by_kind(field_bytes: dict[str, int]) -> dict[str, int]:
    """Return how large each part of the state is."""
    sums = dict.fromkeys(CLASSES, 0)
    for field, size in field_bytes.items():
        sums[kind_of(field)] += size
    return sums


def plot(figures: dict[str, Any]) -> str:
    """Return the SVG of what `decade.py` measured."""
    years = figures["years"]
    drawn = [*_sizes(years), *_times(years)]
    font = 'font-family="system-ui, sans-serif" font-size="11"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" {font}>'
    title = f"Ten years of seventeen cities, at {figures['scale']:g} of their envelopes: state and time to open"
    page = f'<rect class="page" width="{WIDTH}" height="{HEIGHT}"/>'
    return "\n".join([head, f"<title>{title}</title>", STYLE, page, *drawn, "</svg>"]) + "\n"


def _text(x: float, y: float, said: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{said}</text>'


def _top_of(values: list[float]) -> float:
    """Return a round number above all of them."""
    unit = 10.0 ** floor(log10(max(values)))
    return next(unit * step for step in (1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8, 10) if unit * step >= max(values))


def _axis(panel: Panel, title: str, unit: str, years: list[dict[str, Any]]) -> list[str]:
    lines = [_text(panel.left, 16, title)]
    for quarter in range(5):
        value = panel.top_value * quarter / 4
        y = panel.y(value)
        lines.append(f'<path d="M{panel.left} {y:.1f}H{panel.right}" class="rule"/>')
        lines.append(_text(panel.left - 6, y + 4, f"{value:.3g} {unit}", "end"))
    for place, one in enumerate(years):
        lines.append(_text(panel.x(place + 0.5, len(years)), BOTTOM + 16, f"{one['year'] % 100:02}", "middle"))
    return lines


def _sizes(years: list[dict[str, Any]]) -> list[str]:
    panel = Panel(62, 430, _top_of([one["state_bytes"] / 1e6 for one in years]))
    drawn = _axis(panel, "state at the end of a year", "MB", years)
    for place, one in enumerate(years):
        base = 0.0
        x, width = panel.x(place + 0.15, len(years)), (panel.right - panel.left) / len(years) * 0.7
        for kind, size in bytes_by_kind(one["field_bytes"]).items():
            low, high = panel.y(base), panel.y(base + size / 1e6)
            shape = f'x="{x:.1f}" y="{high:.1f}" width="{width:.1f}" height="{low - high:.1f}"'
            drawn.append(f'<rect {shape} class="{CLASSES[kind]}"/>')
            base += size / 1e6
    for place, (kind, name) in enumerate(CLASSES.items()):
        y = 28 + 13 * place
        drawn.append(f'<rect x="{panel.left + 6}" y="{y}" width="9" height="9" class="{name}"/>')
        drawn.append(_text(panel.left + 20, y + 8, kind))
    return drawn


def _times(years: list[dict[str, Any]]) -> list[str]:
    panel = Panel(510, 750, _top_of([one["open_seconds"] for one in years]))
    drawn = _axis(panel, "processor time to open the ledger", "s", years)
    for place, (name, said) in enumerate({"open": "open, with a saved state", "read": "of it: read the state"}.items()):
        seconds = [one[f"{name}_seconds"] for one in years]
        points = [f"{panel.x(at + 0.5, len(years)):.1f},{panel.y(value):.1f}" for at, value in enumerate(seconds)]
        drawn.append(f'<polyline class="{name}" stroke-width="2" points="{" ".join(points)}"/>')
        y = 32 + 13 * place
        drawn.append(f'<path class="{name}" stroke-width="2" d="M{panel.left + 6} {y}h10"/>')
        drawn.append(_text(panel.left + 20, y + 4, said))
    return drawn
