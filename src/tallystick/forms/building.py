"""The options of a form, found in a model: BaseModels, frozen dataclasses, and the rows of a statement.

A new command has a form as soon as its rule has fields of the types that `leaves.py` knows; of another type a test says
that its form isn't known. Where each field's meaning comes from: `vouchers/meanings.py`.
"""

import dataclasses
from collections.abc import Iterable, Iterator
from types import NoneType, UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import AfterValidator, BaseModel
from pydantic.fields import FieldInfo

from tallystick.forms.leaves import Leaf, core_and_notes, leaf_of, plain_name
from tallystick.forms.records import ROW_REST, ROW_VALUES, Grouped, Part, Path, Record
from tallystick.vouchers.meanings import meaning_of
from tallystick.vouchers.quantities import GpuMilli, JobName, SecondsBurned, SecondText
from tallystick.vouchers.rules.burn_lines import LineOptions, Rows

_ROW_TYPES: Final = (JobName, GpuMilli, SecondText, SecondText, SecondsBurned)
_RESERVED: Final = frozenset({"profile"})
"""What every command that takes a form has as an option of its own."""


@dataclasses.dataclass(frozen=True)
class Option:
    """A field of a command as an option.

    Attributes:
        name: what it is called, without the hyphens before it.
        path: where its value stands in the command.
        shape: what it holds, or each of a list.
        is_list: whether it can be repeated.
        is_sorted: whether the list has an order of its own, which nobody has to type.
        is_required: whether it can't be left out.
        is_needed: whether it can't, if its object is said.
        meaning: what it is.
        lengths: of a list, the least and the most.
    """

    name: str
    path: Path
    shape: Leaf | Record | Grouped
    is_list: bool
    is_sorted: bool
    is_required: bool
    is_needed: bool
    meaning: str
    lengths: tuple[int, int] = (1, 1)

    @property
    def filled_in(self) -> tuple[str, ...]:
        """What it holds if nothing is said: the only value that there is."""
        only = isinstance(self.shape, Leaf) and len(self.shape.choices) == 1
        return self.shape.choices if only and isinstance(self.shape, Leaf) and self.is_required else ()

    @property
    def is_flag(self) -> bool:
        """Whether it is said by being there."""
        return isinstance(self.shape, Leaf) and self.shape.is_flag


@dataclasses.dataclass(frozen=True)
class _Field:
    """A field of a model: what it may hold, without None, and whether that is a list."""

    owner: str
    name: str
    type_: Any
    notes: tuple[Any, ...]
    is_list: bool
    is_required: bool

    @property
    def is_sorted(self) -> bool:
        """Whether a list must be in an order: those that check nothing else have a validator."""
        return self.is_list and any(isinstance(note, AfterValidator) for note in self.notes)

    @property
    def lengths(self) -> tuple[int, int]:
        """The least and the most of a list."""
        limits: dict[str, int] = {}
        for note in self.notes:
            for one in note.metadata if isinstance(note, FieldInfo) else ():
                limits |= {name: getattr(one, name) for name in ("min_length", "max_length") if hasattr(one, name)}
        return limits.get("min_length", 0), limits.get("max_length", 1)

    @property
    def meaning(self) -> str:
        """What it is."""
        return meaning_of(self.owner, self.name)


def options_of(model: type, without: Iterable[str] = ()) -> tuple[Option, ...]:
    """Return the options of a command's form.

    Args:
        model: the rule.
        without: names of fields that are in no form.

    Raises:
        TypeError: a field whose form isn't known; or two options of one name.
    """
    options = tuple(_options(model, (), frozenset(without), is_required=True))
    names = [option.name for option in options]
    if len(set(names)) < len(names) or _RESERVED & set(names):
        raise TypeError(f"two options of {model.__name__} are called alike: {', '.join(names)}")
    return options


def _options(model: type, path: Path, without: frozenset[str], *, is_required: bool) -> Iterator[Option]:
    for one in _fields(model):
        if one.name in without:
            continue
        here = (*path, one.name)
        shape = _shape(one)
        if shape is None:  # an object that holds objects or lists
            yield from _options(one.type_, here, frozenset(), is_required=is_required and one.is_required)
            continue
        name = one.name
        if isinstance(shape, Grouped):
            name = shape.inner_name
        name = _singular(plain_name(name)) if one.is_list else plain_name(name)
        required = is_required and one.is_required
        yield Option(name, here, shape, one.is_list, one.is_sorted, required, one.is_required, one.meaning, one.lengths)


def _shape(one: _Field) -> Leaf | Record | Grouped | None:
    """Return what a field's option holds; None if its object is spread."""
    leaf = leaf_of(one.name, one.type_)
    if leaf is not None:
        return leaf
    core = core_and_notes(one.type_)[0]
    if get_origin(core) in (Union, UnionType):
        return _one_of(one)
    if not _is_model(core):
        raise TypeError(f"the form of {one.owner}.{one.name}, {core!r}, is not known to {__name__}")
    fields = [*_fields(core)]
    lists = [inner for inner in fields if inner.is_list and leaf_of(inner.name, inner.type_) is None]
    if one.is_list and lists:
        (inner,) = lists
        outer = Record(tuple([part for part in _parts(core, ()) if part.path != (inner.name,)]))
        return Grouped(outer, inner.name, _row() if inner.type_ is Rows else Record(tuple(_parts(inner.type_, ()))))
    if not one.is_list and any(leaf_of(inner.name, inner.type_) is None or inner.is_list for inner in fields):
        return None
    return Record(tuple(_parts(core, ())))


def _one_of(one: _Field) -> Record:
    """Return an object of several kinds, told apart by one field with one value."""
    records: dict[str, Record] = {}
    tag = ""
    for model in get_args(core_and_notes(one.type_)[0]):
        (tagged,) = [inner for inner in _fields(model) if len(get_args(inner.type_)) == 1 and _is_literal(inner)]
        tag = tagged.name
        records[get_args(tagged.type_)[0]] = Record(tuple(_parts(model, ())))
    return Record((), tag, records)


def _is_literal(one: _Field) -> bool:
    return get_origin(one.type_) is Literal


def _parts(model: type, path: Path, before: str = "", *, is_required: bool = True) -> Iterator[Part]:
    """Yield the fields of an object, and of those in it."""
    for one in _fields(model):
        here = (*path, one.name)
        leaf = None if one.type_ is Rows else leaf_of(one.name, one.type_)
        required = is_required and one.is_required
        if leaf is not None:
            name = before + (_singular(plain_name(one.name)) if one.is_list else plain_name(one.name))
            yield Part(name, here, leaf, one.is_list, one.is_sorted, required, one.meaning)
        elif not one.is_list:
            yield from _parts(one.type_, here, f"{before}{plain_name(one.name)}.", is_required=required)


def _row() -> Record:
    """Return a line of a statement, which the command has as a list of values."""
    parts = []
    for name, type_ in zip(ROW_VALUES, _ROW_TYPES, strict=True):
        leaf = leaf_of(name, type_)
        assert leaf is not None
        parts.append(Part(plain_name(name), (name,), leaf, False, False, True, meaning_of("BurnLine", name)))
    return Record((*parts, *_parts(LineOptions, (ROW_REST,), is_required=False)), is_row=True)


def _fields(model: type) -> Iterator[_Field]:
    hints = get_type_hints(model, include_extras=True)
    if issubclass(model, BaseModel):
        required = {name: info.is_required() for name, info in model.model_fields.items()}
    else:
        required = {
            field.name: field.default is dataclasses.MISSING
            for field in dataclasses.fields(model)  # type: ignore[arg-type] # `_is_model` asked
        }
    for name, is_required in required.items():
        type_, notes = _without_none(hints[name])
        is_list = type_ is not Rows and get_origin(core_and_notes(type_)[0]) is tuple
        if is_list:
            core, more = core_and_notes(type_)
            type_, notes = get_args(core)[0], (*notes, *more)
        yield _Field(model.__name__, name, type_, notes, is_list or type_ is Rows, is_required)


def _without_none(type_: Any) -> tuple[Any, tuple[Any, ...]]:  # noqa: ANN401 - a type
    """Return a type without None, and what is noted of it together with None."""
    core, notes = core_and_notes(type_)
    if get_origin(core) in (Union, UnionType):
        some = [one for one in get_args(core) if one is not NoneType]
        if len(some) == 1:
            return some[0], notes
    return type_, ()


def _is_model(core: Any) -> bool:  # noqa: ANN401 - a type
    return isinstance(core, type) and (issubclass(core, BaseModel) or dataclasses.is_dataclass(core))


def _singular(name: str) -> str:
    return name.removesuffix("s")
