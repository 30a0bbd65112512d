"""The form of a type as canonical JSON: whatever changes how its values are saved or read changes the description.

    {"types": {"Voucher": {"fields": [["programme", "str"], …], "config": {…}}, …}, "of": "State"}

Described are dataclasses and NamedTuples with their fields (name, type, default, in order) and pydantic's settings, and
what they are made of: containers, unions, literals, enumerations, bytes with their layout. Docstrings, methods and
properties are no part of a form. Of anything else the form isn't known, and it is refused: so no field escapes.

Nothing here depends on how a version of Python or pydantic writes a type: typing may keep another order of a union's or
a literal's members than the source has, so these are sorted.
"""

import dataclasses
import typing
from collections import deque
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union

from pydantic import Field
from pydantic.fields import FieldInfo

from tallystick.signing import canonical_json
from tallystick.signing.canonical_json import JsonValue

_PLAIN: Final[dict[object, str]] = {str: "str", int: "int", bool: "bool", None: "null", NoneType: "null"}
_CONTAINERS: Final = (dict, list, tuple, deque)  # no sets: the same state would have other bytes
_NOT_SAVED: Final = repr(Field(exclude=True))


@dataclasses.dataclass(frozen=True, slots=True)
class Layout:
    """What a value holds that its type doesn't say, as annotation: `Annotated[bytes, Layout("<HHqqq")]`.

    Bytes must have one. It has to change with what it describes.
    """

    text: str


def schema_of(root: type) -> bytes:
    """Return the form of a dataclass or NamedTuple, and of every type that is reached from it, as canonical JSON.

    Raises:
        TypeError: a type whose form isn't known here, with the field that has it; or two types of one name.
    """
    forms = _Forms()
    name = forms.name_of(root)
    return canonical_json.encode({"of": name, "types": forms.types})


class _NamedTuple(typing.Protocol):
    """What Python says of a NamedTuple's fields."""

    _fields: typing.ClassVar[tuple[str, ...]]
    _field_defaults: typing.ClassVar[dict[str, object]]


class _Forms:
    """The classes described so far, by name."""

    def __init__(self) -> None:
        self.types: dict[str, JsonValue] = {}
        self._classes: dict[str, type] = {}

    def name_of(self, cls: type) -> str:
        """Return a class's name, by which it is described among the types."""
        name = cls.__name__
        if self._classes.setdefault(name, cls) is not cls:
            raise TypeError(f"two types are called {name}")
        if name not in self.types:
            self.types[name] = {}  # while its fields are described, which may lead back to it
            self.types[name] = self._described(cls)
        return name

    def _described(self, cls: type) -> JsonValue:
        hints = typing.get_type_hints(cls, include_extras=True)
        fields: list[JsonValue] = []
        for name, default in _fields(cls).items():
            try:
                form = self._form(hints[name])
                if form is not None:
                    fields.append([name, form, *map(_value, default)])
            except TypeError as error:
                raise TypeError(f"{cls.__name__}.{name}: {error}") from None
        config = getattr(cls, "__pydantic_config__", {})
        return {"config": {name: _value(config[name]) for name in config}, "fields": fields}

    def _form(self, type_: object) -> "JsonValue | None":
        """Return the form of a type; None of what isn't saved."""
        if type_ in _PLAIN:
            return _PLAIN[type_]
        origin, members = typing.get_origin(type_), typing.get_args(type_)
        if origin is Annotated:
            return self._annotated(members[0], members[1:])
        if origin is Literal:
            return {"literal": _in_order([_value(value) for value in members])}
        if origin in (Union, UnionType):
            return {"union": _in_order([self._known(member) for member in members])}
        if origin in _CONTAINERS:
            return {origin.__name__: ["..." if one is Ellipsis else self._known(one) for one in members]}
        if isinstance(type_, type) and origin is None:
            if dataclasses.is_dataclass(type_) or (issubclass(type_, tuple) and hasattr(type_, "_fields")):
                return {"type": self.name_of(type_)}
            if issubclass(type_, Enum):
                return {"enum": [[one.name, _value(one.value)] for one in type_]}
        raise TypeError(f"the form of {type_!r} is not known to {__name__}")

    def _known(self, type_: object) -> JsonValue:
        form = self._form(type_)
        if form is None:
            raise TypeError("only a whole field can be left out of what is saved")
        return form

    def _annotated(self, type_: object, notes: tuple[object, ...]) -> "JsonValue | None":
        layouts: list[JsonValue] = [note.text for note in notes if isinstance(note, Layout)]
        others = [note for note in notes if not isinstance(note, Layout)]
        if any(not isinstance(note, FieldInfo) or repr(note) != _NOT_SAVED for note in others):
            raise TypeError(f"what {others!r} does to the form is not known to {__name__}")
        if others:
            return None
        return {"layout": layouts, "of": "bytes" if type_ is bytes else self._known(type_)}


def _fields(cls: type) -> dict[str, list[object]]:
    """Return the fields of a class, in order, with a list of their default, empty if they have none."""
    if dataclasses.is_dataclass(cls):
        return {field.name: _default(field) for field in dataclasses.fields(cls)}
    tuple_type = typing.cast("type[_NamedTuple]", cls)
    defaults = tuple_type._field_defaults
    return {name: [defaults[name]] if name in defaults else [] for name in tuple_type._fields}


def _default(field: "dataclasses.Field[Any]") -> list[object]:
    if field.default is not dataclasses.MISSING:
        return [field.default]
    return [field.default_factory()] if field.default_factory is not dataclasses.MISSING else []


def _value(value: object) -> JsonValue:
    """Return the form of a default, of a literal's or an enumeration's value, or of a setting."""
    if type(value) in (str, int, bool):
        return typing.cast("JsonValue", value)
    if value is None:
        return {"null": []}
    if isinstance(value, Enum):
        return {type(value).__name__: value.name}
    if isinstance(value, _CONTAINERS):
        members = list(value.items()) if isinstance(value, dict) else list(value)
        return {type(value).__name__: [_value(member) for member in members]}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {type(value).__name__: [_value(getattr(value, one.name)) for one in dataclasses.fields(value)]}
    raise TypeError(f"the form of the value {value!r} is not known to {__name__}")


def _in_order(forms: list[JsonValue]) -> list[JsonValue]:
    return sorted(forms, key=canonical_json.encode)
