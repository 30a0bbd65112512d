"""The one book: every amount of a log's money, changed by balanced postings alone.

    account       id                                     what lies there
    envelope      <programme>                            less the whole envelope: where a programme's money comes from
    unissued      <programme>                            what no voucher has
    available     <voucher>                              what its holder may reserve or pass on
    reserved      <reservation>                          what its provider may burn
    burned        <voucher> <contract> <day>             burned, booked on a day, and not claimed
    claimed       <claim> <voucher> <contract>           in an open claim
    withheld      <voucher> <contract>                   claimed and not paid; it can be claimed again
    paid          <programme> <payee>                    settled; `<programme> -`: used before the log began
    receivable    <demand>                               paid without right, and asked back

A posting takes an amount out of one account and puts the same amount into another of the same programme. What is burned
lies in lots, of a voucher and a contract. Where money leaves a voucher, a reservation or a lot, a memorandum account
takes note of it, so that each of them adds up by itself:

    transferred   <voucher>                              passed on to other vouchers
    returned      <voucher>                              gone back to the envelope, unused
    settled       <voucher> <contract>                   of a lot, what was paid; `<voucher> -`: before the log began
    received      <demand>                               come back of what was asked back
    forfeited     <voucher> <contract>                   of a lot, gone back to the envelope: disallowed, or too late
    taken         <reservation>                          burned, less what came back to it
    released      <reservation>                          gone back to the voucher or the envelope
    granted       <treasury> <year> <group> <holder>     what counts against the holder's cap
    mandated      <mandate>                              what left its treasury by it
    appropriated  <treasury>                             the envelopes of all its programmes
    held          <holder>                               all that its vouchers hold, and what they were used for
    promised      <provider>                             reserved for it, and burned of that
    charged       <contract>                             the fees of its lines
    absorbed      <contract>                             other support that its lines absorbed
    forgotten     <reservation>                          taken by lines of statements that aren't remembered any more
    forgotten_charged, forgotten_absorbed <contract>     charged and absorbed by such lines

What has ended leaves the state (leaving.py), and its accounts with it. What sums over all need of it stays:

    past_issued     <programme>                          faces of vouchers that have left, but for transferred parts
    past_returned   <programme> <status>                 of these, gone back unused, by what became of them
    past_settled    <programme> <contract>               of their lots; once the contract has left: <programme> <payee>
    past_forfeited  <programme> <contract>               the same; then <programme> -
    past_received   <programme> <payee>                  of demands that have left, received
    past_granted    <treasury> <year> <group> <holder>   granted by vouchers that have left
    past_held       <holder>                             what such vouchers were used for
    past_promised   <provider>                           taken of reservations that have left

docs/rules.md, "The law of conservation". An account with nothing in it isn't kept.
"""

from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple, get_args

Account = Literal[
    "envelope", "unissued", "available", "reserved", "burned", "claimed", "withheld", "paid", "receivable"
]
Memorandum = Literal[
    "transferred",
    "returned",
    "settled",
    "received",
    "forfeited",
    "taken",
    "released",
    "granted",
    "mandated",
    "appropriated",
    "held",
    "promised",
    "charged",
    "absorbed",
    "forgotten",
    "forgotten_charged",
    "forgotten_absorbed",
    "past_issued",
    "past_returned",
    "past_settled",
    "past_forfeited",
    "past_received",
    "past_granted",
    "past_held",
    "past_promised",
]
AnyAccount = Account | Memorandum

ACCOUNTS: Final[tuple[Account, ...]] = get_args(Account)
MEMORANDA: Final[tuple[Memorandum, ...]] = get_args(Memorandum)
PROGRAMME_ACCOUNTS: Final = ACCOUNTS[1:]
"""Those that add up to the envelope."""
OF_LOTS: Final[tuple[AnyAccount, ...]] = ("burned", "claimed", "withheld", "settled", "forfeited")
"""Those that say what became of a lot: together, what its lines took."""

_VOUCHER_PLACE: Final[dict[AnyAccount, int]] = {
    "available": 0,
    "burned": 0,
    "claimed": 1,
    "withheld": 0,
    "settled": 0,
    "forfeited": 0,
}


class Posting(NamedTuple):
    """An amount in fen that moves between two accounts of a programme."""

    programme: str
    source: Account
    source_id: str
    target: Account
    target_id: str
    amount_fen: int


CARRIED_OVER: Final = "-"
"""Takes the place of a contract in the lot of what a voucher was used for before the log began."""


class Lot(NamedTuple):
    """What was burned of a voucher under a contract."""

    voucher: str
    contract: str

    @property
    def id(self) -> str:
        """Its id in `withheld`, `settled` and `forfeited`."""
        return f"{self.voucher} {self.contract}"

    def claimed_id(self, claim: str) -> str:
        """Return its id in `claimed`, as part of a claim."""
        return f"{claim} {self.voucher} {self.contract}"


class DatedLot(NamedTuple):
    """The part of a lot that was booked on a day (days since 1970, by the network's clock)."""

    voucher: str
    contract: str
    day: int

    @property
    def lot(self) -> Lot:
        """The lot that it is a part of."""
        return Lot(self.voucher, self.contract)

    @property
    def burned_id(self) -> str:
        """Its id in `burned`."""
        return f"{self.voucher} {self.contract} {self.day}"


def dated_lot_of(burned_id: str) -> DatedLot:
    """Return the part of a lot that has an id in `burned`.

    Raises:
        ValueError: it is no such id.
    """
    voucher, contract, day = burned_id.split(" ")
    return DatedLot(voucher, contract, int(day))


def lot_in(account: AnyAccount, account_id: str) -> Lot:
    """Return the lot whose money lies in an account of `OF_LOTS`."""
    voucher, contract = account_id.split(" ")[_VOUCHER_PLACE[account] :][:2]
    return Lot(voucher, contract)


def voucher_in(account: AnyAccount, account_id: str) -> str | None:
    """Return the voucher that an account's id names, if it names one; a reservation's doesn't."""
    place = _VOUCHER_PLACE.get(account)
    return None if place is None else account_id.split(" ")[place]


def _no_balances() -> dict[AnyAccount, dict[str, int]]:
    return {account: {} for account in (*ACCOUNTS, *MEMORANDA)}


@dataclass(slots=True)
class Book:
    """Every balance, in fen.

    Attributes:
        balances: by account and id.
        totals: by programme and account, the sums of `balances`; those of a programme add up to its envelope.
    """

    balances: dict[AnyAccount, dict[str, int]] = field(default_factory=_no_balances)
    totals: dict[str, dict[Account, int]] = field(default_factory=dict)

    def __getitem__(self, key: tuple[AnyAccount, str]) -> int:
        """Return the balance of `account, id`: 0 if nothing ever lay there."""
        account, account_id = key
        return self.balances[account].get(account_id, 0)

    def post(self, posting: Posting) -> None:
        """Move an amount between two accounts of a programme."""
        programme, source, source_id, target, target_id, amount_fen = posting
        self.note(source, source_id, -amount_fen)
        self.note(target, target_id, amount_fen)
        totals = self.totals.get(programme)
        if totals is None:
            totals = self.totals[programme] = dict.fromkeys(PROGRAMME_ACCOUNTS, 0)
        if source != "envelope":
            totals[source] -= amount_fen
        if target != "envelope":
            totals[target] += amount_fen

    def note(self, account: AnyAccount, account_id: str, amount_fen: int) -> None:
        """Change one balance: half a posting, or what a memorandum account takes note of."""
        balances = self.balances[account]
        balance_fen = balances.get(account_id, 0) + amount_fen
        if balance_fen:
            balances[account_id] = balance_fen
        else:
            balances.pop(account_id, None)

    def drop(self, account: Memorandum, account_id: str) -> int:
        """Forget what a memorandum account took note of, and return it."""
        return self.balances[account].pop(account_id, 0)
