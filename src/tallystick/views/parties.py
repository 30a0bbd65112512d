"""All about one party: what it is, its keys, and which commands it gave."""

from dataclasses import dataclass
from typing import ClassVar, Final

from tallystick.errors import NotFoundError
from tallystick.views.balances import PARTIES, PartyRow, log_time
from tallystick.views.changes import Change, Commands
from tallystick.views.entry_index import entries_concerning
from tallystick.views.library import SQLiteCursor
from tallystick.views.view_tables import BatchSums, ExactSum, Key, Table, values_of
from tallystick.vouchers.quantities import format_instant
from tallystick.vouchers.state import State


@dataclass(frozen=True, slots=True)
class PartyTerms:
    """What a party is, beside what `PartyRow` says; as its admission and its newest amendment have it."""

    party: Key
    uscc: str | None
    profile_hash: str | None
    quorum: int
    threshold_fen: int | None
    required: int | None
    window_days: int | None
    withdrawn: bool


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A party's key; what it says, `PartyKey` says."""

    label: Key
    party: str
    vkey: str
    purpose: str
    added_index: int
    counts_from: str
    revoked_index: int | None
    compromised_since: str | None


@dataclass(frozen=True, slots=True)
class ActRow:
    """How many commands of a kind a party gave that were recorded."""

    party: Key
    kind: Key
    entries: ExactSum


@dataclass(frozen=True, slots=True)
class PartyBalance:
    """A party as it stands.

    Attributes:
        name: empty of a maker, of whom the log has neither a name nor a code.
        uscc: its unified social credit code, if it has one.
        profile_hash: of a document that identifies it, which its admitter keeps.
        admitter: who admitted it; itself, of the network.
        status: `active`, `suspended` or `withdrawn`.
        quorum: how many of its keys sign what makes others able to act or to be paid.
        threshold_fen, required, window_days: of a treasury, its officers' rule; None without one.
        admitted_index: the entry that admitted it.
    """

    party: str
    role: str
    name: str
    uscc: str | None
    profile_hash: str | None
    admitter: str
    status: str
    quorum: int
    threshold_fen: int | None
    required: int | None
    window_days: int | None
    admitted_index: int


@dataclass(frozen=True, slots=True)
class PartyKey:
    """A party's key.

    Attributes:
        key: its label.
        purpose: `sign`, `meter` or `read`.
        status: `active`, `revoked`, or `not_yet` before it counts.
        added_index: the entry that brought it.
        counts_from: from when on it counts.
        revoked_index: the entry that revoked it, if one did.
        compromised_since: from when on others may have signed with it, if that was said.
    """

    key: str
    purpose: str
    status: str
    added_index: int
    counts_from: str
    revoked_index: int | None
    compromised_since: str | None


@dataclass(frozen=True, slots=True)
class KeyBalance:
    """A key as `PartyKey` tells it, and whose it is."""

    key: str
    party: str
    purpose: str
    status: str
    added_index: int
    counts_from: str
    revoked_index: int | None
    compromised_since: str | None


@dataclass(frozen=True, slots=True)
class KeyAccount:
    """A key."""

    balance: KeyBalance


@dataclass(frozen=True, slots=True)
class PartyAct:
    """How many commands of a kind a party gave that were recorded."""

    kind: str
    entries: int


@dataclass(frozen=True, slots=True)
class PartyAccount:
    """A party, its keys in the order of their labels, and the commands that it gave, by kind."""

    balance: PartyBalance
    keys: tuple[PartyKey, ...]
    acts: tuple[PartyAct, ...]


PARTY_TERMS: Final = Table("party_terms", PartyTerms)
KEYS: Final = Table("keys", KeyRow, lookups=("party",))
ACTS: Final = Table("party_acts", ActRow)


class Parties:
    """What a batch of entries changes for parties."""

    commands: ClassVar[Commands] = None

    def __init__(self) -> None:
        self._parties: set[str] = set()
        self._acts = BatchSums(ACTS)

    def add(self, change: Change) -> None:
        """Take in one entry."""
        command = change.event.command
        self._acts.add(command.party, command.kind, entries=1)
        self._parties.update(change.things.get("party", ()))

    def write(self, c: SQLiteCursor, state: State) -> None:
        """Write the batch; `state` is the one after its last entry."""
        parties = sorted(self._parties)
        PARTY_TERMS.add(c, [_terms(name, state) for name in parties])
        KEYS.add(c, [_key(label, state) for name in parties for label in state.parties[name].keys])
        self._acts.write(c)


def _terms(name: str, state: State) -> PartyTerms:
    party = state.parties[name]
    officers = party.officers
    return PartyTerms(
        name,
        party.uscc,
        party.profile_hash,
        party.quorum,
        None if officers is None else officers.threshold_fen,
        None if officers is None else officers.required,
        None if officers is None else officers.window_days,
        party.withdrawn,
    )


def _key(label: str, state: State) -> KeyRow:
    key = state.keys[label]
    since = key.compromised_since
    return KeyRow(
        label,
        key.party,
        key.vkey,
        key.purpose,
        key.added_index,
        format_instant(key.active_from),
        key.revoked_index,
        None if since is None else format_instant(since),
    )


# -- questions --------------------------------------------------------------------------------------------------------


def party_account(c: SQLiteCursor, party: str) -> PartyAccount:
    """Return all about a party.

    Raises:
        NotFoundError: there is none of that id.
    """
    balances = party_balances(c, party=party)
    if not balances:
        raise NotFoundError(f"there is no party {party}")
    now = log_time(c)
    keys = tuple(_told_key(row, now) for row in KEYS.rows(c, in_order_of="label", party=party))
    acts = tuple(PartyAct(row.kind, row.entries) for row in ACTS.rows(c, party=party))
    return PartyAccount(balances[0], keys, acts)


def party_balances(c: SQLiteCursor, *, party: str | None = None) -> tuple[PartyBalance, ...]:
    """Return parties in order of their ids: all, or one."""
    terms = {term.party: term for term in PARTY_TERMS.rows(c, party=party)}
    return tuple(_party(c, row, terms[row.party]) for row in PARTIES.rows(c, party=party) if row.party in terms)


def key_account(c: SQLiteCursor, key: str) -> KeyAccount:
    """Return a key.

    Raises:
        NotFoundError: there is none of that label.
    """
    balances = key_balances(c, label=key)
    if not balances:
        raise NotFoundError(f"there is no key {key}")
    return KeyAccount(balances[0])


def key_balances(c: SQLiteCursor, *, label: str | None = None) -> tuple[KeyBalance, ...]:
    """Return keys in order of their labels: those of all parties, or one."""
    now = log_time(c)
    return tuple(KeyBalance(party=row.party, **values_of(_told_key(row, now))) for row in KEYS.rows(c, label=label))


def _party(c: SQLiteCursor, row: PartyRow, term: PartyTerms) -> PartyBalance:
    return PartyBalance(
        party=row.party,
        role=row.role,
        name=row.name,
        uscc=term.uscc,
        profile_hash=term.profile_hash,
        admitter=row.admitter,
        status="withdrawn" if term.withdrawn else "suspended" if row.suspended else "active",
        quorum=term.quorum,
        threshold_fen=term.threshold_fen,
        required=term.required,
        window_days=term.window_days,
        admitted_index=min(entries_concerning(c, f"party {row.party}"), default=0),
    )


def _told_key(row: KeyRow, now: str) -> PartyKey:
    status = "revoked" if row.revoked_index is not None else "not_yet" if row.counts_from > now else "active"
    return PartyKey(
        row.label,
        row.purpose,
        status,
        row.added_index,
        row.counts_from,
        row.revoked_index,
        row.compromised_since,
    )
