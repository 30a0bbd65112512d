"""A view of a state that remembers what is read and written through it.

Every attribute, key and element has a path from the state down: `("vouchers", "shanghai/V1", "status")`. The view knows
no field of the state: dataclasses, dicts and lists are followed by name, whatever they hold. An object of another class
is one value, read and written as a whole by each call of a method.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, is_dataclass
from typing import Any, Literal, cast

import pytest

from tallystick.vouchers.book import Posting
from tallystick.vouchers.rulebook import RULES
from tallystick.vouchers.rules.rule import Event, Rule
from tallystick.vouchers.state import Due, State

Way = tuple[Any, ...]
Entries = frozenset[int]


@dataclass
class Reads:
    """What one method of a rule read.

    Attributes:
        paths: all that was there.
        lookups: those of `paths` whose absence would have been a KeyError.
    """

    paths: set[Way] = field(default_factory=set)
    lookups: set[Way] = field(default_factory=set)


@dataclass
class TracedEntry:
    """An admitted command: by path that was read, the entries that had written there.

    Attributes:
        event: what it became.
        touches, concerns: what it says of itself, given the state after it.
        decided_by: what `signers` and `decide` read.
        looked_up: what `evolve` and `touches` looked up; `concerns` is asked where the whole log is there.
    """

    event: Event
    touches: set[str]
    concerns: set[str]
    decided_by: dict[Way, Entries]
    looked_up: dict[Way, Entries]


@dataclass
class Trace:
    """Which entries wrote what, and what each entry read."""

    writers: defaultdict[Way, set[int]] = field(default_factory=lambda: defaultdict(set))
    entries: dict[int, TracedEntry] = field(default_factory=dict)
    reads: Reads = field(default_factory=Reads)
    written: list[tuple[Way, bool]] | None = None

    def view(self, state: State) -> Any:
        """The state, as rules are to see it."""
        return _Object(self, (), state)

    def read(self, path: Way, *, lookup: bool = False) -> None:
        self.reads.paths.add(path)
        if lookup:
            self.reads.lookups.add(path)

    def write(self, path: Way, value: Any = None) -> None:
        """Note that a value is written. An empty dict or list says nothing: any entry makes or drops one."""
        assert self.written is not None, f"a decision writes {path}"
        if not (isinstance(value, dict | list) and not value):
            self.written.append((path, self.child(path, value) is not value))

    def keep(self, written: list[tuple[Way, bool]], index: int) -> None:
        """Take in what an entry wrote: what has parts is new, other values may come of what they were."""
        for path, is_new in written:
            if is_new:
                for old in [one for one in self.writers if one[: len(path)] == path]:
                    del self.writers[old]
            self.writers[path].add(index)

    def writers_of(self, path: Way) -> Entries:
        """The entries that wrote a value, or something that holds it."""
        return frozenset().union(*[self.writers.get(path[:length], ()) for length in range(1, len(path) + 1)])

    def child(self, path: Way, value: Any) -> Any:
        """A part of the state by its path: a view of it, or the value itself where it has no parts."""
        if isinstance(value, dict):
            return _Dict(self, path, value)
        if isinstance(value, list):
            return _List(self, path, value)
        if is_dataclass(value):
            return _Object(self, path, value)
        is_value = isinstance(value, str | tuple) or not type(value).__module__.startswith("tallystick.")
        return value if is_value else _Opaque(self, path, value)


class _View:
    _trace: Trace
    _path: Way
    _raw: Any

    def __init__(self, trace: Trace, path: Way, raw: Any) -> None:
        self.__dict__.update(_trace=trace, _path=path, _raw=raw)  # past `__setattr__`

    def __eq__(self, other: object) -> bool:
        return bool(self._raw == _plain(other))

    __hash__ = None  # type: ignore[assignment]

    def _child(self, step: Any, value: Any, *, lookup: bool = False) -> Any:
        path = (*self._path, step)
        self._trace.read(path, lookup=lookup)
        return self._trace.child(path, value)

    def _write(self, step: Any, value: Any = None) -> None:
        self._trace.write((*self._path, step), _plain(value))


class _Object(_View):
    """A dataclass: its methods and properties run on the view, so that what they read is seen."""

    def __getattr__(self, name: str) -> Any:
        if name == "due" and isinstance(self._raw, State):
            return _Dues(self._trace, self._path, self._raw)
        if name == "unclaimed" and isinstance(self._raw, State):
            return _Unclaimed(self._trace, (*self._path, name), self._raw.unclaimed)
        if name == "payers" and isinstance(self._raw, State):
            return {}  # what was worked out from other parts of the state is worked out again, so that these are read
        of_class = getattr(type(self._raw), name, None)
        if isinstance(of_class, property):
            assert of_class.fget is not None
            return of_class.fget(self)
        if callable(of_class):
            return of_class.__get__(self)
        return self._child(name, getattr(self._raw, name))

    def __getitem__(self, key: Any) -> Any:
        return type(self._raw).__getitem__(self, key)

    def __setattr__(self, name: str, value: Any) -> None:
        self._write(name, value)
        setattr(self._raw, name, _plain(value))


class _Dict(_View):
    def __contains__(self, key: Any) -> bool:
        if key in self._raw:
            self._child(key, self._raw[key])
        return key in self._raw

    def __getitem__(self, key: Any) -> Any:
        return self._child(key, self._raw[key], lookup=True)

    def get(self, key: Any, default: Any = None) -> Any:
        return self._child(key, self._raw[key]) if key in self._raw else default

    def setdefault(self, key: Any, default: Any) -> Any:
        if key not in self._raw:
            self[key] = default
        return self.get(key)

    def __setitem__(self, key: Any, value: Any) -> None:
        self._write(key, value)
        self._raw[key] = _plain(value)

    def __delitem__(self, key: Any) -> None:
        self._write(key, self._raw[key])
        del self._raw[key]

    def pop(self, key: Any, *default: Any) -> Any:
        if key not in self._raw and default:
            return default[0]
        value = self[key]
        del self[key]
        return value

    def items(self) -> list[tuple[Any, Any]]:
        return [(key, self._child(key, value)) for key, value in self._raw.items()]

    def values(self) -> list[Any]:
        return [value for _, value in self.items()]

    def keys(self) -> list[Any]:
        return [key for key, _ in self.items()]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.keys())

    def __len__(self) -> int:
        return len(self.keys())


class _List(_View):
    def __getitem__(self, place: int) -> Any:
        return self._parts()[place]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._parts())

    def __len__(self) -> int:
        return len(self._parts())

    def _parts(self) -> list[Any]:
        return [self._child(_step(place, value), value) for place, value in enumerate(self._raw)]

    def append(self, value: Any) -> None:
        self._write(_step(len(self._raw), value), value)
        self._raw.append(_plain(value))

    def pop(self) -> None:
        self._write(_step(len(self._raw) - 1, self._raw[-1]), self._raw[-1])
        self._raw.pop()

    def sort(self, *, key: Callable[[Any], Any]) -> None:
        """Names are called by themselves, so none is written anew; what the key reads is seen."""
        assert all(isinstance(value, str) for value in self._raw)
        self._raw.sort(key=key)

    def remove(self, value: Any) -> None:
        self._write(_step(self._raw.index(value), value), value)
        self._raw.remove(value)


class _Dues(_View):
    """What time ends, in order; it follows from all else, so what is read is that from which it follows."""

    def __iter__(self) -> Iterator[Due]:
        state = self._trace.view(self._raw)
        for due in self._raw.due:
            if due.kind == "reservation":
                assert state.due_of(state.reservations[due.id]) == due
            elif due.kind == "lots":
                assert state.lots_due(due.id) == due
            else:
                assert state.vouchers[due.id].valid_until == due.at
            yield due

    def __len__(self) -> int:
        return len(self._raw.due)

    def __getitem__(self, place: int | slice) -> Any:
        return self._raw.due[place]

    def __delitem__(self, place: int) -> None:
        del self._raw.due[place]

    def insert(self, place: int, due: Due) -> None:
        self._raw.due.insert(place, due)


class _Unclaimed(_View):
    """Where something can be claimed; it follows from the book, and is written by voucher and contract."""

    @property
    def places(self) -> Any:
        return self._child("places", self._raw.places)

    def add(self, programme: str, account: Literal["burned", "withheld"], account_id: str) -> str | None:
        self._write_lot(programme, account_id)
        return cast(str | None, self._raw.add(programme, account, account_id))

    def remove(self, programme: str, account: Literal["burned", "withheld"], account_id: str) -> str | None:
        self._write_lot(programme, account_id)
        return cast(str | None, self._raw.remove(programme, account, account_id))

    def _write_lot(self, programme: str, account_id: str) -> None:
        voucher, contract, *_ = account_id.split(" ")
        self._trace.write((*self._path, "places", programme, contract, voucher))


class _Opaque(_View):
    """An object that is read, and by an event written, as a whole."""

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._raw, name)

        def called(*arguments: Any, **named: Any) -> Any:
            self._trace.read(self._path)
            if self._trace.written is not None:
                self._trace.write(self._path)
            return method(*map(_plain, arguments), **named)

        return called


def _step(place: int, value: Any) -> Any:
    """How an element of a list is called: a name by itself, because its place may change."""
    return value if isinstance(value, str) else place


def _plain(value: Any) -> Any:
    if isinstance(value, list) and any(isinstance(one, _View) for one in value):
        return [_plain(one) for one in value]  # a list that was made anew of parts of the old one
    return value._raw if isinstance(value, _View) else value


@contextmanager
def traced(trace: Trace) -> Iterator[None]:
    """Let every rule see states through a trace, wherever it is asked."""
    with pytest.MonkeyPatch.context() as patch:
        for rule in RULES:
            patch.setattr(rule, "signers", _watched(trace, rule.signers, anew=True))
            patch.setattr(rule, "decide", _watched(trace, rule.decide, anew=False))
            patch.setattr(rule, "evolve", _evolving(trace, rule.evolve))
        patch.setattr(State, "post", _posting(trace, State.post))
        yield


def _watched(trace: Trace, method: Callable[..., Any], *, anew: bool) -> Callable[..., Any]:
    def watched(command: Rule, state: State, *arguments: Any) -> Any:
        if anew:  # signers are asked first
            trace.reads = Reads()
        return method(command, trace.view(state), *arguments)

    return watched


def _evolving(trace: Trace, method: Callable[..., Any]) -> Callable[..., Any]:
    def evolving(command: Rule, state: State, event: Event) -> Any:
        decided_by = {path: trace.writers_of(path) for path in trace.reads.paths}
        trace.reads, trace.written = Reads(), []
        answer = method(command, trace.view(state), event)
        written, trace.written = trace.written, None
        touches = command.touches(trace.view(state), event)
        looked_up = {path: trace.writers_of(path) for path in trace.reads.lookups}
        concerns = set(command.concerns(trace.view(state), event))
        trace.entries[event.index] = TracedEntry(event, touches, concerns, decided_by, looked_up)
        trace.keep(written, event.index)
        return answer

    return evolving


def _posting(trace: Trace, method: Callable[..., Any]) -> Callable[..., Any]:
    """What the newest entry moves, it writes; in a part of the log it moves only what `evolve` found there."""

    def posting(state: State, moved: Posting) -> Any:
        trace.written = []
        answer = method(trace.view(state), moved)
        written, trace.written = trace.written, None
        trace.keep(written, max(trace.entries))
        return answer

    return posting
