"""A statement says what `show` and `balances` say, each page names its place in the log, and no text is markup."""

import re
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from support.command_line import done, failed, finish, run, start
from support.pdf_text import PdfText
from support.small_ledger import export_small_ledger
from tallystick.accounting.log_place import place_in
from tallystick.accounting.statement import Statement, StatementKind, make_statement
from tallystick.accounting.statement_cells import Column, Period, StatementTable
from tallystick.accounting.statement_pages import Typesetter
from tallystick.accounting.statement_words import EVENTS, FIELDS, REASONS, Language, StatementWords
from tallystick.forms.amounts import yuan
from tallystick.publishing import read_ledger
from tallystick.views import Views, followed_views
from tallystick.vouchers.quantities import start_of_day
from tallystick.vouchers.refusals import Reason
from tallystick.vouchers.rules.burning import TimeBurn

ABOUT: list[tuple[StatementKind, str]] = [
    ("holder", "maker-a"),
    ("provider", "guian"),
    ("programme", "shanghai/compute-2026"),
]
TYPESETTER = Typesetter()
DAY = 20_459  # 2026-01-06, the second day of the small ledger


def made(
    ledger: Path, kind: StatementKind, about: str, language: Language = "en", first_day: int | None = None
) -> Statement:
    with followed_views(ledger, is_fresh=True) as views, read_ledger(ledger) as reader:
        place = place_in(reader, views.size)
        opening = None
        if first_day is not None:
            opening = Views.as_of(ledger, at=start_of_day(first_day, place.zone) - 1)
        return make_statement(kind, about, views, place, StatementWords(language), Period(first_day), opening)


def table(statement: Statement, title: str) -> StatementTable:
    (found,) = [one for one in statement.tables if one.title == title]
    return found


def column(shown: StatementTable, heading: str) -> int:
    return [one.heading for one in shown.columns].index(heading)


@pytest.mark.parametrize(("kind", "about"), ABOUT)
def test_its_summary_is_the_balance_and_its_totals_are_sums(
    small_ledger: Path, kind: StatementKind, about: str
) -> None:
    balance = run("balances", small_ledger, "--by", kind, "--json").json["balances"]
    (said,) = [row for row in balance if row[kind] == about]
    statement = made(small_ledger, kind, about)
    names = {english: name for name, (english, _) in reversed(FIELDS.items())}
    names |= {
        "used": "burned_fen",
        "lines": "lines_accepted",
        "refused": "lines_refused",
        "taken back": "lines_reversed",
    }
    summaries = [one for one in statement.tables if one.columns[0].heading == ""]
    shown = {names[row[0]]: row[-1] for one in summaries for row in one.rows}
    assert len(shown) > 4
    for name, cell in shown.items():
        if name.endswith("_fen"):
            assert cell == yuan(said[name]), name
    for one in statement.tables:
        if one.total is not None and one.columns[0].heading:
            for place, head in enumerate(one.columns):
                if head.is_number and head.heading not in ("entry", "quantity", "GPU-hours"):
                    cells = [int(re.sub("[,.]", "", row[place])) for row in one.rows]
                    assert int(re.sub("[,.]", "", one.total[place])) == sum(cells), (one.title, head)


def test_an_envelope_is_somewhere(small_ledger: Path) -> None:
    where = table(made(small_ledger, "programme", "shanghai/compute-2026"), "Where the envelope is")
    assert where.total is not None
    assert yuan(sum(int(re.sub("[,.]", "", row[1])) for row in where.rows)) == where.total[1]


def test_a_period_has_what_happened_in_it_and_what_stood_before(small_ledger: Path) -> None:
    whole = made(small_ledger, "holder", "maker-a")
    part = made(small_ledger, "holder", "maker-a", first_day=DAY)
    moved, days = table(part, "Movements of vouchers"), [row[0] for row in table(whole, "Movements of vouchers").rows]
    assert [row[0] for row in moved.rows] == [day for day in days if day >= "2026-01-06"]
    assert 0 < len(moved.rows) < len(days)
    for label, opening, change, closing in table(part, "Summary").rows:
        amounts = [int(re.sub("[,.]", "", one)) for one in (opening, change, closing)]
        assert amounts[0] + amounts[1] == amounts[2], label
    with Views.as_of(small_ledger, at=start_of_day(DAY, 28_800) - 1) as before:
        balance = asdict(before.holder("maker-a").balance)
    assert table(part, "Summary").rows[0][:2] == ("granted", yuan(balance["granted_fen"]))


@pytest.mark.parametrize(("kind", "about"), ABOUT)
def test_every_page_says_where_it_is_from_and_both_languages_say_the_same(
    small_ledger: Path, kind: StatementKind, about: str
) -> None:
    english, chinese = (made(small_ledger, kind, about, language) for language in ("en", "zh"))
    for one, other in zip(english.tables, chinese.tables, strict=True):
        for place, head in enumerate(one.columns):
            if head.is_number:
                assert [row[place] for row in one.rows] == [row[place] for row in other.rows]
    shown = run("proof", "inclusion", small_ledger, "0", "--json").json
    for statement, page_of in ((english, "page {} of {}"), (chinese, "第 {} 页 共 {} 页")):
        pages = PdfText.read(TYPESETTER.pdf(statement))
        for number, _ in enumerate(pages.pages, 1):
            text = pages.text(number - 1).replace("\n", "")
            assert shown["origin"] in text
            assert shown["root"] in text
            assert f"{shown['size']:,}" in text
            assert page_of.format(number, len(pages.pages)).replace(" ", "") in text.replace(" ", "")
        first = "".join(pages.text(place) for place, _ in enumerate(pages.pages)).replace("\n", "")
        for cell in [cell for one in statement.tables for row in one.rows for cell in row]:
            assert cell.replace(" ", "") in first.replace(" ", ""), cell


HOSTILE = [
    '#panic("no") #include("/etc/passwd")',
    "$x^2$ *bold* _it_ `raw` ```a``` = head",
    "\\u{41} \\ // gone /* gone */ @ref <label> ~ -- ---",
    "#" * 40,
    "w" * 300,
    "「全角」￥＄＃",
    "\"quoted\" 'so' [a](b) {c}",
]


def test_text_of_strangers_is_text(small_ledger: Path) -> None:
    statement = made(small_ledger, "holder", "maker-a")
    row = tuple(HOSTILE)
    columns = tuple(Column("h", is_number=False) for _ in row)
    hostile = StatementTable("#let x = 1", columns, (row,) * 12, row)
    text = PdfText.read(TYPESETTER.pdf(replace(statement, whose=HOSTILE[0], tables=(hostile,))))
    assert len(text.pages) > 3
    whole = "".join("".join(page) for page in text.pages)
    for one in (*HOSTILE, "#let x = 1"):
        assert "".join(one.split()) in "".join(whole.split()), one


def test_text_from_right_to_left_and_what_no_font_has_is_set_too(small_ledger: Path) -> None:
    statement = made(small_ledger, "holder", "maker-a")
    whole = PdfText.read(TYPESETTER.pdf(replace(statement, whose="שלום مرحبا \U0001f600 ok"))).text(0)
    assert set("שלום") <= set(whole)
    assert "ok" in whole


def test_a_ledger_and_its_export_give_the_same_bytes_in_two_processes(small_ledger: Path, tmp_path: Path) -> None:
    words: list[Any] = ["statement", small_ledger, "provider", "guian", "--lang", "zh"]
    said = done(*words, "-o", tmp_path / "one.pdf")
    assert said.startswith(f"{tmp_path / 'one.pdf'}: statement of provider guian, after ")
    export_small_ledger(small_ledger, tmp_path / "tiles")
    words[1] = tmp_path / "tiles"
    other = finish(start(*words, "-o", tmp_path / "two.pdf", env_more={"TZ": "America/New_York"}))
    assert (other.status, other.err) == (0, "")
    assert (tmp_path / "one.pdf").read_bytes() == (tmp_path / "two.pdf").read_bytes()
    (tmp_path / "one.pdf").write_bytes(b"something else")
    assert "holds something else than a PDF" in failed(*words, "-o", tmp_path / "one.pdf")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["holder", "nobody"], "there is no holder nobody"),
        (["holder", "maker-a", "--from", "2026-02-01", "--until", "2026-01-01"], "--from 2026-02-01 is after --until"),
        (["holder", "maker-a", "--from", "yesterday"], "'yesterday' is not a day like 2026-01-05"),
        (["holder", "maker-a", "--until", "1999-01-01"], "the log had no entry then: there is nothing to say of it"),
        (["holder", "maker-a", "--font", "No Such Font"], "there is no font 'No Such Font' on this machine"),
    ],
)
def test_what_can_t_be_stated_is_said_in_one_line(
    small_ledger: Path, tmp_path: Path, words: list[str], said: str
) -> None:
    assert said in failed("statement", small_ledger, *words, "-o", tmp_path / "s.pdf")
    assert not (tmp_path / "s.pdf").exists()


def test_every_refusal_of_a_line_has_its_chinese_word() -> None:
    of_statements = {Reason.CONTRACT_UNKNOWN, Reason.NOT_OWN_CONTRACT, Reason.BASIS_DIFFERS}
    assert {reason.value for reason in TimeBurn.refusals if reason not in of_statements} == {*REASONS}
    assert all(english and chinese for english, chinese in (FIELDS | EVENTS).values())
