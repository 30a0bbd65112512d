"""In which language a page is: as the address asks, else as the cookie, else as the browser does, else English."""

import re
from collections.abc import Iterator
from typing import Final, Literal, TypeGuard

Language = Literal["en", "zh"]

LANGUAGES: Final[tuple[Language, ...]] = ("en", "zh")
COOKIE: Final = "lang"
TAGS: Final[dict[Language, str]] = {"en": "en", "zh": "zh-CN"}
"""What a document in the language calls it (BCP 47)."""
NAMES: Final[dict[Language, str]] = {"en": "English", "zh": "中文"}
"""What the language calls itself."""

_RANGES_MAX: Final = 32
_RANGE: Final = re.compile(
    r"(?P<range>\*|[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*)"
    r"(?:[ \t]*;[ \t]*[qQ]=(?P<quality>0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?"
)


def language_of(asked: str | None, cookie: str | None, accept_language: str | None) -> Language:
    """Return a page's language.

    Args:
        asked: the address's `lang`; one that there isn't counts as none.
        cookie: the cookie of that name; likewise.
        accept_language: the header (RFC 9110 § 12.5.4); what isn't of its form is passed over.
    """
    for wish in (asked, cookie):
        if is_language(wish):
            return wish
    return _accepted(accept_language or "")


def is_language(text: str | None) -> TypeGuard[Language]:
    """Whether pages are in this language."""
    return text in LANGUAGES


def _accepted(header: str) -> Language:
    best: dict[Language, tuple[int, int]] = {}  # how much it is wanted, and how early it stands
    rest = (0, 0)
    for place, (primary, quality) in enumerate(_ranges(header)):
        rank = (quality, -place)
        if primary == "*":
            rest = rank
        elif is_language(primary):
            best[primary] = max(best.get(primary, rank), rank)
    ranked = {language: best.get(language, rest) for language in LANGUAGES}
    return max(LANGUAGES, key=lambda language: ranked[language]) if any(q for q, _ in ranked.values()) else "en"


def _ranges(header: str) -> Iterator[tuple[str, int]]:
    """Yield the primary part of each range, in lower case, with its quality in thousandths."""
    for part in header.split(",")[:_RANGES_MAX]:
        found = _RANGE.fullmatch(part.strip(" \t"))
        if found is None:
            continue
        whole, _, decimals = (found["quality"] or "1").partition(".")
        yield found["range"].partition("-")[0].lower(), int(whole) * 1_000 + int(decimals.ljust(3, "0"))
