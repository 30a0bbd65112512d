"""In which language sentences are made: English by itself, another one by what translates their texts."""

from collections.abc import Iterable
from typing import Final, Protocol


class Speech(Protocol):
    """What gives a text its values, in a language; a text's msgid is its English."""

    def gettext(self, message: str, **values: object) -> str:
        """Return a text with its values."""

    def pgettext(self, context: str, message: str, **values: object) -> str:
        """Return a text that means something else elsewhere, with its values."""

    def ngettext(self, one: str, many: str, number: int, **values: object) -> str:
        """Return a text about a number of things, which it has as `%(num)s`."""


class _English:
    def gettext(self, message: str, **values: object) -> str:
        return message % values

    def pgettext(self, context: str, message: str, **values: object) -> str:
        return message % values

    def ngettext(self, one: str, many: str, number: int, **values: object) -> str:
        return (one if number == 1 else many) % ({"num": f"{number:,}"} | values)


ENGLISH: Final[Speech] = _English()


def listed(texts: Iterable[str], speech: Speech) -> str:
    """Return texts as a list within a sentence; empty of none."""
    listed, *rest = [*texts] or [""]
    for text in rest:
        listed = speech.gettext("%(first)s, %(second)s", first=listed, second=text)
    return listed
