"""What a seal is made of: which entries touched an account, and the account's leaf.

Touches are folded into a running hash, so that an account costs the state the same however long its history is; they
wait in a list until a seal asks, because hashing one at a time would be the dearest thing that an entry does.
"""

from dataclasses import dataclass, field
from typing import Final, Self

from tallystick.errors import MalformedError
from tallystick.signing import canonical_json
from tallystick.signing.algorithms import SHA256, hash_from_text

PENDING_MAX: Final = 512
NO_TOUCHES: Final = SHA256.to_text(bytes(SHA256.size))
_LEAF_FIELDS: Final = ("account", "balances", "entries", "running_hash")


@dataclass(slots=True)
class Touches:
    """The entries that touched an account: how many the running hash is over, and the indices that wait.

    Attributes:
        last: the index of the newest.
    """

    folded: int = 0
    last: int = -1
    running_hash: str = NO_TOUCHES
    pending: list[int] = field(default_factory=list)

    def add(self, index: int) -> None:
        """Note that an entry touched it."""
        self.pending.append(index)
        self.last = index
        if len(self.pending) >= PENDING_MAX:
            self.fold()

    def fold(self) -> None:
        """Take what waits into the running hash."""
        self.running_hash = run_on(self.running_hash, self.pending)
        self.folded += len(self.pending)
        self.pending = []


def run_on(running_hash: str, indices: list[int]) -> str:
    """Return the running hash after more entries: each makes it the hash of its digest and the index (8 bytes)."""
    function, running = hash_from_text(running_hash)
    for index in indices:
        running = function.digest(running + index.to_bytes(8, "big"))
    return function.to_text(running)


@dataclass(slots=True)
class Seal:
    """A sealed period: its entry, its last day, and what it sealed: root over so many accounts."""

    index: int
    last_day: int
    accounts: int
    root: str


@dataclass(frozen=True, slots=True)
class AccountLeaf:
    """An account as a seal holds it: balances by name (`…_fen`), and the entries before the seal that touched it."""

    account: str
    balances: dict[str, int]
    entries: int
    running_hash: str

    @classmethod
    def of(cls, account: str, balances: dict[str, int], touches: Touches) -> Self:
        """Return the leaf of an account."""
        running_hash = run_on(touches.running_hash, touches.pending)
        return cls(account, balances, touches.folded + len(touches.pending), running_hash)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Return the leaf of its canonical JSON.

        Raises:
            CanonicalJsonError: not canonical JSON.
            MalformedError: not a leaf.
        """
        fields = canonical_json.decode(data)
        if not isinstance(fields, dict) or tuple(sorted(fields)) != _LEAF_FIELDS:
            raise MalformedError(f"a leaf has {', '.join(_LEAF_FIELDS)}, and nothing else")
        account, balances, entries, running_hash = (fields[name] for name in _LEAF_FIELDS)
        if not isinstance(account, str):
            raise MalformedError("a leaf's account is text")
        if not isinstance(balances, dict):
            raise MalformedError("a leaf's balances are amounts by name")
        amounts_fen = {name: one for name, one in balances.items() if type(one) is int and one >= 0}
        if amounts_fen.keys() != balances.keys():
            raise MalformedError("an amount in a leaf is an integer from 0")
        if type(entries) is not int or entries < 0:
            raise MalformedError("a leaf's entries are a number from 0")
        if not isinstance(running_hash, str):
            raise MalformedError("a leaf's running_hash is text")
        try:
            hash_from_text(running_hash)
        except MalformedError as error:
            raise MalformedError(f"a leaf's running_hash {error}") from None
        return cls(account, amounts_fen, entries, running_hash)

    def to_bytes(self) -> bytes:
        """Return its canonical JSON; docs/rules.md, "Sealed books"."""
        return canonical_json.encode(
            {
                "account": self.account,
                "balances": {**self.balances},
                "entries": self.entries,
                "running_hash": self.running_hash,
            }
        )
