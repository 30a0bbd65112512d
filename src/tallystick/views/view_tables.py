"""A table of the views is declared once: a frozen dataclass, a row, from whose fields every statement is made.

    Key         identifies the row, alone or with others
    Number      identifies the row and is given by SQLite: the next one, to a row that comes with None
    Sum         is added to; an envelope or one entry bounds it, so SQLite's 64 bits hold it
    ExactSum    is added to, and nothing bounds it: kept as decimal text, and added here
    Appended    bytes, to which more are appended
    Fixed       is said when the row is made, and never changes: an index of it isn't written again
    SparseSums  numbers by name, most of which are nothing: each is added to, kept as JSON, and added here
    all others  are said of the row; what is said last stands

A column holds text, a whole number, bytes, or, where the field may be None, nothing. A bool is a number.
What a provider says of itself (fees, GPU-time, lines) is an `ExactSum`: saying too much must not stop the views.
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from itertools import chain
from operator import attrgetter
from types import NoneType
from typing import TYPE_CHECKING, Annotated, Any, Final, Generic, TypeAlias, TypeVar, get_args, get_type_hints

from tallystick.views.library import SQLiteCursor

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_KEY: Final = "key"
_NUMBER: Final = "number"
_SUM: Final = "sum"
_EXACT_SUM: Final = "exact sum"
_APPENDED: Final = "appended"
_FIXED: Final = "fixed"
_SPARSE_SUMS: Final = "sparse sums"
_AS_TEXT: Final[Mapping[str, Callable[[Any], str]]] = {
    _EXACT_SUM: str,
    _SPARSE_SUMS: json.JSONEncoder(separators=(",", ":"), sort_keys=True).encode,
}
_FROM_TEXT: Final[Mapping[str, Callable[[str], Any]]] = {_EXACT_SUM: int, _SPARSE_SUMS: json.loads}
_CHANGED_TO: Final = {_SUM: "{0} + excluded.{0}", _APPENDED: "CAST({0} || excluded.{0} AS BLOB)"}
_ROWS_AT_ONCE: Final = 32
_IS_ONE_OF: Final = "IN (SELECT value FROM json_each(?))"

Key: TypeAlias = Annotated[str, _KEY]
IndexKey: TypeAlias = Annotated[int, _KEY]
Number: TypeAlias = Annotated[int | None, _NUMBER]
Sum: TypeAlias = Annotated[int, _SUM]
ExactSum: TypeAlias = Annotated[int, _EXACT_SUM]
Appended: TypeAlias = Annotated[bytes, _APPENDED]
Fixed: TypeAlias = Annotated[str, _FIXED]
FixedOrNone: TypeAlias = Annotated[str | None, _FIXED]
SparseSums: TypeAlias = Annotated[Mapping[str, int], _SPARSE_SUMS]

Row = TypeVar("Row", bound="DataclassInstance")
_SQL_TYPES: Final[Mapping[type, str]] = {str: "TEXT", int: "INTEGER", bool: "INTEGER", bytes: "BLOB"}


@dataclass(frozen=True, slots=True)
class Column:
    """A field of a row, as SQLite holds it.

    Attributes:
        name: of both.
        role: one of those of this module's docstring; empty of all others.
        type: of the field, but for None.
        is_optional: whether it may be None.
    """

    name: str
    role: str
    type: type
    is_optional: bool

    @property
    def declaration(self) -> str:
        """How CREATE TABLE says it."""
        sql_type = "TEXT" if self.role in _AS_TEXT else _SQL_TYPES[self.type]
        return f"{self.name} {sql_type}" + ("" if self.is_optional or self.role == _NUMBER else " NOT NULL")


def _column_of(name: str, hint: Any) -> Column:  # noqa: ANN401 - a type, or what stands for one
    role = next(iter(getattr(hint, "__metadata__", ())), "")
    plain = get_args(hint)[0] if role else hint
    types = [one for one in get_args(plain) if one is not NoneType] or [plain]
    return Column(name, role, types[0], is_optional=NoneType in get_args(plain))


@dataclass(frozen=True)
class Table(Generic[Row]):
    """A table: its name, what its rows are, and by which single columns they are looked up besides their keys.

    Attributes:
        name: of the table.
        row: a frozen dataclass.
        lookups: columns with an index; of several in one, with commas between.
        unique: columns of which no two rows have the same.
        partial: columns with an index of some rows, and the SQL that says of which.
        read_as: what SQL works out, for the columns of which that is not what is stored.
    """

    name: str
    row: type[Row]
    lookups: tuple[str, ...] = ()
    unique: tuple[str, ...] = ()
    partial: Mapping[str, str] = field(default_factory=dict)
    read_as: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """Its columns, in the order of the row's fields."""
        hints = get_type_hints(self.row, include_extras=True)
        return tuple(_column_of(one.name, hints[one.name]) for one in fields(self.row))

    @cached_property
    def create(self) -> tuple[str, ...]:
        """The statements that make it."""
        keys = ", ".join(self._named(_KEY))
        end = f", PRIMARY KEY ({keys})) WITHOUT ROWID" if keys else ")"
        lines = [
            f"{column.declaration} PRIMARY KEY" if column.role == _NUMBER else column.declaration
            for column in self.columns
        ]
        indexes = [("INDEX", name, "") for name in self.lookups] + [("UNIQUE INDEX", name, "") for name in self.unique]
        indexes += [("INDEX", name, f" WHERE {some}") for name, some in self.partial.items()]
        return (
            f"CREATE TABLE IF NOT EXISTS {self.name} ({', '.join(lines)}{end}",
            *(
                f"CREATE {kind} IF NOT EXISTS {self.name}_by_{name.partition(',')[0]} ON {self.name} ({name}){some}"
                for kind, name, some in indexes
            ),
        )

    def insert(self, c: SQLiteCursor, rows: Iterable[Row]) -> None:
        """Write rows that aren't there; many by one statement, which costs a third less than one by one."""
        stored = [*self._stored(rows)]
        whole = len(stored) - len(stored) % _ROWS_AT_ONCE
        for first in range(0, whole, _ROWS_AT_ONCE):
            c.execute(self._insert_many, [*chain.from_iterable(stored[first : first + _ROWS_AT_ONCE])])
        c.executemany(self._insert, stored[whole:])

    def add(self, c: SQLiteCursor, rows: Iterable[Row]) -> None:
        """Write rows, no two with the same keys.

        To one that is there its sums are added and what is appended appended; all else is said anew.
        """
        stored = self._stored(rows)
        c.executemany(self._upsert, [self._added(c, [*values]) for values in stored] if self._as_text else stored)

    def change(self, c: SQLiteCursor, changes: Iterable[tuple[Any, ...]], *names: str) -> None:
        """Change some columns of rows that are there: a sum is added to, any other replaced.

        Args:
            c: writes.
            changes: of each row its new values or what is added, and then its keys.
            names: of the columns.

        Raises:
            ValueError: one is an `ExactSum` or `SparseSums`, which SQLite can't add to.
        """
        if not set(names).isdisjoint(self._named(*_AS_TEXT)):
            raise ValueError(f"{self.name} has exact sums among {', '.join(names)}")
        sums = self._named(_SUM)
        changed = ", ".join(f"{name} = {name} + ?" if name in sums else f"{name} = ?" for name in names)
        c.executemany(f"UPDATE {self.name} SET {changed} WHERE {self._is_this}", changes)  # noqa: S608 - our own names

    def rows(self, c: SQLiteCursor, *, in_order_of: str = "", **equal: object) -> tuple[Row, ...]:
        """Return the rows of which some columns have these values, in the order of their keys or of a column.

        A value of None means any.
        """
        where, values = condition(**equal)
        order = in_order_of or ", ".join(self._named(_KEY, _NUMBER))
        c.execute(f"{self._select} {where} ORDER BY {order}", values)
        return self._found(c)

    def newest(self, c: SQLiteCursor, key: str, limit: int, before: int, **equal: object) -> tuple[Row, ...]:
        """Return some rows in the opposite order of a column.

        Args:
            c: reads the table.
            key: the column, a number.
            limit: how many rows at most.
            before: those of which it is less.
            equal: what other columns must be; None for anything.
        """
        where, values = condition(**equal)
        where = f"{where} AND" if where else "WHERE"
        c.execute(f"{self._select} {where} {key} < ? ORDER BY {key} DESC LIMIT ?", [*values, before, limit])
        return self._found(c)

    def some(
        self, c: SQLiteCursor, which: str, values: Iterable[object], in_order_of: str, limit: int = -1
    ) -> tuple[Row, ...]:
        """Return rows of which some SQL of ours holds, in the order of a column.

        Args:
            c: reads the table.
            which: the SQL, of columns as they are stored.
            values: for its places.
            in_order_of: the column.
            limit: how many at most; all if not given.
        """
        c.execute(f"{self._select} WHERE {which} ORDER BY {in_order_of} LIMIT ?", [*values, limit])
        return self._found(c)

    def page(
        self,
        c: SQLiteCursor,
        limit: int,
        after: str | None = None,
        among: Collection[str] | None = None,
        **equal: object,
    ) -> tuple[Row, ...]:
        """Return some rows of a table that has one key, in its order.

        Args:
            c: reads the table.
            limit: how many at most.
            after: those after a key's value, if one is given.
            among: those of these keys alone, if some are given.
            equal: what other columns must be; None for anything.
        """
        (key,) = self._named(_KEY)
        where, values = condition(**equal)
        for name, value in (
            (f"{key} > ?", after),
            (f"{key} {_IS_ONE_OF}", None if among is None else json.dumps(sorted(among))),
        ):
            if value is not None:
                where = f"{where} AND {name}" if where else f"WHERE {name}"
                values.append(value)
        c.execute(f"{self._select} {where} ORDER BY {key} LIMIT ?", [*values, limit])
        return self._found(c)

    def _found(self, c: SQLiteCursor) -> tuple[Row, ...]:
        """Return the rows that a question has found."""
        found = [list(row) for row in c.fetchall()]
        for place, read in self._readers:
            for row in found:
                row[place] = read(row[place])
        return tuple(self.row(*row) for row in found)

    def _named(self, *roles: str) -> list[str]:
        return [column.name for column in self.columns if column.role in roles]

    def _stored(self, rows: Iterable[Row]) -> Iterable[Sequence[Any]]:
        """Return rows as SQLite takes them."""
        values = attrgetter(*(column.name for column in self.columns))
        if not self._as_text:
            return map(values, rows)
        stored = [[*values(row)] for row in rows]
        for row in stored:
            for place, role in self._as_text:
                row[place] = _AS_TEXT[role](row[place])
        return stored

    def _added(self, c: SQLiteCursor, values: list[Any]) -> list[Any]:
        """Return a row's stored values with sums that have those of the table's row in them."""
        c.execute(self._select_sums, [values[place] for place in self._key_places])
        for (place, role), old in zip(self._as_text, c.fetchone() or (), strict=False):
            read = _FROM_TEXT[role]
            values[place] = _AS_TEXT[role](_sum_of(read(values[place]), read(old)))
        return values

    @cached_property
    def _readers(self) -> list[tuple[int, Callable[[Any], object]]]:
        """What makes of a stored value the field's, where that is another."""
        booleans = [(place, bool) for place, one in enumerate(self.columns) if one.type is bool]
        return [*((place, _FROM_TEXT[role]) for place, role in self._as_text), *booleans]

    @cached_property
    def _as_text(self) -> list[tuple[int, str]]:
        """The places of sums that are kept as text, and of which kind they are."""
        return [(place, one.role) for place, one in enumerate(self.columns) if one.role in _AS_TEXT]

    @cached_property
    def _key_places(self) -> list[int]:
        return [place for place, one in enumerate(self.columns) if one.role == _KEY]

    @cached_property
    def _select_sums(self) -> str:
        sums = ", ".join(self.columns[place].name for place, _ in self._as_text)
        return f"SELECT {sums} FROM {self.name} WHERE {self._is_this}"  # noqa: S608 - our own names

    @cached_property
    def _places(self) -> dict[str, int]:
        return {column.name: place for place, column in enumerate(self.columns)}

    @cached_property
    def _is_this(self) -> str:
        return " AND ".join(f"{name} = ?" for name in self._named(_KEY))

    @cached_property
    def _insert(self) -> str:
        places = ", ".join("?" * len(self.columns))
        return f"INSERT INTO {self.name} ({', '.join(self._places)}) VALUES ({places})"  # noqa: S608 - our own names

    @cached_property
    def _insert_many(self) -> str:
        start, places = self._insert.split(" VALUES ")
        return f"{start} VALUES {', '.join([places] * _ROWS_AT_ONCE)}"

    @cached_property
    def _upsert(self) -> str:
        changes = [
            f"{one.name} = {_CHANGED_TO.get(one.role, 'excluded.{0}').format(one.name)}"
            for one in self.columns
            if one.role not in (_KEY, _FIXED)
        ]
        return f"{self._insert} ON CONFLICT ({', '.join(self._named(_KEY))}) DO UPDATE SET {', '.join(changes)}"

    @cached_property
    def _select(self) -> str:
        said = (self.read_as.get(name, name) for name in self._places)
        return f"SELECT {', '.join(said)} FROM {self.name}"  # noqa: S608 - our own names


def _sum_of(one: Any, other: Any) -> Any:  # noqa: ANN401 - two of a kind: numbers, or numbers by name
    if isinstance(one, int):
        return one + other
    return {**other, **{name: amount + other.get(name, 0) for name, amount in one.items()}}


def condition(**equal: object) -> tuple[str, list[object]]:
    """Return the WHERE, or nothing, and its values for columns (our own names) that have values; None means any."""
    given = {name: value for name, value in equal.items() if value is not None}
    where = " AND ".join(f"{name} = ?" for name in given)
    return f"WHERE {where}" if where else "", list(given.values())


class BatchSums(Generic[Row]):
    """What a batch of entries adds to the sums of a table's rows, by their keys."""

    def __init__(self, table: Table[Row]) -> None:
        self._table = table
        self._keys = table._named(_KEY)
        self._zeros = dict.fromkeys(table._named(_SUM, _EXACT_SUM), 0)
        self._sums: dict[tuple[str | int, ...], dict[str, int]] = {}

    def of(self, *key: str | int) -> dict[str, int]:
        """Return the sums of one key, to be added to; a row is written of it whatever they are."""
        sums = self._sums.get(key)
        if sums is None:
            sums = self._sums[key] = self._zeros.copy()
        return sums

    def add(self, *key: str | int, **amounts: int) -> None:
        """Add to some sums of a key."""
        sums = self.of(*key)
        for name, amount in amounts.items():
            sums[name] += amount

    def write(self, c: SQLiteCursor, said: Callable[..., Mapping[str, object]] = lambda *_: {}) -> None:
        """Write all that was added; `said` returns what else is said of a key."""
        make: Callable[..., Row] = self._table.row
        rows = [
            make(**dict(zip(self._keys, key, strict=True)), **sums, **said(*key)) for key, sums in self._sums.items()
        ]
        self._table.add(c, rows)


def values_of(row: "DataclassInstance") -> dict[str, Any]:
    """Return the fields of a row by their names."""
    return {one.name: getattr(row, one.name) for one in fields(row)}
