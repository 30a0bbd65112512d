"""A command as a form: its options, made from the rule's model, read as people write them, and written again.

    form = forms()["voucher.issue/1"]
    filled = form.read({"programme": ["sh/p-1"], "face": ["1,500,000.00"], …}, surroundings)
    form.write(fields, surroundings)        [("programme", "sh/p-1"), ("face", "1,500,000.00"), …]

A field is an option of its name without its unit, a list is the option repeated, an object is `name=value,…`
(notation.py). An object that holds objects or lists, such as a programme's rules, is spread: its fields are options.
The fields that every command has (`kind`, `log`, `party`, `ref`, `signed_at`) are in no form.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from pydantic import ValidationError

from tallystick.field_faults import fault_in_words
from tallystick.forms.building import Option, options_of
from tallystick.forms.leaves import Leaf, Surroundings, plain_name
from tallystick.forms.notation import read_pairs, write_pairs
from tallystick.forms.records import Grouped, JsonObject, Record, get
from tallystick.signing import canonical_json
from tallystick.vouchers.fields import IN_WORDS
from tallystick.vouchers.rulebook import RULEBOOK
from tallystick.vouchers.rules.rule import Rule

COMMON: Final = tuple(Rule.model_fields)
"""Fields that every command has."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a form: of which option (none: of the whole), and in words."""

    option: str | None
    words: str

    def __str__(self) -> str:
        """Return both in one line."""
        return self.words if self.option is None else f"--{self.option} {self.words}"


@dataclass(frozen=True, slots=True)
class Filled:
    """What a form was filled with: a command's own fields as JSON values, and what is wrong with them."""

    fields: JsonObject
    faults: list[Fault] = field(default_factory=list)


@dataclass(frozen=True)
class Form:
    """A kind of command as a form.

    Attributes:
        kind: the command's own name and version.
        rule: its model.
        options: its own fields, in the order of the model.
    """

    kind: str
    rule: type[Rule]
    options: tuple[Option, ...]

    @property
    def meaning(self) -> str:
        """What the command does, in a sentence."""
        return (self.rule.__doc__ or "").partition("\n")[0]

    def option(self, name: str) -> Option | None:
        """Return the option of a name, if there is one."""
        return next((one for one in self.options if one.name == name), None)

    def read(self, words: Mapping[str, Sequence[str]], surroundings: Surroundings) -> Filled:
        """Return the fields that were filled in, with all that is wrong with each of them.

        Args:
            words: by option, what was given, in order.
            surroundings: what the words depend on.

        Raises:
            OSError: a file that is named can't be read.
        """
        filled = Filled({})
        for name in words:
            if self.option(name) is None:
                filled.faults.append(Fault(name, f"is no option of {self.kind}"))
        for option in self.options:
            texts = words.get(option.name, ())
            if not texts:
                texts = option.filled_in
            if texts:
                try:
                    _put(filled.fields, option, _read(option, texts, surroundings))
                except ValueError as error:
                    filled.faults.append(Fault(option.name, str(error)))
        return filled

    def check(self, filled: Filled, common: Mapping[str, str]) -> list[Fault]:
        """Return all that is wrong with the form as a whole: what is missing, and what contradicts itself.

        Args:
            filled: what `read` returned.
            common: the fields that every command has.
        """
        faulty = {fault.option for fault in filled.faults}
        command: JsonObject = {"kind": self.kind} | dict(common) | filled.fields
        try:
            self.rule.model_validate_json(canonical_json.encode(command))
        except ValidationError as error:
            found = [fault for one in error.errors(include_url=False) for fault in self._faults(one)]
            return filled.faults + [fault for fault in found if fault.option is None or fault.option not in faulty]
        return filled.faults

    def write(self, fields: JsonObject, surroundings: Surroundings) -> list[tuple[str, str]]:
        """Return the options and their values of a command's fields as JSON values."""
        words: list[tuple[str, str]] = []
        for option in self.options:
            value = get(fields, option.path)
            if value is None:
                continue
            if isinstance(option.shape, Grouped):
                words += [(option.name, text) for text in option.shape.write(value, surroundings)]
            else:
                words += [(option.name, _write(option, one, surroundings)) for one in _each(option, value)]
        return words

    def _faults(self, error: Any) -> list[Fault]:  # noqa: ANN401 - pydantic's
        """Return what pydantic found as faults of options."""
        place = tuple([part for part in error["loc"] if isinstance(part, str)])
        words = fault_in_words(error, IN_WORDS)
        if not place:
            return [Fault(None, f"{self.kind} {words}")]
        within = [one for one in self.options if place[: len(one.path)] == one.path]
        if within:
            option = max(within, key=lambda one: len(one.path))
            inner = [plain_name(part) for part in place[len(option.path) :]]
            return [Fault(option.name, " ".join([*inner, words]))]
        under = [one for one in self.options if one.path[: len(place)] == place]
        if error["type"] == "missing" and under:
            return [Fault(one.name, words) for one in under if one.is_needed]
        return [Fault(None, f"{'.'.join(place)} {words}")]


@cache
def forms() -> dict[str, Form]:
    """Return the forms of all commands, by kind."""
    return {kind: Form(kind, rule, options_of(rule, COMMON)) for kind, rule in RULEBOOK.rules.items()}


def form_of(name: str) -> Form | None:
    """Return the form of a kind, named with its version or as its newest; None if there is none."""
    found = [form for kind, form in forms().items() if name in (kind, kind.partition("/")[0])]
    return found[-1] if found else None


def _read(option: Option, texts: Sequence[str], surroundings: Surroundings) -> Any:  # noqa: ANN401 - a JSON value
    shape = option.shape
    if isinstance(shape, Grouped):
        return shape.read(texts, surroundings)
    if not option.is_list and len(texts) > 1:
        raise ValueError("is given twice")
    values = []
    for number, text in enumerate(texts, 1):
        try:
            if isinstance(shape, Leaf):
                values.append(shape.checked(text, surroundings))
            else:
                values.append(shape.read(read_pairs(text), surroundings))
        except ValueError as error:
            raise ValueError(f"number {number}: {error}" if len(texts) > 1 else str(error)) from None
    if not option.is_list:
        return values[0]
    if not option.is_sorted:
        return values
    return sorted(values, key=shape.order if isinstance(shape, Record) else None)


def _write(option: Option, value: Any, surroundings: Surroundings) -> str:  # noqa: ANN401 - a JSON value
    if isinstance(option.shape, Leaf):
        return option.shape.write(value, surroundings)
    assert not isinstance(option.shape, Grouped)
    return write_pairs(option.shape.write(value, surroundings))


def _each(option: Option, value: Any) -> Sequence[Any]:  # noqa: ANN401 - a JSON value
    return value if option.is_list else (value,)


def _put(fields: JsonObject, option: Option, value: Any) -> None:  # noqa: ANN401 - a JSON value
    for name in option.path[:-1]:
        fields = fields.setdefault(name, {})
    fields[option.path[-1]] = value
