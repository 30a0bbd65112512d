"""What pages show of amounts and times, exactly, in both languages."""

from decimal import Decimal
from typing import Any

import pytest

from tallystick.vouchers.quantities import INTEGER_MAX
from tallystick.web.pages.amounts import Amounts
from tallystick.web.pages.words import words_in

ZONE = 28_800
ENGLISH = Amounts(words_in("en"), lambda: ZONE)
CHINESE = Amounts(words_in("zh"), lambda: ZONE)


@pytest.mark.parametrize(
    ("fen", "text"),
    [
        (0, "¥0.00"),
        (1, "¥0.01"),
        (-1, "-¥0.01"),
        (150_000_000, "¥1,500,000.00"),
        (INTEGER_MAX, "¥90,071,992,547,409.91"),
        (-INTEGER_MAX, "-¥90,071,992,547,409.91"),
        (str(INTEGER_MAX + 1), "¥90,071,992,547,409.92"),  # as JSON carries such a sum
    ],
)
def test_yuan_are_exact_to_the_fen(fen: int | str, text: str) -> None:
    assert ENGLISH.yuan(fen) == CHINESE.yuan(fen) == text


@pytest.mark.parametrize("value", [1.0, True, Decimal(1), "1.0", "1,000", "", "１", b"1"])
def test_what_is_no_integer_is_no_amount(value: Any) -> None:
    for shown in (ENGLISH.yuan, ENGLISH.yuan_short, ENGLISH.gpu_time, ENGLISH.share, ENGLISH.count):
        with pytest.raises(TypeError, match="is no integer"):
            shown(value)


@pytest.mark.parametrize(
    ("fen", "english", "chinese"),
    [
        (0, "¥0", "¥0"),
        (95_050, "¥950.50", "¥950.50"),
        (99_999, "¥999.99", "¥999.99"),
        (100_000, "¥1k", "¥1,000"),
        (150_000_000, "¥1.5M", "¥150万"),
        (-150_000_000, "-¥1.5M", "-¥150万"),
        (123_456_700, "¥1.23M", "¥123万"),
        (125_000_000_000, "¥1.25bn", "¥12.5亿"),
        (1_234_567_890_000, "¥12.3bn", "¥123亿"),
        (99_999_999, "¥1M", "¥100万"),  # 999,999.99 rounded
        (99_949_999, "¥999k", "¥99.9万"),
        (9_999_999_999, "¥100M", "¥1亿"),
        (12_250_000, "¥122k", "¥12.2万"),  # a half, to the even neighbour
        (12_350_000, "¥124k", "¥12.4万"),
        (999_995_000, "¥10M", "¥1,000万"),
        (INTEGER_MAX, "¥90,072bn", "¥900,720亿"),
    ],
)
def test_large_yuan_in_few_digits(fen: int, english: str, chinese: str) -> None:
    assert (ENGLISH.yuan_short(fen), CHINESE.yuan_short(fen)) == (english, chinese)


def test_gpu_time_is_in_gpu_hours_truncated() -> None:
    assert ENGLISH.gpu_time(4_444_203_599) == "1,234.500 GPU-hours"
    assert CHINESE.gpu_time(4_444_203_600) == "1,234.501 卡时"


def test_shares_gpus_and_counts_are_alike_in_both() -> None:
    for amounts in (ENGLISH, CHINESE):
        assert [amounts.share(bp) for bp in (0, 1, 1_250, 10_000)] == ["0%", "0.01%", "12.5%", "100%"]
        assert [amounts.gpus(milli) for milli in (500, 8_000)] == ["0.5", "8"]
        assert amounts.count(1_234_567) == "1,234,567"


def test_days_and_instants_are_the_networks() -> None:
    assert (ENGLISH.day("2026-01-05"), CHINESE.day("2026-01-05")) == ("2026-01-05", "2026年1月5日")
    late = "2026-01-05T16:00:00.000000Z"
    assert (ENGLISH.instant(late), CHINESE.instant(late)) == ("2026-01-06 00:00", "2026年1月6日 00:00")
    assert ENGLISH.instant("2026-01-05T08:00:07Z") == "2026-01-05 16:00:07"
    assert ENGLISH.instant("2026-01-05T08:00:07.123456Z") == "2026-01-05 16:00:07"
    assert ENGLISH.instant_exact("2026-01-05T08:00:07.123456Z") == "2026-01-05 16:00:07.123456 (UTC+08:00)"
    assert ENGLISH.instant("9999-12-31T23:59:59.999999Z") == "9999-12-31 23:59:59"  # no later one has a text
    assert CHINESE.instant("1970-01-01T00:00:00.000000Z") == "1970年1月1日 08:00"


def test_before_there_is_a_network_times_are_in_utc() -> None:
    unfounded = Amounts(words_in("en"), lambda: None)
    assert unfounded.instant_exact("2026-01-05T08:00:00.000000Z") == "2026-01-05 08:00:00 (UTC)"


@pytest.mark.parametrize("day", ["2026-02-30", "2026-1-5", "yesterday", "2026-01-05T08:00:00Z"])
def test_what_is_no_day_is_not_shown_as_one(day: str) -> None:
    with pytest.raises(ValueError, match="must be a day"):
        CHINESE.day(day)


@pytest.mark.parametrize(
    ("seconds", "english", "chinese"),
    [
        (0, "0 seconds", "0 秒"),
        (1, "1 second", "1 秒"),
        (90_061, "1 day 1 hour 1 minute 1 second", "1 天 1 小时 1 分钟 1 秒"),
        (2_678_400, "31 days", "31 天"),
        (7_200, "2 hours", "2 小时"),
    ],
)
def test_durations_and_ages(seconds: int, english: str, chinese: str) -> None:
    assert (ENGLISH.duration(seconds), CHINESE.duration(seconds)) == (english, chinese)
    assert (ENGLISH.age(14), CHINESE.age(1)) == ("14 days", "1 天")


def test_a_filter_shows_that_there_is_nothing() -> None:
    assert {filter_(None) for filter_ in ENGLISH.filters().values()} == {"–"}
    assert CHINESE.filters()["yuan"](1) == "¥0.01"
