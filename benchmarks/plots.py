"""Two plots as SVG, from what a run wrote: every judged ratio against its goal, and the cost curve with its memory."""

from collections.abc import Iterable, Mapping, Sequence
from math import ceil, floor, log10
from typing import Any, Final, NamedTuple

from figures import CURVE, CURVE_LINES, JUDGED, LARGE_LINES, Figure
from shown import number

WIDTH: Final = 760
STYLE: Final = """<defs><style>
  .page{fill:#ffffff} text{fill:#1a202c} .faint{fill:#5f6b7a} .rule{stroke:#cbd5e0} .goal{stroke:#1a202c}
  .met{fill:#2f855a} .floor{fill:#b7791f} .missed{fill:#c53030} .spread{stroke:#1a202c}
  .line{fill:none;stroke-width:2}
  .c0{stroke:#3c5a99;fill:#3c5a99} .c1{stroke:#d69e2e;fill:#d69e2e} .c2{stroke:#2f855a;fill:#2f855a}
  .c3{stroke:#c53030;fill:#c53030} .c4{stroke:#805ad5;fill:#805ad5} .c5{stroke:#0987a0;fill:#0987a0}
  .c6{stroke:#97266d;fill:#97266d} .c7{stroke:#718096;fill:#718096} .c8{stroke:#975a16;fill:#975a16}
  .c9{stroke:#4a5568;fill:#4a5568}
  @media (prefers-color-scheme: dark) {
    .page{fill:#161b22} text{fill:#e6edf3} .faint{fill:#9aa7b5} .rule{stroke:#4a5568} .goal{stroke:#e6edf3}
    .met{fill:#48bb78} .floor{fill:#e0b03d} .missed{fill:#fc8181} .spread{stroke:#e6edf3}
    .c0{stroke:#7aa2e3;fill:#7aa2e3} .c1{stroke:#e0b03d;fill:#e0b03d} .c2{stroke:#48bb78;fill:#48bb78}
    .c3{stroke:#fc8181;fill:#fc8181} .c4{stroke:#b794f4;fill:#b794f4} .c5{stroke:#4fd1c5;fill:#4fd1c5}
    .c6{stroke:#f687b3;fill:#f687b3} .c7{stroke:#cbd5e0;fill:#cbd5e0} .c8{stroke:#ed8936;fill:#ed8936}
    .c9{stroke:#a0aec0;fill:#a0aec0}
  }
</style></defs>"""

Results = Mapping[str, Mapping[str, Any]]


class _Scale(NamedTuple):
    """A logarithmic axis: from which value to which, and between which pixels."""

    low: float
    high: float
    begin: float
    end: float

    def at(self, value: float) -> float:
        place = (log10(value) - log10(self.low)) / (log10(self.high) - log10(self.low))
        return self.begin + (self.end - self.begin) * min(1.0, max(0.0, place))


def _svg(height: int, title: str, drawn: Iterable[str]) -> str:
    font = 'font-family="system-ui, sans-serif" font-size="11"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" {font}>'
    page = f'<rect class="page" width="{WIDTH}" height="{height}"/>'
    return "\n".join([head, f"<title>{title}</title>", STYLE, page, *drawn, "</svg>"]) + "\n"


def _text(x: float, y: float, said: str, anchor: str = "start", kind: str = "") -> str:
    style = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{style}>{said}</text>'


# -------------------------------------------------------------------------------------------------- against the goals

ROW: Final = 24
LEFT, RIGHT = 270, 690


def ratio_plot(results: Results) -> str:
    """Return the plot of what is judged: how near each median came to its goal, with its rounds' spread.

    Where less is better, the goal is divided by the figure; so further right is always better, and the goal is at 1.
    """
    judged = [one for one in JUDGED if results.get(one.key, {}).get("median") and one.goal]
    scale = _Scale(0.1, 10.0, LEFT, RIGHT)
    height = 46 + ROW * len(judged)
    drawn = []
    for value in (0.1, 0.2, 0.5, 1, 2, 5, 10):
        x = scale.at(value)
        style = "goal" if value == 1 else "rule"
        drawn.append(f'<path d="M{x:.1f} 30V{height - 8}" class="{style}"/>')
        drawn.append(_text(x, 24, "goal" if value == 1 else f"{value:g}", "middle", "faint"))
    for place, one in enumerate(judged):
        drawn += _bar(one, results[one.key], 36 + ROW * place, scale)
    return _svg(height, "Each judged figure against its goal, which is at 1; right of it is better", drawn)


def _bar(figure: Figure, result: Mapping[str, Any], y: float, scale: _Scale) -> list[str]:
    assert figure.goal is not None
    goal = figure.goal

    def against(value: float) -> float:
        return scale.at(max(1e-9, goal / value if figure.at_most and value else value / goal))

    kind = "met" if result["met"] else "floor" if result["floor_met"] else "missed"
    one, middle = against(goal), against(result["median"])
    low, high = sorted((against(result["low"]), against(result["high"])))
    return [
        _text(8, y + 12, figure.key.replace("_", " ")),
        f'<rect x="{min(one, middle):.1f}" y="{y}" width="{abs(middle - one):.1f}" height="15" class="{kind}"/>',
        f'<path d="M{low:.1f} {y + 7.5}H{high:.1f}" class="spread"/>',
        _text(WIDTH - 8, y + 12, number(result["median"]), "end"),
    ]


# ------------------------------------------------------------------------------------------------------ the cost curve

TOP, BOTTOM = 34, 330
SECONDS: Final = _Scale(1e-4, 1e3, BOTTOM, TOP)
MEGABYTES: Final = _Scale(30.0, 10_000.0, BOTTOM, TOP)


def curve_plot(results: Results) -> str:
    """Return the plot of processor time and of memory against the lines that a log has, both axes logarithmic."""
    drawn = []
    for left, right, aspect, unit, values in (
        (62, 400, "cpu_seconds", "s", SECONDS),
        (470, 750, "mb", "MB", MEGABYTES),
    ):
        lines = _Scale(CURVE_LINES[0], LARGE_LINES, left, right)
        title = "processor time" if unit == "s" else "the most memory of a process"
        drawn += [_text(left, 16, title), *_axes(lines, values, unit)]
        for place, operation in enumerate(CURVE):
            drawn += _series(place, _points(results, operation, aspect), lines, values)
    for place, operation in enumerate(CURVE):
        x, y = 62 + 140 * (place % 5), BOTTOM + 44 + 16 * (place // 5)
        drawn += [f'<rect x="{x}" y="{y - 9}" width="9" height="9" class="c{place}"/>', _text(x + 14, y, operation)]
    return _svg(BOTTOM + 76, "What a log costs by its lines: processor time, and memory", drawn)


def _points(results: Results, operation: str, aspect: str) -> list[tuple[int, float]]:
    keys = {lines: f"curve_{operation}_{lines}_{aspect}" for lines in CURVE_LINES}
    keys[LARGE_LINES] = f"large_{operation}_{aspect}"
    found = {lines: results.get(key, {}).get("median") for lines, key in keys.items()}
    return [(lines, value) for lines, value in found.items() if value]


def _axes(lines: _Scale, values: _Scale, unit: str) -> list[str]:
    drawn = []
    for power in range(ceil(log10(values.low)), floor(log10(values.high)) + 1):
        y = values.at(10.0**power)
        drawn.append(f'<path d="M{lines.begin} {y:.1f}H{lines.end}" class="rule"/>')
        drawn.append(_text(lines.begin - 6, y + 4, f"{10.0**power:g} {unit}", "end", "faint"))
    for power in range(3, 8):
        drawn.append(_text(lines.at(10.0**power), BOTTOM + 16, f"10{'⁰¹²³⁴⁵⁶⁷'[power]}", "middle", "faint"))
    return drawn


def _series(place: int, points: Sequence[tuple[int, float]], lines: _Scale, values: _Scale) -> list[str]:
    spots = [(lines.at(at), values.at(value)) for at, value in points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
    dots = [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" class="c{place}"/>' for x, y in spots]
    return [f'<polyline class="line c{place}" style="fill:none" points="{path}"/>', *dots] if spots else []
