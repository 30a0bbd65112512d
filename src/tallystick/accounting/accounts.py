"""The accounts of a journal: where money of an envelope lies, by programme and party, and whose GPU-time was used.

    equity:envelope:<treasury>:<programme>                          less the whole envelope: where the money comes from
    assets:unissued:<treasury>:<programme>                          what no voucher has
    assets:vouchers:available:<treasury>:<programme>:<holder>       what the holder may reserve or pass on
    assets:vouchers:reserved:<treasury>:<programme>:<holder>        what is promised to providers
    assets:receivable:<treasury>:<programme>:<payee>                paid without right, and asked back
    expenses:used:unclaimed:<treasury>:<programme>:<provider>       burned at the provider, and not claimed
    expenses:used:claimed:<treasury>:<programme>:<payee>            in an open claim
    expenses:used:withheld:<treasury>:<programme>:<payee>           claimed and not paid
    expenses:used:paid:<treasury>:<programme>:<payee>               settled
    expenses:used:carried-over:<treasury>:<programme>               used before the log began
    expenses:gpu-time:<provider>:<holder>:<item>                    GPU-hours that were used
    equity:gpu-time:<provider>:<holder>:<item>                      less these: where they come from

Signs are the book's: all money is positive, but for the envelope's. The accounts of a programme add up to nothing, and
so do those of a provider's GPU-time. A name has no blank, and is the account's in hledger; beancount's names have a
capital at the beginning and neither `.` nor `_`, so there each part of a name is spelled another way, which is as
unique: `beancount_part`.
"""

from functools import cache
from typing import Final, Literal, NamedTuple

from tallystick.vouchers.book import CARRIED_OVER, Account

Root = Literal["assets", "equity", "expenses"]
Commodity = Literal["CNY", "GPUH"]
"""Yuan, with two decimals; GPU-hours, with seven."""

_PLACES: Final[dict[Account, tuple[Root, str]]] = {
    "envelope": ("equity", "envelope"),
    "unissued": ("assets", "unissued"),
    "available": ("assets", "vouchers:available"),
    "reserved": ("assets", "vouchers:reserved"),
    "receivable": ("assets", "receivable"),
    "burned": ("expenses", "used:unclaimed"),
    "claimed": ("expenses", "used:claimed"),
    "withheld": ("expenses", "used:withheld"),
    "paid": ("expenses", "used:paid"),
}
_GPU_TIME: Final = "gpu-time"
_CARRIED_OVER: Final = "used:carried-over"
_OF_PROGRAMMES: Final = frozenset({"envelope", "unissued"})

ACCOUNT_PATHS: Final[dict[str, int]] = {
    **{f"{root}:{place}": 2 if place in _OF_PROGRAMMES else 3 for root, place in _PLACES.values()},
    f"expenses:{_CARRIED_OVER}": 2,
    f"expenses:{_GPU_TIME}": 3,
    f"equity:{_GPU_TIME}": 3,
}
"""How all accounts begin, and how many parts come after that."""


class JournalAccount(NamedTuple):
    """An account of a journal.

    Attributes:
        root: what kind of account it is.
        place: what lies there.
        parts: whose it is: treasury and programme, then the party, if it is one's; of GPU-time provider, holder and
            item.
    """

    root: Root
    place: str
    parts: tuple[str, ...]

    @property
    def name(self) -> str:
        """Its name, as `tallystick balances --by account` and hledger have it."""
        return ":".join((self.root, self.place, *self.parts))

    @property
    def beancount_name(self) -> str:
        """Its name in beancount: the same for no two accounts."""
        return ":".join([beancount_part(part) for part in self.name.split(":")])

    @property
    def is_gpu_time(self) -> bool:
        """Whether GPU-time is counted there, and no money."""
        return self.place == _GPU_TIME

    @property
    def commodity(self) -> Commodity:
        """What is counted there."""
        return "GPUH" if self.is_gpu_time else "CNY"

    @property
    def treasury(self) -> str | None:
        """The treasury whose money lies there; None of GPU-time."""
        return None if self.is_gpu_time else self.parts[0]


@cache
def money_account(account: Account, programme: str, party: str | None) -> JournalAccount:
    """Return the account of a journal that an account of the book is a part of.

    Args:
        account: of the book.
        programme: its id.
        party: whose it is: the holder, the provider or the payee; None of what is the programme's.
    """
    root, place = _PLACES[account]
    treasury, _, rest = programme.partition("/")
    if account == "paid" and party == CARRIED_OVER:
        return JournalAccount(root, _CARRIED_OVER, (treasury, rest))
    return JournalAccount(root, place, (treasury, rest) if party is None else (treasury, rest, party))


@cache
def gpu_time_accounts(provider: str, holder: str, item: str) -> tuple[JournalAccount, JournalAccount]:
    """Return where the GPU-time of an item is counted that a holder used at a provider, and what it comes out of."""
    parts = (provider, holder, item)
    return JournalAccount("expenses", _GPU_TIME, parts), JournalAccount("equity", _GPU_TIME, parts)


def beancount_part(part: str) -> str:
    """Return how beancount has a part of an account's name; two parts are never spelled alike.

    The first letter becomes a capital; one that was a capital before has `Vc` in front. `.` is `Vd`, `_` is `Vu`, and
    a `V` is `VV`; a `v` at the beginning is `Vv`.
    """
    first, rest = part[:1], part[1:]
    beginning = "Vv" if first == "v" else f"Vc{first}" if first.isupper() else first.upper()
    return beginning + rest.replace("V", "VV").replace(".", "Vd").replace("_", "Vu")
