"""What goes wrong in a year, and how it is put right: each incident on its day, where the cast allows it.

    day
     18  a voucher is issued twice for one contract, and revoked on day 23
     38  a start-up passes on a part of its voucher where the programme is open
     39  another tries it where transfers are forbidden, and is refused
     40  a start-up's reservation is too short: it adds to it, and lets it end later
     45  a third needs its treasury's signature: refused without, recorded with it
     52  a voucher is suspended, can't be reserved, and is resumed on day 57
     60  a cluster misdates a price: refused where it lies too far ahead, and withdrawn where it doesn't
     61  the network admits an attester under a misspelt id, and withdraws it
     63  the operator records what another log has signed; a smaller checkpoint after it is refused
     66  a cluster takes a line back
     75  a cluster replaces its meter's key; what the old key signs after that is refused
     77  another cluster's key is rotated, in one entry that both keys sign
     78  a city lets one officer alone sign half as much as before
     80  the network suspends a cluster, whose statements are refused, and reinstates it on day 82; they are sent again
     95  a start-up wants a reservation back while it runs, and is refused
    110  a city delists a cluster from day 115 on: what it computes there afterwards is refused
    120  a start-up and a cluster end their contract early, from day 130 on; the start-up alone can't
    140  a start-up says that it gets more support from elsewhere: that comes before what its programmes pay
    150  a cap is exceeded, and refused
    180  a late voucher, good for the next year too
What goes wrong with claims and payments: settling.py.
"""

import hashlib
from collections.abc import Callable, Mapping

from tallystick.demo import cast, market
from tallystick.demo.contracts import FEN, OTHER_SUPPORT_YUAN, contract_id
from tallystick.demo.dated import DatedActs
from tallystick.demo.founding import Startup
from tallystick.demo.year import instant
from tallystick.ledger import Admitted
from tallystick.signing.keys import SigningKey
from tallystick.transparency.checkpoint import Checkpoint, sign_checkpoint
from tallystick.vouchers.quantities import DAY_US, format_day, format_instant

PART_FEN = 200_000 * FEN
LATE_FEN = 500_000 * FEN
EXTENDED_FEN = 30_000 * FEN
EXTENDED_BY_US = 10 * DAY_US


class Incidents(DatedActs):
    """The incidents of a founded network."""

    def acts(self) -> Mapping[int, Callable[[], None]]:
        """Each on its day."""
        return {
            18: self._issue_twice,
            23: self._revoke_the_second,
            38: self._pass_on_where_open,
            39: self._pass_on_where_forbidden,
            40: self._extend_a_reservation,
            45: self._pass_on_where_approved,
            52: self._suspend_voucher,
            57: self._resume_voucher,
            60: self._misdate_a_price,
            61: self._admit_by_mistake,
            63: self._record_another_log,
            66: self._take_a_line_back,
            75: self._replace_a_key,
            77: self._rotate_a_key,
            78: self._amend_a_treasury,
            80: self._suspend_a_cluster,
            82: self._reinstate_it,
            95: self._release_too_early,
            110: self._delist_a_cluster,
            120: self._end_a_contract,
            140: self._raise_other_support,
            150: self._exceed_a_cap,
            180: self._issue_late,
        }

    def _issue(self, startup: Startup, voucher: str, face_fen: int) -> bool:
        """Let a start-up's treasury issue it another voucher under its city's first programme; both officers sign."""
        city = startup.city
        fields = {
            "voucher": f"{city.treasury}/{voucher}",
            "programme": city.programme(city.programmes[0]),
            "holder": startup.party,
            "face_fen": face_fen,
            "valid_from": format_instant(self.stage.now),
        }
        return isinstance(self.stage.act(city.treasury, "voucher.issue", **fields), Admitted)

    def _issue_twice(self) -> None:
        self._issue(self.startups[0], "issued-twice", PART_FEN)

    def _revoke_the_second(self) -> None:
        treasury = self.startups[0].city.treasury
        reason = "issued twice for one contract"
        self.stage.act(treasury, "voucher.revoke", voucher=f"{treasury}/issued-twice", reason=reason)

    def _pass_on(self, startup: Startup | None, *, approved: bool = False) -> None:
        """Let a start-up pass on a part of its first voucher, with its treasury's signature or without."""
        if startup is None or len(self.startups) < 2:
            return
        receiver = self.startups[(self.startups.index(startup) + 1) % len(self.startups)]
        part = f"{startup.party}/part-for-{receiver.party}"
        fields = {"voucher": startup.vouchers[0], "into": part, "to": receiver.party, "amount_fen": PART_FEN}
        keys = self.stage.keys.keys_of(startup.party)
        if approved:
            keys = (*keys, *self.stage.keys.keys_of(startup.city.treasury))
        answer = self.stage.submit(self.stage.note(startup.party, "voucher.transfer", fields, keys=keys))[0]
        if isinstance(answer, Admitted):
            receiver.vouchers.append(part)

    def _pass_on_where_open(self) -> None:
        self._pass_on(self.network.startup_where(transfer="open"))

    def _pass_on_where_forbidden(self) -> None:
        self._pass_on(self.network.startup_where(transfer="forbidden"))

    def _extend_a_reservation(self) -> None:
        state = self.stage.state
        for name, reservation in state.reservations.items():
            ends_at = state.ends_of(reservation)
            if reservation.holder == self.startups[0].party and not reservation.closed and ends_at > self.stage.now:
                until = format_instant(ends_at + EXTENDED_BY_US)
                fields = {"reservation": name, "amount_fen": EXTENDED_FEN, "until": until}
                self.stage.act(reservation.holder, "reservation.extend", **fields)
                return

    def _pass_on_where_approved(self) -> None:
        startup = self.network.startup_where(transfer="approved")
        self._pass_on(startup)
        self._pass_on(startup, approved=True)

    def _suspend_voucher(self) -> None:
        """A suspended voucher stays with what is reserved of it; nothing new can be reserved."""
        startup = self.startups[0]
        voucher = startup.vouchers[0]
        self.stage.act(
            startup.city.treasury, "voucher.suspend", voucher=voucher, reason="the district checks an invoice"
        )
        self.stage.act(
            startup.party,
            "voucher.reserve",
            reservation=f"{startup.party}/while-suspended",
            voucher=voucher,
            contract=contract_id(startup.party, startup.providers[0]),
            amount_fen=PART_FEN,
            until=format_instant(instant(self.year.first_day + 58)),
        )

    def _resume_voucher(self) -> None:
        startup = self.startups[0]
        reason = "the invoice is in order"
        self.stage.act(startup.city.treasury, "voucher.resume", voucher=startup.vouchers[0], reason=reason)

    def _misdate_a_price(self) -> None:
        """A typing error in the year; what lies too far ahead is refused, what doesn't is withdrawn in time."""
        cluster = market.CLUSTERS[2]
        item = cluster.prices_fen[0][0]
        price = {"item": item, "price_fen": 100}
        for days_ahead in (3_660, 360):
            valid_from = format_instant(instant(self.year.first_day + 60 + days_ahead))
            self.stage.act(cluster.party, "tariff.publish", valid_from=valid_from, **price)
        record = {"type": "tariff", "item": item, "valid_from": valid_from}
        self.stage.act(cluster.party, "record.withdraw", record=record)

    def _admit_by_mistake(self) -> None:
        """What no later entry names can be withdrawn; a party that has acted or was named stays."""
        keys = self.stage.keys
        misspelt = keys.create(cast.MISSPELT, "reviewer-1")
        fields = {
            "admitted": cast.MISSPELT,
            "role": "attester",
            "name": "District bureau, in play",
            "keys": [misspelt.verifier.to_text()],
        }
        note = self.stage.note(cast.NETWORK, "party.admit", fields, keys=(*keys.keys_of(cast.NETWORK), misspelt))
        self.stage.submit(note)
        for party in (cast.MISSPELT, cast.BUREAU):
            self.stage.act(cast.NETWORK, "record.withdraw", record={"type": "party", "party": party})

    def _record_another_log(self) -> None:
        """The network is a member of a log, which shows an older checkpoint after a newer one."""
        key = SigningKey.from_seed(cast.WORLD, hashlib.sha256(f"{cast.WORLD} {self.seed}".encode()).digest())
        for size in (1_000, 900):
            checkpoint = Checkpoint(cast.WORLD, size, hashlib.sha256(f"{size} entries".encode()).digest())
            fields = {"checkpoint": sign_checkpoint(checkpoint, key).decode(), "log_vkey": key.verifier.to_text()}
            self.stage.act(cast.OPERATOR, "checkpoint.record", **fields)

    def _take_a_line_back(self) -> None:
        for line in self.stage.newest_lines.values():
            if self.stage.take_back(line, "the job was a test of the cluster's own"):
                return

    def _replace_a_key(self) -> None:
        """The new key is added, the old one revoked; the old one tries once more."""
        provider = market.CLUSTERS[0].party
        (old,) = self.stage.keys.keys_of(provider)
        new = self.stage.keys.create(provider, "meter-2")
        fields = {"subject": provider, "purpose": "sign", "vkey": new.verifier.to_text()}
        self.stage.submit(self.stage.note(provider, "key.add", fields, keys=(old, new)))
        self.stage.keys.use(provider, new)
        reason = "the meter was opened"
        since = format_instant(self.stage.now)
        fields = {"subject": provider, "key": old.verifier.label, "cause": "compromised", "since": since}
        self.stage.act(provider, "key.revoke", **fields, reason=reason)
        price = {
            "item": market.CLUSTERS[0].prices_fen[0][0],
            "price_fen": 1,
            "valid_from": format_instant(instant(self.year.first_day + 76)),
        }
        self.stage.submit(self.stage.note(provider, "tariff.publish", price, keys=(old,)))

    def _rotate_a_key(self) -> None:
        """The other cluster's key is replaced as every year, in one entry that both sign."""
        provider = market.CLUSTERS[1].party
        (old,) = self.stage.keys.keys_of(provider)
        new = self.stage.keys.create(provider, "meter-2")
        fields = {"key": old.verifier.label, "vkey": new.verifier.to_text()}
        self.stage.submit(self.stage.note(provider, "key.rotate", fields, keys=(old, new)))
        self.stage.keys.use(provider, new)

    def _amend_a_treasury(self) -> None:
        """A city lets one officer alone sign half as much as before."""
        city = cast.CITIES[0]
        officers = {
            "threshold_fen": cast.OFFICERS_ABOVE_YUAN * FEN // 2,
            "required": cast.OFFICERS,
            "window_days": cast.OFFICERS_WINDOW_DAYS,
        }
        name = f"{city.name} treasury"
        self.stage.act(city.treasury, "party.amend", name=name, quorum=cast.OFFICERS, officers=officers)

    def _suspend_a_cluster(self) -> None:
        reason = "its licence is being renewed"
        self.stage.act(cast.NETWORK, "party.suspend", subject=market.CLUSTERS[1].party, reason=reason)

    def _reinstate_it(self) -> None:
        reason = "its licence is renewed"
        self.stage.act(cast.NETWORK, "party.reinstate", subject=market.CLUSTERS[1].party, reason=reason)

    def _release_too_early(self) -> None:
        for reservation in self.stage.state.reservations.values():
            if not reservation.closed and reservation.until > self.stage.now:
                self.stage.act(reservation.holder, "reservation.release", reservation=reservation.id)
                return

    def _delist_a_cluster(self) -> None:
        startup = self.startups[-1]
        programme = startup.city.programme(startup.city.programmes[0])
        provider = startup.providers[0]
        self.stage.act(
            startup.city.treasury,
            "provider.delist",
            programme=programme,
            provider=provider,
            valid_until=format_instant(instant(self.year.first_day + 115)),
            reason="related to an applicant",
        )
        self.network.accredited[programme].remove(provider)

    def _end_a_contract(self) -> None:
        startup = self.startups[len(self.startups) // 2]
        last_day = format_day(self.year.first_day + 129)
        self.network.contracts.amend(startup.party, startup.providers[-1], last_day=last_day)

    def _raise_other_support(self) -> None:
        startup = self.startups[0]
        support_fen = 2 * OTHER_SUPPORT_YUAN * FEN
        self.network.contracts.amend(startup.party, startup.providers[0], other_support_fen=support_fen)

    def _exceed_a_cap(self) -> None:
        self._issue(self.startups[0], "too-much", self.startups[0].city.programmes[0].cap_yuan * FEN)

    def _issue_late(self) -> None:
        startup = self.network.startup_where(transfer="approved")
        if startup is not None and self._issue(startup, "late", LATE_FEN):
            startup.vouchers.append(f"{startup.city.treasury}/late")
