"""The state that commands are decided against.

Only `evolve` (evolve.py) changes a state. Money is in its book alone (book.py), and only `post` changes that: out of
one account, into another, the same amount. So a programme's accounts add up to its envelope by construction.

A state is bounded by what is alive: references of commands are forgotten when they are too old to be decided anew,
statements and job times when they are older than the burn window, and what has ended leaves with a seal (leaving.py).
Equal histories give equal states and equal bytes.
"""

import struct
from bisect import bisect_left, insort
from collections import deque
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal, NamedTuple, Self, get_args

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from tallystick.errors import MalformedError
from tallystick.vouchers.book import ACCOUNTS, MEMORANDA, AnyAccount, Book, Lot, Posting, lot_in, voucher_in
from tallystick.vouchers.burns import BYTES_AS_BASE64, Group, Statement
from tallystick.vouchers.contracts import Contract
from tallystick.vouchers.holdings import Reservation, Voucher
from tallystick.vouchers.job_times import JobTimes
from tallystick.vouchers.log_keys import LogKeyChange
from tallystick.vouchers.mandates import Mandate
from tallystick.vouchers.parties import Key, Network, Party, RecordedCheckpoint
from tallystick.vouchers.programmes import LONGEST_PERIOD_DAYS, Item, Programme, ProgrammeRules
from tallystick.vouchers.quantities import DAY_US, INSTANT_MAX, SECOND_US, start_of_day
from tallystick.vouchers.redemptions import Claim, Demand
from tallystick.vouchers.reviews import Application, Attestation
from tallystick.vouchers.seals import Seal, Touches
from tallystick.vouchers.unclaimed import Unclaimed


@dataclass(slots=True)
class Reference:
    """A party's document number in use: the SHA-256 (hex) of the text, and its entry."""

    text_sha256: str
    index: int
    at: int


Tariff = tuple[int, int]
"""A price: valid from (microseconds), fen a unit (a GPU-hour, or one of what is counted)."""
Capacity = tuple[int, dict[str, int]]
"""A declaration: from which day on, and how many of each item are installed."""


Leaving = Literal["application", "claim", "contract", "demand", "mandate", "reservation", "voucher"]
"""What leaves the state once it has ended."""


def _nothing_left() -> dict[Leaving, dict[str, int]]:
    return {kind: {} for kind in get_args(Leaving)}


class Due(NamedTuple):
    """When time ends a reservation, a voucher, or what was burned of a voucher and not claimed (microseconds)."""

    at: int
    id: str
    kind: Literal["reservation", "voucher", "lots"]


@dataclass(slots=True)
class State:
    """Everything that a decision may depend on.

    Attributes:
        origin: the log's identity.
        size: how many entries made this state, so the index of the next.
        at: the log's time of the last entry (microseconds).
        network: None until entry 0.
        book: every amount.
        unclaimed: where a claimant finds what it may claim; follows from the book.
        due: what time will end, or has ended and nothing has booked yet, ascending; follows from all else.
        keys: by label, `<name>+<key id in hex>`.
        public_keys: label by public key (hex).
        usccs: party by unified social credit code.
        signed_by_few_fen: by treasury and day, what fewer of its officers signed than are required; officers.py.
        log_keys: changes of the key that signs the checkpoints, in order.
        other_logs: by origin and key id, joined by a +, the newest checkpoint that was recorded of another log.
        tariffs: by provider and item, ascending.
        attestations: by subject (`<type> <id>`), topic and attester.
        capacities: by provider, ascending: what it declared that is in force or to come.
        payments: what was paid or received, by treasury and payment reference, joined by a blank.
        seals: by id, in order.
        left: ids of what has ended and left, by what it was, with the entry of the seal that it left with (leaving.py).
        touches: by account, which entries touched it.
        documents: by hash, for ever: its contract (empty once that has left), or of an invoice its statement.
        payers: by contract, who pays for its lines, as its last statement found it; not saved (rules/paying.py).
        job_times: by provider and item; not saved, because it follows from the statements.
        statements: by provider and reference.
        statement_order: provider and reference, oldest first.
        references: by party and reference, joined by a blank (which neither can hold).
        reference_order: their keys, oldest first.
    """

    __pydantic_config__ = BYTES_AS_BASE64 | ConfigDict(arbitrary_types_allowed=True)

    origin: str
    size: int = 0
    at: int = 0
    network: Network | None = None
    book: Book = field(default_factory=Book)
    unclaimed: Annotated[Unclaimed, Field(exclude=True)] = field(default_factory=Unclaimed)
    due: Annotated[list[Due], Field(exclude=True)] = field(default_factory=list)
    parties: dict[str, Party] = field(default_factory=dict)
    keys: dict[str, Key] = field(default_factory=dict)
    public_keys: dict[str, str] = field(default_factory=dict)
    usccs: dict[str, str] = field(default_factory=dict)
    signed_by_few_fen: dict[str, dict[int, int]] = field(default_factory=dict)
    log_keys: list[LogKeyChange] = field(default_factory=list)
    other_logs: dict[str, RecordedCheckpoint] = field(default_factory=dict)
    items: dict[str, Item] = field(default_factory=dict)
    tariffs: dict[str, dict[str, list[Tariff]]] = field(default_factory=dict)
    capacities: dict[str, list[Capacity]] = field(default_factory=dict)
    programmes: dict[str, Programme] = field(default_factory=dict)
    mandates: dict[str, Mandate] = field(default_factory=dict)
    contracts: dict[str, Contract] = field(default_factory=dict)
    documents: dict[str, str] = field(default_factory=dict)
    applications: dict[str, Application] = field(default_factory=dict)
    attestations: dict[str, dict[str, dict[str, Attestation]]] = field(default_factory=dict)
    vouchers: dict[str, Voucher] = field(default_factory=dict)
    reservations: dict[str, Reservation] = field(default_factory=dict)
    claims: dict[str, Claim] = field(default_factory=dict)
    demands: dict[str, Demand] = field(default_factory=dict)
    payments: dict[str, str] = field(default_factory=dict)
    seals: dict[str, Seal] = field(default_factory=dict)
    left: dict[Leaving, dict[str, int]] = field(default_factory=_nothing_left)
    touches: dict[str, Touches] = field(default_factory=dict)
    payers: Annotated[dict[str, object], Field(exclude=True)] = field(default_factory=dict, compare=False, repr=False)
    job_times: Annotated[dict[str, dict[str, JobTimes]], Field(exclude=True)] = field(default_factory=dict)
    statements: dict[str, dict[str, Statement]] = field(default_factory=dict)
    statement_order: deque[tuple[str, str]] = field(default_factory=deque)
    references: dict[str, Reference] = field(default_factory=dict)
    reference_order: deque[str] = field(default_factory=deque)

    @classmethod
    def empty(cls, origin: str) -> Self:
        """Return the state before entry 0 of the log of this origin."""
        return cls(origin=origin)

    @property
    def utc_offset_us(self) -> int:
        """How far the network's clock is ahead of UTC."""
        return self.network.parameters.utc_offset_seconds * SECOND_US if self.network else 0

    def day_of(self, instant: int) -> int:
        """Return the network's day (days since 1970) in which an instant lies."""
        return (instant + self.utc_offset_us) // DAY_US

    def start_of(self, day: int) -> int:
        """Return the instant at which a day of the network begins."""
        return start_of_day(day, self.network.parameters.utc_offset_seconds if self.network else 0)

    @property
    def burn_window_us(self) -> int:
        """How far back a line may reach and a statement be reversed."""
        return self.network.parameters.burn_window_seconds * SECOND_US if self.network else 0

    @property
    def tariff_notice_us(self) -> int:
        """How long before it takes effect a rise of a price is published."""
        return self.network.parameters.tariff_notice_seconds * SECOND_US if self.network else 0

    def takeover_us(self) -> int:
        """Return how long a key doesn't count yet that another party added; 0 before the network is founded."""
        return self.network.parameters.takeover_seconds * SECOND_US if self.network else 0

    @property
    def reference_memory_us(self) -> int:
        """How long after its entry a reference is remembered."""
        parameters = self.network.parameters if self.network else None
        return (parameters.freshness_seconds + parameters.clock_skew_seconds) * SECOND_US if parameters else 0

    @property
    def sealed_day(self) -> int | None:
        """The last day that is sealed, if any is."""
        return next(reversed(self.seals.values())).last_day if self.seals else None

    def reference(self, party: str, ref: str, at: int) -> Reference | None:
        """Return the use of a party's reference that is remembered at a time."""
        reference = self.references.get(f"{party} {ref}")
        return reference if reference and reference.at + self.reference_memory_us >= at else None

    def remembers_all_references(self, at: int) -> bool:
        """Return whether every reference that was ever used is remembered at a time.

        What is too old is only dropped with the next entry, and doesn't count before either.
        """
        if len(self.references) < self.size:
            return False
        oldest = self.references[self.reference_order[0]] if self.reference_order else None
        return oldest is None or oldest.at + self.reference_memory_us >= at

    def statement(self, provider: str, ref: str, at: int) -> Statement | None:
        """Return a provider's statement that is remembered at a time."""
        statement = self.statements.get(provider, {}).get(ref)
        return statement if statement and statement.at + self.burn_window_us >= at else None

    def admitted(self, party: str) -> Party | None:
        """Return a party, if there is one of that id that wasn't withdrawn."""
        found = self.parties.get(party)
        return None if found is None or found.withdrawn else found

    def rules_of(self, voucher: Voucher) -> ProgrammeRules:
        """Return the rules that a voucher keeps: those that it was issued under."""
        return self.programmes[voucher.programme].versions[voucher.rules_version].rules

    def ends_of(self, reservation: Reservation) -> int:
        """Return until when jobs of a reservation end: not after the contract's last day, even if that was amended."""
        return min(reservation.until, self.start_of(self.contracts[reservation.contract].last_day + 1))

    def due_of(self, reservation: Reservation) -> Due:
        """Return when a reservation may be given back by anybody: at its end, and its provider's grace after it."""
        grace_us = self.network.parameters.release_grace_seconds * SECOND_US if self.network else 0
        return Due(self.ends_of(reservation) + grace_us, reservation.id, "reservation")

    def add_due(self, due: Due) -> None:
        """Take note of when time ends something."""
        insort(self.due, due)

    def remove_due(self, due: Due) -> None:
        """Forget it again: it has ended, or ends at another time."""
        place = bisect_left(self.due, due)
        if self.due[place : place + 1] == [due]:
            del self.due[place]

    def claimant(self, programme_id: str, contract_id: str) -> str | None:
        """Return whom a programme pays for what is burned under a contract; None: the first to claim of both sides."""
        contract = self.contracts[contract_id]
        payee = self.programmes[programme_id].rules.payee
        side = contract.claimant if payee == "contract" else payee
        if side == "either":
            return None
        return contract.provider if side == "provider" else contract.holder

    def claimed(self, claim_id: str) -> list[tuple[Lot, int]]:
        """Return the lots of an open claim in order, each with its amount in fen; of one that is settled, none."""
        lots = [Lot(*lot_id.split(" ")) for lot_id in self.claims[claim_id].lots]
        return [(lot, self.book["claimed", lot.claimed_id(claim_id)]) for lot in lots]

    def claimed_fen(self, claim_id: str) -> int:
        """Return what an open claim amounts to."""
        return sum(amount_fen for _, amount_fen in self.claimed(claim_id))

    def voucher_of(self, account: AnyAccount, account_id: str) -> str | None:
        """Return the voucher whose money lies in an account, if it is a voucher's."""
        if account == "reserved":
            return self.reservations[account_id].voucher
        return voucher_in(account, account_id)

    def post(self, posting: Posting) -> None:
        """Move an amount in the book, and take note of what left a reservation or a voucher.

        It is asked once the event has changed all else: a voucher that ended has, a new one is there.
        """
        programme, source, source_id, target, target_id, amount_fen = posting
        if source == target == "available":
            self.book.note("transferred", source_id, amount_fen)
            self._hold(source_id, -amount_fen)
            self.grant(target_id, amount_fen)
        elif "envelope" in (source, target):
            treasury = self.programmes[programme].treasury
            self.book.note("appropriated", treasury, amount_fen if source == "envelope" else -amount_fen)
        else:
            if source == "reserved":
                self.book.note("taken" if target == "burned" else "released", source_id, amount_fen)
            if source == "unissued" and target == "available":
                self.grant(target_id, amount_fen)
            elif target == "unissued" and source in ("available", "reserved"):
                voucher_id = self.voucher_of(source, source_id)
                assert voucher_id is not None
                self.return_unused(voucher_id, amount_fen)
            if source == "claimed" and target == "paid":
                self.book.note("settled", lot_in("claimed", source_id).id, amount_fen)
            if source == "receivable" and target == "unissued":
                self.book.note("received", source_id, amount_fen)
            self._promise(posting)
        is_there = self.book[target, target_id] > 0
        self.book.post(posting)
        if not is_there and target in ("burned", "withheld"):
            voucher = self.unclaimed.add(programme, target, target_id)
            if voucher is not None:
                self.add_due(self.lots_due(voucher))
        if source in ("burned", "withheld") and source_id not in self.book.balances[source]:
            voucher = self.unclaimed.remove(programme, source, source_id)
            if voucher is not None:
                self.remove_due(self.lots_due(voucher))

    def return_unused(self, voucher_id: str, amount_fen: int) -> None:
        """Take note of what goes back to the programme unused; its holder has room for it again."""
        self.book.note("returned", voucher_id, amount_fen)
        self.grant(voucher_id, -amount_fen)

    def grant(self, voucher_id: str, amount_fen: int) -> None:
        """Count an amount against the cap of a voucher's holder, or no longer, if it is negative."""
        self.book.note("granted", self.vouchers[voucher_id].granted_id, amount_fen)
        self._hold(voucher_id, amount_fen)

    def _hold(self, voucher_id: str, amount_fen: int) -> None:
        """Count an amount to what a voucher's holder holds in all, or no longer, if it is negative."""
        self.book.note("held", self.vouchers[voucher_id].holder, amount_fen)

    def _promise(self, posting: Posting) -> None:
        """Count what is reserved to what is promised to its provider, and what goes back unused no longer."""
        _, source, source_id, target, target_id, amount_fen = posting
        if target == "reserved" and source == "available":
            self.book.note("promised", self.reservations[target_id].provider, amount_fen)
        elif target in ("available", "unissued") and source == "reserved":
            self.book.note("promised", self.reservations[source_id].provider, -amount_fen)

    def lots_due(self, voucher_id: str) -> Due:
        """Return when what is unclaimed of a voucher goes back to its programme."""
        return Due(self.cut_off_of(voucher_id), voucher_id, "lots")

    def cut_off_of(self, voucher_id: str) -> int:
        """Return from when on what was burned of a voucher can't be claimed any more (microseconds).

        That is its rules' cut-off after the longest period of claims that a line of it may lie in.
        """
        voucher = self.vouchers[voucher_id]
        terms = self.rules_of(voucher).claims
        days = LONGEST_PERIOD_DAYS[terms.cycle] + terms.cut_off_days
        return voucher.valid_until + self.burn_window_us + days * DAY_US

    def remember(self, provider: str, ref: str, statement: Statement) -> None:
        """Keep a statement, and that its jobs' time is burned."""
        (self.statements.get(provider) or self.statements.setdefault(provider, {}))[ref] = statement
        self.statement_order.append((provider, ref))
        job_times = self.job_times.get(provider) or self.job_times.setdefault(provider, {})
        for group in statement.groups:
            of_item = job_times.get(group.item)
            if of_item is None:
                of_item = job_times[group.item] = JobTimes()
            of_item.add(group)

    def forget(self, provider: str, ref: str) -> None:
        """Drop a statement that isn't remembered any more, and the time of its jobs."""
        statement = self.statements[provider].pop(ref)
        for group in statement.groups:
            # Its intervals ended before it was recorded, so no line can reach them now.
            job_times = self.job_times[provider][group.item]
            job_times.forget(group)
            if not job_times.has_groups:
                del self.job_times[provider][group.item]
        for reservation, amount_fen in statement.taken_fen().items():
            self.book.note("forgotten", reservation, amount_fen)
        charged_fen, absorbed_fen = statement.charged_and_absorbed_fen()
        self.book.note("forgotten_charged", statement.contract, charged_fen)
        self.book.note("forgotten_absorbed", statement.contract, absorbed_fen)

    def to_bytes(self, names: set[str] | None = None) -> bytes:
        """Return the state, or these fields of it alone, as JSON; the same state gives the same bytes."""
        return _STATE.dump_json(self, include=names, exclude_none=True)

    @classmethod
    def from_bytes(cls, data: bytes) -> "State":
        """Return the state that `to_bytes` wrote.

        Raises:
            MalformedError: it isn't one.
        """
        try:
            state = _STATE.validate_json(data)
        except ValidationError as error:
            raise MalformedError(f"not a saved state: {error.error_count()} faults") from None
        if list(state.book.balances) != [*ACCOUNTS, *MEMORANDA]:
            raise MalformedError(f"not a saved state: its book has {', '.join(state.book.balances)}")
        if list(state.left) != [*get_args(Leaving)]:
            raise MalformedError(f"not a saved state: what has left is {', '.join(state.left)}")
        if not 0 <= state.at <= INSTANT_MAX:
            raise MalformedError(f"not a saved state: its last entry is of microsecond {state.at}")
        try:
            for account in _CLAIMABLE:
                for account_id in state.book.balances[account]:
                    programme = state.vouchers[lot_in(account, account_id).voucher].programme
                    state.unclaimed.add(programme, account, account_id)
            dues = [state.lots_due(voucher) for voucher in state.unclaimed.open_places]
            held = [one for one in state.reservations.values() if not one.closed and one.contract in state.contracts]
            dues += [state.due_of(one) for one in held]  # an audit names those whose contract isn't there
            dues += [Due(one.valid_until, name, "voucher") for name, one in state.vouchers.items() if not one.has_ended]
            state.due = sorted(dues)
            for provider, refs in state.statements.items():
                groups: dict[str, list[Group]] = {}
                for group in [group for statement in refs.values() for group in statement.groups]:
                    groups.setdefault(group.item, []).append(group)
                state.job_times[provider] = {item: JobTimes(of_item) for item, of_item in groups.items()}
        except (LookupError, ValueError, struct.error) as error:
            raise MalformedError(f"not a saved state: {error!r}"[:200]) from None
        return state


_CLAIMABLE: Final[tuple[Literal["burned", "withheld"], ...]] = ("burned", "withheld")
_STATE: Final[TypeAdapter[State]] = TypeAdapter(State)
