"""The closed lists whose members pages name: what each member is called, or means, in English, by its code.

The sentences are those of the lists themselves, which command line and documents have too; short names are of the
pages. The catalogue has them all, a test says, in Chinese.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final, NamedTuple

from tallystick.coded_enum import CodedEnum
from tallystick.findings import FindingCode
from tallystick.forms import words as commands_in_words
from tallystick.patterns import Certainty, Parameters, Pattern, Severity
from tallystick.vouchers.rulebook import EVENT_KINDS
from tallystick.web.pages.code_names import NAMES
from tallystick.web.pages.kind_names import KINDS
from tallystick.web.pages.member_names import MEMBERS
from tallystick.wire.problem_advice import all_advice


class ClosedList(NamedTuple):
    """The texts of a list.

    Attributes:
        texts: by code.
        context: of the texts in the catalogue, because a word alone may mean something else elsewhere; sentences have
            none.
    """

    texts: Mapping[str, str]
    context: str | None


@cache
def closed_lists() -> Mapping[str, ClosedList]:
    """Return the lists by name."""
    lists = {name: ClosedList(texts, name) for name, texts in NAMES.items()}
    lists["kind"] = ClosedList(_kinds(), "kind")
    lists["member"] = ClosedList(MEMBERS, "member")
    of_reasons = all_advice()
    for name, told in (("reason", "title"), ("advice", "advice"), ("again", "again")):
        lists[name] = ClosedList({code: str(said[told]) for code, said in of_reasons.items() if said[told]}, None)
    for name, members in _MEANT.items():
        lists[name] = ClosedList({member.value: member.meaning for member in members}, None)
    lists["parameter meaning"] = ClosedList({name: said for name, (_, said) in Parameters.meanings().items()}, None)
    return lists


def messages() -> Iterator[tuple[str, str | None]]:
    """Yield each text with its context, as the catalogue has it, and those that commands' words are made of."""
    for closed in closed_lists().values():
        for text in closed.texts.values():
            yield text, closed.context
    yield from commands_in_words.texts()


_MEANT: Final[Mapping[str, type[CodedEnum]]] = {
    "finding": FindingCode,
    "pattern meaning": Pattern,
    "severity meaning": Severity,
    "certainty meaning": Certainty,
}


def _kinds() -> dict[str, str]:
    named: dict[str, str] = {}
    for command, (does, was_done) in KINDS.items():
        named[command] = does
        named[EVENT_KINDS[command]] = was_done
    return named
