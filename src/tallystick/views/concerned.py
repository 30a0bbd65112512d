"""Which parties a thing concerns, and which things concern a party: what reading rights are decided by.

SELECTs of pairs of an id and a party say it, and are asked in both directions. The rows stay when a thing
has ended, so a right to read doesn't end with it; docs/privacy.md, "Who reads what of a service".

Nobody gets a right by a command of its own about another's thing: a treasury sees a contract once its holder reserves
or applies under it, and not because it issues a voucher for it; an attester what a gate names it for, and not what it
gives a verdict on without being asked.
"""

# ruff: noqa: S608 - all of it is our own SQL

import json
from collections.abc import Collection, Mapping
from typing import Final, cast

from tallystick.views.balances import NOW, PARTIES
from tallystick.views.entry_index import statement_entry
from tallystick.views.library import SQLiteCursor
from tallystick.views.parties import KEYS, PARTY_TERMS
from tallystick.views.programme_balances import PROGRAMMES
from tallystick.views.provider_statement import STATEMENTS
from tallystick.vouchers.fields import KeyPurpose, Role
from tallystick.vouchers.quantities import parse_instant
from tallystick.vouchers.reading_rights import Concerned, Sight, ThingKind
from tallystick.vouchers.sessions import LoginKey

_GATES_EVER: Final = (
    "SELECT one.programme, json_extract(gate.value, '$.subject_type') AS subject_type, named.value AS attester "
    "FROM programme_rules AS one, json_each(one.rules, '$.gates') AS gate, "
    "json_each(gate.value, '$.attesters') AS named"
)
"""Whom programmes' gates name, by any rules that they ever had."""
_GATES: Final = (
    f"{_GATES_EVER} WHERE NOT EXISTS (SELECT 1 FROM programme_rules AS newer "
    "WHERE newer.programme = one.programme AND newer.entry_index > one.entry_index "
    f"AND (newer.valid_from <= one.valid_from OR newer.valid_from <= {NOW}))"
)
"""The same, by the rules in force or to come."""


_Pairs = tuple[str, ...]
"""SELECTs of pairs of an id and something else; simple ones, which SQLite looks up by either."""


def _to_treasuries(pairs: _Pairs) -> _Pairs:
    """Return what selects ids and programmes as what selects ids and those programmes' treasuries."""
    return tuple(f"SELECT id, treasury AS party FROM ({one}) JOIN programmes USING (programme)" for one in pairs)


def _to_attesters(subject_type: str, pairs: _Pairs) -> _Pairs:
    """Return the same of the attesters that a gate of the programme names for such subjects.

    And of those that a gate named once, and that gave a verdict on it.
    """
    named = f"({_GATES}) AS gates USING (programme) WHERE subject_type = '{subject_type}'"
    heard = (
        f"({_GATES_EVER}) AS gates USING (programme) JOIN verdicts ON subject = '{subject_type} ' || id "
        f"AND verdicts.attester = gates.attester WHERE subject_type = '{subject_type}'"
    )
    return tuple(f"SELECT id, gates.attester AS party FROM ({one}) JOIN {by}" for one in pairs for by in (named, heard))


_OF_VOUCHERS: Final = ("SELECT voucher AS id, programme FROM vouchers",)
_OF_APPLICATIONS: Final = ("SELECT application AS id, programme FROM applications",)
_OF_CLAIMS: Final = ("SELECT claim AS id, programme FROM claims",)
_OF_CONTRACTS: Final = tuple(
    f"SELECT contract AS id, programme FROM {table}" for table in ("reservations", "applications")
)
_OF_HOLDERS: Final = tuple(f"SELECT holder AS id, programme FROM {table}" for table in ("vouchers", "applications"))
_OF_PAYEES: Final = tuple(
    f"SELECT programme || ' ' || payee AS id, payee AS party, programme FROM {table}"
    for table in ("payees", "contract_payments")
)

_PARTIES: Final[Mapping[ThingKind, _Pairs]] = {
    "party": ("SELECT party AS id, party FROM parties",),
    "holder": ("SELECT party AS id, party FROM parties WHERE role = 'holder'",),
    "provider": ("SELECT party AS id, party FROM parties WHERE role = 'provider'",),
    "treasury": ("SELECT party AS id, party FROM parties WHERE role = 'treasury'",),
    "programme": ("SELECT programme AS id, treasury AS party FROM programmes",),
    "voucher": ("SELECT voucher AS id, holder AS party FROM vouchers", *_to_treasuries(_OF_VOUCHERS)),
    "reservation": (
        "SELECT reservation AS id, holder AS party FROM reservations",
        "SELECT reservation AS id, provider AS party FROM reservations",
        *_to_treasuries(("SELECT reservation AS id, programme FROM reservations",)),
    ),
    "contract": (
        "SELECT contract AS id, holder AS party FROM contracts",
        "SELECT contract AS id, provider AS party FROM contracts",
        *_to_treasuries(_OF_CONTRACTS),
    ),
    "application": (
        "SELECT application AS id, holder AS party FROM applications",
        *_to_treasuries(_OF_APPLICATIONS),
    ),
    "claim": (
        "SELECT claim AS id, claimant AS party FROM claims",
        *_to_treasuries(_OF_CLAIMS),
    ),
    "demand": (
        "SELECT demand AS id, payee AS party FROM demands",
        *_to_treasuries(("SELECT demand AS id, programme FROM demands",)),
    ),
    "mandate": (
        "SELECT mandate AS id, treasury AS party FROM mandates",
        "SELECT mandate AS id, operator AS party FROM mandates",
    ),
    "payee": (*_OF_PAYEES, *_to_treasuries(_OF_PAYEES)),
    "review": (
        f"SELECT subject_type || ' ' || attester AS id, treasury AS party FROM ({_GATES}) "
        "JOIN programmes USING (programme)",
    ),
}
"""Who sees all of it; and of the attesters, those whose verdict it may need or has."""
_ATTESTERS: Final[Mapping[ThingKind, _Pairs]] = {
    # Each once: a contract has many reservations, and to look into rules takes longer than that.
    "contract": _to_attesters("contract", tuple(one.replace("SELECT", "SELECT DISTINCT", 1) for one in _OF_CONTRACTS)),
    "application": _to_attesters("application", _OF_APPLICATIONS),
    "claim": _to_attesters("claim", _OF_CLAIMS),
}
_DEALINGS: Final[_Pairs] = (
    "SELECT holder AS id, provider AS party FROM contracts",
    "SELECT party AS id, admitter AS party FROM parties WHERE role = 'holder'",
    *_to_treasuries(_OF_HOLDERS),
    *(
        f"SELECT {one}.holder AS id, {other}.holder AS party FROM vouchers AS child "
        "JOIN vouchers AS parent ON child.parent = parent.voucher"
        for one, other in (("child", "parent"), ("parent", "child"))
    ),
)
_DEALINGS_OF_ATTESTERS: Final[_Pairs] = (
    *_to_attesters("holder", _OF_HOLDERS),
    *_to_attesters("application", ("SELECT holder AS id, programme FROM applications",)),
)
_TERMS: Final[Mapping[ThingKind, _Pairs]] = {
    "party": _DEALINGS,
    "holder": _DEALINGS,
    "voucher": (
        "SELECT voucher AS id, provider AS party FROM reservations",
        "SELECT voucher AS id, provider AS party FROM vouchers JOIN contracts USING (contract)",
    ),
}
"""Who sees its terms: of a holder those that deal with it, of a voucher those under whose contracts it is spent."""
_OF_PARTIES: Final = ("party", "holder", "provider", "treasury")


# -- questions --------------------------------------------------------------------------------------------------------


def parties_concerned(c: SQLiteCursor, kind: ThingKind, thing: str) -> Concerned | None:
    """Return which parties a thing concerns; None if there is no such thing, or it is of a kind without parties.

    Args:
        c: reads the views.
        kind: of the thing.
        thing: its id; `<programme> <payee>`, `<provider> <ref> <before>`, `<subject type> <attester>`.
    """
    if kind == "statement":
        provider, ref, before = thing.split(" ")
        return _of_statement(c, provider, ref, int(before))
    parties = _asked(c, _PARTIES.get(kind, ()), "party", "id", thing)
    if not parties:
        return None
    attesters = _asked(c, _ATTESTERS.get(kind, ()), "party", "id", thing)
    attested = _DEALINGS_OF_ATTESTERS if kind in ("party", "holder") else ()
    terms = _asked(c, (*_TERMS.get(kind, ()), *attested), "party", "id", thing)
    is_institution = kind in _OF_PARTIES and _role_of(c, thing) != "holder"
    return Concerned(parties | attesters, terms, Sight.TERMS if is_institution else Sight.NOTHING)


def things_of(c: SQLiteCursor, kind: ThingKind, party: str, ids: Collection[str] | None = None) -> frozenset[str]:
    """Return the ids of the things of a kind of which a party sees all.

    Args:
        c: reads the views.
        kind: of the things.
        party: who asks.
        ids: those that are asked about; None for all.
    """
    return _asked_among(c, _arms_of_all(c, kind, party), party, ids)


def told_of(c: SQLiteCursor, kind: ThingKind, party: str, ids: Collection[str] | None = None) -> frozenset[str]:
    """Return the ids of the things of a kind of which a party sees the terms, whether it sees all of them or not.

    Institutions, and programmes, are told to every party.
    """
    if kind == "programme":
        return frozenset(row.programme for row in PROGRAMMES.rows(c))
    public = [row.party for row in PARTIES.rows(c) if row.role != "holder"] if kind in _OF_PARTIES else []
    return _asked_among(c, _arms_of_terms(c, kind, party), party, ids).union(public)


def few_shown(c: SQLiteCursor, kind: ThingKind, party: str, limit: int) -> frozenset[str] | None:
    """Return the ids of the things of a kind of which a party sees anything; None if there are more than `limit`."""
    arms = [*_arms_of_all(c, kind, party), *_arms_of_terms(c, kind, party)]
    found: set[str] = set()
    for one in arms:
        c.execute(f"SELECT id FROM ({one}) WHERE party = ? AND id NOTNULL LIMIT ?", (party, limit + 1))
        found.update(row[0] for row in c.fetchall())
        if len(found) > limit:
            return None
    return frozenset(found)


def _arms_of_all(c: SQLiteCursor, kind: ThingKind, party: str) -> _Pairs:
    attested = _ATTESTERS.get(kind, ()) if _role_of(c, party) == "attester" else ()
    return (*_PARTIES.get(kind, ()), *attested)


def _arms_of_terms(c: SQLiteCursor, kind: ThingKind, party: str) -> _Pairs:
    attested = _DEALINGS_OF_ATTESTERS if kind in ("party", "holder") and _role_of(c, party) == "attester" else ()
    return (*_TERMS.get(kind, ()), *attested)


def _asked_among(c: SQLiteCursor, arms: _Pairs, party: str, ids: Collection[str] | None) -> frozenset[str]:
    """Return the ids that a party is paired with; of some ids, those."""
    if ids is None:
        return _asked(c, arms, "id", "party", party)
    if not arms:
        return frozenset()
    # By the ids, which are few: what a treasury is paired with may be half of the table.
    among = [f"SELECT id FROM ({one}) WHERE id IN (SELECT value FROM json_each(?1)) AND +party = ?2" for one in arms]
    c.execute(" UNION ".join(among), (json.dumps(sorted(ids)), party))
    return frozenset(row[0] for row in c.fetchall())


def _role_of(c: SQLiteCursor, party: str) -> str | None:
    return next((row.role for row in PARTIES.rows(c, party=party)), None)


def _asked(c: SQLiteCursor, pairs: _Pairs, wanted: str, by: str, value: str) -> frozenset[str]:
    if not pairs:
        return frozenset()
    arms = [f"SELECT {wanted} FROM ({one}) WHERE {by} = ?1 AND {wanted} NOTNULL" for one in pairs]
    c.execute(" UNION ".join(arms), (value,))
    return frozenset(row[0] for row in c.fetchall())


def _of_statement(c: SQLiteCursor, provider: str, ref: str, before: int) -> Concerned | None:
    """Return the parties of the contract of a provider's newest statement of a reference before an entry."""
    index = statement_entry(c, provider, ref, before)
    rows = () if index is None else STATEMENTS.rows(c, entry_index=index)
    return parties_concerned(c, "contract", rows[0].contract) if rows else None


def login_key(c: SQLiteCursor, label: str) -> LoginKey | None:
    """Return a key by which its party may log in, or could once, as key and party are now; None if there is none."""
    for key in KEYS.rows(c, label=label):
        (party,), (terms,) = PARTIES.rows(c, party=key.party), PARTY_TERMS.rows(c, party=key.party)
        return LoginKey(
            label=label,
            vkey=key.vkey,
            purpose=cast(KeyPurpose, key.purpose),
            active_from=parse_instant(key.counts_from),
            is_revoked=key.revoked_index is not None,
            party=key.party,
            role=cast(Role, party.role),
            is_barred=party.suspended or terms.withdrawn,
        )
    return None
