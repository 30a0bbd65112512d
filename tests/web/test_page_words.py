"""Pages speak English and Chinese: which of them a reader gets, and what code and templates say in each."""

from typing import Any

import pytest
from jinja2 import Environment, StrictUndefined

from tallystick.web.pages.words import install, language_of, words_in

ENGLISH, CHINESE = words_in("en"), words_in("zh")


@pytest.mark.parametrize(
    ("asked", "cookie", "header", "language"),
    [
        ("zh", "en", "en", "zh"),
        ("en", "zh", "zh", "en"),
        (None, "zh", "en", "zh"),
        ("fr", None, "zh-CN", "zh"),  # one that there isn't counts as none
        ("zh-CN", "ZH", None, "en"),
        ("", "", "", "en"),
    ],
)
def test_the_address_comes_before_the_cookie_and_that_before_the_browser(
    asked: str | None, cookie: str | None, header: str | None, language: str
) -> None:
    assert language_of(asked, cookie, header) == language


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-GB,en;q=0.9,zh;q=0.8", "en"),
        ("en;q=0.1, zh-Hans-CN;q=0.2", "zh"),
        ("fr, zh;q=0.3", "zh"),
        ("fr", "en"),
        ("zh;q=0", "en"),
        ("en;q=0, *", "zh"),
        ("*;q=0.5, zh;q=0.4", "en"),
        ("zh;q=0.4, *;q=0.3", "zh"),
        ("zh ; Q=0.9 , en", "en"),
        ("zh;q=0.800,en;q=0.8", "zh"),  # of two alike the earlier
        ("en;q=0.800,zh;q=0.8", "en"),
        ("zh;q=1.5, en;q=0.1", "en"),  # no quality, so nothing
        ("zh;q=nan, \x00, zhong, ;;;", "en"),
        ("fr," * 40 + "zh", "en"),  # read so far and no farther
    ],
)
def test_a_browsers_wish_counts_by_its_quality(header: str, language: str) -> None:
    assert language_of(None, None, header) == language


def test_a_languages_document_says_which_it_is() -> None:
    assert (ENGLISH.tag, CHINESE.tag) == ("en", "zh-CN")
    assert (ENGLISH.name, CHINESE.name) == ("English", "中文")


def test_a_text_has_its_values_in_both_languages() -> None:
    assert ENGLISH.gettext("%(hours)s GPU-hours", hours="1.500") == "1.500 GPU-hours"
    assert CHINESE.gettext("%(hours)s GPU-hours", hours="1.500") == "1.500 卡时"
    with pytest.raises(KeyError):
        CHINESE.gettext("%(hours)s GPU-hours")


def test_a_number_of_things_agrees_with_it_and_sets_thousands_apart() -> None:
    assert [ENGLISH.ngettext("%(num)s day", "%(num)s days", number) for number in (1, 2_000)] == ["1 day", "2,000 days"]
    assert [CHINESE.ngettext("%(num)s day", "%(num)s days", number) for number in (1, 2_000)] == ["1 天", "2,000 天"]


def test_a_text_that_no_catalogue_has_is_said_in_english() -> None:
    assert CHINESE.gettext("no such %(what)s", what="text") == "no such text"
    assert CHINESE.pgettext("nowhere", "no such text") == "no such text"
    assert CHINESE.npgettext("nowhere", "%(num)s text", "%(num)s texts", 2) == "2 texts"


def _rendered(language: str, template: str, **values: Any) -> str:
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    install(environment, CHINESE if language == "zh" else ENGLISH, lambda: 28_800)
    return environment.from_string(template).render(values)


TEMPLATE = (
    "{% macro hours(time) %}{{ time | gpu_time }}{% endmacro %}"
    "{{ hours(4_444_200_000) }}|{{ _('%(hours)s GPU-hours', hours=name) }}|{{ fen | yuan }}|{{ none | yuan }}|"
    "{% trans num=days %}{{ num }} day{% pluralize %}{{ num }} days{% endtrans %}|{{ words.tag }}"
)


def test_templates_and_their_macros_speak_the_environments_language() -> None:
    values = {"name": "<b>", "fen": 150_000_000, "days": 2_000}
    english = "1,234.500 GPU-hours|&lt;b&gt; GPU-hours|¥1,500,000.00|–|2,000 days|en"
    assert _rendered("en", TEMPLATE, **values) == english
    assert _rendered("zh", TEMPLATE, **values) == "1,234.500 卡时|&lt;b&gt; 卡时|¥1,500,000.00|–|2,000 天|zh-CN"


def test_a_block_of_text_over_several_lines_is_one_msgid() -> None:
    block = "{% trans count=days %}\n  {{ count }}\n  day\n{% pluralize %}\n  {{ count }}\n  days\n{% endtrans %}"
    assert _rendered("en", block, days=1_000) == "1,000 days"


RULES: dict[str, Any] = {
    "shares": [
        {"share_bp": 3_000, "items": ["a-910b", "a-910c"], "origin": "domestic", "ceiling_bp": 0},
        {"share_bp": 1_250, "filed": True, "holder_class": "startup"},
        {"share_bp": 100, "filed": False},
    ],
    "ceiling_bp": 5_000,
    "rank": 1,
    "cap": {"group": "all", "holder_fen": 2**53 - 1, "floor_fen": 3_000},
    "validity_days": 1_000,
    "transfer": "approved",
    "payee": "contract",
    "basis": "both",
    "rounding_fen": 100,
    "claims": {"cycle": "quarter", "cut_off_days": 30},
    "proration": {"first_day": "2026-01-01", "last_day": "2026-12-31", "day_count": "inclusive", "truncate_fen": 100},
    "gates": [
        {"before": "issue", "subject_type": "contract", "topic": "signed", "other_side": True, "passes": 1},
        {"before": "settle", "subject_type": "claim", "topic": "merit", "attesters": ["district", "bank"], "passes": 2},
    ],
}


def test_a_programmes_rules_are_sentences_in_both_languages() -> None:
    english, chinese = ENGLISH.rules(RULES), CHINESE.rules(RULES)
    assert english[:3] == (
        "it pays 30 % of the fee of a-910b, a-910c of items of domestic origin, with all other support at most 0 %",
        "else it pays 12.50 % of the fee of filed models for holders of class startup, "
        "with all other support at most 50 %",
        "else it pays 1 % of the fee, with all other support at most 50 %",
    )
    assert chinese == (
        "支付费用的 30%（适用：服务项 a-910b、a-910c；国产服务项），连同其他全部补助不超过费用的 0%",
        "否则支付费用的 12.50%（适用：已备案模型；startup 类持有人），连同其他全部补助不超过费用的 50%",
        "否则支付费用的 1%，连同其他全部补助不超过费用的 50%",
        "有多个项目时按第 1 顺位支付，顺位数小者在先",
        "在 all 组内，每个财政年度向每个持有人最多发放 90,071,992,547,409.91 元",
        "每张算力券不低于 30.00 元",
        "算力券有效期为 1,000 天",
        "算力券经主管财政签署后可以转让",
        "付给合同约定方，依据用量明细和发票",
        "发票按 2026-01-01 至 2026-12-31 期间的天数计（首末两日均计），舍至 1.00 元",
        "兑付申请截至季度末，须在其后 30 天内提出",
        "兑付申请金额舍至整元",
        "发放之前，合同另一方须就 signed 对合同出具通过结论",
        "兑付之前，district、bank 中须有 2 方就 merit 对兑付申请出具通过结论",
    )
    assert len(english) == len(chinese)
