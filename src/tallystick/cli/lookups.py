"""What a field of a command may name: the things of its kind that there are, with a few words about each.

    do voucher.issue --list programme        do redemption.settle --list claim

A treasury sees its own programmes, a holder its own vouchers and so on: those that its command could name. A wrong id
is answered with the nearest one.
"""

from collections.abc import Callable, Iterator
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final, NamedTuple

from tallystick.forms.amounts import yuan
from tallystick.forms.building import Option
from tallystick.forms.leaves import Leaf

if TYPE_CHECKING:
    from tallystick.vouchers.state import State

_NEAREST: Final = 3
_NEW: Final = "the new "
KIND_OF: Final = {
    "application": "application",
    "attesters": "attester",
    "claim": "claim",
    "contract": "contract",
    "demand": "demand",
    "holder": "holder",
    "item": "item",
    "items": "item",
    "key": "key",
    "mandate": "mandate",
    "operator": "operator",
    "payee": "party",
    "programme": "programme",
    "provider": "provider",
    "reservation": "reservation",
    "statement": "statement",
    "subject": "party",
    "to": "holder",
    "voucher": "voucher",
}
"""What a field of this name names."""


class Candidate(NamedTuple):
    """A thing that a field may name: its id, and what it is in a few words."""

    id: str
    words: str


def looked_up(option: Option) -> list[tuple[str, str]]:
    """Return what of an option names a thing that must be there: its name in the option, and the kind.

    The name is empty of an option that is an id itself.
    """
    if isinstance(option.shape, Leaf):
        kind = _kind(option.path[-1], option.shape, option.meaning)
        return [("", kind)] if kind else []
    parts = option.shape.all_parts()
    found = [(part.name, _kind(part.path[-1], part.leaf, part.meaning)) for part in parts]
    return [(name, kind) for name, kind in found if kind]


def _kind(name: str, leaf: Leaf, meaning: str) -> str:
    if leaf.metavar in ("TIME", "DAY", "WORD") or leaf.choices or meaning.startswith(_NEW):
        return ""
    return KIND_OF.get(name, "")


def nearest(id_: str, candidates: list[Candidate]) -> list[str]:
    """Return the ids that are most like one."""
    return get_close_matches(id_, [one.id for one in candidates], _NEAREST, 0.5)


def name_in(state: "State", kind: str, id_: str) -> str | None:
    """Return what a party, a programme or an item is called, None if it has no name or isn't there."""
    if kind == "party":
        party = state.parties.get(id_)
        return None if party is None else party.name
    if kind == "programme":
        programme = state.programmes.get(id_)
        return None if programme is None else programme.name
    item = state.items.get(id_)
    return None if item is None else item.name


def candidates_in(state: "State", kind: str, party: str) -> list[Candidate]:
    """Return the things of a kind that a party's command may name, by id; of no party (""), all there are."""
    listed = _LISTS.get(kind)
    return sorted(listed(state, party)) if listed is not None else sorted(_of_role(state, kind))


def _of_role(state: "State", role: str) -> Iterator[Candidate]:
    for id_, party in state.parties.items():
        if role in ("party", party.role) and not party.withdrawn:
            suspended = ", suspended" if party.suspended else ""
            yield Candidate(id_, f"{party.name or 'a maker'} ({party.role}{suspended})")


def _programmes(state: "State", party: str) -> Iterator[Candidate]:
    is_treasury = state.parties[party].role == "treasury" if party in state.parties else False
    for id_, one in state.programmes.items():
        if not is_treasury or one.treasury == party:
            yield Candidate(id_, f"{one.name}, {yuan(state.book['unissued', id_])} yuan unissued")


def _vouchers(state: "State", party: str) -> Iterator[Candidate]:
    for id_, one in state.vouchers.items():
        treasury = state.programmes[one.programme].treasury
        if party in (one.holder, treasury) or _sees_all(state, party):
            yield Candidate(id_, f"of {one.holder}, {yuan(state.book['available', id_])} yuan available")


def _contracts(state: "State", party: str) -> Iterator[Candidate]:
    for id_, one in state.contracts.items():
        if party in (one.holder, one.provider) or _sees_all(state, party):
            yield Candidate(id_, f"{one.holder} with {one.provider}, at most {yuan(one.amount_fen)} yuan")


def _applications(state: "State", party: str) -> Iterator[Candidate]:
    for id_, one in state.applications.items():
        if party == one.holder or _sees_all(state, party):
            yield Candidate(id_, f"of {one.holder} for {yuan(one.amount_fen)} yuan under {one.programme}")


def _claims(state: "State", party: str) -> Iterator[Candidate]:
    for id_, one in state.claims.items():
        if one.status == "open" and (party == one.claimant or _sees_all(state, party)):
            claimed_fen: dict[str, int] = {}
            for lot, fen in state.claimed(id_):
                claimed_fen[lot.contract] = claimed_fen.get(lot.contract, 0) + fen
            rows = ", ".join(f"{contract} {yuan(fen)} yuan" for contract, fen in claimed_fen.items())
            yield Candidate(id_, f"of {one.claimant} under {one.programme}: {rows}")


def _demands(state: "State", party: str) -> Iterator[Candidate]:
    for id_, one in state.demands.items():
        yield Candidate(id_, f"on {one.payee} under {one.programme}, {yuan(state.book['receivable', id_])} yuan left")


def _mandates(state: "State", party: str) -> Iterator[Candidate]:
    for id_, one in state.mandates.items():
        if party in ("", one.treasury, one.operator):
            yield Candidate(id_, f"of {one.treasury} for {one.operator}: {', '.join(one.kinds)}")


def _reservations(state: "State", party: str) -> Iterator[Candidate]:
    for id_, one in state.reservations.items():
        yield Candidate(id_, f"of {one.voucher} under {one.contract}, {yuan(state.book['reserved', id_])} yuan left")


def _items(state: "State", _party: str) -> Iterator[Candidate]:
    for id_, one in state.items.items():
        yield Candidate(id_, f"{one.name} ({one.unit}{f': {one.counted}' if one.counted else ''})")


def _keys(state: "State", party: str) -> Iterator[Candidate]:
    for label, key in state.keys.items():
        if key.is_active and party in ("", key.party, state.parties[key.party].admitter):
            yield Candidate(label, f"of {key.party}, to {key.purpose}")


def _statements(state: "State", party: str) -> Iterator[Candidate]:
    for provider, statements in state.statements.items():
        if party in ("", provider):
            for ref, one in statements.items():
                yield Candidate(ref, f"under {one.contract}")


def _sees_all(state: "State", party: str) -> bool:
    """Return whether a party's commands are about things of others: not those of holders and providers."""
    return party not in state.parties or state.parties[party].role not in ("holder", "provider")


_LISTS: Final[dict[str, Callable[["State", str], Iterator[Candidate]]]] = {
    "application": _applications,
    "claim": _claims,
    "contract": _contracts,
    "demand": _demands,
    "item": _items,
    "key": _keys,
    "mandate": _mandates,
    "programme": _programmes,
    "reservation": _reservations,
    "statement": _statements,
    "voucher": _vouchers,
}
