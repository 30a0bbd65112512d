"""What treasuries do in a year beside issuing and paying, each on its day, where the cast allows it.

    day
      3  a city brings along a voucher from before the log: one officer alone can't
     28  another lets a platform issue small vouchers for it, within a mandate
     29  the platform issues one, and can't issue what is more than the mandate's limit
    100  the city ends the mandate; what the platform tries by it after that is refused
    130  a third raises its programme's envelope, and its share from day 150 on for what it issues from then on;
         it can't amend from today on, nor lower the envelope below what is issued
    200  a programme is ended early: nothing more is issued
all of it signed by as many officers as the rules ask for.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from tallystick.demo import cast
from tallystick.demo.attestations import evidence_hash
from tallystick.demo.contracts import FEN
from tallystick.demo.dated import DatedActs
from tallystick.demo.programmes import programme_rules
from tallystick.demo.year import instant
from tallystick.ledger import Admitted
from tallystick.vouchers.quantities import format_day, format_instant

IMPORTED_FEN: Final = 300_000 * FEN
USED_FEN: Final = 120_000 * FEN
DAYS_BEFORE_LOG: Final = 40
SMALL_FEN: Final = 250_000 * FEN
EACH_FEN: Final = 300_000 * FEN
TOTAL_FEN: Final = 400_000 * FEN
RAISED_BY_FEN: Final = 10_000_000 * FEN
MORE_PER_CENT: Final = 10


class TreasuryActs(DatedActs):
    """Amendments, a mandate, and a voucher from before the log."""

    def acts(self) -> Mapping[int, Callable[[], None]]:
        """Each on its day."""
        return {
            3: self._import_a_voucher,
            28: self._give_a_mandate,
            29: self._issue_by_mandate,
            100: self._end_the_mandate,
            130: self._amend_a_programme,
            200: self._end_a_programme,
        }

    def _import_a_voucher(self) -> None:
        startup = self.network.startup_where(days_before_log=60)
        if startup is None:
            return
        city = startup.city
        voucher = f"{city.treasury}/{startup.party}-before-the-log"
        valid_from = self.day(-DAYS_BEFORE_LOG)
        fields = {
            "voucher": voucher,
            "programme": city.programme(city.programmes[0]),
            "holder": startup.party,
            "face_fen": IMPORTED_FEN,
            "used_fen": USED_FEN,
            "valid_from": format_instant(instant(valid_from)),
            "valid_until": format_instant(instant(valid_from + cast.VALIDITY_DAYS)),
            "evidence_hash": evidence_hash(self.seed, voucher),
        }
        officers = self.stage.keys.keys_of(city.treasury)
        for keys in (officers[:1], officers):
            answer = self.stage.submit(self.stage.note(city.treasury, "voucher.import", fields, keys=keys))[0]
            if isinstance(answer, Admitted):
                startup.vouchers.append(voucher)
                self.stage.tally.carried_over_fen[city.treasury] += USED_FEN

    def _give_a_mandate(self) -> None:
        city = self.startups[0].city
        self.stage.act(
            city.treasury,
            "mandate.give",
            mandate=self._mandate(),
            operator=cast.PLATFORM,
            kinds=["voucher.issue/1"],
            programme=city.programme(city.programmes[0]),
            each_fen=EACH_FEN,
            total_fen=TOTAL_FEN,
            until=format_instant(instant(self.day(300))),
        )

    def _mandate(self) -> str:
        return f"{self.startups[0].city.treasury}/small-vouchers"

    def _issue_by_mandate(self) -> None:
        """Twice the same amount, of which the mandate's limit in all leaves room for one."""
        self._issue_small(1)
        self._issue_small(2)

    def _issue_small(self, number: int) -> None:
        startup = self.startups[0]
        fields = {
            "mandate": self._mandate(),
            "voucher": f"{cast.PLATFORM}/{startup.party}-small-{number}",
            "programme": startup.city.programme(startup.city.programmes[0]),
            "holder": startup.party,
            "face_fen": SMALL_FEN,
            "valid_from": format_instant(self.stage.now),
        }
        if isinstance(self.stage.act(cast.PLATFORM, "voucher.issue", **fields), Admitted):
            startup.vouchers.append(str(fields["voucher"]))

    def _end_the_mandate(self) -> None:
        reason = "the treasury issues small vouchers itself again"
        self.stage.act(self.startups[0].city.treasury, "mandate.end", mandate=self._mandate(), reason=reason)
        self._issue_small(3)

    def _amend_a_programme(self) -> None:
        """What was issued before keeps its share."""
        startup = self.network.startup_where(transfer="approved")
        if startup is None:
            return
        city, terms = startup.city, startup.city.programmes[0]
        amended = replace(
            terms, shares=tuple([replace(one, per_cent=one.per_cent + MORE_PER_CENT) for one in terms.shares])
        )
        rules = programme_rules(amended, self.year)
        head = {"programme": city.programme(terms), "reason": "the council's decision of the second quarter"}
        more_fen = terms.envelope_yuan * FEN + RAISED_BY_FEN
        self.stage.act(city.treasury, "programme.amend", **head, rules=rules, rules_from=format_day(self.day(130)))
        self.stage.act(city.treasury, "programme.amend", **head, envelope_fen=1)
        fields = {"envelope_fen": more_fen, "rules": rules, "rules_from": format_day(self.day(150))}
        self.stage.act(city.treasury, "programme.amend", **head, **fields)

    def _end_a_programme(self) -> None:
        city = self.startups[-1].city
        self.stage.act(
            city.treasury,
            "programme.amend",
            programme=city.programme(city.programmes[0]),
            reason="applications are closed for the year",
            closes_at=format_instant(instant(self.day(201))),
        )
