"""A year, day by day: reservations by the month, statements by the day, claims by the quarter, lapses at the end.

On each day, by the network's time:

    00:30   on the 1st, start-ups reserve a twelfth of each voucher, spread over the clusters they have contracts with;
            on the 3rd, clusters release what is left of last month's reservations; after a quarter, claims,
            payments and the seal of its books
    01:00   incidents (incidents.py)
    02:00   each cluster sends a statement for each start-up whose jobs ended the day before

Which reservation, cluster and item a job falls to is drawn from the seed and the job. Every job is one line of
one statement; that of a start-up with nothing reserved is sent all the same, and refused.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from zlib import crc32

from tallystick.demo import cast
from tallystick.demo.founding import Network, Startup, evidence_sha256
from tallystick.demo.incidents import Incidents
from tallystick.demo.stage import Stage, Statement
from tallystick.demo.workload import Job
from tallystick.demo.year import Year, instant, report_day
from tallystick.ledger import Admitted
from tallystick.vouchers.quantities import format_day, format_instant

LINES_BY_STATEMENT: Final = 150  # about 250 bytes each, and an entry holds 65,535
EPILOGUE_DAYS: Final = 15
CLAIMS_DAY, REJECTION_DAY, PAYMENT_DAY, SEAL_DAY = 4, 5, 9, 12


@dataclass(frozen=True, slots=True)
class AgreedReservation:
    """A reservation as start-up and provider know it."""

    id: str
    provider: str
    programme: str


class Story:
    """The year of a founded network."""

    def __init__(self, stage: Stage, year: Year, network: Network, jobs: Sequence[Job], seed: int) -> None:
        """Sort the jobs by the day on which they are reported."""
        self.stage = stage
        self.year = year
        self.network = network
        self.seed = seed
        self.incidents = Incidents(stage, year, network, seed)
        self._jobs_by_day: defaultdict[int, list[Job]] = defaultdict(list)
        for job in jobs:
            self._jobs_by_day[report_day(job)].append(job)
        self._agreed: dict[str, list[AgreedReservation]] = {}
        self._unsent: list[Statement] = []
        self._quarter = 0

    def play(self, progress: Callable[[int, int], None]) -> None:
        """Play every day; `progress` is told how many of how many are over."""
        days = range(self.year.first_day, self.year.end_day + EPILOGUE_DAYS)
        for number, day in enumerate(days, start=1):
            self.stage.move_to(instant(day, 30))
            self._act_by_calendar(day)
            self.stage.move_to(instant(day, 60))
            self.incidents.play(day)
            self.stage.move_to(instant(day, 120))
            self._send_statements(day)
            progress(number, len(days))
        assert not self._unsent, "a job's line was never heard"

    def _act_by_calendar(self, day: int) -> None:
        for month, start in enumerate(self.year.month_starts):
            if day == start and day < self.year.end_day:
                self._reserve(month)
            if day == start + 2 and month > 0:
                self._release()
            if month > 0 and (month % 3 == 0 or start == self.year.end_day):
                self._settle(day - start, start - 1)
        if day == self.year.month_starts[6]:
            self._lower_prices(day)
        if day == self.year.end_day + 3:
            self._lapse()

    def _reserve(self, month: int) -> None:
        """Let every start-up reserve for the month what its vouchers allow."""
        wanted: list[tuple[Startup, AgreedReservation, bytes]] = []
        for startup in self.network.startups.values():
            for number, voucher_id in enumerate(startup.vouchers, start=1):
                wanted += self._reservations(startup, voucher_id, f"{self.year.month_name(month)}-{number}", month)
        kept: dict[str, list[AgreedReservation]] = defaultdict(list)
        for (startup, agreed, _), answer in zip(
            wanted, self.stage.submit(*[note for _, _, note in wanted]), strict=True
        ):
            if isinstance(answer, Admitted):
                kept[startup.party].append(agreed)
        # Who could reserve nothing goes on with what it had; its lines will be refused.
        self._agreed.update(kept)

    def _reservations(
        self, startup: Startup, voucher_id: str, name: str, month: int
    ) -> Iterator[tuple[Startup, AgreedReservation, bytes]]:
        """Yield one voucher's reservations for a month, one a cluster."""
        state = self.stage.state
        voucher = state.vouchers[voucher_id]
        accredited = self.network.accredited[voucher.programme]
        providers = [provider for provider in startup.providers if provider in accredited] or accredited[:2]
        amount_fen = min(voucher.face_fen // 12, state.book["available", voucher_id]) // len(providers)
        until = min(instant(self.year.month_starts[month + 1]), voucher.valid_until)
        if amount_fen == 0 or until <= self.stage.now or voucher.has_ended:
            return
        for provider in providers:
            agreed = AgreedReservation(f"{startup.party}/{name}-{provider}", provider, voucher.programme)
            fields = {
                "reservation": agreed.id,
                "voucher": voucher_id,
                "provider": provider,
                "amount_fen": amount_fen,
                "until": format_instant(until),
            }
            yield startup, agreed, self.stage.note(startup.party, "voucher.reserve", fields)

    def _release(self) -> None:
        """Let clusters release what is left of reservations that are over."""
        over = [
            reservation
            for reservation in self.stage.state.reservations.values()
            if not reservation.closed
            and self.stage.state.book["reserved", reservation.id]
            and reservation.until <= self.stage.now
        ]
        self.stage.submit(
            *[
                self.stage.note(reservation.provider, "reservation.release", {"reservation": reservation.id})
                for reservation in over
            ]
        )

    def _send_statements(self, day: int) -> None:
        """Send the day's statements, and again those that found no hearing before."""
        lines: defaultdict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
        for job in self._jobs_by_day.pop(day, ()):
            agreed = self._reservation_for(job)
            lines[agreed.provider, job.startup].append(self._line(job, agreed))
        statements = self._unsent
        for (provider, startup), all_lines in sorted(lines.items(), key=lambda item: item[0]):
            for part, first in enumerate(range(0, len(all_lines), LINES_BY_STATEMENT), start=1):
                ref = f"{format_day(day)}/{startup}/{part}"
                some = all_lines[first : first + LINES_BY_STATEMENT]
                statements.append(self.stage.statement(provider, startup, ref, some))
        if statements:
            self._unsent = self.stage.submit_statements(statements)

    def _reservation_for(self, job: Job) -> AgreedReservation:
        """Return the reservation that a job falls to; one that was never made, if its start-up has none."""
        reservations = self._agreed.get(job.startup)
        if reservations:
            return reservations[self._draw(job) % len(reservations)]
        startup = self.network.startups[job.startup]
        provider = startup.providers[self._draw(job) % len(startup.providers)]
        return AgreedReservation(f"{job.startup}/none", provider, startup.city.programme(startup.city.programmes[0]))

    def _line(self, job: Job, agreed: AgreedReservation) -> dict[str, Any]:
        offered = [item for item, _ in cast.CLUSTER_OF[agreed.provider].prices_fen]
        if self.network.terms[agreed.programme].domestic_only:
            offered = [item for item in offered if item in cast.DOMESTIC]
        line: dict[str, Any] = {
            "reservation": agreed.id,
            "job": job.id,
            "item": offered[(self._draw(job) >> 16) % len(offered)],
            "gpu_milli": job.gpu_milli,
            "from": format_instant(job.starts_at),
            "to": format_instant(job.ends_at),
            "seconds": job.seconds,
        }
        if job.drain:
            line["if_short"] = "drain"
        return line

    def _draw(self, job: Job) -> int:
        """Return 32 bits that depend on the seed and the job alone."""
        return crc32(f"{self.seed} {job.startup} {job.id}".encode())

    def _settle(self, days_over: int, last_day: int) -> None:
        """Claim, pay, once reject, and seal, on the days after a quarter that this is done."""
        if days_over == CLAIMS_DAY:
            self._quarter += 1
            self._claim(last_day)
        if days_over == REJECTION_DAY and self._quarter == 1:
            self.incidents.reject_and_claim_again()
        if days_over == PAYMENT_DAY:
            self._pay()
        if days_over == SEAL_DAY:
            self.stage.act(
                cast.OPERATOR, "book.seal", seal=f"{cast.OPERATOR}/q{self._quarter}", last_day=format_day(last_day)
            )

    def _claim(self, last_day: int) -> None:
        """Let everybody claim what was burned until a day and isn't claimed."""
        notes: list[bytes] = []
        state = self.stage.state
        for programme_id, programme in state.programmes.items():
            unclaimed = state.unclaimed.get(programme_id, {})
            for claimant in dict.fromkeys((*programme.claims, *unclaimed)):  # in the order of the first quarter
                if any(day <= last_day for day in unclaimed.get(claimant, ())):
                    claim = f"{claimant}/q{self._quarter}-{programme_id.replace('/', '-')}"
                    fields = {
                        "claim": claim,
                        "programme": programme_id,
                        "first_day": format_day(self.year.first_day),
                        "last_day": format_day(last_day),
                        "evidence_sha256": evidence_sha256(self.seed, claim),
                    }
                    notes.append(self.stage.note(claimant, "redemption.claim", fields))
        self.stage.submit(*notes)

    def _pay(self) -> None:
        """Let treasuries pay all open claims."""
        state = self.stage.state
        notes: list[bytes] = []
        for claim_id, claim in state.claims.items():
            if claim.status == "open":
                fields = {
                    "claim": claim_id,
                    "amount_fen": state.claimed_fen(claim_id),
                    "payment_reference": f"transfer {len(state.claims)}-{len(notes) + 1:03d}",
                }
                notes.append(self.stage.note(state.programmes[claim.programme].treasury, "redemption.pay", fields))
        self.stage.submit(*notes)

    def _lower_prices(self, day: int) -> None:
        """Let each cluster publish, a day ahead, that its first item becomes 5 % cheaper."""
        notes = []
        for cluster in cast.CLUSTERS:
            item, price_fen = cluster.prices_fen[0]
            fields = {
                "item": item,
                "price_fen_per_gpu_hour": price_fen * 95 // 100,
                "valid_from": format_instant(instant(day + 1)),
            }
            notes.append(self.stage.note(cluster.party, "tariff.publish", fields))
        self.stage.submit(*notes)

    def _lapse(self) -> None:
        """Let treasuries take back what is left of vouchers that are over."""
        state = self.stage.state
        self.stage.submit(
            *[
                self.stage.note(state.programmes[voucher.programme].treasury, "voucher.lapse", {"voucher": voucher_id})
                for voucher_id, voucher in state.vouchers.items()
                if not voucher.has_ended and voucher.valid_until <= self.stage.now
            ]
        )
