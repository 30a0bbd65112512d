"""What every rule declares, and the event that a command becomes.

A rule is a class: its fields are the command's form, its methods say what the command needs, does and touches; a
command is an instance of it. `Rule` has no defaults: a rule that leaves one of `DECLARED` out can't be defined.
"""

from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from inspect import get_annotations
from typing import Any, ClassVar, Final, Protocol, get_args

from pydantic import BaseModel

from tallystick.vouchers.book import Posting
from tallystick.vouchers.fields import CLOSED, Origin, Role
from tallystick.vouchers.outcomes import Outcome
from tallystick.vouchers.quantities import DocumentId, Instant, PartyId
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.state import State

Accounts = set[str]
"""Accounts, for example `voucher <id>`; docs/rules.md, "Sealed books"."""
Names = Iterable[str]
"""Names of things, under which their entries are looked up:

    party <id>                    admitted, amended, suspended, reinstated; its keys
    item <id>              registered
    tariffs <provider>            its prices
    capacity <provider>           what it declared that it has
    rules <programme>             opened, closed
    accreditation <programme> <provider>
    life <contract>               signed, amended, reserved under, released, burned, corrected, reversed, claimed,
                                  settled, disallowed, not claimed in time
    document <hash>               the contract that has it
    application <id>              filed, issued for, withdrawn
    attestations <type> <id>      verdicts on an application, a claim, a provider or a holder
    terms <voucher>               how it was made (issued, transferred), suspended, resumed, revoked, expired
    reservation <id>              reserved, released
    claim <id>                    claimed, settled
    demand <id>                   demanded, received, set off, cancelled
    paid <programme> <payee>      settled, demanded, cancelled
    checkpoints <origin>          those of another log that were recorded
    seals                         all of them
    editions                      all that were adopted

or an account, with all entries that touch it.
"""
_GIVER: Final = ("party",)
EVERY_PARTY: Final = "every party"
SEALS: Final = "seals"
EDITIONS: Final = "editions"
LOG_KEYS: Final = "log keys"
Signers = dict[str, int]
"""How many signatures are needed of each party."""
Postings = tuple[Posting, ...]
"""What moved between accounts, in order."""

NETWORK: Final = frozenset[Role]({"network"})
TREASURY: Final = frozenset[Role]({"treasury"})
PROVIDER: Final = frozenset[Role]({"provider"})
OPERATOR: Final = frozenset[Role]({"operator"})
ATTESTER: Final = frozenset[Role]({"attester"})
HOLDER: Final = frozenset[Role]({"holder"})
ANY_ROLE: Final = frozenset[Role]({"network", "treasury", "provider", "auditor", "operator", "attester", "holder"})

DECLARED: Final = (
    "kind",
    "event_kind",
    "outcome",
    "about",
    "roles",
    "refusals",
    "signers",
    "decide",
    "evolve",
    "touches",
    "concerns",
    "follows",
    "asks",
)
"""What each rule says itself, besides its own fields."""


class Rule(BaseModel):
    """A command: what every command says, and what every rule declares.

    Attributes:
        kind: the command's own name and version, for example `voucher.issue/1`.
        log: the origin of the log that it is for.
        party: the party that gives it.
        ref: its document number, the party's own.
        signed_at: when it was signed (microseconds).
        event_kind: the name of the event that it becomes, for example `voucher.issued/1`; written into every entry.
        outcome: the form of what it comes to.
        about: the fields that name what its entry is about, or EVERY_PARTY: who may read that may read the entry.
        roles: of the parties that may give it.
        refusals: all that `decide` may answer, of the command or of its lines, in order of precedence.
        party_fields: the names of its fields that hold a party's id; found, not declared.
    """

    model_config = CLOSED

    kind: str
    log: Origin
    party: PartyId
    ref: DocumentId
    signed_at: Instant

    event_kind: ClassVar[str]
    outcome: ClassVar[type[Any]]
    about: ClassVar[tuple[str, ...]]
    roles: ClassVar[frozenset[Role]]
    refusals: ClassVar[tuple[Reason, ...]]
    party_fields: ClassVar[tuple[str, ...]]

    def __init_subclass__(cls) -> None:
        """Check that the rule leaves nothing out.

        Raises:
            TypeError: it does.
        """
        super().__init_subclass__()
        own = {*cls.__dict__, *get_annotations(cls)}
        missing = [name for name in DECLARED if name not in own]
        if missing:
            raise TypeError(f"the rule {cls.__name__} does not declare {', '.join(missing)}")

    def brings(self) -> tuple[str, ...]:
        """Return the vkeys of the keys that it adds: each of them signs too, and counts for no party."""
        return ()

    def parties_named(self) -> Iterable[str]:
        """Return the parties that the command names, itself among them: none of these can be withdrawn any more."""
        return (self.party,) if self.party_fields == _GIVER else [getattr(self, name) for name in self.party_fields]

    def replaces(self) -> str | None:
        """Return the label of the key whose place another takes: it signs too, whatever it is for."""
        return None

    @classmethod
    def __pydantic_init_subclass__(cls, **_: object) -> None:
        """Find the fields that hold a party's id."""
        ids = get_args(PartyId)[1:]
        cls.party_fields = tuple([name for name, one in cls.model_fields.items() if set(ids) & set(one.metadata)])

    @abstractmethod
    def signers(self, state: State, at: int) -> Signers:
        """Return how many signatures are needed, and of whom.

        Args:
            state: before it.
            at: the log's time (microseconds).
        """

    @abstractmethod
    def decide(self, state: State, at: int) -> Outcome | Refusal:
        """Return what the command comes to, or the first reason against it; change nothing.

        It is asked once note and signatures stand. Checks come in the order of `refusals.Reason`.

        Args:
            state: before it.
            at: the log's time (microseconds).
        """

    @abstractmethod
    def evolve(self, state: State, event: "Event") -> Postings:
        """Change the state by this command's event, and return what moves; the book is changed by that afterwards.

        Amounts come from the event's outcome, never anew: replay repeats what was recorded.
        """

    @abstractmethod
    def touches(self, state: State, event: "Event") -> Accounts:
        """Return the accounts that the event touches, given the state after it."""

    @abstractmethod
    def concerns(self, state: State, event: "Event") -> Names:
        """Return the things whose history the event is part of, beside its accounts, given the state after it."""

    @abstractmethod
    def follows(self) -> Names:
        """Return the things without which `evolve` fails on a part of the log."""

    @abstractmethod
    def asks(self, event: "Event", history: "History") -> Names:
        """Return the things that `decide` read, beyond those of `follows`, the party and the signers.

        Args:
            event: what the command became.
            history: the log up to it.
        """


@dataclass(frozen=True, slots=True)
class Event:
    """A command that was admitted as entry `index` at the log's time `at` (microseconds).

    `outcome` is what it came to; `text_sha256` (hex) is of the note's text: under it the command's reference is
    remembered. `key_names` are those of the keys that signed it.
    """

    index: int
    at: int
    command: Rule
    outcome: Outcome
    text_sha256: str
    key_names: tuple[str, ...]

    def signatures_of(self, party: str) -> int:
        """Return how many of a party's keys signed it; a key's name begins with its party's id."""
        return sum([name.partition("/")[0] == party for name in self.key_names])

    @property
    def kind(self) -> str:
        """The event's own name, for example `voucher.issued/1`."""
        return self.command.event_kind


def touched(state: State, event: Event) -> Accounts:
    """Return the accounts that an entry touches, given the state after it: its rule's, and programmes' treasuries.

    Every posting is of a programme, and a treasury's balances are the sums of its programmes'.
    """
    accounts = event.command.touches(state, event)
    for account in [*accounts]:
        if account.startswith("programme "):
            accounts.add(f"treasury {state.programmes[account.removeprefix('programme ')].treasury}")
    return accounts


class History(Protocol):
    """A log, as far as a rule looks up what an earlier command said."""

    def contract_of(self, reservation: str) -> str | None:
        """Return the contract of a reservation, if there is one of that id."""

    def programmes_of(self, contract: str) -> Iterable[str]:
        """Return the programmes of which something was reserved under a contract."""

    def provider_of(self, contract: str) -> str | None:
        """Return the provider of a contract, if there is one of that id."""

    def holder_of(self, contract: str) -> str | None:
        """Return the holder of a contract, if there is one of that id."""

    def claimant_of(self, claim: str) -> str | None:
        """Return who made a claim, if there is one of that id."""

    def contract_of_statement(self, provider: str, ref: str, before: int) -> str | None:
        """Return the contract of a provider's newest statement of a reference before an entry, if there is one."""


def accreditations_of(history: History, contract: str) -> Names:
    """Return the accreditations of a contract's provider for the programmes that pay for it."""
    provider = history.provider_of(contract)
    return [f"accreditation {programme} {provider}" for programme in history.programmes_of(contract)]


def own_party(command: Rule, state: State) -> Signers:
    """Ask for one signature of the party that gives the command; of the network, for its quorum."""
    party = state.parties[command.party]
    return {command.party: party.quorum if party.role == "network" else 1}


def quorum(command: Rule, state: State) -> Signers:
    """Ask for the party's quorum.

    Or one stolen key could make itself the others that have to sign, or whom they pay.
    """
    return {command.party: state.parties[command.party].quorum}


def party_account(state: State, party: str) -> Accounts:
    """Return the account of a holder or a provider; other parties have none."""
    role = state.parties[party].role
    return {f"{role} {party}"} if role in ("holder", "provider") else set()


def voucher_accounts(state: State, voucher_id: str) -> Accounts:
    """Return a voucher's account, its holder's and its programme's."""
    voucher = state.vouchers[voucher_id]
    return {f"voucher {voucher_id}", f"holder {voucher.holder}", f"programme {voucher.programme}"}
