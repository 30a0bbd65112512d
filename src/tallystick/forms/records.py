"""An object in a form: its fields by name, read from and written in one notation (notation.py).

An object in an object has its names before a point (`corrects.line=3`), a list in one repeats its name. Of a list of
objects that hold lists of objects, each inner one is said by itself, with the fields of the outer that it belongs to.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tallystick.forms.leaves import Leaf, Surroundings
from tallystick.forms.notation import read_pairs, write_pairs

Path = tuple[str, ...]
JsonObject = dict[str, Any]

ROW_VALUES: Final = ("job", "gpu_milli", "from", "to", "seconds")
"""A line of a statement is a list of these, and where wanted of an object with the rest; docs/rules.md."""
ROW_REST: Final = "options"


@dataclass(frozen=True)
class Part:
    """A field of an object.

    Attributes:
        name: what it is called in a form.
        path: where its value stands in the object.
        leaf: what it holds.
        is_list: whether it holds several.
        is_sorted: whether these have an order of their own, which nobody has to type.
        is_required: whether it can't be left out.
        meaning: what it is.
    """

    name: str
    path: Path
    leaf: Leaf
    is_list: bool
    is_sorted: bool
    is_required: bool
    meaning: str


@dataclass(frozen=True)
class Record:
    """An object in one option.

    Attributes:
        parts: its fields.
        tag: the field by whose value `others` are told apart, if it is of several kinds.
        others: by that value.
        is_row: whether the command has it as a list of values.
    """

    parts: tuple[Part, ...]
    tag: str = ""
    others: "dict[str, Record] | None" = None
    is_row: bool = False

    def read(self, pairs: Sequence[tuple[str, str]], surroundings: Surroundings) -> Any:  # noqa: ANN401 - a JSON value
        """Return the JSON value of names and values; ValueError of what it can't have."""
        if self.others is not None:
            tag = dict(pairs).get(self.tag, "")
            if tag not in self.others:
                raise ValueError(f"must begin with {self.tag}=, one of {', '.join(self.others)}")
            return self.others[tag].read(pairs, surroundings)
        value: JsonObject = {}
        parts = {part.name: part for part in self.parts}
        for name, text in pairs:
            if name not in parts:
                raise ValueError(f"has no {name}; there are {', '.join(parts)}")
            try:
                read = parts[name].leaf.checked(text, surroundings)
            except ValueError as error:
                raise ValueError(f"{name} {error}") from None
            put(value, parts[name], read)
        missing = [part.name for part in self.parts if part.is_required and get(value, part.path) is None]
        if missing:
            raise ValueError(f"is without {', '.join(missing)}")
        return _as_row(value) if self.is_row else value

    def write(self, value: Any, surroundings: Surroundings) -> list[tuple[str, str]]:  # noqa: ANN401 - a JSON value
        """Return the names and values of a JSON value."""
        return [(part.name, part.leaf.write(one, surroundings)) for part, one in self.pairs(value)]

    def pairs(self, value: Any) -> list[tuple[Part, Any]]:  # noqa: ANN401 - a JSON value
        """Return what a JSON value has: each field with its value, a list's one by one."""
        if self.others is not None:
            return self.others[value[self.tag]].pairs(value)
        said = _from_row(value) if self.is_row else value
        return [(part, one) for part in self.parts for one in _each(get(said, part.path), is_list=part.is_list)]

    def order(self, value: JsonObject) -> list[str]:
        """Return by what a list of these is ordered: their values in the order of the fields."""
        return [str(get(value, part.path)) for part in self.parts]

    def needed_parts(self) -> list[Part]:
        """Return the parts that can't be left out; of several kinds the first one's."""
        record = self if self.others is None else next(iter(self.others.values()))
        return [part for part in record.parts if part.is_required]

    def all_parts(self) -> tuple[Part, ...]:
        """Return the parts of every kind, each name once."""
        each = {part.name: part for record in (self.others or {}).values() for part in record.parts}
        return self.parts or tuple([part for part in each.values() if part.name != self.tag])


@dataclass(frozen=True)
class Grouped:
    """A list of objects that hold a list of objects each, said one inner object by one.

    Attributes:
        outer: the fields of a group; by the first one it is told from others.
        inner_name: under which a group has its list.
        inner: the fields of one of the list.
    """

    outer: Record
    inner_name: str
    inner: Record

    def read(self, texts: Sequence[str], surroundings: Surroundings) -> list[JsonObject]:
        """Return the groups; ValueError of what they can't have, with the number of the text."""
        key = self.outer.parts[0].name
        groups: dict[Any, JsonObject] = {}
        for number, text in enumerate(texts, 1):
            where = f"number {number}: " if len(texts) > 1 else ""
            try:
                mine, inner = self._split(read_pairs(text))
                said = self.outer.read(mine, surroundings)
                group = groups.setdefault(said[key], said | {self.inner_name: []})
                for name, value in said.items():
                    if group.setdefault(name, value) != value:
                        raise ValueError(f"{name} of {said[key]} is another than before")
                group[self.inner_name].append(self.inner.read(inner, surroundings))
            except ValueError as error:
                raise ValueError(f"{where}{error}") from None
        return [groups[one] for one in sorted(groups)]

    def write(self, groups: Sequence[JsonObject], surroundings: Surroundings) -> Iterator[str]:
        """Yield each inner object, the first of a group with all that the group has."""
        for group in groups:
            said = self.outer.write(group, surroundings)
            for inner in group[self.inner_name]:
                yield write_pairs([*said, *self.inner.write(inner, surroundings)])
                said = said[:1]

    def needed_parts(self) -> list[Part]:
        """Return the parts that can't be left out."""
        return [part for part in self.all_parts() if part.is_required]

    def all_parts(self) -> tuple[Part, ...]:
        """Return the parts of both."""
        return self.outer.parts + self.inner.parts

    def _split(self, pairs: Sequence[tuple[str, str]]) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        names = {part.name for part in self.outer.parts}
        return [one for one in pairs if one[0] in names], [one for one in pairs if one[0] not in names]


def put(value: JsonObject, part: Part, read: Any) -> None:  # noqa: ANN401 - a JSON value
    """Put a value where its field stands; ValueError of a second one where there can be one."""
    for name in part.path[:-1]:
        value = value.setdefault(name, {})
    last = part.path[-1]
    if part.is_list:
        listed = value.setdefault(last, [])
        listed.append(read)
        if part.is_sorted:
            listed.sort()
    elif last in value:
        raise ValueError(f"{part.name} is given twice")
    else:
        value[last] = read


def get(value: JsonObject, path: Path) -> Any:  # noqa: ANN401 - a JSON value
    """Return what stands somewhere in an object, None if nothing does."""
    for name in path[:-1]:
        value = value.get(name, {})
    return value.get(path[-1])


def _each(value: Any, *, is_list: bool) -> Sequence[Any]:  # noqa: ANN401 - a JSON value
    if value is None:
        return ()
    return list(value) if is_list else (value,)


def _as_row(value: JsonObject) -> list[Any]:
    return [value[name] for name in ROW_VALUES] + ([value[ROW_REST]] if ROW_REST in value else [])


def _from_row(row: Sequence[Any]) -> JsonObject:
    return dict(zip((*ROW_VALUES, ROW_REST), row, strict=False))
