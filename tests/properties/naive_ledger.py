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
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tallystick.vouchers.refusals import Reason

Json = dict[str, Any]
Account = tuple[str, str]
"""What holds money and whose it is, for example `("available", "city/voucher-1")`."""
Answer = tuple[str, Any]
"""`("accepted", outcome)` or `("refused", reason)`."""

SECOND = 1_000_000
DAY = 86_400 * SECOND
ENTRY_SIZE_MAX = 65_535
PRECEDENCE = {reason: place for place, reason in enumerate(Reason)}
EVERYBODY = frozenset({"network", "treasury", "provider", "auditor", "operator", "attester", "holder"})
ROLES = {
    "rules.adopt/1": {"network"},
    "checkpoint.record/1": {"operator"},
    "party.admit/1": {"network", "treasury"},
    "party.amend/1": EVERYBODY,
    "party.suspend/1": {"network", "treasury"},
    "party.reinstate/1": {"network", "treasury"},
    "key.add/1": EVERYBODY,
    "key.revoke/1": EVERYBODY,
    "item.register/1": {"network"},
    "programme.open/1": {"treasury"},
    "programme.close/1": {"treasury"},
    "provider.accredit/1": {"treasury"},
    "provider.delist/1": {"treasury"},
    "tariff.publish/1": {"provider"},
    "capacity.declare/1": {"provider"},
    "record.withdraw/1": {"provider", "treasury"},
    "application.file/1": {"holder"},
    "application.withdraw/1": {"holder"},
    "voucher.issue/1": {"treasury"},
    "voucher.transfer/1": {"holder"},
    "voucher.suspend/1": {"treasury"},
    "voucher.resume/1": {"treasury"},
    "voucher.revoke/1": {"treasury"},
    "voucher.lapse/1": {"treasury"},
    "voucher.reserve/1": {"holder"},
    "reservation.release/1": {"holder", "provider"},
    "time.burn/1": {"provider"},
    "burn.reverse/1": {"provider"},
    "redemption.claim/1": {"provider", "holder"},
    "redemption.pay/1": {"treasury"},
    "redemption.reject/1": {"treasury"},
    "book.seal/1": {"operator"},
}
QUORUM_SIGNS = {
    "party.admit/1",
    "party.amend/1",
    "party.reinstate/1",
    "key.add/1",
    "key.revoke/1",
    "programme.open/1",
    "programme.close/1",
    "provider.accredit/1",
}


def signed_by_quorum(command: Json) -> bool:
    """Whether a party's quorum must sign a command; a withdrawal is signed as what it withdraws."""
    kind = command["kind"]
    return kind in QUORUM_SIGNS or (kind == "record.withdraw/1" and command["record"]["type"] == "accreditation")


LETS_MONEY_LEAVE = {"voucher.issue/1": "face_fen", "redemption.pay/1": "amount_fen"}
"""The field of what lets money leave that counts for a treasury's officers."""
EDITION = 1
EVENT_KINDS = {
    "network.found/1": "network.founded/1",
    "rules.adopt/1": "rules.adopted/1",
    "checkpoint.record/1": "checkpoint.recorded/1",
    "party.admit/1": "party.admitted/1",
    "party.amend/1": "party.amended/1",
    "party.suspend/1": "party.suspended/1",
    "party.reinstate/1": "party.reinstated/1",
    "key.add/1": "key.added/1",
    "key.revoke/1": "key.revoked/1",
    "item.register/1": "item.registered/1",
    "programme.open/1": "programme.opened/1",
    "programme.close/1": "programme.closed/1",
    "provider.accredit/1": "provider.accredited/1",
    "provider.delist/1": "provider.delisted/1",
    "tariff.publish/1": "tariff.published/1",
    "capacity.declare/1": "capacity.declared/1",
    "record.withdraw/1": "record.withdrawn/1",
    "application.file/1": "application.filed/1",
    "application.withdraw/1": "application.withdrawn/1",
    "voucher.issue/1": "voucher.issued/1",
    "voucher.transfer/1": "voucher.transferred/1",
    "voucher.suspend/1": "voucher.suspended/1",
    "voucher.resume/1": "voucher.resumed/1",
    "voucher.revoke/1": "voucher.revoked/1",
    "voucher.lapse/1": "voucher.lapsed/1",
    "voucher.reserve/1": "voucher.reserved/1",
    "reservation.release/1": "reservation.released/1",
    "time.burn/1": "time.burned/1",
    "burn.reverse/1": "burn.reversed/1",
    "redemption.claim/1": "redemption.claimed/1",
    "redemption.pay/1": "redemption.paid/1",
    "redemption.reject/1": "redemption.rejected/1",
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


def sum_value(fen: int) -> int | str:
    """A sum as a leaf has it: text where JSON has no integer for it."""
    return fen if fen < 2**53 else str(fen)


def uscc_check_character_is_right(code: str) -> bool:
    """GB 32100-2015: the 18th character makes the sum, weighted with powers of 3, a multiple of 31."""
    total = sum(USCC_ALPHABET.index(character) * pow(3, place, 31) for place, character in enumerate(code[:17]))
    return USCC_ALPHABET.index(code[17]) == (31 - total % 31) % 31


def fee(gpu_milli: int, seconds: int, price_fen_per_gpu_hour: int, rounding_fen: int) -> int:
    """What the GPU-time costs, in fen, cut to the rounding."""
    return rounding_fen * (gpu_milli * seconds * price_fen_per_gpu_hour // (3_600_000 * rounding_fen))


def covered(fee_fen: int, share_bp: int, rounding_fen: int) -> int:
    """What the voucher pays of a fee, in fen, cut to the rounding."""
    return rounding_fen * (fee_fen * share_bp // (10_000 * rounding_fen))


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


def running_sha256(indices: Iterable[int]) -> str:
    """The hash, in hex, that tells whether one of these entries is left out."""
    running = bytes(32)
    for index in indices:
        running = hashlib.sha256(running + index.to_bytes(8, "big")).digest()
    return running.hex()


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
        self.programmes: dict[str, Json] = {}
        self.accreditations: list[Json] = []
        self.applications: dict[str, Json] = {}
        self.vouchers: dict[str, Json] = {}
        self.reservations: dict[str, Json] = {}
        self.statements: dict[tuple[str, str], Json] = {}
        self.lines: list[Json] = []
        self.claims: dict[str, Json] = {}
        self.seals: dict[str, int] = {}
        self.postings: list[tuple[Account, Account, int]] = []
        self.grants: list[tuple[str, str, int]] = []

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
        header = {"at": instant_text(at), "index": len(self.entries), "kind": kind, "outcome": outcome}
        if note_size and len(canonical(header)) + 1 + note_size > ENTRY_SIZE_MAX:
            assert kind == "time.burned/1", "only a statement can be that long"
            del self.postings[marks[0] :], self.lines[marks[1] :], self.statements[command["party"], command["ref"]]
            return "refused", Reason.ENTRY_TOO_LARGE.value
        entry = {"command": command, "at": at, "kind": kind, "outcome": outcome}
        self.entries.append(entry | {"by_few": self._is_by_few(command, signers)})
        return "accepted", outcome

    def balances(self) -> Counter[Account]:
        """What every account holds, in fen, summed from the first posting on."""
        sums: Counter[Account] = Counter()
        for source, target, amount_fen in self.postings:
            sums[source] -= amount_fen
            sums[target] += amount_fen
        return sums

    def balance(self, kind: str, owner: str) -> int:
        """What one account holds, in fen, summed from the first posting on."""
        account, total_fen = (kind, owner), 0
        for source, target, amount_fen in self.postings:
            total_fen += (target == account) * amount_fen - (source == account) * amount_fen
        return total_fen

    def book(self, programme: str, balances: Counter[Account]) -> dict[str, int]:
        """The six sums of the law of conservation for a programme, in fen."""
        of = {
            "available": [name for name, voucher in self.vouchers.items() if voucher["programme"] == programme],
            "reserved": [name for name, held in self.reservations.items() if held["programme"] == programme],
            "claimed": [name for name, claim in self.claims.items() if claim["programme"] == programme],
        }
        of |= {"unissued": [programme], "burned": [programme], "paid": of["claimed"]}
        return {kind: sum(balances[kind, owner] for owner in owners) for kind, owners in of.items()}

    def granted(self, programme: str, holder: str) -> int:
        """What a holder has been given under a programme, in fen."""
        return sum(amount_fen for where, whose, amount_fen in self.grants if (where, whose) == (programme, holder))

    # -- reasons that any command can meet ----------------------------------------------------------------------------

    def _reasons(self, command: Json, signers: Sequence[str], invalid: Sequence[str], at: int) -> Iterator[Reason]:
        founding = command["kind"] == "network.found/1"
        if (founding or command["kind"] == "rules.adopt/1") and command["edition"] != EDITION:
            yield Reason.COMMAND_MALFORMED
        if founding and command.get("member_of") == command["log"]:
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
            if party["suspended"]:
                yield Reason.PARTY_SUSPENDED
            if party["role"] not in ROLES[command["kind"]]:
                yield Reason.ROLE_MAY_NOT
        yield from self._signature_reasons(command, signers, invalid, at)
        name = command["kind"].removesuffix("/1").replace(".", "_")
        specific: Callable[[Json, int], Iterator[Reason]] = getattr(self, f"_no_{name}")
        yield from specific(command, at)

    def _remembers(self, entry: Json, at: int) -> bool:
        memory_seconds = self.network["freshness_seconds"] + self.network["clock_skew_seconds"]
        if entry["kind"] == "time.burned/1":
            memory_seconds = max(memory_seconds, self.network["burn_window_seconds"])
        return bool(entry["at"] + memory_seconds * SECOND >= at)

    def signed_by_few(self, treasury: str, at: int, window_days: int) -> int:
        """What counts for a treasury's officers on the day of `at` and the days of the window before it, in fen."""
        first_day = self._day_of(at) - window_days + 1
        return sum(
            entry["command"][LETS_MONEY_LEAVE[entry["command"]["kind"]]]
            for entry in self.entries
            if entry["command"]["party"] == treasury and entry["by_few"] and self._day_of(entry["at"]) >= first_day
        )

    def _is_by_few(self, command: Json, signers: Sequence[str]) -> bool:
        if command["kind"] not in LETS_MONEY_LEAVE or not self.parties[command["party"]]["officers"]:
            return False
        signed = sum(self.keys[label]["party"] == command["party"] for label in set(signers))
        return bool(signed < self.parties[command["party"]]["officers"]["required"])

    def _signature_reasons(
        self, command: Json, signers: Sequence[str], invalid: Sequence[str], at: int
    ) -> Iterator[Reason]:
        party, kind = command["party"], command["kind"]
        known = {label: key["party"] for label, key in self.keys.items()}
        needed = 1
        cosigner: str | None = None
        new_keys: set[str] = set()
        besides: str | None = None
        if kind == "network.found/1":
            known = {vkey_label(vkey): party for vkey in command["root_keys"]}
            needed = command["root_quorum"]
        elif self.parties[party]["role"] == "network" or signed_by_quorum(command):
            needed = self.parties[party]["quorum"]
        if kind == "party.admit/1":
            new_keys = {vkey_label(vkey) for vkey, _ in brought(command)}
        if kind == "key.add/1":
            new_keys = {vkey_label(command["vkey"])}
            if command["subject"] != party:
                besides = self.network["party"]
        officers = self.parties[party]["officers"] if kind in LETS_MONEY_LEAVE else None
        if officers:
            before = self.signed_by_few(party, at, officers["window_days"])
            if before + command[LETS_MONEY_LEAVE[kind]] > officers["threshold_fen"]:
                needed = officers["required"]
        if kind == "voucher.transfer/1" and command["voucher"] in self.vouchers:
            programme = self.programmes[self.vouchers[command["voucher"]]["programme"]]
            if programme["transfer"] == "approved":
                cosigner = programme["party"]
        for label in [*signers, *invalid]:
            if label not in known and label not in new_keys:
                yield Reason.KEY_UNKNOWN
            if label in invalid:
                yield Reason.SIGNATURE_INVALID
            if label in self.keys and self.keys[label]["revoked"]:
                yield Reason.KEY_REVOKED
            if label in self.keys and label not in new_keys:
                purpose = self.keys[label]["purpose"]
                if purpose == "read" or (purpose == "meter" and kind not in ("time.burn/1", "burn.reverse/1")):
                    yield Reason.KEY_NOT_FOR_THIS_COMMAND
            if label in known and label not in new_keys and known[label] not in (party, cosigner, besides):
                yield Reason.SIGNER_NOT_INVOLVED
        signed_by = [known.get(label) for label in set(signers) - new_keys]
        if (
            signed_by.count(party) < needed
            or (cosigner is not None and cosigner not in signed_by)
            or (besides is not None and signed_by.count(besides) < self.parties[besides]["quorum"])
            or not new_keys <= set(signers)
        ):
            yield Reason.SIGNATURES_MISSING

    # -- network, parties, keys ---------------------------------------------------------------------------------------

    def _no_network_found(self, command: Json, at: int) -> Iterator[Reason]:
        yield from self._new_key_reasons(command["party"], command["root_keys"])
        if command["root_quorum"] > len(command["root_keys"]):
            yield Reason.WOULD_LEAVE_TOO_FEW_KEYS

    def _do_network_found(self, command: Json, at: int) -> Json:
        self.network = command
        self.parties[command["party"]] = {"role": "network", "admitter": None, "suspended": False, "uscc": None}
        self.parties[command["party"]] |= {"quorum": command["root_quorum"], "officers": None}
        self._add_keys(command["party"], [(vkey, "sign") for vkey in command["root_keys"]])
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

    def _do_party_admit(self, command: Json, at: int) -> Json:
        self.parties[command["admitted"]] = {
            "role": command["role"],
            "admitter": command["party"],
            "suspended": False,
            "uscc": command.get("uscc"),
            "quorum": command.get("quorum", 1),
            "officers": command.get("officers"),
        }
        self._add_keys(command["admitted"], brought(command))
        return {}

    def _no_party_amend(self, command: Json, at: int) -> Iterator[Reason]:
        party = command["party"]
        signing = [key for key in self.keys.values() if (key["party"], key["purpose"]) == (party, "sign")]
        if command.get("quorum", 1) > sum(not key["revoked"] for key in signing):
            yield Reason.WOULD_LEAVE_TOO_FEW_KEYS
        yield from self._officers_reasons(command, self.parties[party]["role"])

    def _do_party_amend(self, command: Json, at: int) -> Json:
        party = self.parties[command["party"]]
        party["quorum"], party["officers"] = command.get("quorum", 1), command.get("officers")
        return {}

    def _no_party_suspend(self, command: Json, at: int) -> Iterator[Reason]:
        subject = self.parties.get(command["subject"])
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
        self._add_keys(command["subject"], [(command["vkey"], command["purpose"])])
        return {}

    def _no_key_revoke(self, command: Json, at: int) -> Iterator[Reason]:
        yield from self._subject_reasons(command)
        key = self.keys.get(command["key"])
        if key is None:
            yield Reason.KEY_UNKNOWN
            return
        if key["party"] != command["subject"]:
            yield Reason.KEY_NOT_OF_PARTY
        if key["revoked"]:
            yield Reason.KEY_ALREADY_REVOKED
        if ("since" in command) != (command["cause"] == "compromised"):
            yield Reason.SINCE_MISPLACED
        if "since" in command and instant(command["since"]) > at:
            yield Reason.SINCE_IN_THE_FUTURE
        left = [
            label
            for label, other in self.keys.items()
            if other["party"] == command["subject"] and not other["revoked"] and label != command["key"]
            if other["purpose"] == "sign"
        ]
        own = command["subject"] == command["party"]
        if own and key["purpose"] == "sign" and len(left) < self.parties[command["party"]]["quorum"]:
            yield Reason.WOULD_LEAVE_TOO_FEW_KEYS

    def _do_key_revoke(self, command: Json, at: int) -> Json:
        self.keys[command["key"]]["revoked"] = True
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
        if command["subject"] not in self.parties:
            yield Reason.SUBJECT_UNKNOWN
        elif command["party"] not in (command["subject"], self.parties[command["subject"]]["admitter"]):
            yield Reason.SUBJECT_NOT_UNDER_PARTY

    def _new_key_reasons(self, party: str, vkeys: list[str]) -> Iterator[Reason]:
        seen = [key["public"] for key in self.keys.values()]
        for vkey in vkeys:
            if not vkey.startswith(party + "/"):
                yield Reason.KEY_NOT_OF_PARTY
            if vkey_public(vkey) in seen:
                yield Reason.KEY_ALREADY_KNOWN
            seen.append(vkey_public(vkey))

    def _add_keys(self, party: str, keys: list[tuple[str, str]]) -> None:
        for vkey, purpose in keys:
            key = {"party": party, "public": vkey_public(vkey), "purpose": purpose, "revoked": False}
            self.keys[vkey_label(vkey)] = key

    # -- programmes and providers -------------------------------------------------------------------------------------

    def _new_id_reasons(self, party: str, new_id: str, taken: Iterable[str]) -> Iterator[Reason]:
        if not new_id.startswith(party + "/"):
            yield Reason.ID_OUTSIDE_OWN_NAMESPACE
        if new_id in taken:
            yield Reason.ID_ALREADY_USED

    def _own_programme_reasons(self, command: Json) -> Iterator[Reason]:
        if command["programme"] not in self.programmes:
            yield Reason.PROGRAMME_UNKNOWN
        elif self.programmes[command["programme"]]["party"] != command["party"]:
            yield Reason.NOT_OWN_PROGRAMME

    def _is(self, party: str, role: str) -> bool:
        return party in self.parties and self.parties[party]["role"] == role

    def _no_programme_open(self, command: Json, at: int) -> Iterator[Reason]:
        yield from self._new_id_reasons(command["party"], command["programme"], self.programmes)
        if instant(command["closes_at"]) <= max(at, instant(command["opens_at"])):
            yield Reason.WINDOW_INVALID
        if command["holder_floor_fen"] > command["holder_cap_fen"]:
            yield Reason.FLOOR_ABOVE_CAP
        if any(item not in self.items for item in command["items"]):
            yield Reason.ITEM_UNKNOWN

    def _do_programme_open(self, command: Json, at: int) -> Json:
        self.programmes[command["programme"]] = command | {"closed": False}
        self._post(("envelope", command["programme"]), ("unissued", command["programme"]), command["envelope_fen"])
        return {}

    def _no_programme_close(self, command: Json, at: int) -> Iterator[Reason]:
        yield from self._own_programme_reasons(command)
        if command["programme"] in self.programmes and self.programmes[command["programme"]]["closed"]:
            yield Reason.PROGRAMME_CLOSED

    def _do_programme_close(self, command: Json, at: int) -> Json:
        self.programmes[command["programme"]]["closed"] = True
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

    def _do_provider_accredit(self, command: Json, at: int) -> Json:
        start = instant(command["valid_from"])
        one = {"programme": command["programme"], "provider": command["provider"], "from": start, "until": None}
        self.accreditations.append(one)
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
        rises = bool(earlier) and command["price_fen_per_gpu_hour"] > max(earlier, key=lambda one: one["from"])["price"]
        if rises and start - at < self.network["tariff_notice_seconds"] * SECOND:
            yield Reason.NOTICE_TOO_SHORT
        if command["item"] not in self.items:
            yield Reason.ITEM_UNKNOWN
        elif self.items[command["item"]]["unit"] != "gpu_time":
            yield Reason.ITEM_NOT_GPU_TIME

    def _do_tariff_publish(self, command: Json, at: int) -> Json:
        tariff = {
            "provider": command["party"],
            "item": command["item"],
            "from": instant(command["valid_from"]),
            "price": command["price_fen_per_gpu_hour"],
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
        origin, size, root = said
        if origin in self.other_logs:
            newest_size, newest_root = self.other_logs[origin]
            if size < newest_size:
                yield Reason.CHECKPOINT_SMALLER
            if size == newest_size and root != newest_root:
                yield Reason.CHECKPOINT_CONTRADICTED

    def _do_checkpoint_record(self, command: Json, at: int) -> Json:
        said = self._checkpoint(command)
        assert said is not None, "refused otherwise"
        self.other_logs[said[0]] = said[1:]
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
        if record["type"] == "capacity":
            return self._standing_capacities(command["party"], at)
        if record["type"] == "tariff":
            return self._tariffs_of(command["party"], record["item"])
        place = record["programme"], record["provider"]
        return [one for one in self.accreditations if (one["programme"], one["provider"]) == place]

    def _no_record_withdraw(self, command: Json, at: int) -> Iterator[Reason]:
        record, alike = command["record"], self._alike(command, at)
        if record["type"] == "accreditation":
            yield from self._own_programme_reasons({"party": command["party"], "programme": record["programme"]})
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
        lists = {"tariff": self.tariffs, "capacity": self.capacities, "accreditation": self.accreditations}
        kept, newest = lists[command["record"]["type"]], self._alike(command, at)[-1]
        kept[:] = [one for one in kept if one is not newest]
        return {}

    # -- applications --------------------------------------------------------------------------------------------------

    def _no_application_file(self, command: Json, at: int) -> Iterator[Reason]:
        yield from self._new_id_reasons(command["party"], command["application"], self.applications)
        programme = self.programmes.get(command["programme"])
        if programme is None:
            yield Reason.PROGRAMME_UNKNOWN
            return
        if programme["closed"]:
            yield Reason.PROGRAMME_CLOSED
        if not at < instant(programme["closes_at"]):
            yield Reason.OUTSIDE_PROGRAMME_WINDOW

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

    # -- vouchers -----------------------------------------------------------------------------------------------------

    def _post(self, source: Account, target: Account, amount_fen: int) -> None:
        self.postings.append((source, target, amount_fen))

    def _receiver_reasons(self, party: str, role: str, unknown: Reason) -> Iterator[Reason]:
        if not self._is(party, role):
            yield unknown
        elif self.parties[party]["suspended"]:
            yield Reason.RECEIVER_SUSPENDED

    def _over(self, voucher: Json, at: int) -> bool:
        return bool(voucher["ended"] or at >= voucher["until"])

    def _no_voucher_issue(self, command: Json, at: int) -> Iterator[Reason]:
        yield from self._new_id_reasons(command["party"], command["voucher"], self.vouchers)
        yield from self._own_programme_reasons(command)
        yield from self._receiver_reasons(command["holder"], "holder", Reason.HOLDER_UNKNOWN)
        programme = self.programmes.get(command["programme"])
        if programme is None:
            return
        if programme["closed"]:
            yield Reason.PROGRAMME_CLOSED
        opens_at, closes_at = instant(programme["opens_at"]), instant(programme["closes_at"])
        if not (opens_at <= at < closes_at and opens_at <= instant(command["valid_from"]) < closes_at):
            yield Reason.OUTSIDE_PROGRAMME_WINDOW
        if command["face_fen"] < programme["holder_floor_fen"]:
            yield Reason.BELOW_HOLDER_FLOOR
        if command["face_fen"] > self.balance("unissued", command["programme"]):
            yield Reason.EXCEEDS_ENVELOPE
        if command["face_fen"] + self.granted(command["programme"], command["holder"]) > programme["holder_cap_fen"]:
            yield Reason.EXCEEDS_HOLDER_CAP

    def _do_voucher_issue(self, command: Json, at: int) -> Json:
        start = instant(command["valid_from"])
        until = start + self.programmes[command["programme"]]["validity_days"] * DAY
        face_fen = command["face_fen"]
        self._make_voucher(command["voucher"], command["programme"], command["holder"], face_fen, start, until)
        self._post(("unissued", command["programme"]), ("available", command["voucher"]), command["face_fen"])
        self.grants.append((command["programme"], command["holder"], command["face_fen"]))
        return {"valid_until": instant_text(until)}

    def _make_voucher(self, voucher: str, programme: str, holder: str, face_fen: int, start: int, until: int) -> None:
        self.vouchers[voucher] = {
            "programme": programme,
            "holder": holder,
            "face_fen": face_fen,
            "from": start,
            "until": until,
            "suspended": False,
            "ended": False,
            "revoked": False,
        }

    def _no_voucher_transfer(self, command: Json, at: int) -> Iterator[Reason]:
        yield from self._new_id_reasons(command["party"], command["into"], self.vouchers)
        yield from self._receiver_reasons(command["to"], "holder", Reason.HOLDER_UNKNOWN)
        yield from self._spend_reasons(command, at)
        voucher = self.vouchers.get(command["voucher"])
        if voucher is None:
            return
        programme = self.programmes[voucher["programme"]]
        if programme["transfer"] == "forbidden":
            yield Reason.TRANSFER_FORBIDDEN
        if command["to"] == voucher["holder"]:
            yield Reason.TRANSFER_TO_ONESELF
        if self.granted(voucher["programme"], command["to"]) + command["amount_fen"] > programme["holder_cap_fen"]:
            yield Reason.EXCEEDS_HOLDER_CAP

    def _spend_reasons(self, command: Json, at: int) -> Iterator[Reason]:
        voucher = self.vouchers.get(command["voucher"])
        if voucher is None:
            yield Reason.VOUCHER_UNKNOWN
            return
        if voucher["holder"] != command["party"]:
            yield Reason.NOT_OWN_VOUCHER
        if voucher["suspended"]:
            yield Reason.VOUCHER_SUSPENDED
        if self._over(voucher, at):
            yield Reason.VOUCHER_ENDED
        if command["amount_fen"] > self.balance("available", command["voucher"]):
            yield Reason.EXCEEDS_AVAILABLE_BALANCE

    def _do_voucher_transfer(self, command: Json, at: int) -> Json:
        old = self.vouchers[command["voucher"]]
        amount_fen = command["amount_fen"]
        self._make_voucher(command["into"], old["programme"], command["to"], amount_fen, old["from"], old["until"])
        self._post(("available", command["voucher"]), ("available", command["into"]), amount_fen)
        self.grants.append((old["programme"], old["holder"], -command["amount_fen"]))
        self.grants.append((old["programme"], command["to"], command["amount_fen"]))
        return {}

    def _no_voucher_suspend(self, command: Json, at: int) -> Iterator[Reason]:
        voucher = self.vouchers.get(command["voucher"])
        if voucher is None:
            yield Reason.VOUCHER_UNKNOWN
            return
        if self.programmes[voucher["programme"]]["party"] != command["party"]:
            yield Reason.NOT_OWN_PROGRAMME
        kind = command["kind"]
        if kind == "voucher.suspend/1" and voucher["suspended"]:
            yield Reason.VOUCHER_SUSPENDED
        if kind == "voucher.resume/1" and not voucher["suspended"]:
            yield Reason.VOUCHER_NOT_SUSPENDED
        if kind == "voucher.lapse/1":
            if voucher["ended"]:
                yield Reason.VOUCHER_ENDED
            if at < voucher["until"]:
                yield Reason.VOUCHER_NOT_OVER
        elif self._over(voucher, at):
            yield Reason.VOUCHER_ENDED

    _no_voucher_resume = _no_voucher_suspend
    _no_voucher_revoke = _no_voucher_suspend
    _no_voucher_lapse = _no_voucher_suspend

    def _do_voucher_suspend(self, command: Json, at: int) -> Json:
        self.vouchers[command["voucher"]]["suspended"] = command["kind"] == "voucher.suspend/1"
        return {}

    _do_voucher_resume = _do_voucher_suspend

    def _do_voucher_revoke(self, command: Json, at: int) -> Json:
        voucher = self.vouchers[command["voucher"]]
        left_fen = self.balance("available", command["voucher"])
        voucher["ended"], voucher["suspended"] = True, False
        self._post(("available", command["voucher"]), ("unissued", voucher["programme"]), left_fen)
        voucher["revoked"] = command["kind"] == "voucher.revoke/1"
        self._take_from_grant(voucher, left_fen)
        return {"returned_fen": left_fen}

    def _take_from_grant(self, voucher: Json, amount_fen: int) -> None:
        """What goes back to the programme was not granted after all if the voucher was revoked; if it lapsed it was."""
        if voucher["revoked"]:
            self.grants.append((voucher["programme"], voucher["holder"], -amount_fen))

    _do_voucher_lapse = _do_voucher_revoke

    # -- reservations -------------------------------------------------------------------------------------------------

    def _no_voucher_reserve(self, command: Json, at: int) -> Iterator[Reason]:
        yield from self._new_id_reasons(command["party"], command["reservation"], self.reservations)
        yield from self._receiver_reasons(command["provider"], "provider", Reason.PROVIDER_UNKNOWN)
        yield from self._spend_reasons(command, at)
        if instant(command["until"]) <= at:
            yield Reason.WINDOW_INVALID
        voucher = self.vouchers.get(command["voucher"])
        if voucher is None:
            return
        if instant(command["until"]) > voucher["until"]:
            yield Reason.RESERVATION_OUTLIVES_VOUCHER
        if not self._accreditations_at(voucher["programme"], command["provider"], at):
            yield Reason.PROVIDER_NOT_ACCREDITED

    def _do_voucher_reserve(self, command: Json, at: int) -> Json:
        voucher = self.vouchers[command["voucher"]]
        self.reservations[command["reservation"]] = {
            "voucher": command["voucher"],
            "programme": voucher["programme"],
            "holder": voucher["holder"],
            "provider": command["provider"],
            "until": instant(command["until"]),
            "released": False,
        }
        self._post(("available", command["voucher"]), ("reserved", command["reservation"]), command["amount_fen"])
        return {}

    def _no_reservation_release(self, command: Json, at: int) -> Iterator[Reason]:
        held = self.reservations.get(command["reservation"])
        if held is None:
            yield Reason.RESERVATION_UNKNOWN
            return
        if command["party"] not in (held["holder"], held["provider"]):
            yield Reason.NOT_OWN_RESERVATION
        if held["released"]:
            yield Reason.RESERVATION_CLOSED
        grace = self.network["release_grace_seconds"] * SECOND
        if command["party"] == held["holder"] and at < held["until"] + grace:
            yield Reason.RESERVATION_NOT_OVER

    def _do_reservation_release(self, command: Json, at: int) -> Json:
        held = self.reservations[command["reservation"]]
        held["released"] = True
        left_fen = self.balance("reserved", command["reservation"])
        to = self._give_back(held, left_fen)
        self._post(("reserved", command["reservation"]), to, left_fen)
        return {"released_fen": left_fen, "to": "voucher" if to[0] == "available" else "programme"}

    def _give_back(self, held: Json, amount_fen: int) -> Account:
        voucher = self.vouchers[held["voucher"]]
        if not voucher["ended"]:
            return "available", held["voucher"]
        self._take_from_grant(voucher, amount_fen)
        return "unissued", held["programme"]

    # -- GPU-time -----------------------------------------------------------------------------------------------------

    def _no_time_burn(self, command: Json, at: int) -> Iterator[Reason]:
        if not self._is(command["holder"], "holder"):
            yield Reason.HOLDER_UNKNOWN

    def _do_time_burn(self, command: Json, at: int) -> Json:
        outcome: Json = {"fee_fen": [], "from_voucher_fen": [], "refused": []}
        self.statements[command["party"], command["ref"]] = {"at": at, "index": len(self.entries)}
        for number, line in enumerate(command["lines"]):
            prices = self._price(command["party"], line)
            reason = first_reason(self._line_reasons(command, line, prices, at))
            if reason is not None:
                outcome["refused"].append([number, reason.value])
                prices = (0, 0)
            else:
                assert prices is not None, "a line without a price has a reason"
                prices = prices[0], min(prices[1], self.balance("reserved", line["reservation"]))
                self._burn(command, number, line, prices[1], at)
            assert prices is not None
            outcome["fee_fen"].append(prices[0])
            outcome["from_voucher_fen"].append(prices[1])
        return outcome

    def _price(self, provider: str, line: Json) -> tuple[int, int] | None:
        """The fee and what of it the voucher should cover, in fen; None if something that it hangs on is missing."""
        held = self.reservations.get(line["reservation"])
        valid = [one for one in self._tariffs_of(provider, line["item"]) if one["from"] <= instant(line["from"])]
        if held is None or not valid or line["item"] not in self.items:
            return None
        programme = self.programmes[held["programme"]]
        price = max(valid, key=lambda one: int(one["from"]))["price"]
        domestic = self.items[line["item"]].get("origin") == "domestic"
        share_bp = programme["share_bp_domestic" if domestic else "share_bp_foreign"]
        fee_fen = fee(line["gpu_milli"], line["seconds"], price, programme["rounding_fen"])
        return fee_fen, covered(fee_fen, share_bp, programme["rounding_fen"])

    def _line_reasons(self, command: Json, line: Json, prices: tuple[int, int] | None, at: int) -> Iterator[Reason]:
        provider, start, end = command["party"], instant(line["from"]), instant(line["to"])
        if line["item"] not in self.items:
            yield Reason.ITEM_UNKNOWN
        elif self.items[line["item"]]["unit"] != "gpu_time":
            yield Reason.ITEM_NOT_GPU_TIME
        if end <= start or line["seconds"] * SECOND > end - start:
            yield Reason.INTERVAL_INVALID
        if end > at:
            yield Reason.JOB_TIME_IN_THE_FUTURE
        if start < at - self.network["burn_window_seconds"] * SECOND:
            yield Reason.JOB_TIME_TOO_LONG_AGO
        if "corrects" in line:
            if not self._is_founded(provider, line):
                yield Reason.CORRECTION_UNFOUNDED
        elif any(self._day_of(end) <= last_day for last_day in self.seals.values()):
            yield Reason.PERIOD_SEALED
        if not any(one["from"] <= start for one in self._tariffs_of(provider, line["item"])):
            yield Reason.TARIFF_MISSING
        for other in self.lines:
            same_job = (other["provider"], other["job"]) == (provider, line["job"])
            if same_job and not other["reversed"] and start < other["to"] and other["from"] < end:
                yield Reason.JOB_TIME_ALREADY_BURNED
        held = self.reservations.get(line["reservation"])
        if held is None:
            yield Reason.RESERVATION_UNKNOWN
            return
        if held["provider"] != provider:
            yield Reason.RESERVATION_IS_FOR_ANOTHER_PROVIDER
        if held["holder"] != command["holder"]:
            yield Reason.RESERVATION_IS_FOR_ANOTHER_HOLDER
        if held["released"]:
            yield Reason.RESERVATION_CLOSED
        qualified = self.programmes[held["programme"]]["items"]
        if qualified and line["item"] not in qualified:
            yield Reason.ITEM_NOT_QUALIFIED
        if start < self.vouchers[held["voucher"]]["from"]:
            yield Reason.OUTSIDE_VOUCHER_VALIDITY
        if end > held["until"]:
            yield Reason.OUTSIDE_RESERVATION
        accredited = self._accreditations_at(held["programme"], provider, start)
        if not any(one["until"] is None or end <= one["until"] for one in accredited):
            yield Reason.PROVIDER_NOT_ACCREDITED
        left_fen = self.balance("reserved", line["reservation"])
        if prices is not None and prices[1] > left_fen and not (line.get("if_short") == "drain" and left_fen > 0):
            yield Reason.EXCEEDS_RESERVATION

    def _is_founded(self, provider: str, line: Json) -> bool:
        old = self._line_of({"party": provider} | line["corrects"])
        return (
            old is not None
            and old["reversed"]
            and old["job"] == line["job"]
            and old["from"] <= instant(line["from"])
            and instant(line["to"]) <= old["to"]
        )

    def _burn(self, command: Json, number: int, line: Json, amount_fen: int, at: int) -> None:
        held = self.reservations[line["reservation"]]
        payee = self.programmes[held["programme"]]["payee"]
        end = instant(line["to"])
        kept = {
            "index": len(self.entries),
            "statement": command["ref"],
            "number": number,
            "provider": command["party"],
            "reservation": line["reservation"],
            "programme": held["programme"],
            "claimant": command["party"] if payee == "provider" else held["holder"],
            "job": line["job"],
            "item": line["item"],
            "from": instant(line["from"]),
            "to": end,
            "day": self._day_of(end),
            "amount_fen": amount_fen,
            "reversed": False,
            "claim": None,
            "ever_claimed": False,
        }
        self.lines.append(kept)
        self._post(("reserved", line["reservation"]), ("burned", held["programme"]), amount_fen)

    def _day_of(self, at: int) -> int:
        return int((at + self.network["utc_offset_seconds"] * SECOND) // DAY)

    def _no_burn_reverse(self, command: Json, at: int) -> Iterator[Reason]:
        statement = self.statements.get((command["party"], command["statement"]))
        if statement is None or statement["at"] < at - self.network["burn_window_seconds"] * SECOND:
            yield Reason.STATEMENT_UNKNOWN
        line = self._line_of(command)
        if line is None:
            yield Reason.LINE_UNKNOWN
            return
        if line["reversed"]:
            yield Reason.LINE_ALREADY_REVERSED
        if line["claim"] is not None:
            yield Reason.LINE_ALREADY_CLAIMED

    def _line_of(self, command: Json) -> Json | None:
        """The accepted line that a party means by `statement` and `line`."""
        statement = self.statements.get((command["party"], command["statement"]))
        for line in self.lines:
            if statement is not None and (line["index"], line["number"]) == (statement["index"], command["line"]):
                return line
        return None

    def _do_burn_reverse(self, command: Json, at: int) -> Json:
        line = self._line_of(command)
        assert line is not None, "refused otherwise"
        line["reversed"] = True
        held = self.reservations[line["reservation"]]
        to = ("reserved", line["reservation"])
        if held["released"]:
            to = self._give_back(held, line["amount_fen"])
        self._post(("burned", line["programme"]), to, line["amount_fen"])
        words = {"reserved": "reservation", "available": "voucher", "unissued": "programme"}
        return {"returned_fen": line["amount_fen"], "to": words[to[0]]}

    # -- settlement ---------------------------------------------------------------------------------------------------

    def _claimable(self, command: Json) -> list[Json]:
        first_day, last_day = day(command["first_day"]), day(command["last_day"])
        return [
            line
            for line in self.lines
            if (line["programme"], line["claimant"]) == (command["programme"], command["party"])
            and not line["reversed"]
            and line["claim"] is None
            and first_day <= line["day"] <= last_day
        ]

    def _no_redemption_claim(self, command: Json, at: int) -> Iterator[Reason]:
        yield from self._new_id_reasons(command["party"], command["claim"], self.claims)
        if command["programme"] not in self.programmes:
            yield Reason.PROGRAMME_UNKNOWN
        elif self.programmes[command["programme"]]["payee"] != self.parties[command["party"]]["role"]:
            yield Reason.NOT_THE_PAYEE
        if day(command["last_day"]) < day(command["first_day"]):
            yield Reason.CLAIM_PERIOD_INVALID
        if self._day_of(at) <= day(command["last_day"]):
            yield Reason.CLAIM_PERIOD_NOT_OVER
        if not sum(line["amount_fen"] for line in self._claimable(command)):
            yield Reason.NOTHING_TO_CLAIM

    def _do_redemption_claim(self, command: Json, at: int) -> Json:
        lines = self._claimable(command)
        amount_fen = sum(line["amount_fen"] for line in lines)
        for line in lines:
            line["claim"], line["ever_claimed"] = command["claim"], True
        self.claims[command["claim"]] = {
            "programme": command["programme"],
            "claimant": command["party"],
            "amount_fen": amount_fen,
            "status": "open",
        }
        self._post(("burned", command["programme"]), ("claimed", command["claim"]), amount_fen)
        return {"amount_fen": amount_fen}

    def _no_redemption_pay(self, command: Json, at: int) -> Iterator[Reason]:
        claim = self.claims.get(command["claim"])
        if claim is None:
            yield Reason.CLAIM_UNKNOWN
            return
        if self.programmes[claim["programme"]]["party"] != command["party"]:
            yield Reason.NOT_OWN_PROGRAMME
        if claim["status"] != "open":
            yield Reason.CLAIM_ALREADY_SETTLED
        if command.get("amount_fen", claim["amount_fen"]) != claim["amount_fen"]:
            yield Reason.AMOUNT_DIFFERS_FROM_CLAIM

    _no_redemption_reject = _no_redemption_pay

    def _do_redemption_pay(self, command: Json, at: int) -> Json:
        claim = self.claims[command["claim"]]
        claim["status"] = "paid"
        self._post(("claimed", command["claim"]), ("paid", command["claim"]), claim["amount_fen"])
        return {}

    def _do_redemption_reject(self, command: Json, at: int) -> Json:
        claim = self.claims[command["claim"]]
        claim["status"] = "rejected"
        for line in self.lines:
            if line["claim"] == command["claim"]:
                line["claim"] = None
        self._post(("claimed", command["claim"]), ("burned", claim["programme"]), claim["amount_fen"])
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
        return {"accounts": len(leaves), "root": merkle_root([leaf.encode() for leaf in leaves]).hex()}

    def leaves(self) -> list[str]:
        """The text of each account's leaf, in the order of the accounts' names."""
        accounts = self.account_balances()
        touched_by: dict[str, list[int]] = {name: [] for name in accounts}
        for index in range(len(self.entries)):
            for name in self.touched(index):
                touched_by[name].append(index)
        return [
            canonical(
                {
                    "account": name,
                    "balances": {kind: sum_value(fen) for kind, fen in accounts[name].items()},
                    "entries": len(touched_by[name]),
                    "running_sha256": running_sha256(touched_by[name]),
                }
            )
            for name in sorted(accounts, key=str.encode)
        ]

    def account_balances(self) -> dict[str, dict[str, int]]:
        """The balances of every account by its name, in fen, summed from the first posting on."""
        sums = self.balances()
        accounts: dict[str, dict[str, int]] = {}
        for name in self.vouchers:
            accounts["voucher " + name] = self._voucher_balances(name, sums)
        for name, party in self.parties.items():
            if party["role"] in ("holder", "provider"):
                accounts[f"{party['role']} {name}"] = self._payee_balances(name)
            if party["role"] == "holder":
                owned = [accounts["voucher " + one] for one in self.vouchers if self.vouchers[one]["holder"] == name]
                for kind in ("available_fen", "burned_fen", "reserved_fen"):
                    accounts["holder " + name][kind] = sum(one[kind] for one in owned)
        for name, programme in self.programmes.items():
            book = {f"{kind}_fen": fen for kind, fen in self.book(name, sums).items()}
            accounts["programme " + name] = book | {"envelope_fen": programme["envelope_fen"]}
        return accounts

    def _voucher_balances(self, voucher: str, sums: Counter[Account]) -> dict[str, int]:
        held = [name for name, one in self.reservations.items() if one["voucher"] == voucher]
        burned = [line["amount_fen"] for line in self.lines if line["reservation"] in held and not line["reversed"]]
        return {
            "available_fen": sums["available", voucher],
            "burned_fen": sum(burned),
            "face_fen": self.vouchers[voucher]["face_fen"],
            "reserved_fen": sum(sums["reserved", name] for name in held),
        }

    def _payee_balances(self, party: str) -> dict[str, int]:
        mine = [line for line in self.lines if line["claimant"] == party and not line["reversed"]]
        claims = [claim for claim in self.claims.values() if claim["claimant"] == party]
        return {
            "unclaimed_fen": sum(line["amount_fen"] for line in mine if line["claim"] is None),
            "claimed_fen": sum(claim["amount_fen"] for claim in claims if claim["status"] == "open"),
            "paid_fen": sum(claim["amount_fen"] for claim in claims if claim["status"] == "paid"),
        }

    def touched(self, index: int) -> set[str]:
        """The names of the accounts that an entry touches, each once."""
        command = self.entries[index]["command"]
        match command["kind"].removesuffix("/1"):
            case "party.admit" | "party.suspend" | "party.reinstate" | "key.add" | "key.revoke":
                return self._party_account(command.get("subject") or command["admitted"])
            case "tariff.publish" | "capacity.declare" | "party.amend":
                return self._party_account(command["party"])
            case "record.withdraw":
                record = command["record"]
                if record["type"] == "accreditation":
                    return {"programme " + record["programme"], "provider " + record["provider"]}
                return {"provider " + command["party"]}
            case "programme.open" | "programme.close":
                return {"programme " + command["programme"]}
            case "provider.accredit" | "provider.delist":
                return {"programme " + command["programme"], "provider " + command["provider"]}
            case "application.file" | "application.withdraw":
                asked = self.applications[command["application"]]
                return {"holder " + asked["party"], "programme " + asked["programme"]}
            case "voucher.issue" | "voucher.suspend" | "voucher.resume" | "voucher.revoke" | "voucher.lapse":
                return self._voucher_accounts(command["voucher"])
            case "voucher.transfer":
                return self._voucher_accounts(command["voucher"]) | self._voucher_accounts(command["into"])
            case "voucher.reserve" | "reservation.release":
                return self._reservation_accounts(command["reservation"])
            case "burn.reverse":
                return self._reservation_accounts(self._line_reversed_by(index)["reservation"])
            case "time.burn":
                return self._statement_accounts(index)
            case "redemption.claim" | "redemption.pay" | "redemption.reject":
                claim = self.claims[command["claim"]]
                return {"programme " + claim["programme"]} | self._party_account(claim["claimant"])
        return set()

    def _party_account(self, party: str) -> set[str]:
        role = self.parties[party]["role"]
        return {f"{role} {party}"} if role in ("holder", "provider") else set()

    def _voucher_accounts(self, name: str) -> set[str]:
        voucher = self.vouchers[name]
        return {"voucher " + name, "holder " + voucher["holder"], "programme " + voucher["programme"]}

    def _reservation_accounts(self, name: str) -> set[str]:
        held = self.reservations[name]
        return self._voucher_accounts(held["voucher"]) | {"provider " + held["provider"]}

    def _line_reversed_by(self, index: int) -> Json:
        """The line as its provider stated it, in the newest statement of that `ref` before the reversal."""
        reversal = self.entries[index]["command"]
        for entry in self.entries[:index][::-1]:
            command = entry["command"]
            wanted = "time.burn/1", reversal["party"], reversal["statement"]
            if (command["kind"], command["party"], command["ref"]) == wanted:
                line: Json = command["lines"][reversal["line"]]
                return line
        raise AssertionError("nothing is reversed that was not burned")

    def _statement_accounts(self, index: int) -> set[str]:
        command, outcome = self.entries[index]["command"], self.entries[index]["outcome"]
        accounts = {"provider " + command["party"], "holder " + command["holder"]}
        refused = [number for number, _ in outcome["refused"]]
        for number, line in enumerate(command["lines"]):
            if number not in refused:
                held = self.reservations[line["reservation"]]
                accounts |= {"voucher " + held["voucher"], "programme " + held["programme"]}
        return accounts
