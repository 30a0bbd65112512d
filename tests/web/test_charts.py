"""Charts stay in their view box, show what they are given and nothing else, and are well-formed whatever that is."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import Markup

from tallystick.web.charts import (
    Bar,
    Event,
    Fold,
    Layer,
    Mark,
    Pace,
    Part,
    ProofWords,
    Told,
    ageing,
    bars,
    burn_down,
    life,
    proof_path,
    share_bar,
    spark,
)
from tallystick.web.charts.drawing import columns_of, scaled, shortened, ticks, units

LARGEST = 2**53 - 1
NEW_YEAR, NEW_YEARS_EVE = date(2026, 1, 1), date(2026, 12, 31)
SVG = "{http://www.w3.org/2000/svg}"
EVIL = '<script>alert(1)</script>&"\' x="y" ]]> \x00\x1b\ud800\ufffe \u202e شركة 👩‍🔬 算力券'
TOLD = Told("Burn-down", "Half is left")


def yuan(fen: int) -> str:
    return f"¥{fen}"


def words_of(drawn: str) -> list[str]:
    """What is written, in order, tooltips apart."""
    return [
        element.text or next(iter(element)).tail or "" for element in ElementTree.fromstring(drawn).iter(f"{SVG}text")
    ]


def share(part: int, whole: int) -> str:
    return f"{part * 100 // whole}%"


def parts(text: str, *values: int) -> list[Part]:
    return [Part(text, tone, value) for tone, value in zip(("available", "owed", "no such tone"), values, strict=False)]


def every_chart(text: str, value: int, days: int) -> Iterator[Markup]:
    """One of each, with the same text and amount everywhere."""
    told, some = Told(text, text), [Part(text, tone, value) for tone in ("available", "reserved", text)]
    until = NEW_YEAR + timedelta(days)
    layers = [Layer(text, "reserved", [(NEW_YEAR, value), (until, value // 2)]), Layer(text, text, [])]
    yield burn_down(
        told,
        layers,
        since=NEW_YEAR,
        until=until,
        amount=lambda fen: text,
        day=lambda at: text,
        pace=Pace(text, NEW_YEAR, value, until),
        marks=[Mark(text, until), Mark(text, NEW_YEAR - timedelta(1))],
    )
    yield bars(told, [Bar(text, some), Bar(text, [])], amount=lambda fen: text)
    yield share_bar(told, some, amount=lambda fen: text, share=lambda part, whole: text)
    yield ageing(told, some, amount=lambda fen: text)
    events = [Event(NEW_YEAR, text), Event(until, text)]
    yield life(told, events, since=NEW_YEAR, until=until, day=lambda at: text, today=Mark(text, until))
    yield spark(told, [value])
    yield proof_path(told, leaf=text, folds=[Fold(text, "left", text)], root=text, words=ProofWords(text, text))


def corners(drawn: str) -> Iterator[tuple[float, float]]:
    """All points of rectangles, paths, lines and dots."""
    for element in ElementTree.fromstring(drawn).iter():
        if element.tag == f"{SVG}rect" and "x" in element.attrib:
            x, y = float(element.attrib["x"]), float(element.attrib["y"])
            yield x, y
            yield x + float(element.attrib["width"]), y + float(element.attrib["height"])
        elif element.tag == f"{SVG}path" and element.attrib.get("class") != "hatch":
            yield from path_points(element.attrib["d"])
        elif element.tag == f"{SVG}polyline":
            for point in element.attrib["points"].split():
                x, y = map(float, point.split(","))
                yield x, y


def path_points(path: str) -> Iterator[tuple[float, float]]:
    x = y = 0.0
    for command, rest in re.findall(r"([MLHVhvz])([^MLHVhvz]*)", path):
        numbers = [float(number) for number in rest.split()]
        if command in "ML":
            x, y = numbers
        elif command in "Hh":
            x = numbers[0] + (x if command == "h" else 0)
        elif command in "Vv":
            y = numbers[0] + (y if command == "v" else 0)
        yield x, y


def assert_within_its_box(drawn: str) -> None:
    left, top, width, height = map(float, ElementTree.fromstring(drawn).attrib["viewBox"].split())
    assert width > 0
    assert height > 0
    assert [point for point in corners(drawn) if not (left <= point[0] <= width and top <= point[1] <= height)] == []


@settings(max_examples=25, deadline=None)
@given(st.text(), st.one_of(st.integers(-LARGEST, LARGEST), st.sampled_from([0, 1, LARGEST])), st.integers(0, 800))
def test_any_text_amount_and_length_of_time_is_drawn_well(text: str, value: int, days: int) -> None:
    for drawn in every_chart(text, value, days):
        assert_within_its_box(drawn)


def test_text_is_escaped_and_what_xml_forbids_is_replaced() -> None:
    """Also in the tooltip of a shortened text, in title and description, and where a tone is expected."""
    for drawn in every_chart(EVIL, 5, 9):
        root = ElementTree.fromstring(drawn)
        assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
            *("svg", "title", "desc", "defs", "pattern", "path", "rect", "text", "polyline", "circle")
        }
        assert not {name for element in root.iter() for name in element.attrib} & {"style", "onload", "href"}
        title = root.find(f"{SVG}title")
        assert title is not None
        assert title.text == EVIL.translate(dict.fromkeys((0, 0x1B, 0xD800, 0xFFFE), "\ufffd"))


def test_the_same_figures_are_the_same_bytes() -> None:
    assert [*every_chart("x", 7, 30)] == [*every_chart("x", 7, 30)]


def test_a_chart_is_an_image_with_a_name_a_description_and_no_size() -> None:
    for drawn in every_chart("x", 7, 30):
        root = ElementTree.fromstring(drawn)
        assert root.attrib["role"] == "img"
        assert {"width", "height", "style"}.isdisjoint(root.attrib)
        assert [child.tag for child in root][:2] == [f"{SVG}title", f"{SVG}desc"]


def test_two_charts_of_a_page_have_patterns_of_their_own() -> None:
    one, two = (share_bar(Told(name, ""), parts("x", 1, 2), amount=yuan, share=share) for name in "ab")
    ids = re.findall(r' id="([^"]+)"', one + two)
    assert len(ids) == len(set(ids)) == 2
    assert re.findall(r"url\(#([^)]+)\)", one + two) == [ids[0], ids[0], ids[1], ids[1]]


def steps(drawn: str) -> list[list[tuple[float, float]]]:
    """The upper edges of the areas, the lowest layer first."""
    areas = [
        element
        for element in ElementTree.fromstring(drawn).iter(f"{SVG}path")
        if element.attrib["d"].endswith("z") and "class" in element.attrib
    ]
    return [[*path_points(area.attrib["d"])] for area in reversed(areas)]


def test_a_burn_down_stacks_its_layers_in_steps_and_ends_where_it_is_known() -> None:
    """Ten days are 468 units wide, 100 fen are 190 high; the last day that is known has its width, too."""
    drawn = burn_down(
        TOLD,
        [
            Layer("left", "available", [(NEW_YEAR - timedelta(9), 100), (NEW_YEAR + timedelta(5), 50)]),
            Layer("burned", "burned", [(NEW_YEAR + timedelta(5), 50), (NEW_YEAR + timedelta(9), 999)]),
        ],
        since=NEW_YEAR,
        until=NEW_YEAR + timedelta(9),
        upto=NEW_YEAR + timedelta(6),
        amount=yuan,
        day=str,
        marks=[Mark("today", NEW_YEAR + timedelta(6))],
    )
    left, burned = steps(drawn)
    assert left == [(84, 242), (84, 52), (318, 52), (318, 147), (411.6, 147), (411.6, 242), (411.6, 242)]
    assert burned == [(84, 242), (84, 52), (411.6, 52), (411.6, 242), (411.6, 242)]
    assert re.findall(r'class="line mark" d="M([\d.]+) ', drawn) == ["411.6"]
    assert words_of(drawn)[2:] == [
        *("¥0", "¥50", "¥100"),
        *("2026-01-01", "2026-01-04", "2026-01-07", "2026-01-10"),
        "today",
    ]


def test_what_the_last_day_ends_with_is_seen() -> None:
    layers = [Layer("left", "available", [(NEW_YEAR, 100), (NEW_YEAR + timedelta(9), 50)])]
    (left,) = steps(burn_down(TOLD, layers, since=NEW_YEAR, until=NEW_YEAR + timedelta(9), amount=yuan, day=str))
    assert left[-3:] == [(552, 125), (552, 220), (552, 220)]
    assert left[3] == (505.2, 125)


def test_a_burn_down_says_where_its_days_are() -> None:
    """`site.js` reads the rows of the table beside it out by these."""
    drawn = burn_down(TOLD, [], since=NEW_YEAR, until=NEW_YEARS_EVE, amount=yuan, day=str)
    said = {name: value for name, value in ElementTree.fromstring(drawn).attrib.items() if name.startswith("data-")}
    assert said == {"data-since": "2026-01-01", "data-until": "2026-12-31", "data-left": "84", "data-right": "552"}


def test_the_pace_is_a_straight_line_that_the_axis_cuts_off() -> None:
    pace = Pace("even", NEW_YEAR - timedelta(10), 200, NEW_YEAR + timedelta(9))
    drawn = burn_down(TOLD, [], since=NEW_YEAR, until=NEW_YEAR + timedelta(19), amount=yuan, day=str, pace=pace)
    line = re.findall(r'class="line pace" d="([^"]+)"', drawn)[-1]
    assert [*path_points(line)] == [(84, 125), (318, 220)]


def test_marks_outside_of_the_axis_are_left_out_and_names_have_lines_of_their_own() -> None:
    marks = [Mark("today", NEW_YEARS_EVE), Mark("last day", NEW_YEARS_EVE), Mark("later", date(2027, 1, 1))]
    drawn = burn_down(TOLD, [], since=NEW_YEAR, until=NEW_YEARS_EVE, amount=yuan, day=str, marks=marks)
    assert words_of(drawn)[-2:] == ["today", "last day"]
    assert len(set(re.findall(r'y="(\d+)" class="at-end"', drawn))) == 2


def test_a_year_of_changes_every_day_is_small() -> None:
    """Two amounts of 2^53 − 1 fen in all, moved every day."""
    days = [NEW_YEAR + timedelta(number) for number in range(365)]
    amounts = [LARGEST * (number * number % 365) // 365 for number in range(365)]
    layers = [
        Layer("available", "available", [*zip(days, amounts, strict=True)]),
        Layer("reserved", "reserved", [*zip(days, reversed(amounts), strict=True)]),
        Layer("burned", "burned", [*zip(days, amounts, strict=True)]),
    ]
    drawn = burn_down(TOLD, layers, since=NEW_YEAR, until=NEW_YEARS_EVE, amount=yuan, day=str)
    assert len(drawn.encode()) <= 20_000
    assert_within_its_box(drawn)


def test_bars_have_one_scale_and_write_their_sums() -> None:
    rows = [Bar("Foshan", parts("x", 75, 25)), Bar("Guangzhou", parts("x", 50)), Bar("none", parts("x", -5, 0))]
    drawn = bars(TOLD, rows, amount=yuan)
    assert words_of(drawn)[-6:] == ["Foshan", "¥100", "Guangzhou", "¥50", "none", "¥-5"]
    assert re.findall(r' width="([\d.]+)" height="10"', drawn) == ["420", "140", "280"]


def test_a_chart_has_a_bounded_number_of_bars_and_lanes() -> None:
    many = [Bar(str(number), parts("x", 1)) for number in range(1000)]
    assert len(bars(TOLD, many, amount=yuan)) < 20_000
    events = [Event(NEW_YEAR + timedelta(number % 365), f"kind {number % 40}") for number in range(20_000)]
    drawn = life(TOLD, events, since=NEW_YEAR, until=NEW_YEARS_EVE, day=str)
    assert len(drawn) < 20_000
    assert words_of(drawn)[:2] == ["kind 0", "× 500"]


@pytest.mark.parametrize("values", [(), (0, 0), (-1, -2)])
def test_a_whole_of_nothing_has_no_shares(values: tuple[int, ...]) -> None:
    words = words_of(share_bar(TOLD, parts("x", *values), amount=yuan, share=share))
    assert [word for word in words if "%" in word] == []


def test_shares_fill_the_bar() -> None:
    drawn = share_bar(TOLD, parts("x", 1, 1, 1), amount=yuan, share=share)
    lengths = [float(width) for width in re.findall(r' width="([\d.]+)" height="10"', drawn)]
    assert sum(lengths) == 560
    assert [word for word in words_of(drawn) if "%" in word] == ["33%", "33%", "33%"]


def test_ages_are_lengths_against_the_largest() -> None:
    drawn = ageing(TOLD, [Part("new", "available", 200), Part("old", "owed", 50)], amount=yuan)
    assert re.findall(r' width="([\d.]+)" height="16"', drawn) == ["300", "75"]


@pytest.mark.parametrize(
    ("values", "points"),
    [
        ([], None),
        ([5], "2,21 116,21"),
        ([0, 10], "2,21 116,3"),
        ([-10, 0, -10], "2,21 59,3 116,21"),
        ([LARGEST, -LARGEST], "2,3 116,21"),
    ],
)
def test_a_spark_line_goes_from_its_lowest_to_its_highest(values: list[int], points: str | None) -> None:
    found = re.search(r'points="([^"]+)"', spark(TOLD, values))
    assert (found and found[1]) == points


def test_a_proof_is_drawn_from_the_leaf_up_with_each_sibling_on_its_side() -> None:
    folds = [Fold("aa" * 32, "left", "bb" * 32), Fold("cc" * 32, "right", "dd" * 32)]
    drawn = proof_path(TOLD, leaf="11" * 32, folds=folds, root="dd" * 32, words=ProofWords("entry 5", "root of 7"))
    texts = [
        (text.attrib["x"], (text[0].tail if len(text) else text.text))
        for text in ElementTree.fromstring(drawn).iter(f"{SVG}text")
    ]
    assert texts == [
        *(("77", "aaaaaaaaaa…"), ("483", "cccccccccc…")),
        *(("280", "1111111111…"), ("280", "bbbbbbbbbb…"), ("280", "dddddddddd…")),
        *(("280", "entry 5"), ("280", "root of 7")),
    ]


def test_a_proof_of_a_million_entries_is_small_and_one_of_a_single_entry_is_its_leaf() -> None:
    words = ProofWords("entry 5", "root")
    folds = [Fold("aa" * 32, "left", "bb" * 32)] * 20
    assert len(proof_path(TOLD, leaf="11" * 32, folds=folds, root="bb" * 32, words=words)) < 20_000
    assert words_of(proof_path(TOLD, leaf="1", folds=[], root="1", words=words)) == ["1", "entry 5", "root"]


@given(st.integers(-5, LARGEST))
def test_ticks_are_few_round_and_reach_the_top(top: int) -> None:
    found = ticks(top)
    assert 2 <= len(found) <= 5
    assert found[0] == 0
    assert found[-1] >= top
    assert str(found[1]).rstrip("0") in {"1", "2", "5"}
    assert found == tuple(range(0, found[-1] + 1, found[1]))


@given(st.integers(), st.integers(), st.integers(0, 1000))
def test_a_length_is_never_more_than_there_is(value: int, whole: int, length: int) -> None:
    assert 0 <= scaled(value, whole, length) <= length * 10


@given(st.text(), st.integers(1, 40))
def test_a_shortened_text_fits(text: str, limit: int) -> None:
    assert columns_of(shortened(text, limit)) <= limit


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [("a  b\n", 3, "a b"), ("abcdef", 4, "abc…"), ("算力券", 6, "算力券"), ("算力券", 5, "算力…")],
)
def test_wide_characters_count_twice(text: str, limit: int, shown: str) -> None:
    assert shortened(text, limit) == shown


@pytest.mark.parametrize(("tenths", "written"), [(0, "0"), (5, "0.5"), (-5, "-0.5"), (-120, "-12"), (1205, "120.5")])
def test_tenths_are_written_short(tenths: int, written: str) -> None:
    assert units(tenths) == written


def test_what_is_written_is_only_what_the_caller_said() -> None:
    """No word of a language stands in the charts."""
    words = {word for drawn in every_chart("词", 7, 30) for word in words_of(drawn)}
    assert {re.sub(r"[词×–12\s]", "", word) for word in words} == {""}
