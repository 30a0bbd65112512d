"""A command in plain words: a sentence, what the sentence leaves out line by line, and where and when it was signed.

    Qingyang treasury (qingyang-treasury) issues voucher qingyang-treasury/v-7 of 1,500,000.00 yuan to Acme AI (acme-ai)
    under programme Compute 2026 (qingyang-treasury/c-2026), valid from 2026-01-05
      evidence  sha256:…
      for the log tallystick.example/national, as ref 20260105-7f3a, signed at 2026-01-05 16:00 (UTC+08:00)

All that is signed is said, whatever kind it is; a test asks for each field of each command. What strangers wrote stands
as it is: whoever prints it escapes it.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tallystick.errors import MalformedError
from tallystick.forms import amounts, times
from tallystick.forms.building import Option
from tallystick.forms.form import Form, forms
from tallystick.forms.leaves import Leaf, Surroundings, plain_name
from tallystick.forms.records import Grouped, JsonObject, Part, get
from tallystick.forms.sentences import SENTENCES
from tallystick.forms.speech import ENGLISH, Speech, listed
from tallystick.signing.note import Note
from tallystick.vouchers.quantities import parse_instant
from tallystick.vouchers.rulebook import parse_command

Names = Callable[[str, str], str | None]
"""Returns what a thing is called, of its kind (`party`, `programme`, `item`) and id; None if that isn't known."""

_SUMMED: Final = frozenset({"paid", "withheld", "amount"})
_OPTIONAL: Final = re.compile(r"\[([^]]*)\]")
_FIELD: Final = re.compile(r"\{([a-z_.]+)\}")
_PLAIN: Final = re.compile(r"[\w .&·-]+")
_YES_OR_NO: Final = ("yes", "yes|no")
_FIELD_NAME: Final = "field"
"""The context of fields' names among translated texts; of a closed list's values it is the field's name."""
_NAMED: Final = {"PARTY": "party", "ITEM": "item"}


@dataclass(frozen=True, slots=True)
class Words:
    """A command in words.

    Attributes:
        sentence: what it does.
        details: the rest of what it says, a line each: what it is called, and what is said.
        signed: for which log, under which reference, and when it was signed.
    """

    sentence: str
    details: tuple[tuple[str, str], ...]
    signed: str

    def lines(self) -> Iterator[str]:
        """Yield all of it, line by line."""
        yield self.sentence
        width = max((len(name) for name, _ in self.details), default=0)
        for name, said in self.details:
            for number, line in enumerate(said.split("\n")):
                yield f"  {'' if number else name:{width}}  {line}"
        yield f"  {self.signed}"


def in_words(command: Mapping[str, Any], zone: int, names: Names | None = None, speech: Speech = ENGLISH) -> Words:
    """Return a command in words.

    Args:
        command: its text's JSON values.
        zone: the network's offset in seconds.
        names: what things are called; without it their ids alone are said.
        speech: the language.

    Raises:
        KeyError: of no kind of the closed list.
    """
    return _Speaker(forms()[command["kind"]], zone, names or (lambda _kind, _id: None), speech).words(dict(command))


def texts() -> Iterator[tuple[str, str | None]]:
    """Yield the texts that commands' words are made of, each with its context, for who translates them."""
    for sentence in SENTENCES.values():
        yield sentence, None
    for name, field, leaf in _leaves():
        yield _said(name), _FIELD_NAME
        for choice in leaf.choices if leaf is not None else ():
            yield choice, plain_name(field)


def command_in(note: bytes) -> JsonObject | None:
    """Return the fields of a note's command as JSON values; None of what is no note of a command."""
    try:
        text = Note.from_bytes(note).text
    except MalformedError:
        return None
    return fields_of(text)


def fields_of(text: bytes) -> JsonObject | None:
    """Return the fields of a command's text as JSON values; None of what is no command."""
    try:
        parse_command(text)
    except MalformedError:
        return None
    fields: JsonObject = json.loads(text)
    return fields


def shown_time(instant: int, zone: int) -> str:
    """Return an instant (microseconds) at an offset (seconds) as a sentence has it: `2026-01-05 16:00`, or a day."""
    text = times.local(instant, zone).replace("T", " ")
    return text.removesuffix(":00") if len(text) == len("2026-01-05 16:00:00") else text


def quoted(text: str) -> str:
    """Return a stranger's text so that it can't be taken for more of the sentence."""
    doubled = text.replace('"', '""')
    return f'"{doubled}"'


@dataclass(frozen=True)
class _Speaker:
    form: Form
    zone: int
    names: Names
    speech: Speech

    def words(self, command: JsonObject) -> Words:
        said = set[tuple[str, ...]]()
        sentence = self.speech.gettext(SENTENCES[self.form.kind])
        template = _OPTIONAL.sub(lambda found: self._if_all(found[1], command), sentence)
        sentence = _FIELD.sub(lambda found: self._field(found[1], command, said), template)
        rest = [line for option in self.form.options for line in self._option(option, command, said)]
        signed = self.speech.gettext(
            "for the log %(log)s, as ref %(ref)s, signed at %(time)s (%(zone)s)",
            log=command["log"],
            ref=command["ref"],
            time=shown_time(parse_instant(command["signed_at"]), self.zone),
            zone=times.zone_name(self.zone),
        )
        return Words(sentence, tuple(rest), signed)

    def _if_all(self, part: str, command: JsonObject) -> str:
        there = all(get(command, tuple(name.split("."))) is not None for name in _FIELD.findall(part))
        return part if there else ""

    def _field(self, name: str, command: JsonObject, said: set[tuple[str, ...]]) -> str:
        path = tuple(name.split("."))
        said.add(path)
        value = get(command, path)
        if name == "party":
            return self._named("party", value)
        return self._text(_leaf_at(self.form, path), path[-1], value)

    def _option(self, option: Option, command: JsonObject, said: set[tuple[str, ...]]) -> Iterator[tuple[str, str]]:
        value = get(command, option.path)
        if value is None or option.path in said:
            return
        shape = option.shape
        name = self.speech.pgettext(_FIELD_NAME, _said(option.name))
        if isinstance(shape, Leaf):
            for one in value if option.is_list else (value,):
                yield name, self._text(shape, option.path[-1], one)
        elif isinstance(shape, Grouped):
            for group in value:
                outer = shape.outer.pairs(group)
                for inner in group[shape.inner_name]:
                    yield name, self._pairs([*outer, *shape.inner.pairs(inner)])
                    outer = outer[:1]
        else:
            each = value if option.is_list else [value]
            if not each:
                yield name, self.speech.gettext("none")
            for one in each:
                pairs = [pair for pair in shape.pairs(one) if (*option.path, *pair[0].path) not in said]
                if pairs:
                    yield name, self._pairs(pairs)
            if len(each) > 1:
                yield from self._sums(name, [pair for one in each for pair in shape.pairs(one)])

    def _sums(self, name: str, pairs: Sequence[tuple[Part, Any]]) -> Iterator[tuple[str, str]]:
        sums: dict[str, int] = {}
        for part, value in pairs:
            if part.name in _SUMMED:
                sums[part.name] = sums.get(part.name, 0) + value
        if sums:
            said = [f"{self.speech.pgettext(_FIELD_NAME, what)} {self._yuan(fen)}" for what, fen in sums.items()]
            yield self.speech.gettext("%(name)s, in all", name=name), listed(said, self.speech)

    def _pairs(self, pairs: Sequence[tuple[Part, Any]]) -> str:
        said = [
            f"{self.speech.pgettext(_FIELD_NAME, _said(part.name))} {self._text(part.leaf, part.path[-1], value)}"
            for part, value in pairs
        ]
        return listed(said, self.speech)

    def _yuan(self, fen: int) -> str:
        return self.speech.gettext("%(amount)s yuan", amount=amounts.yuan(fen))

    def _text(self, leaf: Leaf, name: str, value: Any) -> str:  # noqa: ANN401 - a JSON value
        if leaf.metavar == "YUAN":
            return self._yuan(value)
        if leaf.metavar == "TIME":
            return shown_time(parse_instant(value if "." in value else value.replace("Z", ".000000Z")), self.zone)
        kind = _NAMED.get(leaf.metavar) or ("programme" if name == "programme" else None)
        if kind is not None:
            return self._named(kind, value)
        if leaf.metavar == "TEXT":
            return quoted(value)
        written = leaf.write(value, Surroundings(self.zone))
        if written in leaf.choices:
            return self.speech.pgettext(plain_name(name), written)
        if leaf.metavar in _YES_OR_NO:
            return self.speech.gettext("yes") if value else self.speech.gettext("no")
        return written

    def _named(self, kind: str, id_: str) -> str:
        name = self.names(kind, id_)
        return id_ if name is None else f"{name if _PLAIN.fullmatch(name) else quoted(name)} ({id_})"


def _said(name: str) -> str:
    """Return a field's name in words."""
    return name.replace("-", " ").replace(".", " ")


def _leaves() -> Iterator[tuple[str, str, Leaf | None]]:
    """Yield each field's name in forms and in commands, with what it holds unless that has fields itself."""
    for form in forms().values():
        for option in form.options:
            shape = option.shape
            yield option.name, option.path[-1], shape if isinstance(shape, Leaf) else None
            if isinstance(shape, Leaf):
                continue
            records = (
                (shape.outer, shape.inner) if isinstance(shape, Grouped) else (shape, *(shape.others or {}).values())
            )
            for record in records:
                yield from ((part.name, part.path[-1], part.leaf) for part in record.parts)


def _leaf_at(form: Form, path: tuple[str, ...]) -> Leaf:
    """Return the leaf of a field that a sentence names."""
    for option in form.options:
        if option.path == path and isinstance(option.shape, Leaf):
            return option.shape
        if path[: len(option.path)] == option.path and not isinstance(option.shape, Leaf | Grouped):
            for part in option.shape.parts:
                if (*option.path, *part.path) == path:
                    return part.leaf
    raise KeyError(f"{form.kind} has no {'.'.join(path)}")
