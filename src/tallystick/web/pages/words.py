"""The words of a page in one language: texts by their English msgid, and the members of closed lists by their code.

    words = words_in("zh")
    words.gettext("Entry %(index)s", index=7)                  条目 7
    words.ngettext("%(num)s voucher", "%(num)s vouchers", 3)    3 张算力券
    words.reason("exceeds_reservation")

A msgid is a whole sentence or name with `%(name)s` for what changes: never glued of parts, and without markup. A `%`
is doubled in it. `_` and `gettext` are what finds a msgid in code and templates; `N_` marks one of a table.
"""

import gettext
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final, cast

from jinja2 import Environment, pass_context
from jinja2.runtime import Context

from tallystick.forms.rules_in_words import rules_in_words
from tallystick.forms.words import Names, in_words
from tallystick.forms.words import Words as CommandWords
from tallystick.web.pages.amounts import Amounts
from tallystick.web.pages.catalogue import chinese
from tallystick.web.pages.closed_lists import ClosedList, closed_lists
from tallystick.web.pages.languages import NAMES, TAGS, Language, language_of

__all__ = ["Language", "N_", "Words", "install", "language_of", "words_in"]


def N_(text: str) -> str:  # noqa: N802 - gettext's own name
    """Return a msgid as it is; so it is found, and translated where it is shown."""
    return text


_NONE: Final = ClosedList({}, None)
_LISTS_OF_MEMBERS: Final[Mapping[str, str]] = {
    "standing": "status",
    "claimant": "payee",
    "refused": "reason",
    "before": "act",
    "by": "found by",
    "kinds": "kind",
    "subject_type": "thing",
    "day_count": "day count",
}
"""By the member of the JSON, where they aren't called alike."""


class Words:
    """Texts in a language.

    Attributes:
        language: `en` or `zh`.
        tag: what `<html lang>` says of it.
        name: what it calls itself.
    """

    def __init__(self, language: Language, translations: gettext.NullTranslations) -> None:
        self.language: Final = language
        self.tag: Final = TAGS[language]
        self.name: Final = NAMES[language]
        self.translations: Final = translations

    def gettext(self, message: str, **values: object) -> str:
        """Return a text with its values."""
        return self.translations.gettext(message) % values

    def pgettext(self, context: str, message: str, **values: object) -> str:
        """Return a text that means something else elsewhere, with its values."""
        return self.translations.pgettext(context, message) % values

    def ngettext(self, one: str, many: str, number: int, **values: object) -> str:
        """Return a text about a number of things; its text has the number as `%(num)s`."""
        return self.translations.ngettext(one, many, number) % _with_number(number, values)

    def npgettext(self, context: str, one: str, many: str, number: int, **values: object) -> str:
        """Return a text about a number of things that means something else elsewhere."""
        return self.translations.npgettext(context, one, many, number) % _with_number(number, values)

    # -- members of closed lists: by code; one that isn't on the list is said as it is ---------------------------------

    def kind(self, kind: str) -> str:
        """Return what a command or an event of a kind is called: `Voucher issued`."""
        return self._member("kind", kind)

    def reason(self, code: str) -> str:
        """Return what a reason of a refusal, of an answer of the service or of an error means."""
        return self._member("reason", code)

    def advice(self, code: str) -> str:
        """Return what to do about a reason."""
        return self._member("advice", code)

    def again(self, code: str) -> str:
        """Return whether the same can be sent or asked again; empty of what is no refusal."""
        return self._member("again", code) if code in closed_lists()["again"].texts else ""

    def finding(self, code: str) -> str:
        """Return what a finding of an audit means."""
        return self._member("finding", code)

    def pattern(self, code: str) -> str:
        """Return what a pattern is called."""
        return self._member("pattern", code)

    def pattern_meaning(self, code: str) -> str:
        """Return what a pattern means."""
        return self._member("pattern meaning", code)

    def parameter_meaning(self, name: str) -> str:
        """Return what a threshold of the patterns is for."""
        return self._member("parameter meaning", name)

    def severity(self, code: str) -> str:
        """Return how grave a pattern is, in a word."""
        return self._member("severity", code)

    def certainty(self, code: str) -> str:
        """Return how sure a pattern is, in a word."""
        return self._member("certainty", code)

    def status(self, code: str, kind: str = "") -> str:
        """Return in which state a thing is; of some kinds a state is called otherwise than of most."""
        of_kind = f"status of {kind}"
        return self._member(of_kind if code in closed_lists().get(of_kind, _NONE).texts else "status", code)

    def role(self, code: str) -> str:
        """Return what a party of a role is."""
        return self._member("role", code)

    def purpose(self, code: str) -> str:
        """Return what a key is for."""
        return self._member("purpose", code)

    def cause(self, code: str) -> str:
        """Return why a key was revoked."""
        return self._member("cause", code)

    def verdict(self, code: str) -> str:
        """Return an attester's verdict."""
        return self._member("verdict", code)

    def basis(self, code: str) -> str:
        """Return what a contract or a programme goes by."""
        return self._member("basis", code)

    def voucher_kind(self, code: str) -> str:
        """Return what kind of voucher a programme gives."""
        return self._member("voucher kind", code)

    def origin(self, code: str) -> str:
        """Return where an item's chips are from."""
        return self._member("origin", code)

    def unit(self, code: str) -> str:
        """Return by what an item is counted."""
        return self._member("unit", code)

    def payee(self, code: str) -> str:
        """Return whom a programme pays, or who claims under a contract."""
        return self._member("payee", code)

    def transfer(self, code: str) -> str:
        """Return whether a programme's vouchers can be transferred."""
        return self._member("transfer", code)

    def cycle(self, code: str) -> str:
        """Return how often is claimed under a programme."""
        return self._member("cycle", code)

    def day_count(self, code: str) -> str:
        """Return how the days of an invoice are counted."""
        return self._member("day count", code)

    def subject_type(self, code: str) -> str:
        """Return what a verdict is on."""
        return self._member("thing", code)

    def act(self, code: str) -> str:
        """Return the act that a gate stands before."""
        return self._member("act", code)

    def hit(self, kind: str) -> str:
        """Return what a thing of a kind is called: a voucher, a holder, an entry."""
        return self._member("thing", kind)

    def things(self, kind: str) -> str:
        """Return what things of a kind are called: vouchers, holders, entries."""
        return self._member("things", kind)

    def found_by(self, by: str) -> str:
        """Return by what of it something was found."""
        return self._member("found by", by)

    def named(self, member: str, value: str) -> str:
        """Return what a member of the JSON says, if it has codes of a list; else its value as it is."""
        of = _LISTS_OF_MEMBERS.get(member, member)
        return self._member(of, value) if of in closed_lists() else value

    def command(self, command: Mapping[str, Any], zone: int, names: Names | None = None) -> CommandWords:
        """Return a command, of its fields in JSON, in a sentence and lines; `zone` is the network's offset in seconds.

        Raises:
            KeyError: of no kind of the closed list.
        """
        return in_words(command, zone, names, self)

    def rules(self, rules: Mapping[str, Any]) -> tuple[str, ...]:
        """Return what a programme's rules say, in sentences, of their fields in JSON."""
        return rules_in_words(rules, self)

    def member(self, name: str) -> str:
        """Return the heading of a member of the JSON: `available` for `available_fen`."""
        is_named = name in closed_lists()["member"].texts
        return self._member("member", name) if is_named else name.removesuffix("_fen").replace("_", " ")

    def _member(self, list_name: str, code: str) -> str:
        closed = closed_lists()[list_name]
        text = closed.texts.get(code)
        if text is None:
            return code
        if closed.context is not None:
            return self.translations.pgettext(closed.context, text)
        return self.translations.gettext(text).replace("`", "")  # which sets names apart where text is all there is


def _with_number(number: int, values: Mapping[str, object]) -> dict[str, object]:
    """Return values, and the number, with thousands set apart."""
    shown = f"{number:,}"
    return {"num": shown} | {
        name: shown if type(value) is int and value == number else value for name, value in values.items()
    }


@cache
def words_in(language: Language) -> Words:
    """Return the words of a language."""
    return Words(language, chinese() if language == "zh" else gettext.NullTranslations())


def install(environment: Environment, words: Words, zone: Callable[[], int | None]) -> None:
    """Let an environment's templates, macros too, speak one language.

    They have `_`, `gettext`, `ngettext`, `pgettext`, `npgettext` and `{% trans %}`, `words`, and as filters what
    `Amounts` shows: `{{ row.face_fen | yuan }}`.

    Args:
        environment: one for each language.
        words: of the language.
        zone: returns the network's offset in seconds; None while no network is founded.
    """
    environment.add_extension("jinja2.ext.i18n")
    environment.policies["ext.i18n.trimmed"] = True
    callables: Any = environment  # the extension adds its methods to the environment
    of = words.translations
    callables.install_gettext_callables(
        of.gettext, of.ngettext, newstyle=True, pgettext=of.pgettext, npgettext=of.npgettext
    )
    for name in ("ngettext", "npgettext"):
        environment.globals[name] = _numbered(cast(Callable[..., str], environment.globals[name]))
    environment.globals["words"] = words
    environment.filters |= Amounts(words, zone).filters()


def _numbered(said: Callable[..., str]) -> Callable[..., str]:
    """Return a template's function for numbers of things, which sets their thousands apart."""

    @pass_context
    def numbered(context: Context, *message: Any, **values: object) -> str:  # noqa: ANN401 - strings and a number
        return said(context, *message, **_with_number(message[-1], values))

    return numbered
