"""A command in Chinese says what it says in English: every id, amount and day, and nothing untranslated."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tallystick.forms.words import in_words
from tallystick.web.pages.words import words_in

ENGLISH, CHINESE = words_in("en"), words_in("zh")
VECTORS = Path(__file__).resolve().parents[1] / "vectors" / "entries"
STORY = [json.loads(path.read_bytes().split(b"\n")[1]) for path in sorted(VECTORS.glob("[0-9]*.txt"))]
ZONE = 28_800
_TOLD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+/@=,-]*[0-9][A-Za-z0-9._:+/@=,-]*|[a-z0-9-]+/[A-Za-z0-9._-]+")


class _Asked:
    """Chinese, noting what is asked for."""

    def __init__(self) -> None:
        self.untranslated: list[str] = []

    def gettext(self, message: str, **values: object) -> str:
        return self._noted(message, CHINESE.translations.gettext(message)) % values

    def pgettext(self, context: str, message: str, **values: object) -> str:
        return self._noted(message, CHINESE.translations.pgettext(context, message)) % values

    def ngettext(self, one: str, many: str, number: int, **values: object) -> str:
        return self._noted(one, CHINESE.translations.ngettext(one, many, number)) % values

    def _noted(self, message: str, said: str) -> str:
        if said == message:
            self.untranslated.append(message)
        return said


@pytest.mark.parametrize("command", STORY, ids=lambda command: command["ref"])
def test_nothing_is_left_out_and_nothing_untranslated(command: dict[str, Any]) -> None:
    asked = _Asked()
    chinese = in_words(command, ZONE, None, asked)
    english = ENGLISH.command(command, ZONE)
    assert asked.untranslated == []
    assert re.search(r"[\u4e00-\u9fff]", chinese.sentence)
    assert CHINESE.command(command, ZONE) == chinese
    assert len(chinese.details) == len(english.details)
    assert _told(chinese.lines()) == _told(english.lines())
    assert not re.search(r"[\[\]{}]", chinese.sentence)


def test_an_issue_in_chinese() -> None:
    command = next(one for one in STORY if one["kind"] == "voucher.issue/1") | {"face_fen": 150_000_000}
    names = {("party", "shanghai"): "上海市财政局", ("party", "acme"): "Acme AI"}
    words = CHINESE.command(command, ZONE, lambda kind, id_: names.get((kind, id_)))
    assert words.sentence == (
        "上海市财政局 (shanghai) 在项目 shanghai/S1 下向 Acme AI (acme) 发放算力券 shanghai/V1，面额 1,500,000.00 元，"
        "自 2026-01-05 16:00 起有效"
    )
    assert words.signed.startswith("日志 tallystick.example/national，单据号 ref-")


def _told(lines: Any) -> list[str]:
    """Ids, amounts, days and hashes, in whatever order a language has them."""
    return sorted(told.rstrip(",.:") for told in _TOLD.findall(" ".join(lines)))
