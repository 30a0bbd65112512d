"""A treasury's own chart of accounts: a TOML file says under which code each account of a journal is kept.

    [default]                       # of all that no other line names; without it, every account must be named
    code = "1999"
    name = "Other"

    [accounts]
    "assets:unissued" = { code = "1002.01", name = "Not yet issued" }
    "expenses:used:paid:shanghai-treasury:compute" = { code = "5301.02", name = "Paid, compute 2026" }

A line names an account, or a beginning of its name up to a `:` and so all below it; the longest that fits an account
counts. Several accounts may have one code. GPU-time keeps its own accounts unless a line names `…:gpu-time`: a
chart of accounts is of money.

In hledger such an account is called `assets:1002.01 Not yet issued`, in beancount `Assets:1002-01`.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from tallystick.accounting.accounts import ACCOUNT_PATHS, Commodity, JournalAccount, Root
from tallystick.errors import UsageError
from tallystick.vouchers.state import State

_CODE: Final = re.compile(r"[0-9][0-9A-Za-z]*(?:[.-][0-9A-Za-z]+)*")
_CODE_LENGTH_MAX: Final = 32
_TITLE_LENGTH_MAX: Final = 100
_NOT_IN_TITLES: Final = frozenset('"\\;:()[]|=')
"""What means something in a journal."""


@dataclass(frozen=True, slots=True, eq=False)
class ChartAccount:
    """An account as a journal names it; there is one of each in a chart, so that it is known by itself.

    Attributes:
        name: in hledger.
        beancount_name: in beancount.
        root: what kind of account it is.
        commodity: what is counted there.
        code, title: by the treasury's chart; empty where the account keeps its own name.
    """

    name: str
    beancount_name: str
    root: Root
    commodity: Commodity
    code: str = ""
    title: str = ""


class Place(NamedTuple):
    """Where accounts are kept: a code and its title."""

    code: str
    title: str


@dataclass
class Chart:
    """Names the accounts of a journal.

    Attributes:
        places: by account, or beginning of one; empty: every account keeps its name.
        default: of all others.
        name: of the file, for complaints.
    """

    places: Mapping[str, Place] = field(default_factory=dict)
    default: Place | None = None
    name: str = ""
    _known: dict[JournalAccount, ChartAccount] = field(default_factory=dict)
    _by_name: dict[str, ChartAccount] = field(default_factory=dict)

    def account_of(self, account: JournalAccount) -> ChartAccount:
        """Return the account of the chart that an account is kept under.

        Raises:
            UsageError: under none.
        """
        known = self._known.get(account)
        if known is None:
            made = self._account_of(account)
            known = self._known[account] = self._by_name.setdefault(made.name, made)
            if known.commodity != made.commodity:
                raise UsageError(f"{self.name}: the code {made.code} is of money and of GPU-time: give each its own")
        return known

    def _account_of(self, account: JournalAccount) -> ChartAccount:
        name, root = account.name, account.root
        shortest = f"{root}:{account.place}" if account.is_gpu_time else ""
        beginnings = [one for one in _beginnings(name) if one in self.places and len(one) >= len(shortest)]
        place = self.places[beginnings[0]] if beginnings else None
        if place is None and not account.is_gpu_time:
            place = self.default
            if place is None and self.places:
                raise UsageError(f"{self.name} has no line for {name}, and no [default]: add one")
        if place is None:
            return ChartAccount(name, account.beancount_name, root, account.commodity)
        called, in_beancount = f"{root}:{place.code} {place.title}", f"{root.capitalize()}:{_spelled(place.code)}"
        return ChartAccount(called, in_beancount, root, account.commodity, place.code, place.title)

    def check_names(self, state: State) -> None:
        """See that every programme and party that it names is in the log.

        Raises:
            UsageError: one isn't.
        """
        for key in self.places:
            path, parts = _split(key)
            unknown = None
            if path.endswith("gpu-time"):
                unknown = next((part for part in parts[:2] if part not in state.parties), None)
            elif parts and parts[0] not in state.parties:
                unknown = parts[0]
            elif len(parts) > 1 and "/".join(parts[:2]) not in state.programmes:
                unknown = "/".join(parts[:2])
            elif len(parts) > 2 and parts[2] not in state.parties:
                unknown = parts[2]
            if unknown is not None:
                raise UsageError(
                    f"{self.name}: {key} names {unknown}, which isn't in the log: correct or remove the line"
                )


def _beginnings(name: str) -> Iterator[str]:
    """Yield the name and its beginnings, the longest first."""
    while name:
        yield name
        name = name.rpartition(":")[0]


def chart_from_toml(data: bytes, name: str) -> Chart:
    """Return the chart that a file describes.

    Args:
        data: what it holds.
        name: what a person calls it.

    Raises:
        UsageError: it is none; the text is one line and says what is wrong.
    """
    try:
        said = tomllib.loads(data.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{name} is no TOML file in UTF-8: {error}") from None
    _check_keys(said, {"accounts", "default"}, name, "a chart of accounts has [accounts] and [default]")
    accounts = said.get("accounts", {})
    if not isinstance(accounts, dict) or not accounts:
        raise UsageError(f"{name} has no [accounts]")
    places = {key: _place(value, f"{name}: {key}") for key, value in accounts.items()}
    for key in places:
        if not _is_account(key):
            raise UsageError(f"{name}: there is no account {key[:80]!a}: `tallystick balances --by account` lists them")
    default = _place(said["default"], f"{name}: default") if "default" in said else None
    _check_codes([*places.values(), *([default] if default else [])], name)
    return Chart(places, default, name)


def _check_codes(places: Iterable[Place], name: str) -> None:
    """See that a code has one name, and is no other's in beancount."""
    known: dict[str, Place] = {}
    for place in places:
        other = known.setdefault(_spelled(place.code), place)
        if other.code != place.code:
            raise UsageError(f"{name}: the codes {other.code} and {place.code} can't be told apart in beancount")
        if other.title != place.title:
            raise UsageError(f"{name}: the code {place.code} has two names: {other.title}, {place.title}")


def _spelled(code: str) -> str:
    """Return a code as beancount takes it: a balance there counts what lies below a `:`, so it has none."""
    return code.replace(".", "-")


def _check_keys(said: object, known: set[str], where: str, rule: str) -> None:
    if not isinstance(said, dict):
        raise UsageError(f"{where}: {rule}")
    unknown = sorted(set(said) - known)
    if unknown:
        raise UsageError(f"{where}: unknown key {unknown[0][:80]!a}: {rule}")


def _place(said: Any, where: str) -> Place:  # noqa: ANN401 - of TOML
    _check_keys(said, {"code", "name"}, where, "an account has a code and a name")
    code, title = said.get("code"), said.get("name")
    if not isinstance(code, str) or not isinstance(title, str):
        raise UsageError(f"{where}: an account has a code and a name, both texts")
    if not _CODE.fullmatch(code) or len(code) > _CODE_LENGTH_MAX:
        raise UsageError(
            f"{where}: a code is digits and letters, in parts with . or - between, and begins with a digit"
        )
    is_plain = title.isprintable() and title == " ".join(title.split()) and not _NOT_IN_TITLES & set(title)
    if not title or not is_plain or len(title) > _TITLE_LENGTH_MAX:
        raise UsageError(
            f"{where}: a name has 1 to {_TITLE_LENGTH_MAX} characters, single blanks in it, and none of "
            + "".join(sorted(_NOT_IN_TITLES))
        )
    return Place(code, title)


def _split(key: str) -> tuple[str, list[str]]:
    """Return the place that a line names, or a beginning of one, and what comes after it."""
    for path in ACCOUNT_PATHS:
        if key == path or key.startswith(f"{path}:"):
            return path, key[len(path) + 1 :].split(":") if key != path else []
    return key, []


def _is_account(key: str) -> bool:
    """Return whether an account may be called so, or begin so."""
    path, parts = _split(key)
    if path in ACCOUNT_PATHS:
        return len(parts) <= ACCOUNT_PATHS[path] and all(parts)
    return any(known.startswith(f"{key}:") for known in ACCOUNT_PATHS)
