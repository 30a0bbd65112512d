"""The catalogue has every text of the pages in Chinese, and nothing else."""

import re

import pytest
from babel.messages.catalog import Catalog

from support.messages import Key, brought_up_to_date, extracted, kept, messages
from tallystick.web.pages.catalogue import CATALOGUE

PLACEHOLDER = re.compile(r"%(?:\((\w+)\))?(.?)")
_LETTERS = re.compile(r"[A-Za-z]{2,}")
_MARKUP = re.compile(r"</?[a-z]+(?: [a-z-]+=[^>]*)?/?>|&[a-z]+;|\n")
_FIELD = re.compile(r"\{([a-z_.]+)\}")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
SAME_IN_BOTH: frozenset[Key] = frozenset()
"""Names and codes that Chinese readers know by the same letters."""


@pytest.fixture(scope="module")
def said() -> Catalog:
    return extracted()


@pytest.fixture(scope="module")
def catalogue() -> Catalog:
    return kept()


def test_the_catalogue_is_as_make_messages_leaves_it(said: Catalog, catalogue: Catalog) -> None:
    """Nothing is missing, nothing unused, and the order and places are those that it writes."""
    assert {key for key, _ in messages(said)} == {key for key, _ in messages(catalogue)}
    assert CATALOGUE.read_bytes() == brought_up_to_date()
    assert list(catalogue.obsolete) == []


def test_every_text_is_translated_and_none_is_a_guess(catalogue: Catalog) -> None:
    assert [key for key, message in messages(catalogue) if not all(_strings(message.string)) or message.fuzzy] == []


def test_a_translation_has_the_placeholders_of_its_msgid(catalogue: Catalog) -> None:
    """Of the plural, where there are two: Chinese has one text for all numbers."""
    wrong = [
        key
        for key, message in messages(catalogue)
        for text in _strings(message.string)
        if _placeholders(text) != _placeholders(_strings(message.id)[-1])
    ]
    assert wrong == []


def test_a_commands_sentence_has_its_fields_and_optional_parts(catalogue: Catalog) -> None:
    """`{field}`, and what stands in brackets with it."""
    wrong = [
        key
        for key, message in messages(catalogue)
        for text in _strings(message.string)
        if _fields(text) != _fields(key[0])
    ]
    assert wrong == []


def test_a_placeholder_is_a_named_string(catalogue: Catalog) -> None:
    """No other can be moved about in a sentence; a per cent sign that is meant is doubled."""
    wrong = [
        (key, found[0])
        for key, message in messages(catalogue)
        for text in (*_strings(message.id), *_strings(message.string))
        for found in PLACEHOLDER.finditer(text)
        if not (found[1] and found[2] == "s") and found[0] != "%%"
    ]
    assert wrong == []


def test_a_msgid_is_text_without_markup_or_blanks_around_it(catalogue: Catalog) -> None:
    texts = [text for _, message in messages(catalogue) for text in (*_strings(message.id), *_strings(message.string))]
    assert [text for text in texts if text != text.strip() or _MARKUP.search(text)] == []


def test_no_english_is_left_in_chinese(catalogue: Catalog) -> None:
    """A translation has Chinese characters, unless its msgid has no words, or names alone."""
    left = {
        key
        for key, message in messages(catalogue)
        for text in _strings(message.string)
        if _LETTERS.search(PLACEHOLDER.sub("", key[0])) and not _CHINESE.search(text)
    }
    assert left == SAME_IN_BOTH


def test_chinese_has_its_own_marks(catalogue: Catalog) -> None:
    """Half-width commas, colons and full stops stand in numbers, names and codes alone."""
    half_width = re.compile(r"[\u4e00-\u9fff][,;:?!()]|[,;:?!()][\u4e00-\u9fff]")
    assert [
        text for _, message in messages(catalogue) for text in _strings(message.string) if half_width.search(text)
    ] == []


def _strings(said: str | tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    return (said or "",) if isinstance(said, str | None) else tuple(said)


def _placeholders(text: str) -> set[str]:
    return {found[1] for found in PLACEHOLDER.finditer(text) if found[1]}


def _fields(text: str) -> tuple[list[str], list[list[str]]]:
    optional = [sorted(_FIELD.findall(part)) for part in re.findall(r"\[([^]]*)\]", text)]
    return sorted(_FIELD.findall(text)), sorted(part for part in optional if part)
