"""A second implementation of the rules, written from docs/rules.md alone, slow and obvious.

It keeps everything that was ever accepted in plain dicts and lists, sums every balance from the list of all postings
each time that it is asked, looks for overlaps by going through all lines, and collects *all* reasons that apply to a
command before it picks the first in the order of the published list. A seal's root is made from all of history again:
which entry touched which account, the running hashes, the leaves' text and the tree. So it shares no arithmetic, no
index, no hashing and no order of checks with the package; only the list of reasons itself is taken from there.

It verifies no signature and reads no note: it is told which keys signed well and which did not, and it is given
commands that are already of the right shape (so the first four reasons of the list are not its business).
"""

import base64
import datetime
import hashlib
import json
from collections import ChainMap, Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tallystick.vouchers.refusals import Reason

Json = dict[str, Any]
Account = tuple[Any, ...]
"""What holds money and whose it is: `("available", "city/v-1")`, `("burned", "city/v-1", "lab/k-1", 20458)`."""
Lot = tuple[str, str]
"""Voucher and contract."""
CapPlace = tuple[str, int, str, str]
Ask = Callable[[str, list[str]], Json | Reason]
"""How a programme with open reservations would pay a line; or why it can't."""
Answer = tuple[str, Any]
"""`("accepted", outcome)` or `("refused", reason)`."""

SECOND = 1_000_000
DAY = 86_400 * SECOND
ENTRY_SIZE_MAX = 65_535
CARRIED_OVER = "-"
"""Stands for the contract under which an imported voucher was used before there was a log."""
EXPIRED_MAX = 180
"""So many rows one `book.expire/1` books."""
CLAIM_CONTRACTS_MAX, CLAIM_LOTS_MAX = 50, 500
"""So much one claim has, of whole contracts; of a single one only the lots are counted."""
CYCLE_DAYS = {"month": 31, "quarter": 92, "any": 0}
"""The longest period of claims."""
SUM_MAX = 2**53 - 1
"""What no sum of a party passes, in fen."""
LEAVING = ("application", "claim", "contract", "demand", "mandate", "reservation", "voucher")
"""What leaves the books with a seal once it has ended."""
FREE = ("burned", "withheld")
"""Where what was burned lies that is in no claim: not claimed yet, or not paid."""
OWED = ("burned", "withheld", "claimed")
"""Where what was burned lies that is neither settled nor gone back."""
PROGRAMME_SUMS = ("unissued", "available", "reserved", "burned", "withheld", "claimed", "paid", "receivable")
PRECEDENCE = {reason: place for place, reason in enumerate(Reason)}
EVERYBODY = frozenset({"network", "treasury", "provider", "auditor", "operator", "attester", "holder"})
ROLES = {
    "rules.adopt/1": {"network"},
    "log.rekey/1": {"network"},
    "checkpoint.record/1": {"operator"},
    "party.admit/1": {"network", "treasury"},
    "party.amend/1": EVERYBODY,
    "party.suspend/1": {"network", "treasury"},
    "party.reinstate/1": {"network", "treasury"},
    "key.add/1": EVERYBODY,
    "key.rotate/1": EVERYBODY,
    "key.revoke/1": EVERYBODY,
    "item.register/1": {"network"},
    "programme.open/1": {"treasury"},
    "programme.amend/1": {"treasury"},
    "provider.accredit/1": {"treasury"},
    "provider.delist/1": {"treasury"},
    "tariff.publish/1": {"provider"},
    "capacity.declare/1": {"provider"},
    "record.withdraw/1": {"network", "provider", "treasury"},
    "mandate.give/1": {"treasury"},
    "mandate.end/1": {"treasury"},
    "contract.sign/1": {"holder", "provider"},
    "contract.amend/1": {"holder", "provider"},
    "application.file/1": {"holder"},
    "application.withdraw/1": {"holder"},
    "attestation.give/1": {"attester", "holder", "provider"},
    "voucher.issue/1": {"operator", "treasury"},
    "voucher.transfer/1": {"holder"},
    "voucher.suspend/1": {"operator", "treasury"},
    "voucher.resume/1": {"operator", "treasury"},
    "voucher.import/1": {"treasury"},
    "voucher.revoke/1": {"operator", "treasury"},
    "book.expire/1": {"operator", "treasury"},
    "voucher.reserve/1": {"holder"},
    "reservation.extend/1": {"holder"},
    "reservation.release/1": {"holder", "operator", "provider", "treasury"},
    "time.burn/1": {"provider"},
    "burn.reverse/1": {"provider"},
    "service.burn/1": {"provider"},
    "redemption.claim/1": {"provider", "holder"},
    "redemption.settle/1": {"operator", "treasury"},
    "redemption.disallow/1": {"treasury"},
    "recovery.demand/1": {"treasury"},
    "recovery.receive/1": {"treasury"},
    "recovery.cancel/1": {"treasury"},
    "book.seal/1": {"operator"},
}
QUORUM_SIGNS = {
    "party.admit/1",
    "party.amend/1",
    "party.reinstate/1",
    "key.add/1",
    "key.revoke/1",
    "programme.open/1",
    "programme.amend/1",
    "provider.accredit/1",
    "mandate.give/1",
    "voucher.import/1",
}
OFFICERS_SIGN = {"redemption.disallow/1", "recovery.receive/1", "recovery.cancel/1"}
"""What as many sign as a treasury's officers' rule requires, at any amount; without such a rule its quorum."""
MANDATED = {
    "redemption.settle/1",
    "reservation.release/1",
    "voucher.issue/1",
    "voucher.resume/1",
    "voucher.revoke/1",
    "voucher.suspend/1",
}
"""What an operator gives for a treasury, by a mandate."""


def signed_by_quorum(command: Json) -> bool:
    """Whether a party's quorum must sign a command; a withdrawal is signed as what it withdraws."""
    kind = command["kind"]
    of_type = command["record"]["type"] if kind == "record.withdraw/1" else None
    return kind in QUORUM_SIGNS or of_type in ("accreditation", "party")


METERED = {"time.burn/1", "service.burn/1", "burn.reverse/1"}
"""What a key of purpose `meter` signs."""
STATEMENTS = {"time.burned/1", "service.burned/1"}
LETS_MONEY_LEAVE = {"voucher.issue/1", "redemption.settle/1", "recovery.demand/1"}
"""What counts for a treasury's officers."""
EDITION = 1
EVENT_KINDS = {
    "network.found/1": "network.founded/1",
    "rules.adopt/1": "rules.adopted/1",
    "log.rekey/1": "log.rekeyed/1",
    "checkpoint.record/1": "checkpoint.recorded/1",
    "party.admit/1": "party.admitted/1",
    "party.amend/1": "party.amended/1",
    "party.suspend/1": "party.suspended/1",
    "party.reinstate/1": "party.reinstated/1",
    "key.add/1": "key.added/1",
    "key.rotate/1": "key.rotated/1",
    "key.revoke/1": "key.revoked/1",
    "item.register/1": "item.registered/1",
    "programme.open/1": "programme.opened/1",
    "programme.amend/1": "programme.amended/1",
    "provider.accredit/1": "provider.accredited/1",
    "provider.delist/1": "provider.delisted/1",
    "tariff.publish/1": "tariff.published/1",
    "capacity.declare/1": "capacity.declared/1",
    "record.withdraw/1": "record.withdrawn/1",
    "mandate.give/1": "mandate.given/1",
    "mandate.end/1": "mandate.ended/1",
    "contract.sign/1": "contract.signed/1",
    "contract.amend/1": "contract.amended/1",
    "application.file/1": "application.filed/1",
    "application.withdraw/1": "application.withdrawn/1",
    "attestation.give/1": "attestation.given/1",
    "voucher.issue/1": "voucher.issued/1",
    "voucher.transfer/1": "voucher.transferred/1",
    "voucher.suspend/1": "voucher.suspended/1",
    "voucher.resume/1": "voucher.resumed/1",
    "voucher.import/1": "voucher.imported/1",
    "voucher.revoke/1": "voucher.revoked/1",
    "book.expire/1": "book.expired/1",
    "voucher.reserve/1": "voucher.reserved/1",
    "reservation.extend/1": "reservation.extended/1",
    "reservation.release/1": "reservation.released/1",
    "time.burn/1": "time.burned/1",
    "burn.reverse/1": "burn.reversed/1",
    "service.burn/1": "service.burned/1",
    "redemption.claim/1": "redemption.claimed/1",
    "redemption.settle/1": "redemption.settled/1",
    "redemption.disallow/1": "redemption.disallowed/1",
    "recovery.demand/1": "recovery.demanded/1",
    "recovery.receive/1": "recovery.received/1",
    "recovery.cancel/1": "recovery.cancelled/1",
    "book.seal/1": "book.sealed/1",
}
USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def instant(text: str) -> int:
    """Microseconds since 1970 of `2026-01-05T08:00:00.000000Z`."""
    moment = datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=datetime.UTC)
    return (moment - datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)) // datetime.timedelta(microseconds=1)


def instant_text(at: int) -> str:
    """The opposite of `instant`."""
    moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=at)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond:06d}Z"


def day(text: str) -> int:
    """Days since 1970-01-01 of `2026-01-05`."""
    return (datetime.date.fromisoformat(text) - datetime.date(1970, 1, 1)).days


def canonical(value: Any) -> str:
    """One text for one value (all our field names are ASCII)."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def uscc_check_character_is_right(code: str) -> bool:
    """GB 32100-2015: the 18th character makes the sum, weighted with powers of 3, a multiple of 31."""
    total = sum(USCC_ALPHABET.index(character) * pow(3, place, 31) for place, character in enumerate(code[:17]))
    return USCC_ALPHABET.index(code[17]) == (31 - total % 31) % 31


def second(text: str) -> int:
    """Microseconds since 1970 of `2026-01-05T08:00:00Z`."""
    return instant(text.replace("Z", ".000000Z"))


def second_text(at: int) -> str:
    """The opposite of `second`; what is less than a second is left out."""
    return instant_text(at)[:19] + "Z"


def fee(gpu_milli_seconds: int, price_fen: int) -> int:
    """What the GPU-time costs, in fen, at a price of a GPU-hour."""
    return gpu_milli_seconds * price_fen // 3_600_000


def part(fee_fen: int, basis_points: int) -> int:
    """So many hundredths of a percent of a fee, in fen."""
    return fee_fen * basis_points // 10_000


def leaves_fen(command: Json) -> int:
    """What a command lets leave the treasury, in fen."""
    match command["kind"]:
        case "voucher.issue/1":
            return int(command["face_fen"])
        case "redemption.settle/1":
            return sum(int(row["paid_fen"]) for row in command["rows"])
        case "recovery.demand/1":
            return int(command["amount_fen"])
    return 0


def is_last_of_period(last_day: str, cycle: str) -> bool:
    """Whether a day is the last of a month or of a quarter, or may be any."""
    months = {"month": range(1, 13), "quarter": (3, 6, 9, 12), "any": range(0)}[cycle]
    date = datetime.date.fromisoformat(last_day)
    return cycle == "any" or (date.month in months and (date + datetime.timedelta(days=1)).day == 1)


def vkey_label(vkey: str) -> str:
    """`<name>+<key id>` of a vkey text."""
    return "+".join(vkey.split("+", 2)[:2])


def vkey_public(vkey: str) -> str:
    """The algorithm and public key of a vkey text, in base64 (which may hold a `+` itself)."""
    return vkey.split("+", 2)[2]


def brought(admission: Json) -> list[tuple[str, str]]:
    """The vkeys that an admission brings, each with its purpose."""
    lists = {"sign": "keys", "meter": "meter_keys", "read": "read_keys"}
    return [(vkey, purpose) for purpose, name in lists.items() for vkey in admission.get(name, [])]


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """RFC 6962, section 2.1, word for word."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return hashlib.sha256(b"\x01" + merkle_root(leaves[:half]) + merkle_root(leaves[half:])).digest()


def running_hash(indices: Iterable[int]) -> str:
    """The hash that tells whether one of these entries is left out."""
    running = bytes(32)
    for index in indices:
        running = hashlib.sha256(running + index.to_bytes(8, "big")).digest()
    return f"sha256:{running.hex()}"


def first_reason(reasons: Iterable[Reason]) -> Reason | None:
    """The reason that is told, of all that apply."""
    return min(reasons, key=PRECEDENCE.__getitem__, default=None)


class NaiveLedger:
    """Everything that was ever accepted, and nothing derived."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.entries: list[Json] = []
        self.network: Json = {}
        self.parties: dict[str, Json] = {}
        self.keys: dict[str, Json] = {}
        self.items: dict[str, Json] = {}
        self.tariffs: list[Json] = []
        self.capacities: list[Json] = []
        self.other_logs: dict[str, tuple[int, str]] = {}
        self.log_keys: list[Json] = []
        self.programmes: dict[str, Json] = {}
        self.accreditations: list[Json] = []
        self.mandates: dict[str, Json] = {}
        self.contracts: dict[str, Json] = {}
        self.applications: dict[str, Json] = {}
        self.attestations: list[Json] = []
        self.vouchers: dict[str, Json] = {}
        self.reservations: dict[str, Json] = {}
        self.reserved: list[str] = []
        self.statements: dict[tuple[str, str], Json] = {}
        self.lines: list[Json] = []
        self.claims: dict[str, Json] = {}
        self.demands: dict[str, Json] = {}
        self.seals: dict[str, int] = {}
        self.left: dict[str, dict[str, Json]] = {of_type: {} for of_type in LEAVING}
        self.postings: list[tuple[Account, Account, int]] = []
        self.settled: list[tuple[Lot, int]] = []
        self.forfeited: list[tuple[Lot, int]] = []
        self.returned: list[tuple[str, int]] = []
        self.grants: list[tuple[CapPlace, int]] = []

    def ever(self, of_type: str) -> ChainMap[str, Json]:
        """Vouchers, contracts and the like that are in the books, or have left them."""
        there: dict[str, Json] = getattr(self, f"{of_type}s")
        return ChainMap(there, self.left[of_type])

    # -- what is asked of it ------------------------------------------------------------------------------------------

    def submit(
        self, command: Json, signers: Sequence[str], at: int, invalid: Sequence[str] = (), note_size: int = 0
    ) -> Answer:
        """Decide a command, and keep it if it is accepted.

        Args:
            command: the command as JSON.
            signers: labels (`<name>+<key id>`) of the keys that signed it well.
            at: the log's time in microseconds.
            invalid: labels of the keys that have a line whose signature is not theirs.
            note_size: bytes of the note as signed, for the limit on entries; 0 where it doesn't matter.

        Returns:
            `("accepted", outcome)` or `("refused", reason)`.
        """
        reason = first_reason(self._reasons(command, signers, invalid, at))
        if reason is not None:
            return "refused", reason.value
        marks = len(self.postings), len(self.lines)
        name = command["kind"].removesuffix("/1").replace(".", "_")
        outcome = getattr(self, f"_do_{name}")(command, at)
        kind = EVENT_KINDS[command["kind"]]
        if command.get("all_or_nothing") and outcome["refused"]:
            self._undo_statement(command, *marks)
            return "refused", outcome["refused"][0][1]
        header = {"at": instant_text(at), "index": len(self.entries), "kind": kind, "outcome": outcome}
        if note_size and len(canonical(header)) + 1 + note_size > ENTRY_SIZE_MAX:
            assert kind == "time.burned/1", "only a statement can be that long"
            self._undo_statement(command, *marks)
            return "refused", Reason.ENTRY_TOO_LARGE.value
        if kind in STATEMENTS:
            self._close_what_is_empty()
        entry = {"command": command, "at": at, "kind": kind, "outcome": outcome}
        self.entries.append(entry | {"by_few": self._by_few_of(command, signers), "for": self.acting_for(command)})
        if kind == "book.sealed/1":
            self._let_go(at)
        return "accepted", outcome

    def _undo_statement(self, command: Json, postings: int, lines: int) -> None:
        """A statement was not made after all: nothing else was changed than these lists."""
        del self.postings[postings:], self.lines[lines:], self.statements[command["party"], command["ref"]]

    def balances(self) -> Counter[Account]:
        """What every account holds, in fen, summed from the first posting on."""
        sums: Counter[Account] = Counter()
        for source, target, amount_fen in self.postings:
            sums[source] -= amount_fen
            sums[target] += amount_fen
        return sums

    def balance(self, *account: Any) -> int:
        """What one account holds, in fen, summed from the first posting on."""
        total_fen = 0
        for source, target, amount_fen in self.postings:
            if source == account:
                total_fen -= amount_fen
            if target == account:
                total_fen += amount_fen
        return total_fen

    def book(self, programme: str, balances: Counter[Account]) -> dict[str, int]:
        """The eight sums of the law of conservation for a programme, in fen."""
        sums = dict.fromkeys(PROGRAMME_SUMS, 0)
        for account, amount_fen in balances.items():
            if account[0] in sums and self._programme_of(account) == programme:
                sums[account[0]] += amount_fen
        return sums

    def _programme_of(self, account: Account) -> str:
        """Whose money lies in an account."""
        kind, owner = account[0], account[1]
        if kind in ("unissued", "paid"):
            return str(owner)
        if kind in ("reserved", "receivable"):
            return str(self.ever("reservation" if kind == "reserved" else "demand")[owner]["programme"])
        return str(self.ever("voucher")[account[2] if kind == "claimed" else owner]["programme"])

    def charged(self, contract: str) -> int:
        """The fees under a contract that weren't taken back, in fen."""
        return sum(line["fee_fen"] for line in self._standing_lines(contract))

    def absorbed(self, contract: str) -> int:
        """What lines of a contract absorbed of its other support, in fen."""
        return sum(line["absorbed_fen"] for line in self._standing_lines(contract))

    def _standing_lines(self, contract: str) -> list[Json]:
        return [line for line in self.lines if line["contract"] == contract and not line["reversed"]]

    def granted(self, programme: str, holder: str, at: int) -> int:
        """What a holder has been given of what counts for a programme's cap, in fen."""
        return sum(amount_fen for place, amount_fen in self.grants if place == self.cap_place(programme, holder, at))

    def cap_place(self, programme: str, holder: str, at: int) -> CapPlace:
        """What a cap holds for: treasury, fiscal year, group and holder."""
        opened, cap = self.programmes[programme], self.rules_at(programme, at)["cap"]
        return opened["party"], opened["fiscal_year"], cap["group"], holder

    def rules_at(self, programme: str, at: int) -> Json:
        """The rules of a programme that are in force at an instant."""
        versions: list[tuple[int, Json]] = self.programmes[programme]["versions"]
        return max((version for version in versions if version[0] <= at), key=lambda version: version[0])[1]

    def fixed(self, programme: str) -> Json:
        """The rules that a programme was opened with, for what of them no amendment changes."""
        rules: Json = self.programmes[programme]["rules"]
        return rules

    # -- reasons that any command can meet ----------------------------------------------------------------------------

    def _reasons(self, command: Json, signers: Sequence[str], invalid: Sequence[str], at: int) -> Iterator[Reason]:
        kind, founding = command["kind"], command["kind"] == "network.found/1"
        if (founding or kind == "rules.adopt/1") and command["edition"] != EDITION:
            yield Reason.COMMAND_MALFORMED
        if founding and command.get("member_of") == command["log"]:
            yield Reason.COMMAND_MALFORMED
        if kind == "log.rekey/1" and any(
            vkey.partition("+")[0] != command["log"] for vkey in (command["old_vkey"], command["new_vkey"])
        ):
            yield Reason.COMMAND_MALFORMED
        if command["log"] != self.origin:
            yield Reason.COMMAND_FOR_ANOTHER_LOG
        if not self.entries and not founding:
            yield Reason.NETWORK_NOT_FOUNDED
            return
        for entry in self.entries:
            earlier = entry["command"]
            if (earlier["party"], earlier["ref"]) == (command["party"], command["ref"]) and self._remembers(entry, at):
                same = canonical(earlier) == canonical(command)
                yield Reason.ALREADY_RECORDED if same else Reason.REF_REUSED_FOR_OTHER_CONTENT
        if founding and self.entries:
            yield Reason.NETWORK_ALREADY_FOUNDED
            return
        rules = command if founding else self.network
        if instant(command["signed_at"]) > at + rules["clock_skew_seconds"] * SECOND:
            yield Reason.SIGNED_IN_THE_FUTURE
        if instant(command["signed_at"]) < at - rules["freshness_seconds"] * SECOND:
            yield Reason.SIGNED_TOO_LONG_AGO
        if not founding:
            party = self.parties.get(command["party"])
            if party is None:
                yield Reason.PARTY_UNKNOWN
                return
            acting = self.acting_for(command) if kind in MANDATED else command["party"]
            if party["withdrawn"] or party["suspended"] or self.parties[acting]["suspended"]:
                yield Reason.PARTY_SUSPENDED
            if party["role"] not in ROLES[kind]:
                yield Reason.ROLE_MAY_NOT
        yield from self._signature_reasons(command, signers, invalid, at)
        if command["kind"] in MANDATED:
            yield from self._mandate_reasons(command, at)
        name = command["kind"].removesuffix("/1").replace(".", "_")
        specific: Callable[[Json, int], Iterator[Reason]] = getattr(self, f"_no_{name}")
        yield from specific(command, at)

    def _remembers(self, entry: Json, at: int) -> bool:
        memory_seconds = self.network["freshness_seconds"] + self.network["clock_skew_seconds"]
        if entry["kind"] in STATEMENTS:
            memory_seconds = max(memory_seconds, self.network["burn_window_seconds"])
        return bool(entry["at"] + memory_seconds * SECOND >= at)

    def signed_by_few(self, treasury: str, at: int, window_days: int) -> int:
        """What counts for a treasury's officers on the day of `at` and the days of the window before it, in fen."""
        first_day = self._day_of(at) - window_days + 1
        return sum(
            leaves_fen(entry["command"])
            for entry in self.entries
            if entry["by_few"] == treasury and self._day_of(entry["at"]) >= first_day
        )

    def _by_few_of(self, command: Json, signers: Sequence[str]) -> str | None:
        """The treasury for whose officers a command counts, if it does."""
        treasury = self.acting_for(command)
        if command["kind"] not in LETS_MONEY_LEAVE or not self.parties[treasury]["officers"]:
            return None
        signed = sum(self.keys[label]["party"] == treasury for label in set(signers))
        return treasury if signed < self.parties[treasury]["officers"]["required"] else None

    def officers_asked(self, command: Json, at: int) -> dict[str, int]:
        """The treasury whose officers a command needs signatures of, and how many."""
        treasury = self.acting_for(command)
        officers = self.parties[treasury]["officers"] if command["kind"] in LETS_MONEY_LEAVE else None
        if not officers:
            return {}
        before = self.signed_by_few(treasury, at, officers["window_days"])
        passes = before + leaves_fen(command) > officers["threshold_fen"]
        return {treasury: officers["required"]} if passes else {}

    def signatures_needed(self, command: Json, at: int) -> dict[str, int]:
        """The parties that a command needs signatures of, and how many; new keys sign besides."""
        party, kind = command["party"], command["kind"]
        needed = {party: 1} | self.also_asked(command)
        if kind == "network.found/1":
            return needed | {party: command["root_quorum"]}
        if self.parties[party]["role"] == "network" or signed_by_quorum(command):
            needed[party] = self.parties[party]["quorum"]
        if kind == "key.revoke/1" and command["subject"] == party and self.parties[party]["role"] != "network":
            key = self.keys.get(command["key"])
            if key and key["party"] == party and at < key["active_from"]:
                needed[party] = 1
        if kind in OFFICERS_SIGN:
            officers = self.parties[party].get("officers")
            needed[party] = officers["required"] if officers else self.parties[party]["quorum"]
        return needed | self.officers_asked(command, at)

    def _signature_reasons(
        self, command: Json, signers: Sequence[str], invalid: Sequence[str], at: int
    ) -> Iterator[Reason]:
        party, kind = command["party"], command["kind"]
        known = {label: key["party"] for label, key in self.keys.items()}
        if kind == "network.found/1":
            known = {vkey_label(vkey): party for vkey in command["root_keys"]}
        needed = self.signatures_needed(command, at)
        new_keys: set[str] = set()
        if kind == "party.admit/1":
            new_keys = {vkey_label(vkey) for vkey, _ in brought(command)}
        if kind == "key.add/1":
            new_keys = {vkey_label(command["vkey"])}
        if kind == "log.rekey/1":
            new_keys = {vkey_label(command["new_vkey"])}
        replaced: str | None = None
        if kind == "key.rotate/1":
            new_keys = {vkey_label(command["vkey"])}
            replaced = command["key"]
            if replaced not in self.keys:
                yield Reason.KEY_UNKNOWN
        for label in [*signers, *invalid]:
            if label not in known and label not in new_keys:
                yield Reason.KEY_UNKNOWN
            if label in invalid:
                yield Reason.SIGNATURE_INVALID
            if label in self.keys and self.keys[label]["revoked"]:
                yield Reason.KEY_REVOKED
            if label in self.keys and label not in new_keys and at < self.keys[label]["active_from"]:
                yield Reason.KEY_NOT_ACTIVE_YET
            if label in self.keys and label not in new_keys and label != replaced:
                purpose = self.keys[label]["purpose"]
                if purpose == "read" or (purpose == "meter" and kind not in METERED):
                    yield Reason.KEY_NOT_FOR_THIS_COMMAND
            if label in known and label not in new_keys and known[label] not in needed:
                yield Reason.SIGNER_NOT_INVOLVED
        signed_by = [known.get(label) for label in set(signers) - new_keys]
        enough = all(signed_by.count(signer) >= number for signer, number in needed.items())
        if not enough or not new_keys <= set(signers) or (replaced is not None and replaced not in signers):
            yield Reason.SIGNATURES_MISSING

    def also_asked(self, command: Json) -> dict[str, int]:
        """The parties beside the one that commands which a command needs signatures of, and how many."""
        asked: list[str] = []
        if command["kind"] == "voucher.transfer/1" and command["voucher"] in self.vouchers:
            voucher = self.vouchers[command["voucher"]]
            approves = voucher["rules"]["transfer"] == "approved"
            asked = [self.programmes[voucher["programme"]]["party"]] if approves else []
        if command["kind"] == "contract.sign/1":
            asked = [command["holder"], command["provider"]]
        if command["kind"] == "contract.amend/1" and command["contract"] in self.contracts:
            asked = [self.contracts[command["contract"]][side] for side in ("holder", "provider")]
        if command["kind"] == "key.add/1" and command["subject"] != command["party"]:
            return {self.network["party"]: self.parties[self.network["party"]]["quorum"]}
        return dict.fromkeys(asked, 1)

    # -- network, parties, keys ---------------------------------------------------------------------------------------

    def _no_network_found(self, command: Json, at: int) -> Iterator[Reason]:
        yield from self._new_key_reasons(command["party"], command["root_keys"])
        if command["root_quorum"] > len(command["root_keys"]):
            yield Reason.WOULD_LEAVE_TOO_FEW_KEYS

    def _do_network_found(self, command: Json, at: int) -> Json:
        self.network = command
        self.parties[command["party"]] = {"role": "network", "admitter": None, "suspended": False, "uscc": None}
        self.parties[command["party"]] |= {"quorum": command["root_quorum"], "officers": None, "maker": False}
        self.parties[command["party"]]["withdrawn"] = False
        self._add_keys(command["party"], [(vkey, "sign") for vkey in command["root_keys"]], at)
        return {}

    def _no_party_admit(self, command: Json, at: int) -> Iterator[Reason]:
        if command["admitted"] in self.parties:
            yield Reason.PARTY_ALREADY_ADMITTED
        admits = {"network": {"treasury", "provider", "auditor", "operator", "attester"}, "treasury": {"holder"}}
        if command["role"] not in admits.get(self.parties[command["party"]]["role"], ()):
            yield Reason.ROLE_MAY_NOT_ADMIT
        coded, maker = "uscc" in command, "maker" in command
        wanted = {"provider": coded and not maker, "holder": coded != maker}
        if not wanted.get(command["role"], not maker):
            yield Reason.USCC_MISSING
        if coded:
            if not uscc_check_character_is_right(command["uscc"]):
                yield Reason.USCC_INVALID
            if any(party["uscc"] == command["uscc"] for party in self.parties.values()):
                yield Reason.USCC_ALREADY_ADMITTED
        yield from self._name_reasons(command, maker)
        new_keys = [vkey for vkey, _ in brought(command)]
        yield from self._new_key_reasons(command["admitted"], new_keys)
        if len(new_keys) > 16:
            yield Reason.TOO_MANY_KEYS
        if command.get("quorum", 1) > len(command["keys"]):
            yield Reason.WOULD_LEAVE_TOO_FEW_KEYS
        yield from self._officers_reasons(command, command["role"])

    def _officers_reasons(self, command: Json, role: str) -> Iterator[Reason]:
        required = command.get("officers", {}).get("required")
        if required and (role != "treasury" or required > command.get("quorum", 1)):
            yield Reason.OFFICERS_INVALID

    def _name_reasons(self, command: Json, maker: bool) -> Iterator[Reason]:
        if ("name" in command) == maker or (maker and "profile_hash" not in command):
            yield Reason.NAME_MISPLACED

    def _do_party_admit(self, command: Json, at: int) -> Json:
        self.parties[command["admitted"]] = {
            "role": command["role"],
            "admitter": command["party"],
            "suspended": False,
            "uscc": command.get("uscc"),
            "quorum": command.get("quorum", 1),
            "officers": command.get("officers"),
            "maker": "maker" in command,
            "withdrawn": False,
        }
        self._add_keys(command["admitted"], brought(command), at)
        return {}

    def _no_party_amend(self, command: Json, at: int) -> Iterator[Reason]:
        party = command["party"]
        yield from self._name_reasons(command, self.parties[party]["maker"])
        signing = [key for key in self.keys.values() if (key["party"], key["purpose"]) == (party, "sign")]
        if command.get("quorum", 1) > sum(not key["revoked"] and at >= key["active_from"] for key in signing):
            yield Reason.WOULD_LEAVE_TOO_FEW_KEYS
        yield from self._officers_reasons(command, self.parties[party]["role"])

    def _do_party_amend(self, command: Json, at: int) -> Json:
        party = self.parties[command["party"]]
        party["quorum"], party["officers"] = command.get("quorum", 1), command.get("officers")
        return {}

    def _no_party_suspend(self, command: Json, at: int) -> Iterator[Reason]:
        subject = self._known(command["subject"])
        if subject is None:
            yield Reason.SUBJECT_UNKNOWN
            return
        if subject["admitter"] != command["party"]:
            yield Reason.SUBJECT_NOT_UNDER_PARTY
        suspending = command["kind"] == "party.suspend/1"
        if subject["suspended"] == suspending:
            yield Reason.SUBJECT_SUSPENDED if suspending else Reason.SUBJECT_NOT_SUSPENDED

    _no_party_reinstate = _no_party_suspend

    def _do_party_suspend(self, command: Json, at: int) -> Json:
        self.parties[command["subject"]]["suspended"] = command["kind"] == "party.suspend/1"
        return {}

    _do_party_reinstate = _do_party_suspend

    def _no_key_add(self, command: Json, at: int) -> Iterator[Reason]:
        yield from self._subject_reasons(command)
        yield from self._new_key_reasons(command["subject"], [command["vkey"]])
        if sum(key["party"] == command["subject"] and not key["revoked"] for key in self.keys.values()) >= 16:
            yield Reason.TOO_MANY_KEYS

    def _do_key_add(self, command: Json, at: int) -> Json:
        wait = 0 if command["subject"] == command["party"] else self.network["takeover_seconds"] * SECOND
        self._add_keys(command["subject"], [(command["vkey"], command["purpose"])], at + wait)
        return {}

    def _no_key_rotate(self, command: Json, at: int) -> Iterator[Reason]:
        yield from self._new_key_reasons(command["party"], [command["vkey"]])

    def _do_key_rotate(self, command: Json, at: int) -> Json:
        old = self.keys[command["key"]]
        old["revoked"] = True
        self._add_keys(command["party"], [(command["vkey"], old["purpose"])], at)
        return {}

    def _no_key_revoke(self, command: Json, at: int) -> Iterator[Reason]:
        yield from self._subject_reasons(command)
        key = self.keys.get(command["key"])
        if key is None:
            yield Reason.KEY_UNKNOWN
            return
        if key["party"] != command["subject"]:
            yield Reason.KEY_NOT_OF_PARTY
        if key["revoked"] and (command["cause"] != "compromised" or key["compromised"]):
            yield Reason.KEY_ALREADY_REVOKED
        if ("since" in command) != (command["cause"] == "compromised"):
            yield Reason.SINCE_MISPLACED
        if "since" in command and instant(command["since"]) > at:
            yield Reason.SINCE_IN_THE_FUTURE
        left = [
            label
            for label, other in self.keys.items()
            if other["party"] == command["subject"] and not other["revoked"] and label != command["key"]
            if other["purpose"] == "sign" and at >= other["active_from"]
        ]
        own = command["subject"] == command["party"]
        counts = key["purpose"] == "sign" and at >= key["active_from"] and not key["revoked"]
        if own and counts and len(left) < self.parties[command["party"]]["quorum"]:
            yield Reason.WOULD_LEAVE_TOO_FEW_KEYS

    def _do_key_revoke(self, command: Json, at: int) -> Json:
        key = self.keys[command["key"]]
        key["revoked"] = True
        key["compromised"] = key["compromised"] or command["cause"] == "compromised"
        return {}

    def _no_item_register(self, command: Json, at: int) -> Iterator[Reason]:
        if command["item"] in self.items:
            yield Reason.ID_ALREADY_USED
        if ("counted" in command) is not (command["unit"] == "count"):
            yield Reason.ITEM_UNIT_INVALID

    def _do_item_register(self, command: Json, at: int) -> Json:
        self.items[command["item"]] = command
        return {}

    def _subject_reasons(self, command: Json) -> Iterator[Reason]:
        if self._known(command["subject"]) is None:
            yield Reason.SUBJECT_UNKNOWN
        elif command["party"] not in (command["subject"], self.parties[command["subject"]]["admitter"]):
            yield Reason.SUBJECT_NOT_UNDER_PARTY

    def _new_key_reasons(self, party: str, vkeys: list[str]) -> Iterator[Reason]:
        seen = [key["public"] for key in self.keys.values()] + self._log_publics()
        for vkey in vkeys:
            if not vkey.startswith(party + "/"):
                yield Reason.KEY_NOT_OF_PARTY
            if vkey_public(vkey) in seen:
                yield Reason.KEY_ALREADY_KNOWN
            seen.append(vkey_public(vkey))

    def _add_keys(self, party: str, keys: list[tuple[str, str]], active_from: int) -> None:
        for vkey, purpose in keys:
            key = {
                "party": party,
                "public": vkey_public(vkey),
                "purpose": purpose,
                "revoked": False,
                "compromised": False,
            }
            key["active_from"] = active_from
            self.keys[vkey_label(vkey)] = key

    # -- programmes and providers -------------------------------------------------------------------------------------

    def _new_id_reasons(self, party: str, new_id: str, taken: Iterable[str], of_type: str = "") -> Iterator[Reason]:
        if not new_id.startswith(party + "/"):
            yield Reason.ID_OUTSIDE_OWN_NAMESPACE
        if new_id in taken or new_id in self.left.get(of_type, ()):
            yield Reason.ID_ALREADY_USED

    def _own_programme_reasons(self, command: Json) -> Iterator[Reason]:
        if command["programme"] not in self.programmes:
            yield Reason.PROGRAMME_UNKNOWN
        elif self.programmes[command["programme"]]["party"] != self.acting_for(command):
            yield Reason.NOT_OWN_PROGRAMME

    def _is(self, party: str, role: str) -> bool:
        known = self._known(party)
        return known is not None and known["role"] == role

    def _known(self, party: str) -> Json | None:
        """A party that was admitted and not withdrawn."""
        known = self.parties.get(party)
        return None if known is None or known["withdrawn"] else known

    def named(self, command: Json) -> set[str]:
        """The parties that a command names."""
        fields = ("party", "subject", "holder", "provider", "to", "operator")
        names = {command[field] for field in fields if field in command}
        names |= {name for gate in command.get("rules", {}).get("gates", []) for name in gate.get("attesters", [])}
        names |= {command["subject_id"]} if command.get("subject_type") in ("provider", "holder") else set()
        return names | ({command["record"]["provider"]} if "provider" in command.get("record", {}) else set())

    def is_in_use(self, party: str) -> bool:
        """Whether an entry after its admission names a party."""
        admission = next(
            (index for index, one in enumerate(self.entries) if one["command"].get("admitted") == party), 0
        )
        return any(party in self.named(entry["command"]) for entry in self.entries[admission + 1 :])

    def _no_programme_open(self, command: Json, at: int) -> Iterator[Reason]:
        yield from self._new_id_reasons(command["party"], command["programme"], self.programmes)
        if instant(command["closes_at"]) <= max(at, instant(command["opens_at"])):
            yield Reason.WINDOW_INVALID
        yield from self._rules_reasons(command["rules"])
        yield from self._sum_reasons(self.appropriated(command["party"]), command["envelope_fen"])

    def appropriated(self, treasury: str) -> int:
        """The envelopes of all programmes of a treasury, in fen."""
        return sum(int(one["envelope_fen"]) for one in self.programmes.values() if one["party"] == treasury)

    def held(self, holder: str) -> int:
        """Of all vouchers of a holder the face, less what was passed on and what went back to programmes, in fen."""
        vouchers = self.ever("voucher")
        mine = {name for name, one in vouchers.items() if one["holder"] == holder}
        passed_on = [
            fen
            for source, target, fen in self.postings
            if (source[0], target[0]) == ("available", "available") and source[1] in mine
        ]
        returned = [fen for name, fen in self.returned if name in mine]
        return sum(int(vouchers[name]["face_fen"]) for name in mine) - sum(passed_on) - sum(returned)

    def promised(self, provider: str) -> int:
        """What is reserved for a provider, and what it burned of that, whatever became of it, in fen."""
        balances = self.balances()
        held = [name for name, one in self.reservations.items() if one["provider"] == provider]
        burned = [
            fen
            for (_, contract), fen in self._burned_of(balances)
            if contract != CARRIED_OVER and self.ever("contract")[contract]["provider"] == provider
        ]
        return sum(balances["reserved", name] for name in held) + sum(burned)

    def _burned_of(self, balances: Counter[Account]) -> Iterator[tuple[Lot, int]]:
        """What was burned of each lot, net of reversals, in parts."""
        for account, fen in balances.items():
            if account[0] in ("burned", "claimed", "withheld"):
                yield self._lot_in(account), fen
        yield from self.settled
        yield from self.forfeited

    @staticmethod
    def _lot_in(account: Account) -> Lot:
        """The lot whose money is unclaimed, claimed or withheld there."""
        voucher, contract = account[2:4] if account[0] == "claimed" else account[1:3]
        return str(voucher), str(contract)

    @staticmethod
    def _sum_reasons(sum_fen: int, more_fen: int) -> Iterator[Reason]:
        if more_fen > 0 and sum_fen + more_fen > SUM_MAX:
            yield Reason.SUM_TOO_LARGE

    def _rules_reasons(self, rules: Json) -> Iterator[Reason]:
        if rules["cap"]["floor_fen"] > rules["cap"]["holder_fen"]:
            yield Reason.FLOOR_ABOVE_CAP
        yield from self._gates_reasons(rules)
        if any(item not in self.items for share in rules["shares"] for item in share.get("items", ())):
            yield Reason.ITEM_UNKNOWN

    def _gates_reasons(self, rules: Json) -> Iterator[Reason]:
        """Of a programme's rules."""
        gates, payee = rules.get("gates", []), rules["payee"]
        if any("holder_class" in share for share in rules["shares"]) and not self._asks_for("application", gates):
            yield Reason.HOLDER_CLASS_NOT_REVIEWED
        if rules["basis"] != "metered" and not any(gate["before"] == "settle" for gate in gates):
            yield Reason.SETTLE_GATE_MISSING
        claimants = {"provider", "holder"} if payee == "contract" else {payee}
        possible = {
            "issue": {"application", "contract", "holder"},
            "claim": claimants,
            "settle": {"claim", "contract"} | claimants,
        }
        for gate in gates:
            if (
                gate["subject_type"] not in possible[gate["before"]]
                or gate["passes"] > len(gate.get("attesters", ["the other side"]))
                or ("other_side" in gate and gate["subject_type"] != "contract")
                or (gate["before"] == "issue" and rules["transfer"] == "open")
            ):
                yield Reason.GATES_INVALID
            if not all(self._is(attester, "attester") for attester in gate.get("attesters", [])):
                yield Reason.ATTESTER_UNKNOWN

    @staticmethod
    def _asks_for(of_type: str, gates: list[Json]) -> bool:
        """Whether something of this type must be named where vouchers are issued."""
        return any((gate["before"], gate["subject_type"]) == ("issue", of_type) for gate in gates)

    def _do_programme_open(self, command: Json, at: int) -> Json:
        self.programmes[command["programme"]] = command | {"versions": [(0, command["rules"])]}
        self._post(("envelope", command["programme"]), ("unissued", command["programme"]), command["envelope_fen"])
        return {}

    def is_closed(self, programme: str, at: int) -> bool:
        """Whether a programme's end is over."""
        return at >= instant(self.programmes[programme]["closes_at"])

    def _no_programme_amend(self, command: Json, at: int) -> Iterator[Reason]:
        yield from self._own_programme_reasons(command)
        programme = self.programmes.get(command["programme"])
        if programme is None:
            return
        if self.is_closed(command["programme"], at):
            yield Reason.PROGRAMME_CLOSED
        if "closes_at" in command:
            end = instant(command["closes_at"])
            if not instant(programme["opens_at"]) < end < instant(programme["closes_at"]):
                yield Reason.WINDOW_INVALID
            if end < at:
                yield Reason.DATE_IN_THE_PAST
        if "rules" in command:
            ahead = day(command["rules_from"]) - self._day_of(at)
            if ahead < 1:
                yield Reason.DATE_IN_THE_PAST
            if ahead > 366:
                yield Reason.DATE_TOO_FAR_AHEAD
            yield from self._rules_reasons(command["rules"])
            if self._fixed_part(command["rules"]) != self._fixed_part(programme["rules"]):
                yield Reason.RULES_FIXED
        issued_fen = programme["envelope_fen"] - self.balance("unissued", command["programme"])
        if command.get("envelope_fen", issued_fen) < issued_fen:
            yield Reason.BELOW_COMMITTED
        more_fen = command.get("envelope_fen", 0) - programme["envelope_fen"]
        yield from self._sum_reasons(self.appropriated(programme["party"]), more_fen)

    @staticmethod
    def _fixed_part(rules: Json) -> list[Any]:
        return [rules[name] for name in ("payee", "basis", "rounding_fen", "rank")] + [rules["claims"]["cycle"]]

    def _do_programme_amend(self, command: Json, at: int) -> Json:
        programme = self.programmes[command["programme"]]
        if "closes_at" in command:
            programme["closes_at"] = command["closes_at"]
        if "rules" in command:
            start = self.start_of(day(command["rules_from"]))
            kept = [version for version in programme["versions"] if version[0] < start]
            programme["versions"] = [*kept, (start, command["rules"])]
        if "envelope_fen" in command:
            more_fen = command["envelope_fen"] - programme["envelope_fen"]
            places = ("envelope", command["programme"]), ("unissued", command["programme"])
            self._post(*(places if more_fen > 0 else places[::-1]), abs(more_fen))
            programme["envelope_fen"] = command["envelope_fen"]
        return {}

    def _accreditations_at(self, programme: str, provider: str, at: int) -> list[Json]:
        return [
            one
            for one in self.accreditations
            if (one["programme"], one["provider"]) == (programme, provider)
            and one["from"] <= at
            and (one["until"] is None or at < one["until"])
        ]

    def _no_provider_accredit(self, command: Json, at: int) -> Iterator[Reason]:
        yield from self._own_programme_reasons(command)
        programme = self.programmes.get(command["programme"])
        if programme and not programme["opens_at"] <= command["valid_from"] < programme["closes_at"]:
            yield Reason.OUTSIDE_PROGRAMME_WINDOW  # times have one text, which sorts as they do
        if not self._is(command["provider"], "provider"):
            yield Reason.PROVIDER_UNKNOWN
        place = command["programme"], command["provider"]
        for one in self.accreditations:
            endless = one["until"] is None or one["until"] > instant(command["valid_from"])
            if (one["programme"], one["provider"]) == place and endless:
                yield Reason.PROVIDER_ALREADY_ACCREDITED
        if any(row["item"] not in self.items for row in command["items"]):
            yield Reason.ITEM_UNKNOWN

    def _do_provider_accredit(self, command: Json, at: int) -> Json:
        start = instant(command["valid_from"])
        one = {"programme": command["programme"], "provider": command["provider"], "from": start, "until": None}
        limits = {row["item"]: row["price_limit_fen"] for row in command["items"]}
        self.accreditations.append(one | {"limits": limits})
        return {}

    def _no_provider_delist(self, command: Json, at: int) -> Iterator[Reason]:
        yield from self._own_programme_reasons(command)
        if instant(command["valid_until"]) < at:
            yield Reason.DATE_IN_THE_PAST
        if not self._is(command["provider"], "provider"):
            yield Reason.PROVIDER_UNKNOWN
        if self._newest_accreditation(command) not in self._accreditations_at(
            command["programme"], command["provider"], instant(command["valid_until"])
        ):
            yield Reason.PROVIDER_NOT_ACCREDITED

    def _newest_accreditation(self, command: Json) -> Json | None:
        place = command["programme"], command["provider"]
        return next((one for one in self.accreditations[::-1] if (one["programme"], one["provider"]) == place), None)

    def _do_provider_delist(self, command: Json, at: int) -> Json:
        one = self._newest_accreditation(command)
        assert one is not None, "refused otherwise"
        one["until"] = instant(command["valid_until"])
        return {}

    def _no_tariff_publish(self, command: Json, at: int) -> Iterator[Reason]:
        start = instant(command["valid_from"])
        if start < at:
            yield Reason.DATE_IN_THE_PAST
        if start > at + 366 * DAY:
            yield Reason.DATE_TOO_FAR_AHEAD
        earlier = self._tariffs_of(command["party"], command["item"])
        if any(tariff["from"] >= start for tariff in earlier):
            yield Reason.TARIFF_NOT_LATER
        rises = bool(earlier) and command["price_fen"] > max(earlier, key=lambda one: one["from"])["price"]
        if rises and start - at < self.network["tariff_notice_seconds"] * SECOND:
            yield Reason.NOTICE_TOO_SHORT
        if command["item"] not in self.items:
            yield Reason.ITEM_UNKNOWN

    def _do_tariff_publish(self, command: Json, at: int) -> Json:
        tariff = {
            "provider": command["party"],
            "item": command["item"],
            "from": instant(command["valid_from"]),
            "price": command["price_fen"],
        }
        self.tariffs.append(tariff)
        return {}

    def _tariffs_of(self, provider: str, item: str) -> list[Json]:
        return [one for one in self.tariffs if (one["provider"], one["item"]) == (provider, item)]

    def _no_rules_adopt(self, command: Json, at: int) -> Iterator[Reason]:
        if command["edition"] <= self.network["edition"]:
            yield Reason.EDITION_NOT_LATER

    def _do_rules_adopt(self, command: Json, at: int) -> Json:
        raise AssertionError("there is one edition, and it is in force from entry 0 on")

    def _log_publics(self) -> list[str]:
        """The public keys that the log had or has, as far as a change of them says so."""
        return [vkey_public(change[name]) for change in self.log_keys for name in ("old_vkey", "new_vkey")]

    def _no_log_rekey(self, command: Json, at: int) -> Iterator[Reason]:
        public = vkey_public(command["new_vkey"])
        known = [key["public"] for key in self.keys.values()] + self._log_publics()
        if public in [*known, vkey_public(command["old_vkey"])]:
            yield Reason.KEY_ALREADY_KNOWN
        if self.log_keys:
            if command["old_vkey"] != self.log_keys[-1]["new_vkey"]:
                yield Reason.LOG_KEY_DIFFERS
            if at < self.log_keys[-1]["at"] + self.log_keys[-1]["overlap_seconds"] * SECOND:
                yield Reason.REKEY_UNDER_WAY

    def _do_log_rekey(self, command: Json, at: int) -> Json:
        self.log_keys.append(command | {"at": at})
        return {}

    def _checkpoint(self, command: Json) -> tuple[str, int, str] | None:
        """Origin, size and root that a note says, if the key named signed it and is called by the origin."""
        text, _, signatures = command["checkpoint"].partition("\n\n")
        vkey = command["log_vkey"]
        name, key_id = vkey.split("+")[:2]
        public_key = base64.b64decode(vkey_public(vkey))[1:]
        lines = [line.split(" ") for line in signatures.split("\n")[:-1]]
        if not command["checkpoint"].endswith("\n") or not text or any(len(line) != 3 for line in lines):
            return None
        mine = [base64.b64decode(blob) for _, signer, blob in lines if signer == name]
        good = [blob[4:] for blob in mine if blob[:4].hex() == key_id]
        origin, size, root = text.split("\n")
        try:
            for signature in good:
                Ed25519PublicKey.from_public_bytes(public_key).verify(signature, text.encode() + b"\n")
        except InvalidSignature:
            return None
        return (origin, int(size), root) if good and origin == name else None

    def _no_checkpoint_record(self, command: Json, at: int) -> Iterator[Reason]:
        said = self._checkpoint(command)
        if said is None or said[0] == self.origin:
            yield Reason.CHECKPOINT_INVALID
            return
        _, size, root = said
        if command["log_vkey"] in self.other_logs:
            newest_size, newest_root = self.other_logs[command["log_vkey"]]
            if size < newest_size:
                yield Reason.CHECKPOINT_SMALLER
            if size == newest_size and root != newest_root:
                yield Reason.CHECKPOINT_CONTRADICTED

    def _do_checkpoint_record(self, command: Json, at: int) -> Json:
        said = self._checkpoint(command)
        assert said is not None, "refused otherwise"
        self.other_logs[command["log_vkey"]] = said[1:]
        return {}

    def _no_capacity_declare(self, command: Json, at: int) -> Iterator[Reason]:
        ahead = day(command["first_day"]) - self._day_of(at)
        if ahead < 0:
            yield Reason.DATE_IN_THE_PAST
        if ahead > 366:
            yield Reason.DATE_TOO_FAR_AHEAD
        mine = [one["from"] for one in self.capacities if one["provider"] == command["party"]]
        if mine and day(command["first_day"]) <= max(mine):
            yield Reason.CAPACITY_NOT_LATER
        for one in command["capacity"]:
            if one["item"] not in self.items:
                yield Reason.ITEM_UNKNOWN
            elif self.items[one["item"]]["unit"] != "gpu_time":
                yield Reason.ITEM_NOT_GPU_TIME

    def _do_capacity_declare(self, command: Json, at: int) -> Json:
        self.capacities.append({"provider": command["party"], "from": day(command["first_day"])})
        return {}

    def _standing_capacities(self, provider: str, at: int) -> list[Json]:
        """A provider's declarations, without those that another one replaced by today."""
        mine = [one for one in self.capacities if one["provider"] == provider]
        begun = [one["from"] for one in mine if one["from"] <= self._day_of(at)]
        return [one for one in mine if not begun or one["from"] >= max(begun)]

    def _alike(self, command: Json, at: int) -> list[Json]:
        """What is of one kind with the record named, which is the newest of them, or should be."""
        record = command["record"]
        provider = record.get("provider", command["party"])
        if record["type"] == "capacity":
            return self._standing_capacities(provider, at)
        if record["type"] == "tariff":
            return self._tariffs_of(provider, record["item"])
        place = record["programme"], record["provider"]
        return [one for one in self.accreditations if (one["programme"], one["provider"]) == place]

    def _no_record_withdraw(self, command: Json, at: int) -> Iterator[Reason]:
        record, by_network = command["record"], self._is(command["party"], "network")
        if record["type"] == "party":
            subject = self._known(record["party"])
            if subject is None:
                yield Reason.SUBJECT_UNKNOWN
                return
            if subject["admitter"] is None or (not by_network and subject["admitter"] != command["party"]):
                yield Reason.SUBJECT_NOT_UNDER_PARTY
            if self.is_in_use(record["party"]):
                yield Reason.PARTY_IN_USE
            return
        alike = self._alike(command, at)
        if record["type"] == "accreditation":
            treasury = self.programmes.get(record["programme"], {}).get("party")
            party = treasury if by_network and treasury is not None else command["party"]
            yield from self._own_programme_reasons({"party": party, "programme": record["programme"]})
        elif not by_network and "provider" in record:
            yield Reason.SUBJECT_NOT_UNDER_PARTY
        is_day = record["type"] == "capacity"
        start = day(record["first_day"]) if is_day else instant(record["valid_from"])
        if start not in [one["from"] for one in alike]:
            yield Reason.RECORD_UNKNOWN
            return
        if not start > (self._day_of(at) if is_day else at):
            yield Reason.RECORD_IN_FORCE
        if any(one["from"] > start for one in alike):
            yield Reason.RECORD_NOT_NEWEST

    def _do_record_withdraw(self, command: Json, at: int) -> Json:
        if command["record"]["type"] == "party":
            name = command["record"]["party"]
            self.parties[name] |= {"withdrawn": True, "uscc": None}
            for key in self.keys.values():
                key["revoked"] = key["revoked"] or key["party"] == name
            return {}
        lists = {"tariff": self.tariffs, "capacity": self.capacities, "accreditation": self.accreditations}
        kept, newest = lists[command["record"]["type"]], self._alike(command, at)[-1]
        kept[:] = [one for one in kept if one is not newest]
        return {}

    # -- mandates -----------------------------------------------------------------------------------------------------

    def acting_for(self, command: Json) -> str:
        """The treasury whose mandate a command names; any other command is the party's own."""
        mandate = self.mandates.get(command.get("mandate", ""))
        return str(command["party"] if mandate is None else mandate["treasury"])

    def mandated(self, mandate: str) -> int:
        """What left the treasury by a mandate, in fen."""
        return sum(leaves_fen(entry["command"]) for entry in self.entries if entry["command"].get("mandate") == mandate)

    def _programme_about(self, command: Json) -> str | None:
        """The programme that a command is about which may be mandated; None if what it names isn't there."""
        if command["kind"] == "voucher.issue/1":
            return str(command["programme"])
        things = {"claim": self.claims, "reservation": self.reservations, "voucher": self.vouchers}
        of_type = next(name for name in things if name in command)
        thing = things[of_type].get(command[of_type])
        return None if thing is None else str(thing["programme"])

    def is_mandate_over(self, mandate: Json, at: int) -> bool:
        """Whether a mandate was ended or has run out."""
        return bool(mandate["ended"] or at >= mandate["until"])

    def _mandate_reasons(self, command: Json, at: int) -> Iterator[Reason]:
        if ("mandate" in command) != self._is(command["party"], "operator"):
            yield Reason.MANDATE_MISPLACED
        if "mandate" not in command:
            return
        mandate = self.mandates.get(command["mandate"])
        if mandate is None:
            yield Reason.MANDATE_UNKNOWN
            return
        if mandate["operator"] != command["party"]:
            yield Reason.NOT_OWN_MANDATE
        if self.is_mandate_over(mandate, at):
            yield Reason.MANDATE_OVER
        if command["kind"] not in mandate["kinds"]:
            yield Reason.KIND_NOT_MANDATED
        about = self._programme_about(command)
        if about is not None and mandate.get("programme", about) != about:
            yield Reason.PROGRAMME_NOT_MANDATED
        left_fen = mandate["total_fen"] - self.mandated(command["mandate"])
        if leaves_fen(command) > min(mandate["each_fen"], left_fen):
            yield Reason.EXCEEDS_MANDATE

    def _no_mandate_give(self, command: Json, at: int) -> Iterator[Reason]:
        yield from self._new_id_reasons(command["party"], command["mandate"], self.mandates, "mandate")
        if "programme" in command:
            yield from self._own_programme_reasons(command)
        if instant(command["until"]) <= at:
            yield Reason.WINDOW_INVALID
        if instant(command["until"]) > at + 366 * DAY:
            yield Reason.DATE_TOO_FAR_AHEAD
        yield from self._receiver_reasons(command["operator"], "operator", Reason.OPERATOR_UNKNOWN)

    def _do_mandate_give(self, command: Json, at: int) -> Json:
        mandate = {"treasury": command["party"], "until": instant(command["until"]), "ended": False}
        self.mandates[command["mandate"]] = command | mandate
        return {}

    def _no_mandate_end(self, command: Json, at: int) -> Iterator[Reason]:
        mandate = self.mandates.get(command["mandate"])
        if mandate is None:
            yield Reason.MANDATE_UNKNOWN
            return
        if mandate["treasury"] != command["party"]:
            yield Reason.NOT_OWN_MANDATE
        if self.is_mandate_over(mandate, at):
            yield Reason.MANDATE_OVER

    def _do_mandate_end(self, command: Json, at: int) -> Json:
        self.mandates[command["mandate"]]["ended"] = True
        return {}

    # -- contracts ----------------------------------------------------------------------------------------------------

    def _no_contract_sign(self, command: Json, at: int) -> Iterator[Reason]:
        yield from self._new_id_reasons(command["party"], command["contract"], self.contracts, "contract")
        if command["party"] not in (command["holder"], command["provider"]):
            yield Reason.NOT_OWN_CONTRACT
        first_day, today = day(command["first_day"]), self._day_of(at)
        if not max(first_day, today) <= day(command["last_day"]) < first_day + 3_660:
            yield Reason.WINDOW_INVALID
        if first_day > today + 366:
            yield Reason.DATE_TOO_FAR_AHEAD
        if first_day < today - 366:
            yield Reason.CONTRACT_BEGAN_TOO_LONG_AGO
        yield from self._receiver_reasons(command["provider"], "provider", Reason.PROVIDER_UNKNOWN)
        yield from self._receiver_reasons(command["holder"], "holder", Reason.HOLDER_UNKNOWN)
        if any(row["item"] not in self.items for row in command["items"]):
            yield Reason.ITEM_UNKNOWN
        if self._user_of(command["document_hash"]) is not None:
            yield Reason.DOCUMENT_ALREADY_USED

    def _user_of(self, document: str) -> tuple[str, str] | None:
        """Party and reference of the contract or the invoice that has a document; of several invoices the newest."""
        commands = [entry["command"] for entry in self.entries if entry["command"].get("document_hash") == document]
        return (commands[-1]["party"], commands[-1]["ref"]) if commands else None

    def _do_contract_sign(self, command: Json, at: int) -> Json:
        names = ("holder", "provider", "amount_fen", "basis", "claimant", "other_support_fen")
        self.contracts[command["contract"]] = {name: command[name] for name in names} | {
            "document": command["document_hash"],
            "first_day": day(command["first_day"]),
            "last_day": day(command["last_day"]),
            "prices": [(row["item"], 0, row["price_fen"]) for row in command["items"]],
        }
        return {}

    def _no_contract_amend(self, command: Json, at: int) -> Iterator[Reason]:
        contract, today = self.contracts.get(command["contract"]), self._day_of(at)
        if contract is None:
            yield Reason.CONTRACT_UNKNOWN
            return
        if command["party"] not in (contract["holder"], contract["provider"]):
            yield Reason.NOT_OWN_CONTRACT
        if today > contract["last_day"]:
            yield Reason.CONTRACT_ENDED
        if "last_day" in command:
            if not contract["first_day"] <= day(command["last_day"]) < contract["first_day"] + 3_660:
                yield Reason.WINDOW_INVALID
            if day(command["last_day"]) < today:
                yield Reason.DATE_IN_THE_PAST
        if "items" in command:
            if day(command["items_from"]) <= today:
                yield Reason.DATE_IN_THE_PAST
            if day(command["items_from"]) > today + 366:
                yield Reason.DATE_TOO_FAR_AHEAD
            if any(row["item"] not in self.items for row in command["items"]):
                yield Reason.ITEM_UNKNOWN
        if "amount_fen" in command and command["amount_fen"] < self.charged(command["contract"]):
            yield Reason.BELOW_CHARGED
        if "other_support_fen" in command and command["other_support_fen"] < contract["other_support_fen"]:
            yield Reason.OTHER_SUPPORT_LOWERED

    def _do_contract_amend(self, command: Json, at: int) -> Json:
        contract = self.contracts[command["contract"]]
        earlier = "last_day" in command and day(command["last_day"]) <= contract["last_day"]
        if not earlier or {"amount_fen", "items", "other_support_fen"} & command.keys():
            for one in self.attestations:
                one["ended"] |= (one["subject_type"], one["subject_id"]) == ("contract", command["contract"])
        contract |= {name: command[name] for name in ("amount_fen", "other_support_fen") if name in command}
        if "last_day" in command:
            contract["last_day"] = day(command["last_day"])
        if "items" in command:
            start, items = self.start_of(day(command["items_from"])), [row["item"] for row in command["items"]]
            kept = [price for price in contract["prices"] if price[0] not in items or price[1] < start]
            contract["prices"] = kept + [(row["item"], start, row["price_fen"]) for row in command["items"]]
        return {}

    def start_of(self, number: int) -> int:
        """The instant at which a day of the network begins."""
        return int(number * DAY - self.network["utc_offset_seconds"] * SECOND)

    def end_of_contract(self, contract: str) -> int:
        """The instant at which a contract's last day is over."""
        return self.start_of(self.ever("contract")[contract]["last_day"] + 1)

    def contract_price(self, contract: str, item: str, at: int) -> int | None:
        """A contract's price of an item at an instant, in fen."""
        prices = [row for row in self.contracts[contract]["prices"] if row[0] == item and row[1] <= max(at, 0)]
        return max(prices, key=lambda row: int(row[1]))[2] if prices else None

    # -- applications --------------------------------------------------------------------------------------------------

    def _no_application_file(self, command: Json, at: int) -> Iterator[Reason]:
        yield from self._new_id_reasons(command["party"], command["application"], self.applications, "application")
        programme = self.programmes.get(command["programme"])
        if programme is None:
            yield Reason.PROGRAMME_UNKNOWN
            return
        if self.is_closed(command["programme"], at):
            yield Reason.PROGRAMME_CLOSED
        if "contract" in command:
            if command["contract"] not in self.contracts:
                yield Reason.CONTRACT_UNKNOWN
            elif self.contracts[command["contract"]]["holder"] != command["party"]:
                yield Reason.NOT_OWN_CONTRACT

    def _do_application_file(self, command: Json, at: int) -> Json:
        self.applications[command["application"]] = command | {"withdrawn": False}
        return {}

    def _no_application_withdraw(self, command: Json, at: int) -> Iterator[Reason]:
        application = self.applications.get(command["application"])
        if application is None:
            yield Reason.APPLICATION_UNKNOWN
            return
        if application["party"] != command["party"]:
            yield Reason.NOT_OWN_APPLICATION
        if application["withdrawn"]:
            yield Reason.APPLICATION_WITHDRAWN

    def _do_application_withdraw(self, command: Json, at: int) -> Json:
        self.applications[command["application"]]["withdrawn"] = True
        return {}

    def _no_attestation_give(self, command: Json, at: int) -> Iterator[Reason]:
        end = instant(command["valid_until"])
        if end <= at:
            yield Reason.WINDOW_INVALID
        if end > at + 3_660 * DAY:
            yield Reason.DATE_TOO_FAR_AHEAD
        subject, of_type = command["subject_id"], command["subject_type"]
        sides = [self.contracts.get(subject, {}).get(side) for side in ("holder", "provider")]
        if not self._is(command["party"], "attester") and (of_type != "contract" or command["party"] not in sides):
            yield Reason.NOT_OWN_CONTRACT
        if of_type == "contract":
            if subject not in self.contracts:
                yield Reason.CONTRACT_UNKNOWN
        elif of_type == "application":
            if subject not in self.applications:
                yield Reason.APPLICATION_UNKNOWN
            elif self.applications[subject]["withdrawn"]:
                yield Reason.APPLICATION_WITHDRAWN
        elif of_type == "claim":
            if subject not in self.claims:
                yield Reason.CLAIM_UNKNOWN
        elif not self._is(subject, of_type):
            yield {"provider": Reason.PROVIDER_UNKNOWN, "holder": Reason.HOLDER_UNKNOWN}[of_type]

    def _do_attestation_give(self, command: Json, at: int) -> Json:
        self.attestations.append(command | {"ended": False})
        return {}

    def _standing_verdict(self, attester: str, subject: tuple[str, str], topic: str, at: int) -> str | None:
        given = [
            one
            for one in self.attestations
            if (one["party"], one["topic"]) == (attester, topic) and (one["subject_type"], one["subject_id"]) == subject
        ]
        if not given or instant(given[-1]["valid_until"]) <= at or self.parties[attester]["suspended"]:
            return None
        if given[-1]["ended"]:
            return None
        return str(given[-1]["verdict"])

    def _gate_reasons(
        self, programme: str, before: str, subjects: dict[str, list[str]], whom: str, at: int
    ) -> Iterator[Reason]:
        """Of an act for a holder or a claimant: for each type, every subject must pass."""
        for gate in self.rules_at(programme, at).get("gates", []):
            if gate["before"] == before:
                for subject in subjects.get(gate["subject_type"], []):
                    attesters = gate.get("attesters") or self._other_sides(subject, whom)
                    place = gate["subject_type"], subject
                    said = [self._standing_verdict(name, place, gate["topic"], at) for name in attesters]
                    if said.count("pass") < gate["passes"] or "fail" in said:
                        yield Reason.GATE_NOT_PASSED

    def _other_sides(self, contract: str, party: str) -> list[str]:
        """The side of a contract that isn't this one of its parties."""
        sides = self.contracts.get(contract, {})
        return [sides[side] for side in ("holder", "provider") if side in sides and sides[side] != party]

    def issued(self) -> Counter[str]:
        """The faces of all vouchers that were ever issued for an application, in fen, by application."""
        sums: Counter[str] = Counter()
        for entry in self.entries:
            if entry["kind"] == "voucher.issued/1" and "application" in entry["command"]:
                sums[entry["command"]["application"]] += entry["command"]["face_fen"]
        return sums

    def _application_reasons(self, command: Json, at: int) -> Iterator[Reason]:
        """Of an issue under a programme that is there."""
        gates = self.rules_at(command["programme"], at).get("gates", [])
        name, holder = command.get("application"), command["holder"]
        subjects: dict[str, list[str]] = {
            of_type: [command[of_type]] for of_type in ("application", "contract", "holder") if of_type in command
        }
        yield from self._gate_reasons(command["programme"], "issue", subjects, holder, at)
        if "contract" not in command and self._asks_for("contract", gates):
            yield Reason.CONTRACT_MISSING
        if name is None:
            if self._asks_for("application", gates):
                yield Reason.APPLICATION_MISSING
            return
        asked = self.applications.get(name)
        if asked is None:
            yield Reason.APPLICATION_UNKNOWN
            return
        if asked["withdrawn"]:
            yield Reason.APPLICATION_WITHDRAWN
        if (asked["party"], asked["programme"]) != (command["holder"], command["programme"]):
            yield Reason.APPLICATION_DIFFERS
        if asked.get("contract", command.get("contract")) != command.get("contract"):
            yield Reason.APPLICATION_DIFFERS
        if self.issued()[name] + command["face_fen"] > asked["amount_fen"]:
            yield Reason.EXCEEDS_APPLICATION

    # -- vouchers -----------------------------------------------------------------------------------------------------

    def _post(self, source: Account, target: Account, amount_fen: int) -> None:
        self.postings.append((source, target, amount_fen))

    def _receiver_reasons(self, party: str, role: str, unknown: Reason) -> Iterator[Reason]:
        if not self._is(party, role):
            yield unknown
        elif self.parties[party]["suspended"]:
            yield Reason.RECEIVER_SUSPENDED

    def is_over(self, voucher: Json, at: int) -> bool:
        """Whether a voucher has ended, or its validity is over."""
        return bool(voucher["ended"] or at >= voucher["until"])

    def _no_voucher_issue(self, command: Json, at: int) -> Iterator[Reason]:
        yield from self._new_id_reasons(command["party"], command["voucher"], self.vouchers, "voucher")
        yield from self._own_programme_reasons(command)
        yield from self._receiver_reasons(command["holder"], "holder", Reason.HOLDER_UNKNOWN)
        if "contract" in command:
            if command["contract"] not in self.contracts:
                yield Reason.CONTRACT_UNKNOWN
            elif self.contracts[command["contract"]]["holder"] != command["holder"]:
                yield Reason.NOT_OWN_CONTRACT
        programme = self.programmes.get(command["programme"])
        if programme is None:
            return
        opens_at, closes_at = instant(programme["opens_at"]), instant(programme["closes_at"])
        if not (opens_at <= at < closes_at and opens_at <= instant(command["valid_from"]) < closes_at):
            yield Reason.OUTSIDE_PROGRAMME_WINDOW
        yield from self._application_reasons(command, at)
        if command["face_fen"] < self.rules_at(command["programme"], at)["cap"]["floor_fen"]:
            yield Reason.BELOW_HOLDER_FLOOR
        if command["face_fen"] > self.balance("unissued", command["programme"]):
            yield Reason.EXCEEDS_ENVELOPE
        yield from self._cap_reasons(command["programme"], command["holder"], command["face_fen"], at)
        yield from self._sum_reasons(self.held(command["holder"]), command["face_fen"])

    def _cap_reasons(self, programme: str, holder: str, amount_fen: int, at: int) -> Iterator[Reason]:
        if self.granted(programme, holder, at) + amount_fen > self.rules_at(programme, at)["cap"]["holder_fen"]:
            yield Reason.EXCEEDS_HOLDER_CAP

    def _do_voucher_issue(self, command: Json, at: int) -> Json:
        start, rules = instant(command["valid_from"]), self.rules_at(command["programme"], at)
        until = start + rules["validity_days"] * DAY
        programme, holder, face_fen = command["programme"], command["holder"], command["face_fen"]
        made = {"programme": programme, "from": start, "until": until, "rules": rules}
        self._make_voucher(command["voucher"], holder, face_fen, made, at)
        self.vouchers[command["voucher"]]["contract"] = command.get("contract")
        asked = self.applications.get(command.get("application", ""), {})
        self.vouchers[command["voucher"]]["class"] = asked.get("holder_class")
        self._post(("unissued", programme), ("available", command["voucher"]), face_fen)
        return {"valid_until": instant_text(until)}

    def _make_voucher(self, voucher: str, holder: str, face_fen: int, made: Json, at: int) -> None:
        """A voucher of a programme, its dates and its rules, which counts for the cap that is in force."""
        place = self.cap_place(made["programme"], holder, at)
        self.vouchers[voucher] = {
            **{name: made[name] for name in ("programme", "from", "until", "rules")},
            "holder": holder,
            "contract": None,
            "face_fen": face_fen,
            "class": None,
            "granted": place,
            "suspended": False,
            "ended": False,
        }
        self.grants.append((place, face_fen))

    def _no_voucher_import(self, command: Json, at: int) -> Iterator[Reason]:
        yield from self._new_id_reasons(command["party"], command["voucher"], self.vouchers, "voucher")
        yield from self._own_programme_reasons(command)
        yield from self._receiver_reasons(command["holder"], "holder", Reason.HOLDER_UNKNOWN)
        if instant(command["valid_until"]) <= at:
            yield Reason.WINDOW_INVALID
        if instant(command["valid_from"]) >= self.entries[0]["at"]:
            yield Reason.ISSUED_WITHIN_THE_LOG
        if command["used_fen"] > command["face_fen"]:
            yield Reason.USED_ABOVE_FACE
        yield from self._sum_reasons(self.held(command["holder"]), command["face_fen"])
        programme = self.programmes.get(command["programme"])
        if programme is None:
            return
        if not instant(programme["opens_at"]) <= instant(command["valid_from"]) < instant(programme["closes_at"]):
            yield Reason.OUTSIDE_PROGRAMME_WINDOW
        if command["face_fen"] > self.balance("unissued", command["programme"]):
            yield Reason.EXCEEDS_ENVELOPE
        yield from self._cap_reasons(command["programme"], command["holder"], command["face_fen"], at)

    def _do_voucher_import(self, command: Json, at: int) -> Json:
        voucher, programme, used_fen = command["voucher"], command["programme"], command["used_fen"]
        made = {"programme": programme, "rules": self.rules_at(programme, at)}
        made |= {"from": instant(command["valid_from"]), "until": instant(command["valid_until"])}
        self._make_voucher(voucher, command["holder"], command["face_fen"], made, at)
        self._post(("unissued", programme), ("paid", programme, CARRIED_OVER), used_fen)
        self.settled.append(((voucher, CARRIED_OVER), used_fen))
        self._post(("unissued", programme), ("available", voucher), command["face_fen"] - used_fen)
        return {}

    def _no_voucher_transfer(self, command: Json, at: int) -> Iterator[Reason]:
        yield from self._new_id_reasons(command["party"], command["into"], self.vouchers, "voucher")
        yield from self._receiver_reasons(command["to"], "holder", Reason.HOLDER_UNKNOWN)
        yield from self._spend_reasons(command, at)
        voucher = self.vouchers.get(command["voucher"])
        if voucher is None:
            return
        if voucher["rules"]["transfer"] == "forbidden":
            yield Reason.TRANSFER_FORBIDDEN
        if voucher["contract"] is not None:
            yield Reason.VOUCHER_BOUND_TO_CONTRACT
        if command["to"] == voucher["holder"]:
            yield Reason.TRANSFER_TO_ONESELF
        yield from self._sum_reasons(self.held(command["to"]), command["amount_fen"])
        yield from self._cap_reasons(voucher["programme"], command["to"], command["amount_fen"], at)

    def _spend_reasons(self, command: Json, at: int) -> Iterator[Reason]:
        voucher = self.vouchers.get(command["voucher"])
        if voucher is None:
            yield Reason.VOUCHER_UNKNOWN
            return
        if voucher["holder"] != command["party"]:
            yield Reason.NOT_OWN_VOUCHER
        if voucher["suspended"]:
            yield Reason.VOUCHER_SUSPENDED
        if self.is_over(voucher, at):
            yield Reason.VOUCHER_ENDED
        if command["amount_fen"] > self.balance("available", command["voucher"]):
            yield Reason.EXCEEDS_AVAILABLE_BALANCE

    def _do_voucher_transfer(self, command: Json, at: int) -> Json:
        old, amount_fen = self.vouchers[command["voucher"]], command["amount_fen"]
        self._make_voucher(command["into"], command["to"], amount_fen, old, at)
        self._post(("available", command["voucher"]), ("available", command["into"]), amount_fen)
        return {}

    def _no_voucher_suspend(self, command: Json, at: int) -> Iterator[Reason]:
        voucher = self.vouchers.get(command["voucher"])
        if voucher is None:
            yield Reason.VOUCHER_UNKNOWN
            return
        if self.programmes[voucher["programme"]]["party"] != self.acting_for(command):
            yield Reason.NOT_OWN_PROGRAMME
        kind = command["kind"]
        if kind == "voucher.suspend/1" and voucher["suspended"]:
            yield Reason.VOUCHER_SUSPENDED
        if kind == "voucher.resume/1" and not voucher["suspended"]:
            yield Reason.VOUCHER_NOT_SUSPENDED
        if self.is_over(voucher, at):
            yield Reason.VOUCHER_ENDED

    _no_voucher_resume = _no_voucher_suspend
    _no_voucher_revoke = _no_voucher_suspend

    def _do_voucher_suspend(self, command: Json, at: int) -> Json:
        self.vouchers[command["voucher"]]["suspended"] = command["kind"] == "voucher.suspend/1"
        return {}

    _do_voucher_resume = _do_voucher_suspend

    def _do_voucher_revoke(self, command: Json, at: int) -> Json:
        return {"returned_fen": self._end_voucher(command["voucher"])}

    def _end_voucher(self, name: str) -> int:
        """For good, and for as much as is left of it, in fen."""
        left_fen = self.balance("available", name)
        self.vouchers[name]["ended"], self.vouchers[name]["suspended"] = True, False
        self._return(("available", name), name, left_fen)
        return left_fen

    def _return(self, source: Account, voucher: str, amount_fen: int) -> None:
        """To the programme, unused: so it wasn't granted after all."""
        self._post(source, ("unissued", self.vouchers[voucher]["programme"]), amount_fen)
        self.grants.append((self.vouchers[voucher]["granted"], -amount_fen))
        self.returned.append((voucher, amount_fen))

    def _forfeit(self, source: Account, amount_fen: int) -> None:
        """To the programme, for good: it gives the cap no room."""
        lot = self._lot_in(source)
        self._post(source, ("unissued", self.vouchers[lot[0]]["programme"]), amount_fen)
        self.forfeited.append((lot, amount_fen))

    def cut_off(self, voucher: str) -> int:
        """The instant from which on nothing burned of a voucher is claimed any more."""
        claims = self.vouchers[voucher]["rules"]["claims"]
        days = CYCLE_DAYS[claims["cycle"]] + claims["cut_off_days"]
        return int(self.vouchers[voucher]["until"] + self.network["burn_window_seconds"] * SECOND + days * DAY)

    def due(self, treasury: str | None, at: int) -> list[tuple[int, bytes, str, bytes]]:
        """What time has ended and nothing booked, of a treasury or of all: due time, id, kind and a lot's contract."""
        grace = self.network["release_grace_seconds"] * SECOND
        ends = [("voucher", name, "", name, one["until"]) for name, one in self.vouchers.items() if not one["ended"]]
        held = [(name, one["voucher"]) for name, one in self.reservations.items() if not one["closed"]]
        ends += [("reservation", name, "", voucher, self.end_of(name) + grace) for name, voucher in held]
        left = {self._lot_in(account) for account, fen in self.balances().items() if fen and account[0] in FREE}
        ends += [("lot", voucher, contract, voucher, self.cut_off(voucher)) for voucher, contract in left]
        return sorted(
            (end, name.encode(), kind, contract.encode())
            for kind, name, contract, voucher, end in ends
            if end <= at and treasury in (None, self.programmes[self.vouchers[voucher]["programme"]]["party"])
        )

    def _due_for(self, command: Json, at: int) -> list[tuple[int, bytes, str, bytes]]:
        return self.due(None if self._is(command["party"], "operator") else command["party"], at)

    def _no_book_expire(self, command: Json, at: int) -> Iterator[Reason]:
        if not self._due_for(command, at):
            yield Reason.NOTHING_DUE

    def _do_book_expire(self, command: Json, at: int) -> Json:
        due, rows = self._due_for(command, at), list[list[Any]]()
        for _, id_bytes, kind, contract_bytes in due[:EXPIRED_MAX]:
            name, contract = id_bytes.decode(), contract_bytes.decode()
            if kind == "voucher":
                rows.append([kind, name, self._end_voucher(name), "programme"])
            elif kind == "lot":
                parts = [*self._free_of(self.balances(), name, contract)]
                for account, fen in parts:
                    self._forfeit(account, fen)
                rows.append([kind, f"{name} {contract}", sum(fen for _, fen in parts), "programme"])
            else:
                rows.append([kind, name, *self._close(name)])
        return {"more": len(due) > EXPIRED_MAX, "rows": rows}

    # -- reservations -------------------------------------------------------------------------------------------------

    def paying_programmes(self, contract: str) -> list[str]:
        """The programmes that pay for a contract, in the order in which they are asked."""
        indices = {name: place for place, name in enumerate(self.reserved)}
        held = [(indices[name], one) for name, one in self.ever("reservation").items() if one["contract"] == contract]
        reserved = [one["programme"] for _, one in sorted(held, key=lambda row: row[0])]
        return sorted(dict.fromkeys(reserved), key=lambda name: int(self.fixed(name)["rank"]))

    def open_reservations(self, contract: str) -> list[str]:
        """The reservations under a contract that aren't closed, the oldest first."""
        return [name for name, one in self.reservations.items() if one["contract"] == contract and not one["closed"]]

    def _no_voucher_reserve(self, command: Json, at: int) -> Iterator[Reason]:
        yield from self._new_id_reasons(command["party"], command["reservation"], self.reservations, "reservation")
        yield from self._spend_reasons(command, at)
        if instant(command["until"]) <= at:
            yield Reason.WINDOW_INVALID
        contract, voucher = self.contracts.get(command["contract"]), self.vouchers.get(command["voucher"])
        if contract is None:
            yield Reason.CONTRACT_UNKNOWN
        else:
            yield from self._reserving_contract_reasons(command, contract, at)
        if voucher is None:
            return
        if voucher["contract"] not in (None, command["contract"]):
            yield Reason.VOUCHER_BOUND_TO_CONTRACT
        if instant(command["until"]) > voucher["until"]:
            yield Reason.RESERVATION_OUTLIVES_VOUCHER
        if contract is None:
            return
        if self.fixed(voucher["programme"])["basis"] not in (contract["basis"], "both"):
            yield Reason.BASIS_DIFFERS
        programmes = self.paying_programmes(command["contract"])
        if voucher["programme"] not in programmes and len(programmes) >= 8:
            yield Reason.TOO_MANY_PROGRAMMES
        if not self._accreditations_at(voucher["programme"], contract["provider"], at):
            yield Reason.PROVIDER_NOT_ACCREDITED

    def _reserving_contract_reasons(self, command: Json, contract: Json, at: int) -> Iterator[Reason]:
        if contract["holder"] != command["party"]:
            yield Reason.NOT_OWN_CONTRACT
        if self._day_of(at) > contract["last_day"]:
            yield Reason.CONTRACT_ENDED
        if self.parties[contract["provider"]]["suspended"]:
            yield Reason.RECEIVER_SUSPENDED
        if instant(command["until"]) > self.end_of_contract(command["contract"]):
            yield Reason.RESERVATION_OUTLIVES_CONTRACT
        if len(self.open_reservations(command["contract"])) >= 16:
            yield Reason.TOO_MANY_RESERVATIONS
        yield from self._sum_reasons(self.promised(contract["provider"]), command["amount_fen"])

    def _do_voucher_reserve(self, command: Json, at: int) -> Json:
        voucher, contract = self.vouchers[command["voucher"]], self.contracts[command["contract"]]
        self.reserved.append(command["reservation"])
        self.reservations[command["reservation"]] = {
            "voucher": command["voucher"],
            "programme": voucher["programme"],
            "contract": command["contract"],
            "holder": contract["holder"],
            "provider": contract["provider"],
            "until": instant(command["until"]),
            "closed": False,
        }
        self._post(("available", command["voucher"]), ("reserved", command["reservation"]), command["amount_fen"])
        return {}

    def _no_reservation_extend(self, command: Json, at: int) -> Iterator[Reason]:
        held = self.reservations.get(command["reservation"])
        if held is None:
            yield Reason.RESERVATION_UNKNOWN
            return
        if held["holder"] != command["party"]:
            yield Reason.NOT_OWN_RESERVATION
        if held["closed"]:
            yield Reason.RESERVATION_CLOSED
        if at >= self.end_of(command["reservation"]):
            yield Reason.RESERVATION_OVER
        if self.parties[held["provider"]]["suspended"]:
            yield Reason.RECEIVER_SUSPENDED
        voucher = self.vouchers[held["voucher"]]
        if voucher["suspended"]:
            yield Reason.VOUCHER_SUSPENDED
        if self.is_over(voucher, at):
            yield Reason.VOUCHER_ENDED
        if "until" in command:
            until = instant(command["until"])
            if until <= held["until"]:
                yield Reason.WINDOW_INVALID
            if until > voucher["until"]:
                yield Reason.RESERVATION_OUTLIVES_VOUCHER
            if until > self.end_of_contract(held["contract"]):
                yield Reason.RESERVATION_OUTLIVES_CONTRACT
        if command.get("amount_fen", 0) > self.balance("available", held["voucher"]):
            yield Reason.EXCEEDS_AVAILABLE_BALANCE
        yield from self._sum_reasons(self.promised(held["provider"]), command.get("amount_fen", 0))
        if not self._accreditations_at(held["programme"], held["provider"], at):
            yield Reason.PROVIDER_NOT_ACCREDITED

    def _do_reservation_extend(self, command: Json, at: int) -> Json:
        held = self.reservations[command["reservation"]]
        if "until" in command:
            held["until"] = instant(command["until"])
        if "amount_fen" in command:
            target = "reserved", command["reservation"]
            self._post(("available", held["voucher"]), target, command["amount_fen"])
        return {}

    def end_of(self, reservation: str) -> int:
        """The instant from which on a reservation is over."""
        held = self.reservations[reservation]
        return int(min(held["until"], self.end_of_contract(held["contract"])))

    def is_stranded(self, reservation: str, at: int) -> bool:
        """Whether its provider is suspended or no longer accredited, so that others may release it at once."""
        held = self.reservations[reservation]
        accredited = self._accreditations_at(held["programme"], held["provider"], at)
        return bool(self.parties[held["provider"]]["suspended"] or not accredited)

    def _no_reservation_release(self, command: Json, at: int) -> Iterator[Reason]:
        held = self.reservations.get(command["reservation"])
        if held is None:
            yield Reason.RESERVATION_UNKNOWN
            return
        stranded = self.is_stranded(command["reservation"], at)
        treasury = {self.programmes[held["programme"]]["party"]} if stranded else set()
        if self.acting_for(command) not in {held["holder"], held["provider"]} | treasury:
            yield Reason.NOT_OWN_RESERVATION
        if held["closed"]:
            yield Reason.RESERVATION_CLOSED
        free_at = self.end_of(command["reservation"]) + self.network["release_grace_seconds"] * SECOND
        if command["party"] == held["holder"] and not stranded and at < free_at:
            yield Reason.RESERVATION_NOT_OVER

    def _do_reservation_release(self, command: Json, at: int) -> Json:
        left_fen, to = self._close(command["reservation"])
        return {"released_fen": left_fen, "to": to}

    def _close(self, reservation: str) -> tuple[int, str]:
        """Give back what is left of a reservation: how much that is, in fen, and whereto."""
        self.reservations[reservation]["closed"] = True
        left_fen = self.balance("reserved", reservation)
        return left_fen, self._give_back(("reserved", reservation), reservation, left_fen)

    def _give_back(self, source: Account, reservation: str, amount_fen: int) -> str:
        """To a reservation if it is open, else to its voucher, or, if that has ended, to the programme."""
        held = self.reservations[reservation]
        if not held["closed"]:
            self._post(source, ("reserved", reservation), amount_fen)
            return "reservation"
        if not self.vouchers[held["voucher"]]["ended"]:
            self._post(source, ("available", held["voucher"]), amount_fen)
            return "voucher"
        self._return(source, held["voucher"], amount_fen)
        return "programme"

    def _close_what_is_empty(self) -> None:
        balances = self.balances()
        for name, held in self.reservations.items():
            if balances["reserved", name] == 0:
                held["closed"] = True

    # -- GPU-time: a statement and its lines --------------------------------------------------------------------------

    def _no_time_burn(self, command: Json, at: int) -> Iterator[Reason]:
        contract = self.contracts.get(command["contract"])
        if contract is None:
            yield Reason.CONTRACT_UNKNOWN
            return
        if contract["provider"] != command["party"]:
            yield Reason.NOT_OWN_CONTRACT
        if contract["basis"] != "metered":
            yield Reason.BASIS_DIFFERS

    def _do_time_burn(self, command: Json, at: int) -> Json:
        self._keep_statement(command, at)
        lines = [(group["item"], row) for group in command["groups"] for row in group["lines"]]
        outcome: Json = {"fee_fen": [0] * len(lines), "absorbed": [], "paid": [], "refused": []}
        paid: dict[str, list[int]] = {}
        for number, (item, row) in enumerate(lines):
            line = self._read_line(command, number, item, row, at)
            reason = self._burn(line, at)
            if reason is not None:
                outcome["refused"].append([number, reason.value])
                continue
            outcome["fee_fen"][number] = line["fee_fen"]
            if line["absorbed_fen"]:
                outcome["absorbed"].append([number, line["absorbed_fen"]])
            for reservation, amount_fen in line["paid"]:
                paid.setdefault(reservation, [0] * len(lines))[number] = amount_fen
        outcome["paid"] = [[reservation, amounts] for reservation, amounts in paid.items()]
        return outcome

    def _keep_statement(self, command: Json, at: int) -> None:
        self.statements[command["party"], command["ref"]] = {"at": at, "index": len(self.entries)}

    def _read_line(self, command: Json, number: int, item: str, row: list[Any], at: int) -> Json:
        job, gpu_milli, start, end, seconds = row[:5]
        says = row[5] if len(row) > 5 else {}
        late = "corrects" in says or "prior_period" in says
        return {
            "index": len(self.entries),
            "statement": command["ref"],
            "number": number,
            "provider": command["party"],
            "contract": command["contract"],
            "item": item,
            "job": job,
            "from": second(start),
            "to": second(end),
            "seconds": seconds,
            "gpu_time": gpu_milli * seconds,
            "day": self._day_of(at if late else second(end)),
            "period": self._day_of(second(end)),
            "says": says,
            "corrected": None,
            "fee_fen": 0,
            "absorbed_fen": 0,
            "paid": [],
            "reversed": False,
        }

    def _burn(self, line: Json, at: int) -> Reason | None:
        """Decide one line, and keep it if it is accepted."""
        reasons = [*self._line_reasons(line, at)]
        price_fen = self.price(line["contract"], line["item"], line["from"])
        if price_fen is None:
            return first_reason(reasons)
        line["fee_fen"] = fee(line["gpu_time"], price_fen)
        if self.charged(line["contract"]) + line["fee_fen"] > self.contracts[line["contract"]]["amount_fen"]:
            reasons.append(Reason.EXCEEDS_CONTRACT)
        reasons += self._paying_reasons(line, lambda programme, held: self._ask(programme, held, line, price_fen))
        if reasons:
            return first_reason(reasons)
        self._keep_line(line)
        return None

    def _paying_reasons(self, line: Json, ask: Ask) -> list[Reason]:
        """Why nobody can pay a line of which the fee is known, and what no correction may be; it keeps who pays."""
        paying = self._eligible(line, ask)
        reasons = [paying] if isinstance(paying, Reason) else self._payment_reasons(line, paying)
        old = line["corrected"]
        if old is not None and any(self._sizes(line)[name] > size for name, size in self._sizes(old).items()):
            reasons.append(Reason.EXCEEDS_CORRECTED_LINE)
        return reasons

    def _keep_line(self, line: Json) -> None:
        self.lines.append(line)
        for reservation, amount_fen in line["paid"]:
            self._post(("reserved", reservation), self._lot(line, reservation), amount_fen)

    @staticmethod
    def _sizes(line: Json) -> dict[str, int]:
        """What of a correction may not be more than it was."""
        return {name: line[name] for name in ("gpu_time", "fee_fen")} | {"paid": sum(fen for _, fen in line["paid"])}

    def _lot(self, line: Json, reservation: str) -> Account:
        """Where what a reservation paid for a line lies until it is claimed."""
        return "burned", self.reservations[reservation]["voucher"], line["contract"], line["day"]

    def price(self, contract: str, item: str, at: int) -> int | None:
        """The lower of a contract's price and its provider's tariff at an instant; None if one is missing."""
        tariffs = [one for one in self._tariffs_of(self.contracts[contract]["provider"], item) if one["from"] <= at]
        agreed = self.contract_price(contract, item, at)
        if agreed is None or not tariffs:
            return None
        return min(agreed, int(max(tariffs, key=lambda one: int(one["from"]))["price"]))

    def _line_reasons(self, line: Json, at: int) -> Iterator[Reason]:
        """What may be wrong with a line but for who pays it."""
        provider, contract, start, end = line["provider"], line["contract"], line["from"], line["to"]
        if line["item"] not in self.items:
            yield Reason.ITEM_UNKNOWN
        elif self.items[line["item"]]["unit"] != "gpu_time":
            yield Reason.ITEM_NOT_GPU_TIME
        if self.contract_price(contract, line["item"], start) is None:
            yield Reason.ITEM_NOT_IN_CONTRACT
        if end <= start or line["seconds"] * SECOND > end - start:
            yield Reason.INTERVAL_INVALID
        if end > at:
            yield Reason.JOB_TIME_IN_THE_FUTURE
        if start < at - self.network["burn_window_seconds"] * SECOND:
            yield Reason.JOB_TIME_TOO_LONG_AGO
        yield from self._period_reasons(line, at)
        if start < self.start_of(self.contracts[contract]["first_day"]) or end > self.end_of_contract(contract):
            yield Reason.OUTSIDE_CONTRACT
        if not any(one["from"] <= start for one in self._tariffs_of(provider, line["item"])):
            yield Reason.TARIFF_MISSING
        for other in self.lines:
            same_job = all(other[name] == line[name] for name in ("provider", "item", "job"))
            if same_job and not other["reversed"] and start < other["to"] and other["from"] < end:
                yield Reason.JOB_TIME_ALREADY_BURNED

    def _period_reasons(self, line: Json, at: int) -> Iterator[Reason]:
        sealed = self.is_sealed(line["period"])
        if "corrects" in line["says"]:
            line["corrected"] = self._corrected_by(line, at)
            if line["corrected"] is None:
                yield Reason.CORRECTION_UNFOUNDED
        elif "prior_period" in line["says"]:
            if not sealed:
                yield Reason.PERIOD_NOT_SEALED
        elif sealed:
            yield Reason.PERIOD_SEALED

    def is_sealed(self, number: int) -> bool:
        """Whether a day is sealed."""
        return any(number <= last_day for last_day in self.seals.values())

    def _is_statement_known(self, party: str, ref: str, at: int) -> bool:
        """Whether a statement's entry is so new that its lines can be taken back and corrected."""
        statement = self.statements.get((party, ref))
        return statement is not None and statement["at"] >= at - self.network["burn_window_seconds"] * SECOND

    def _corrected_by(self, line: Json, at: int) -> Json | None:
        """The line that a correction names, if that licenses it."""
        named = line["says"]["corrects"]
        old = self._line_of({"party": line["provider"]} | named)
        if not self._is_statement_known(line["provider"], named["statement"], at):
            return None
        if old is None or not old["reversed"] or any(other["corrected"] is old for other in self.lines):
            return None
        same_holder = self.ever("contract")[old["contract"]]["holder"] == self.contracts[line["contract"]]["holder"]
        return old if same_holder and old["from"] <= line["from"] and line["to"] <= old["to"] else None

    # -- GPU-time: who pays a line ------------------------------------------------------------------------------------

    def _eligible(self, line: Json, ask: Ask) -> list[Json] | Reason:
        """The programmes that can pay a line, in their order; or why the first that was asked can't."""
        eligible, reasons = list[Json](), list[Reason]()
        for programme in self.paying_programmes(line["contract"]):
            held = [
                name
                for name in self.open_reservations(line["contract"])
                if self.reservations[name]["programme"] == programme and self.balance("reserved", name)
            ]
            if held:
                answer = ask(programme, held)
                if isinstance(answer, Reason):
                    reasons.append(answer)
                else:
                    eligible.append(answer)
        return eligible or [*reasons, Reason.NOTHING_RESERVED][0]

    def _ask(self, programme: str, held: list[str], line: Json, price_fen: int) -> Json | Reason:
        accredited = self._accredited(programme, line, line["from"], line["to"])
        if not accredited:
            return Reason.PROVIDER_NOT_ACCREDITED
        if price_fen > accredited[0]["limits"][line["item"]]:
            return Reason.PRICE_ABOVE_LIMIT
        valid = [name for name in held if self.vouchers[self.reservations[name]["voucher"]]["from"] <= line["from"]]
        fitting = [name for name in valid if line["to"] <= self.end_of(name)]
        if not fitting:
            return Reason.OUTSIDE_RESERVATION if held[0] in valid else Reason.OUTSIDE_VOUCHER_VALIDITY
        share = self._share(fitting[0], line["item"])
        if share is None:
            return Reason.ITEM_NOT_COVERED
        return {
            "reservations": fitting,
            "share_fen": part(line["fee_fen"], share["share_bp"]),
            "ceiling_bp": share["ceiling_bp"],
        }

    def _accredited(self, programme: str, line: Json, start: int, end: int) -> list[Json]:
        """The accreditations of a line's provider that cover an interval and have the line's item."""
        return [
            one
            for one in self._accreditations_at(programme, line["provider"], start)
            if (one["until"] is None or end <= one["until"]) and line["item"] in one["limits"]
        ]

    def _share(self, reservation: str, item: str) -> Json | None:
        """Share and ceiling of an item by the rules of a reservation's voucher, if they have one."""
        voucher = self.vouchers[self.reservations[reservation]["voucher"]]
        for row in voucher["rules"]["shares"]:
            if self._is_about(row, item, voucher["class"]):
                share: Json = {"ceiling_bp": voucher["rules"]["ceiling_bp"]} | row
                return share
        return None

    def _is_about(self, share: Json, item: str, holder_class: str | None) -> bool:
        known = self.items.get(item, {})
        return (
            item in share.get("items", [item])
            and ("origin" not in share or share["origin"] == known.get("origin"))
            and ("filed" not in share or "filing" in known)
            and ("holder_class" not in share or share["holder_class"] == holder_class)
        )

    def _payment_reasons(self, line: Json, paying: list[Json]) -> list[Reason]:
        """Find who pays what of a line; not every reservation may hold enough."""
        fee_fen = line["fee_fen"]
        support_fen = self.contracts[line["contract"]]["other_support_fen"] - self.absorbed(line["contract"])
        line["paid"] = []
        absorbed_fen = min(support_fen, part(fee_fen, min(one["ceiling_bp"] for one in paying)))
        bound_bp, paid_fen, short = 10_000, 0, list[Reason]()
        for one in paying:
            bp = min(bound_bp, one["ceiling_bp"])
            pay_fen = max(0, min(one["share_fen"], part(fee_fen, bp) - absorbed_fen - paid_fen))
            taken_fen = self._take(line, one["reservations"], pay_fen)
            if taken_fen < pay_fen and "pay_available" not in line["says"]:
                short.append(Reason.EXCEEDS_RESERVATION)
            paid_fen += taken_fen
            bound_bp = bp if taken_fen > 0 else bound_bp
        line["absorbed_fen"] = absorbed_fen
        return short

    def _take(self, line: Json, reservations: list[str], amount_fen: int) -> int:
        """As much of an amount as reservations hold, the oldest first."""
        taken_fen = 0
        for reservation in reservations:
            part_fen = min(amount_fen - taken_fen, self.balance("reserved", reservation))
            if part_fen:
                line["paid"].append((reservation, part_fen))
                taken_fen += part_fen
        return taken_fen

    # -- services: counted, or invoiced -------------------------------------------------------------------------------

    def _read_service(self, command: Json, at: int) -> Json:
        """The one line of a service, before what it costs is known."""
        first_day, last_day = day(command["first_day"]), day(command["last_day"])
        says = {name: command[name] for name in ("corrects", "pay_available", "prior_period") if name in command}
        booked_late = "document_hash" in command or "corrects" in says or "prior_period" in says
        return {
            "index": len(self.entries),
            "statement": command["ref"],
            "number": 0,
            "provider": command["party"],
            "contract": command["contract"],
            "item": command["item"],
            "job": None,
            "document": command.get("document_hash"),
            "days": (first_day, last_day),
            "from": self.start_of(first_day),
            "to": self.start_of(last_day + 1),
            "gpu_time": command.get("quantity", 0),
            "day": self._day_of(at) if booked_late else last_day,
            "period": self._day_of(at) if "document_hash" in command else last_day,
            "says": says,
            "corrected": None,
            "fee_fen": 0,
            "absorbed_fen": 0,
            "paid": [],
            "reversed": False,
        }

    def _no_service_burn(self, command: Json, at: int) -> Iterator[Reason]:
        contract = self.contracts.get(command["contract"])
        if contract is None:
            yield Reason.CONTRACT_UNKNOWN
            return
        if contract["provider"] != command["party"]:
            yield Reason.NOT_OWN_CONTRACT
        if contract["basis"] != ("invoiced" if "document_hash" in command else "metered"):
            yield Reason.BASIS_DIFFERS
        yield from self._decide_service(command, self._read_service(command, at), at)

    def _decide_service(self, command: Json, line: Json, at: int) -> list[Reason]:
        """Why a service is refused under a contract that is there; it completes the line."""
        reasons = [*self._service_reasons(line), *self._period_reasons(line, at)]
        if line["document"] is None:
            reasons += self._counted_reasons(line, at)
            price_fen = self.price(line["contract"], line["item"], line["from"])
            if price_fen is None:
                return reasons
            line["fee_fen"] = command["quantity"] * price_fen
            ask: Ask = lambda programme, held: self._ask(programme, held, line, price_fen)  # noqa: E731
        else:
            user = self._user_of(line["document"])
            if user is not None and user != (line["provider"], line["says"].get("corrects", {}).get("statement")):
                reasons.append(Reason.DOCUMENT_ALREADY_USED)
            line["fee_fen"] = command["fee_fen"]
            ask = lambda programme, held: self._ask_for_invoice(programme, held, line, at)  # noqa: E731
        if self.charged(line["contract"]) + line["fee_fen"] > self.contracts[line["contract"]]["amount_fen"]:
            reasons.append(Reason.EXCEEDS_CONTRACT)
        return reasons + self._paying_reasons(line, ask)

    def _service_reasons(self, line: Json) -> Iterator[Reason]:
        if line["to"] <= line["from"]:
            yield Reason.WINDOW_INVALID
        if line["item"] not in self.items:
            yield Reason.ITEM_UNKNOWN
        if self.contract_price(line["contract"], line["item"], line["from"]) is None:
            yield Reason.ITEM_NOT_IN_CONTRACT
        first_day, last_day = line["days"]
        contract = self.contracts[line["contract"]]
        if first_day < contract["first_day"] or last_day > contract["last_day"]:
            yield Reason.OUTSIDE_CONTRACT

    def _counted_reasons(self, line: Json, at: int) -> Iterator[Reason]:
        if self.items.get(line["item"], {"unit": "count"})["unit"] != "count":
            yield Reason.ITEM_NOT_COUNTED
        if line["to"] > at:
            yield Reason.JOB_TIME_IN_THE_FUTURE
        if line["from"] < at - self.network["burn_window_seconds"] * SECOND:
            yield Reason.JOB_TIME_TOO_LONG_AGO
        if not any(one["from"] <= line["from"] for one in self._tariffs_of(line["provider"], line["item"])):
            yield Reason.TARIFF_MISSING
        for other in self.lines:
            same = other["job"] is None and all(other[name] == line[name] for name in ("contract", "item"))
            if same and not other["reversed"] and line["from"] < other["to"] and other["from"] < line["to"]:
                yield Reason.SERVICE_DAYS_ALREADY_BURNED

    def _invoiced_part(self, reservation: str, line: Json) -> tuple[int, int] | None:
        """First and last day of an invoice that count by the rules of a reservation's voucher."""
        proration = self.vouchers[self.reservations[reservation]["voucher"]]["rules"].get("proration")
        first_day, last_day = line["days"]
        if proration is None:
            return first_day, last_day
        first_day, last_day = max(first_day, day(proration["first_day"])), min(last_day, day(proration["last_day"]))
        return (first_day, last_day) if self.days_counted(proration, first_day, last_day) > 0 else None

    @staticmethod
    def days_counted(proration: Json, first_day: int, last_day: int) -> int:
        """The days between two that belong to a part, as a proration counts them."""
        return last_day - first_day + (1 if proration["day_count"] == "inclusive" else 0)

    def _misfit(self, reservation: str, line: Json, at: int) -> Reason | None:
        """Why a reservation doesn't pay an invoice."""
        counted = self._invoiced_part(reservation, line)
        if counted is None:
            return Reason.OUTSIDE_PRORATION_WINDOW
        start, end = self.start_of(counted[0]), self.start_of(counted[1] + 1)
        voucher = self.vouchers[self.reservations[reservation]["voucher"]]
        if end < at - self.network["burn_window_seconds"] * SECOND:
            return Reason.JOB_TIME_TOO_LONG_AGO
        if start < voucher["from"] or end > voucher["until"]:
            return Reason.OUTSIDE_VOUCHER_VALIDITY
        if self.end_of(reservation) < at and self.end_of(reservation) < end:
            return Reason.OUTSIDE_RESERVATION
        return None

    def _ask_for_invoice(self, programme: str, held: list[str], line: Json, at: int) -> Json | Reason:
        misfits = {name: self._misfit(name, line, at) for name in held}
        fitting = [name for name, reason in misfits.items() if reason is None]
        if not fitting:
            return misfits[held[0]] or Reason.NOTHING_RESERVED
        oldest = fitting[0]
        counted = self._invoiced_part(oldest, line)
        assert counted is not None, "it fits"
        if not self._accredited(programme, line, self.start_of(counted[0]), self.start_of(counted[1] + 1)):
            return Reason.PROVIDER_NOT_ACCREDITED
        share = self._share(oldest, line["item"])
        if share is None:
            return Reason.ITEM_NOT_COVERED
        proration = self.vouchers[self.reservations[oldest]["voucher"]]["rules"].get("proration")
        share_fen = part(line["fee_fen"], share["share_bp"])
        if proration is not None:
            step_fen = proration["truncate_fen"]
            days = self.days_counted(proration, *counted), self.days_counted(proration, *line["days"])
            base_fen = line["fee_fen"] * days[0] // days[1] // step_fen * step_fen
            share_fen = part(base_fen, share["share_bp"]) // step_fen * step_fen
        return {"reservations": fitting, "share_fen": share_fen, "ceiling_bp": share["ceiling_bp"]}

    def _do_service_burn(self, command: Json, at: int) -> Json:
        line = self._read_service(command, at)
        self._decide_service(command, line, at)
        self._keep_statement(command, at)
        self._keep_line(line)
        absorbed = [[0, line["absorbed_fen"]]] if line["absorbed_fen"] else []
        paid = [[reservation, [amount_fen]] for reservation, amount_fen in line["paid"]]
        return {"fee_fen": [line["fee_fen"]], "absorbed": absorbed, "paid": paid, "refused": []}

    # -- GPU-time: taken back -----------------------------------------------------------------------------------------

    def _day_of(self, at: int) -> int:
        return int((at + self.network["utc_offset_seconds"] * SECOND) // DAY)

    def _no_burn_reverse(self, command: Json, at: int) -> Iterator[Reason]:
        if not self._is_statement_known(command["party"], command["statement"], at):
            yield Reason.STATEMENT_UNKNOWN
        line = self._line_of(command)
        if line is None:
            yield Reason.LINE_UNKNOWN
            return
        if line["reversed"]:
            yield Reason.LINE_ALREADY_REVERSED
        if self.is_claimed(line):
            yield Reason.LINE_ALREADY_CLAIMED
        later = self.lines[self.lines.index(line) + 1 :]
        if line["absorbed_fen"] and any(
            other["contract"] == line["contract"] and other["paid"] and not other["reversed"] for other in later
        ):
            yield Reason.LATER_LINE_TOOK_MONEY

    def _line_of(self, command: Json) -> Json | None:
        """The accepted line that a party means by `statement` and `line`."""
        statement = self.statements.get((command["party"], command["statement"]))
        for line in self.lines:
            if statement is not None and (line["index"], line["number"]) == (statement["index"], command["line"]):
                return line
        return None

    def is_claimed(self, line: Json) -> bool:
        """Whether some of what programmes paid for a line is neither unclaimed nor withheld."""
        paid: Counter[Lot] = Counter()
        for reservation, fen in line["paid"]:
            paid[self.ever("reservation")[reservation]["voucher"], line["contract"]] += fen
        return any(
            fen > self.balance("burned", *lot, line["day"]) + self.balance("withheld", *lot)
            for lot, fen in paid.items()
        )

    def _do_burn_reverse(self, command: Json, at: int) -> Json:
        line = self._line_of(command)
        assert line is not None, "refused otherwise"
        line["reversed"] = True
        order = [row[0] for row in self.entries[line["index"]]["outcome"]["paid"]]
        paid = sorted(line["paid"], key=lambda payment: order.index(payment[0]))
        return {"returned": [[name, fen, self._take_back(line, name, fen)] for name, fen in paid]}

    def _take_back(self, line: Json, reservation: str, amount_fen: int) -> str:
        """What a reservation paid: what is unclaimed of the line's day first, then what is withheld."""
        unclaimed = self._lot(line, reservation)
        unclaimed_fen = min(amount_fen, self.balance(*unclaimed))
        to = self._give_back(unclaimed, reservation, unclaimed_fen)
        self._give_back(("withheld", *unclaimed[1:3]), reservation, amount_fen - unclaimed_fen)
        return to

    # -- settlement ---------------------------------------------------------------------------------------------------

    def payee_of(self, programme: str, contract: str) -> str | None:
        """Who claims what a programme paid under a contract; None while that may be either side."""
        sides, payee = self.ever("contract")[contract], self.fixed(programme)["payee"]
        side = sides["claimant"] if payee == "contract" else payee
        return None if side == "either" else str(sides[side])

    def may_claim(self, party: str, programme: str, contract: str) -> bool:
        """Whether a party is the claimant of what a programme paid under a contract, or becomes it by claiming."""
        payee, sides = self.payee_of(programme, contract), self.contracts[contract]
        return party == payee or (payee is None and party in (sides["holder"], sides["provider"]))

    @staticmethod
    def _free_of(
        balances: Counter[Account], voucher: str, contract: str, last_day: int | None = None
    ) -> Iterator[tuple[Account, int]]:
        """What of a lot is in no claim, up to a day: what is withheld first, then by day."""
        withheld: Account = ("withheld", voucher, contract)
        days = sorted(at for at, fen in balances.items() if at[:3] == ("burned", voucher, contract) and fen)
        for account in [withheld, *days]:
            if balances[account] and (account[0] == "withheld" or last_day is None or account[3] <= last_day):
                yield account, balances[account]

    def _claimable(self, command: Json, at: int) -> dict[str, dict[Lot, list[tuple[Account, int]]]]:
        """All that could be claimed, by contract and lot, in that order."""
        balances = self.balances()
        free = {self._lot_in(account) for account, fen in balances.items() if account[0] in FREE and fen}
        found: dict[str, dict[Lot, list[tuple[Account, int]]]] = {}
        for voucher, contract in sorted(free, key=lambda lot: (lot[1].encode(), lot[0].encode())):
            if self.vouchers[voucher]["programme"] != command["programme"] or at >= self.cut_off(voucher):
                continue
            if not self.may_claim(command["party"], command["programme"], contract):
                continue
            parts = [*self._free_of(balances, voucher, contract, day(command["last_day"]))]
            if parts:
                found.setdefault(contract, {})[voucher, contract] = parts
        return found

    def _in_claim(self, command: Json, at: int) -> tuple[list[tuple[Account, int]], bool]:
        """What a claim takes, before it is rounded; and whether later contracts are left for another."""
        rounding_fen = int(self.fixed(command["programme"])["rounding_fen"])
        contracts = [[*lots.values()] for lots in self._claimable(command, at).values()]
        taken: list[list[list[tuple[Account, int]]]] = []
        for lots in contracts:
            while taken and (len(taken) == CLAIM_CONTRACTS_MAX or sum(map(len, [*taken, lots])) > CLAIM_LOTS_MAX):
                if sum(fen for _, fen in self._parts_of(taken)) >= rounding_fen:
                    return self._parts_of(taken), True
                del taken[0]
            taken.append(lots[:CLAIM_LOTS_MAX])
            if len(lots) > CLAIM_LOTS_MAX:
                return self._parts_of(taken), True
        return self._parts_of(taken), False

    @staticmethod
    def _parts_of(contracts: list[list[list[tuple[Account, int]]]]) -> list[tuple[Account, int]]:
        return [part for lots in contracts for parts in lots for part in parts]

    def claim_fen(self, command: Json, at: int) -> int:
        """What a claim of a party, under a programme and up to a day, would amount to."""
        rounding_fen = int(self.fixed(command["programme"])["rounding_fen"])
        return sum(amount_fen for _, amount_fen in self._in_claim(command, at)[0]) // rounding_fen * rounding_fen

    def _no_redemption_claim(self, command: Json, at: int) -> Iterator[Reason]:
        yield from self._new_id_reasons(command["party"], command["claim"], self.claims, "claim")
        if self._day_of(at) <= day(command["last_day"]):
            yield Reason.CLAIM_PERIOD_NOT_OVER
        if command["programme"] not in self.programmes:
            yield Reason.PROGRAMME_UNKNOWN
            return
        payee = self.fixed(command["programme"])["payee"]
        if payee not in ("contract", self.parties[command["party"]]["role"]):
            yield Reason.NOT_THE_PAYEE
        claims = self.rules_at(command["programme"], at)["claims"]
        if not is_last_of_period(command["last_day"], claims["cycle"]):
            yield Reason.CLAIM_PERIOD_INVALID
        if at >= self.start_of(day(command["last_day"]) + 1) + claims["cut_off_days"] * DAY:
            yield Reason.CLAIM_TOO_LATE
        if not self.claim_fen(command, at):
            yield Reason.NOTHING_TO_CLAIM
        role = self.parties[command["party"]]["role"]
        yield from self._gate_reasons(command["programme"], "claim", {role: [command["party"]]}, command["party"], at)

    def _do_redemption_claim(self, command: Json, at: int) -> Json:
        (parts, more), amount_fen = self._in_claim(command, at), self.claim_fen(command, at)
        claim, programme = command["claim"], command["programme"]
        rows: Counter[str] = Counter()
        left_fen = amount_fen
        for account, free_fen in parts:
            voucher, contract = self._lot_in(account)
            part_fen = min(left_fen, free_fen)
            self._post(account, ("claimed", claim, voucher, contract), part_fen)
            left_fen -= part_fen
            rows[contract] += part_fen
            if part_fen and self.payee_of(programme, contract) is None:
                self.contracts[contract]["claimant"] = self.parties[command["party"]]["role"]
        listed = [[contract, fen] for contract, fen in rows.items() if fen]
        kept = {"programme": programme, "claimant": command["party"], "amount_fen": amount_fen, "status": "open"}
        self.claims[claim] = kept | {"rows": listed}
        return {"amount_fen": amount_fen, "more": more, "rows": listed}

    def _no_redemption_settle(self, command: Json, at: int) -> Iterator[Reason]:
        claim = self.claims.get(command["claim"])
        if claim is None:
            yield Reason.CLAIM_UNKNOWN
            return
        treasury = self.acting_for(command)
        if self.programmes[claim["programme"]]["party"] != treasury:
            yield Reason.NOT_OWN_PROGRAMME
        if claim["status"] != "open":
            yield Reason.CLAIM_ALREADY_SETTLED
        if [[row["contract"], row["paid_fen"] + row.get("withheld_fen", 0)] for row in command["rows"]] != claim[
            "rows"
        ]:
            yield Reason.SETTLEMENT_DIFFERS_FROM_CLAIM
        for offset in command.get("offsets", []):
            yield from self._demand_reasons(offset["demand"], offset["amount_fen"], treasury, claim["claimant"])
        payment = command.get("payment")
        rest_fen = leaves_fen(command) - sum(offset["amount_fen"] for offset in command.get("offsets", []))
        if rest_fen != (payment["amount_fen"] if payment else 0):
            yield Reason.PAYMENT_DIFFERS
        if payment:
            yield from self._payment_made_reasons(payment, treasury, at)
        if leaves_fen(command):
            role = self.parties[claim["claimant"]]["role"]
            subjects = {"claim": [command["claim"]], role: [claim["claimant"]]}
            subjects["contract"] = [row["contract"] for row in command["rows"] if row["paid_fen"]]
            yield from self._gate_reasons(claim["programme"], "settle", subjects, claim["claimant"], at)

    def _payment_made_reasons(self, payment: Json, treasury: str, at: int) -> Iterator[Reason]:
        """Of what a bank says of a payment."""
        if day(payment["day"]) > self._day_of(at):
            yield Reason.PAYMENT_IN_THE_FUTURE
        for entry in self.entries:
            said = entry["command"].get("payment")
            if said and said["reference"] == payment["reference"] and entry["for"] == treasury:
                yield Reason.PAYMENT_REFERENCE_USED

    def _demand_reasons(self, name: str, amount_fen: int, treasury: str, payee: str | None) -> Iterator[Reason]:
        """Of what is set off, received or cancelled of a treasury's demand, on a payee or on anybody."""
        demand = self.demands.get(name)
        if demand is None:
            yield Reason.DEMAND_UNKNOWN
            return
        if demand["party"] != treasury or payee not in (None, demand["payee"]):
            yield Reason.DEMAND_ON_ANOTHER
        if amount_fen > self.balance("receivable", name):
            yield Reason.EXCEEDS_RECEIVABLE

    def _claimed_lots(self, claim: str) -> list[tuple[Account, int]]:
        """In the order of contracts and vouchers."""
        lots = [(lot, fen) for lot, fen in self.balances().items() if lot[:2] == ("claimed", claim) and fen]
        return sorted(lots, key=lambda one: (one[0][3].encode(), one[0][2].encode()))

    def _do_redemption_settle(self, command: Json, at: int) -> Json:
        claim = self.claims[command["claim"]]
        claim["status"] = "settled"
        left = {row["contract"]: row["paid_fen"] for row in command["rows"]}
        for account, claimed_fen in self._claimed_lots(command["claim"]):
            lot = self._lot_in(account)
            paid_fen = min(left[lot[1]], claimed_fen)
            left[lot[1]] -= paid_fen
            self._post(account, ("paid", claim["programme"], claim["claimant"]), paid_fen)
            self.settled.append((lot, paid_fen))
            self._post(account, ("withheld", *lot), claimed_fen - paid_fen)
        for offset in command.get("offsets", []):
            self._get_back(offset["demand"], offset["amount_fen"])
        return {}

    def _get_back(self, demand: str, amount_fen: int) -> None:
        self._post(("receivable", demand), ("unissued", self.demands[demand]["programme"]), amount_fen)

    def _forfeitable(self, command: Json, at: int) -> list[tuple[Account, int]]:
        """What may be disallowed under a contract in a programme, in its order."""
        programme, contract = command["programme"], command["contract"]
        found = [
            (account, fen)
            for account, fen in self.balances().items()
            if account[0] in FREE and fen and account[2] == contract
            if self.vouchers[account[1]]["programme"] == programme
        ]
        payee, sides = self.payee_of(programme, contract), self.contracts[contract]
        claimants = [sides["holder"], sides["provider"]] if payee is None else [payee]
        if not all(self.is_out(programme, claimant, at) for claimant in claimants):
            found = [one for one in found if one[0][0] == "withheld"]
        return sorted(found, key=lambda one: (one[0][0] == "burned", one[0][1].encode(), one[0][3:]))

    def is_out(self, programme: str, claimant: str, at: int) -> bool:
        """Whether a claimant is suspended, or a provider that is not accredited any more."""
        party = self.parties[claimant]
        unaccredited = party["role"] == "provider" and not self._accreditations_at(programme, claimant, at)
        return bool(party["suspended"] or unaccredited)

    def _no_redemption_disallow(self, command: Json, at: int) -> Iterator[Reason]:
        yield from self._own_programme_reasons(command)
        if command["contract"] not in self.contracts:
            yield Reason.CONTRACT_UNKNOWN
            return
        if command["programme"] not in self.programmes:
            return
        if command["amount_fen"] > sum(fen for _, fen in self._forfeitable(command, at)):
            yield Reason.EXCEEDS_WITHHELD

    def _do_redemption_disallow(self, command: Json, at: int) -> Json:
        left_fen = command["amount_fen"]
        for account, free_fen in self._forfeitable(command, at):
            self._forfeit(account, min(left_fen, free_fen))
            left_fen -= min(left_fen, free_fen)
        return {}

    # -- recovery -----------------------------------------------------------------------------------------------------

    def _no_recovery_demand(self, command: Json, at: int) -> Iterator[Reason]:
        yield from self._new_id_reasons(command["party"], command["demand"], self.demands, "demand")
        yield from self._own_programme_reasons(command)
        if command["amount_fen"] > self.balance("paid", command["programme"], command["payee"]):
            yield Reason.EXCEEDS_PAID

    def _do_recovery_demand(self, command: Json, at: int) -> Json:
        self.demands[command["demand"]] = command
        source = "paid", command["programme"], command["payee"]
        self._post(source, ("receivable", command["demand"]), command["amount_fen"])
        return {}

    def _no_recovery_receive(self, command: Json, at: int) -> Iterator[Reason]:
        payment = command["payment"]
        yield from self._demand_reasons(command["demand"], payment["amount_fen"], command["party"], None)
        yield from self._payment_made_reasons(payment, command["party"], at)

    def _do_recovery_receive(self, command: Json, at: int) -> Json:
        self._get_back(command["demand"], command["payment"]["amount_fen"])
        return {}

    def _no_recovery_cancel(self, command: Json, at: int) -> Iterator[Reason]:
        yield from self._demand_reasons(command["demand"], command["amount_fen"], command["party"], None)

    def _do_recovery_cancel(self, command: Json, at: int) -> Json:
        demand = self.demands[command["demand"]]
        target = "paid", demand["programme"], demand["payee"]
        self._post(("receivable", command["demand"]), target, command["amount_fen"])
        return {}

    # -- sealed books -------------------------------------------------------------------------------------------------

    def _no_book_seal(self, command: Json, at: int) -> Iterator[Reason]:
        yield from self._new_id_reasons(command["party"], command["seal"], self.seals)
        if self._day_of(at) <= day(command["last_day"]):
            yield Reason.SEAL_PERIOD_NOT_OVER
        end = (day(command["last_day"]) + 1) * DAY - self.network["utc_offset_seconds"] * SECOND
        if at < end + self.network["sealing_grace_seconds"] * SECOND:
            yield Reason.SEAL_GRACE_NOT_OVER
        if any(last_day >= day(command["last_day"]) for last_day in self.seals.values()):
            yield Reason.SEAL_NOT_LATER

    def _do_book_seal(self, command: Json, at: int) -> Json:
        outcome = self.seal_outcome()
        self.seals[command["seal"]] = day(command["last_day"])
        return outcome

    def seal_outcome(self) -> Json:
        """What a seal says if it is the next entry: how many accounts there are, and the root over their leaves."""
        leaves = self.leaves()
        return {"accounts": len(leaves), "root": f"sha256:{merkle_root([leaf.encode() for leaf in leaves]).hex()}"}

    def _let_go(self, at: int) -> None:
        """With a seal at a time, all that has ended leaves the books."""
        oldest = at - self.network["burn_window_seconds"] * SECOND
        lines = [line for line in self.lines if self.entries[line["index"]]["at"] >= oldest]
        burned = [one for one in self.entries if one["kind"] in STATEMENTS and one["at"] >= oldest]
        self._leave("voucher", self._vouchers_at_rest(lines))
        self._leave(
            "reservation", [name for name, one in self.reservations.items() if one["voucher"] not in self.vouchers]
        )
        used = {entry["command"].get("application") for entry in self.entries if self._issued_what_is_there(entry)}
        closed = {name for name in self.programmes if self.is_closed(name, at)}
        over = [name for name, one in self.applications.items() if one["withdrawn"] or one["programme"] in closed]
        self._leave("application", [name for name in over if name not in used])
        named = {one.get("contract") for one in (*self.vouchers.values(), *self.applications.values())}
        named |= {one["contract"] for one in self.reservations.values()} | {
            one["command"]["contract"] for one in burned
        }
        named |= {self._lot_in(account)[1] for account, fen in self.balances().items() if account[0] in OWED and fen}
        past = [name for name in self.contracts if self.end_of_contract(name) <= oldest]
        self._leave("contract", [name for name in past if name not in named])
        funded = {one["programme"] for one in self.vouchers.values()}
        settled = [name for name, one in self.claims.items() if one["status"] == "settled"]
        self._leave("claim", [name for name in settled if self.claims[name]["programme"] not in funded])
        self._leave("demand", [name for name in self.demands if not self.balance("receivable", name)])
        self._leave("mandate", [name for name, one in self.mandates.items() if self.is_mandate_over(one, at)])

    def _leave(self, of_type: str, names: list[str]) -> None:
        there: dict[str, Json] = getattr(self, f"{of_type}s")
        self.left[of_type] |= {name: there.pop(name) for name in names}

    def _issued_what_is_there(self, entry: Json) -> bool:
        return bool(entry["kind"] == "voucher.issued/1" and entry["command"]["voucher"] in self.vouchers)

    def _vouchers_at_rest(self, lines: list[Json]) -> list[str]:
        """Those that have ended and hold nothing, of which no reservation paid one of these lines; whole families."""
        family = {name: name for name in self.vouchers}
        for entry in self.entries:
            command = entry["command"]
            if entry["kind"] == "voucher.transferred/1" and command["into"] in family:
                family[command["into"]] = family[command["voucher"]]
        busy = {name for name, one in self.vouchers.items() if not one["ended"]}
        busy |= {self.reservations[name]["voucher"] for line in lines for name, _ in line["paid"]}
        for account, fen in self.balances().items():
            if fen and account[0] in ("available", *OWED):
                busy.add(account[1] if account[0] == "available" else self._lot_in(account)[0])
            if fen and account[0] == "reserved":
                busy.add(self.reservations[account[1]]["voucher"])
        stay = {family[name] for name in busy}
        return [name for name in self.vouchers if family[name] not in stay]

    def leaves(self) -> list[str]:
        """The text of each leaf of a seal that would be the next entry, in the order of the accounts' names."""
        accounts = self.account_balances()
        touched_by: dict[str, list[int]] = {name: [] for name in accounts}
        for index in range(len(self.entries)):
            for name in self.touched(index):
                touched_by[name].append(index)
        sealed = [index for index, entry in enumerate(self.entries) if entry["kind"] == "book.sealed/1"]
        newest_seal = max(sealed, default=-1)
        return [
            canonical(
                {
                    "account": name,
                    "balances": accounts[name],
                    "entries": len(touched_by[name]),
                    "running_hash": running_hash(touched_by[name]),
                }
            )
            for name in sorted(accounts, key=str.encode)
            if self._is_open(name, accounts[name]) or max(touched_by[name], default=-1) > newest_seal
        ]

    def _is_open(self, account: str, balances: dict[str, int]) -> bool:
        """Whether every seal has an account, whatever happened since the one before."""
        of_type, name = account.split(" ")
        if of_type == "voucher":
            return bool(not self.ever("voucher")[name]["ended"] or balances["reserved_fen"])
        if of_type == "contract":
            last = self.end_of_contract(name) + self.network["burn_window_seconds"] * SECOND
            left = [balances[kind] for kind in ("unclaimed_fen", "withheld_fen", "claimed_fen")]
            return bool(self.entries[-1]["at"] < last or any(left))
        return True

    def account_balances(self) -> dict[str, dict[str, int]]:
        """The balances of every account by its name, in fen, summed from the first posting on."""
        sums = self.balances()
        accounts: dict[str, dict[str, int]] = {}
        for name in self.ever("voucher"):
            accounts["voucher " + name] = self._voucher_balances(name, sums)
        for name in self.ever("contract"):
            accounts["contract " + name] = self._contract_balances(name, sums)
        for name, party in self.parties.items():
            if party["role"] in ("holder", "provider"):
                accounts[f"{party['role']} {name}"] = self._payee_balances(name, sums)
            if party["role"] == "holder":
                owned = [accounts["voucher " + of] for of, one in self.ever("voucher").items() if one["holder"] == name]
                for kind in ("available_fen", "burned_fen", "reserved_fen"):
                    accounts["holder " + name][kind] = sum(one[kind] for one in owned)
        for name, programme in self.programmes.items():
            book = {f"{kind}_fen": fen for kind, fen in self.book(name, sums).items()}
            accounts["programme " + name] = book | {"envelope_fen": programme["envelope_fen"]}
            treasury = accounts.setdefault("treasury " + programme["party"], {})
            for kind, fen in accounts["programme " + name].items():
                treasury[kind] = treasury.get(kind, 0) + fen
        return accounts

    def _voucher_balances(self, voucher: str, sums: Counter[Account]) -> dict[str, int]:
        held = [name for name, one in self.ever("reservation").items() if one["voucher"] == voucher]
        passed_on = [
            fen
            for source, target, fen in self.postings
            if source == ("available", voucher) and target[0] == "available"
        ]
        return {
            "available_fen": sums["available", voucher],
            "burned_fen": sum(fen for lot, fen in self._burned_of(sums) if lot[0] == voucher),
            "face_fen": self.ever("voucher")[voucher]["face_fen"],
            "reserved_fen": sum(sums["reserved", name] for name in held),
            "returned_fen": sum(fen for name, fen in self.returned if name == voucher),
            "transferred_fen": sum(passed_on),
        }

    def _contract_balances(self, name: str, sums: Counter[Account]) -> dict[str, int]:
        terms = self.ever("contract")[name]
        lots: Counter[str] = Counter()
        for account, fen in sums.items():
            if account[0] in ("burned", "claimed", "withheld") and self._lot_in(account)[1] == name:
                lots[account[0]] += fen
        return {
            "absorbed_fen": self.absorbed(name),
            "amount_fen": terms["amount_fen"],
            "charged_fen": self.charged(name),
            "other_support_fen": terms["other_support_fen"],
            "unclaimed_fen": lots["burned"],
            "withheld_fen": lots["withheld"],
            "claimed_fen": lots["claimed"],
            "settled_fen": sum(fen for lot, fen in self.settled if lot[1] == name),
            "forfeited_fen": sum(fen for lot, fen in self.forfeited if lot[1] == name),
        }

    def _payee_balances(self, party: str, sums: Counter[Account]) -> dict[str, int]:
        mine: Counter[str] = Counter()
        for account, fen in sums.items():
            if self._payee_in(account) == party:
                mine[account[0]] += fen
        kinds = {"unclaimed": "burned", "withheld": "withheld", "claimed": "claimed"}
        kinds |= {"paid": "paid", "receivable": "receivable"}
        return {f"{name}_fen": mine[kind] for name, kind in kinds.items()}

    def _payee_in(self, account: Account) -> str | None:
        """The payee whose money an account holds, if that is certain."""
        match account[0]:
            case "burned" | "withheld":
                return self.payee_of(self.ever("voucher")[account[1]]["programme"], account[2])
            case "claimed":
                return str(self.ever("claim")[account[1]]["claimant"])
            case "paid":
                return str(account[2])
            case "receivable":
                return str(self.ever("demand")[account[1]]["payee"])
        return None

    def touched(self, index: int) -> set[str]:
        """The names of the accounts that an entry touches, each once."""
        touched = self._touched(index)
        programmes = [name.removeprefix("programme ") for name in touched if name.startswith("programme ")]
        return touched | {"treasury " + self.programmes[name]["party"] for name in programmes}

    def _touched(self, index: int) -> set[str]:
        """The same without treasuries."""
        command = self.entries[index]["command"]
        match command["kind"].removesuffix("/1"):
            case "party.admit" | "party.suspend" | "party.reinstate" | "key.add" | "key.revoke":
                return self._party_account(command.get("subject") or command["admitted"])
            case "tariff.publish" | "capacity.declare" | "party.amend" | "key.rotate":
                return self._party_account(command["party"])
            case "record.withdraw":
                record = command["record"]
                if record["type"] == "accreditation":
                    return {"programme " + record["programme"], "provider " + record["provider"]}
                if record["type"] == "party":
                    return self._party_account(record["party"])
                return {"provider " + record.get("provider", command["party"])}
            case "programme.open" | "programme.amend":
                return {"programme " + command["programme"]}
            case "provider.accredit" | "provider.delist":
                return {"programme " + command["programme"], "provider " + command["provider"]}
            case "contract.sign" | "contract.amend":
                return self._contract_accounts(command["contract"])
            case "application.file" | "application.withdraw":
                asked = self.ever("application")[command["application"]]
                return {"holder " + asked["party"], "programme " + asked["programme"]}
            case "attestation.give":
                return self._attested_accounts(command["subject_type"], command["subject_id"])
            case "voucher.issue" | "voucher.suspend" | "voucher.resume" | "voucher.import" | "voucher.revoke":
                return self._voucher_accounts(command["voucher"])
            case "voucher.transfer":
                return self._voucher_accounts(command["voucher"]) | self._voucher_accounts(command["into"])
            case "book.expire":
                accounts = {"voucher": self._voucher_accounts, "reservation": self._reservation_accounts}
                accounts["lot"] = self._lot_accounts
                rows = self.entries[index]["outcome"]["rows"]
                return set[str]().union(*[accounts[kind](name) for kind, name, _, _ in rows])
            case "voucher.reserve" | "reservation.extend" | "reservation.release":
                return self._reservation_accounts(command["reservation"])
            case "burn.reverse" | "time.burn" | "service.burn":
                return self._burn_accounts(index)
            case "redemption.claim" | "redemption.settle":
                claim = self.ever("claim")[command["claim"]]
                contracts = {"contract " + contract for contract, _ in claim["rows"]}
                demands = [self.ever("demand")[offset["demand"]] for offset in command.get("offsets", [])]
                programmes = {"programme " + one["programme"] for one in (claim, *demands)}
                return programmes | contracts | self._party_account(claim["claimant"])
            case "redemption.disallow":
                return {"programme " + command["programme"]} | self._contract_accounts(command["contract"])
            case "recovery.demand" | "recovery.receive" | "recovery.cancel":
                demand = self.ever("demand")[command["demand"]]
                return {"programme " + demand["programme"]} | self._party_account(demand["payee"])
        return set()

    def _attested_accounts(self, of_type: str, subject: str) -> set[str]:
        if of_type == "application":
            asked = self.ever("application")[subject]
            return {"holder " + asked["party"], "programme " + asked["programme"]}
        if of_type == "contract":
            return self._contract_accounts(subject)
        if of_type == "claim":
            return {"programme " + self.ever("claim")[subject]["programme"]} | self._party_account(
                self.ever("claim")[subject]["claimant"]
            )
        return self._party_account(subject)

    def _party_account(self, party: str) -> set[str]:
        role = self.parties[party]["role"]
        return {f"{role} {party}"} if role in ("holder", "provider") else set()

    def _voucher_accounts(self, name: str) -> set[str]:
        voucher = self.ever("voucher")[name]
        return {"voucher " + name, "holder " + voucher["holder"], "programme " + voucher["programme"]}

    def _contract_accounts(self, name: str) -> set[str]:
        sides = self.ever("contract")[name]
        return {"contract " + name, "holder " + sides["holder"], "provider " + sides["provider"]}

    def _reservation_accounts(self, name: str) -> set[str]:
        held = self.ever("reservation")[name]
        return self._voucher_accounts(held["voucher"]) | {"provider " + held["provider"]}

    def _lot_accounts(self, name: str) -> set[str]:
        voucher, contract = name.split(" ")
        provider = self.ever("contract")[contract]["provider"]
        return self._voucher_accounts(voucher) | {"contract " + contract, "provider " + provider}

    def _burn_accounts(self, index: int) -> set[str]:
        """Of a statement or a reversal: the outcome says which reservations paid."""
        command, outcome = self.entries[index]["command"], self.entries[index]["outcome"]
        rows = outcome["returned"] if command["kind"] == "burn.reverse/1" else outcome["paid"]
        contract = command.get("contract") or self._statement_before(index)["contract"]
        return set().union(self._contract_accounts(contract), *[self._reservation_accounts(row[0]) for row in rows])

    def _statement_before(self, index: int) -> Json:
        """The newest statement of the `ref` that a reversal names."""
        reversal = self.entries[index]["command"]
        for entry in self.entries[:index][::-1]:
            command: Json = entry["command"]
            same = (command["party"], command["ref"]) == (reversal["party"], reversal["statement"])
            if same and entry["kind"] in STATEMENTS:
                return command
        raise AssertionError("nothing is reversed that was not burned")
