"""A year, day by day: reservations by the month, statements by the day, claims by the quarter.

On each day, by the network's time:

    00:30   on the 1st, start-ups reserve a twelfth of each voucher, spread over their contracts with clusters;
            on the 3rd, every other cluster releases what is left of last month's reservations, on the 15th the
            operator books for the rest, and for vouchers, that their time has ended; after a quarter, claims and
            settlements (settling.py) and the seal of its books
    01:00   what has its day (incidents.py, treasuries.py, counted_and_invoiced.py, rekeying.py)
    02:00   each cluster sends a statement for each contract under which jobs ended the day before

Which reservation, contract and item a job falls to is drawn from the seed and the job. Every job is one line of
one statement; that of a start-up with nothing reserved is sent all the same, and refused. A job of a day that is sealed
says so. A correction is sent once the line that it stands for is taken back.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from zlib import crc32

from tallystick.demo import cast, market
from tallystick.demo.contracts import contract_id
from tallystick.demo.counted_and_invoiced import CountedAndInvoiced
from tallystick.demo.dated import DatedActs
from tallystick.demo.founding import Network, Startup
from tallystick.demo.incidents import Incidents
from tallystick.demo.rekeying import Rekeying
from tallystick.demo.settling import Settling
from tallystick.demo.stage import Row, Stage, Statement
from tallystick.demo.treasuries import TreasuryActs
from tallystick.demo.workload import Job
from tallystick.demo.year import SEAL_DAY, Year, instant, report_day
from tallystick.ledger import Admitted
from tallystick.vouchers.quantities import format_day, format_instant, format_second

LINES_BY_STATEMENT: Final = 400  # at most 150 bytes each, with what they come to, and an entry holds 65,535
EPILOGUE_DAYS: Final = 15
RELEASE_DAY, EXPIRY_DAY = 2, 14


@dataclass(frozen=True, slots=True)
class AgreedReservation:
    """A reservation as start-up and provider know it; `offered` are the items that its programme pays for."""

    id: str
    contract: str
    provider: str
    offered: tuple[str, ...]


class Story:
    """The year of a founded network."""

    def __init__(
        self, stage: Stage, year: Year, network: Network, jobs: Sequence[Job], seed: int, more: Sequence[DatedActs] = ()
    ) -> None:
        """Sort the jobs by the day on which they are reported; `more` has acts that not every year has."""
        self.stage = stage
        self.year = year
        self.network = network
        self.seed = seed
        self.settling = Settling(stage, year, network, seed)
        others = (Incidents, TreasuryActs, CountedAndInvoiced, Rekeying)
        self._dated = [*[acts(stage, year, network, seed) for acts in others], *more]
        self._jobs_by_day: defaultdict[int, list[Job]] = defaultdict(list)
        for job in jobs:
            self._jobs_by_day[report_day(job)].append(job)
            if job.is_correction:
                stage.watched_jobs.add(job.id)
        self._agreed: dict[str, list[AgreedReservation]] = {}
        self._unsent: list[Statement] = []

    def play(self, progress: Callable[[int, int], None]) -> None:
        """Play every day; `progress` is told how many of how many are over."""
        days = range(self.year.first_day, self.year.end_day + EPILOGUE_DAYS)
        for number, day in enumerate(days, start=1):
            self.stage.move_to(instant(day, 30))
            self._act_by_calendar(day)
            self.stage.move_to(instant(day, 60))
            for acts in self._dated:
                acts.play(day)
            self.stage.move_to(instant(day, 120))
            self._send_statements(day)
            progress(number, len(days))
        assert not self._unsent, "a job's line was never heard"

    def _act_by_calendar(self, day: int) -> None:
        for month, start in enumerate(self.year.month_starts):
            if day == start and day < self.year.end_day:
                self._reserve(month)
            if day == start + RELEASE_DAY and month > 0:
                self._release()
            if day == start + EXPIRY_DAY:
                self._expire()
            if month > 0 and (month % 3 == 0 or start == self.year.end_day):
                self._settle(day - start, start - 1)
        if day == self.year.month_starts[6]:
            self._lower_prices(day)

    def _reserve(self, month: int) -> None:
        """Let every start-up reserve for the month what its vouchers allow, once it has the contracts for it."""
        of_vouchers = [
            (startup, voucher, f"{self.year.month_name(month)}-{number}", self._reservable(startup, voucher))
            for startup in self.network.startups.values()
            for number, voucher in enumerate(startup.vouchers, start=1)
        ]
        self.network.contracts.sign(
            [(startup.party, provider) for startup, _, _, offers in of_vouchers for provider in offers]
        )
        wanted: list[tuple[Startup, AgreedReservation, bytes]] = []
        for startup, voucher, name, offers in of_vouchers:
            wanted += self._reservations(startup, voucher, name, month, offers)
        kept: dict[str, list[AgreedReservation]] = defaultdict(list)
        for (startup, agreed, _), answer in zip(
            wanted, self.stage.submit(*[note for _, _, note in wanted]), strict=True
        ):
            if isinstance(answer, Admitted):
                kept[startup.party].append(agreed)
        # Who could reserve nothing goes on with what it had; its lines will be refused.
        self._agreed.update(kept)

    def _reservable(self, startup: Startup, voucher_id: str) -> dict[str, tuple[str, ...]]:
        """Return where a voucher can be spent, and on what: by provider, the items that its programme pays for."""
        state = self.stage.state
        voucher = state.vouchers.get(voucher_id)
        if voucher is None or voucher.is_spent_time(self.stage.now):
            return {}
        terms = self.network.terms[voucher.programme]
        if terms.basis == "invoiced":
            return {}
        offers = {
            provider: tuple(item for item, _ in market.CLUSTER_OF[provider].prices_fen if terms.covers(item))
            for provider in self.network.accredited[voucher.programme]
            if not self._has_ended(contract_id(startup.party, provider))
        }
        offers = {provider: items for provider, items in offers.items() if items}
        own = {provider: offers[provider] for provider in startup.providers if provider in offers}
        return own or dict(list(offers.items())[:2])

    def _has_ended(self, contract: str) -> bool:
        state = self.stage.state
        signed = state.contracts.get(contract)
        if signed is None:
            return contract in state.left["contract"]
        return signed.last_day < state.day_of(self.stage.now)

    def _reservations(
        self, startup: Startup, voucher_id: str, name: str, month: int, offers: dict[str, tuple[str, ...]]
    ) -> Iterator[tuple[Startup, AgreedReservation, bytes]]:
        """Yield one voucher's reservations for a month, one a contract."""
        if not offers:
            return
        state = self.stage.state
        voucher = state.vouchers[voucher_id]
        amount_fen = min(voucher.face_fen // 12, state.book["available", voucher_id]) // len(offers)
        until = min(instant(self.year.month_starts[month + 1]), voucher.valid_until)
        if amount_fen == 0:
            return
        for provider, items in offers.items():
            contract = contract_id(startup.party, provider)
            agreed = AgreedReservation(f"{startup.party}/{name}-{provider}", contract, provider, items)
            fields = {
                "reservation": agreed.id,
                "voucher": voucher_id,
                "contract": contract,
                "amount_fen": amount_fen,
                "until": format_instant(min(until, state.start_of(state.contracts[contract].last_day + 1))),
            }
            yield startup, agreed, self.stage.note(startup.party, "voucher.reserve", fields)

    def _release(self) -> None:
        """Let every other cluster release what is left of its reservations that are over."""
        releasing = {cluster.party for cluster in market.CLUSTERS[::2]}
        over = [
            reservation
            for reservation in self.stage.state.reservations.values()
            if not reservation.closed
            and reservation.provider in releasing
            and self.stage.state.book["reserved", reservation.id]
            and self.stage.state.ends_of(reservation) <= self.stage.now
        ]
        self.stage.submit(
            *[
                self.stage.note(reservation.provider, "reservation.release", {"reservation": reservation.id})
                for reservation in over
            ]
        )

    def _send_statements(self, day: int) -> None:
        """Send the day's statements, and again those that found no hearing before."""
        lines: defaultdict[tuple[str, str], list[tuple[str, Row]]] = defaultdict(list)
        for job in self._jobs_by_day.pop(day, ()):
            provider, contract, line = self._correction(job) if job.is_correction else self._line(job)
            lines[provider, contract].append(line)
        statements = self._unsent
        for (provider, contract), all_lines in sorted(lines.items(), key=lambda item: item[0]):
            for part, first in enumerate(range(0, len(all_lines), LINES_BY_STATEMENT), start=1):
                ref = f"{format_day(day)}/{contract}/{part}"
                some = all_lines[first : first + LINES_BY_STATEMENT]
                statements.append(self.stage.statement(provider, contract, ref, some))
        if statements:
            self._unsent = self.stage.submit_statements(statements)

    def _correction(self, job: Job) -> tuple[str, str, tuple[str, Row]]:
        """Let the provider take back the line that was wrong, and return the one that stands for it."""
        wrong = self.stage.lines_of_watched_jobs.get(job.id)
        if wrong is None or not self.stage.take_back(wrong, "the time was counted twice"):
            return self._line(job)  # it is sent all the same, and refused if the other stands
        row = self._row(job)
        options = row[5] if len(row) > 5 else {}
        corrects = {"statement": wrong.statement, "line": wrong.line}
        options = {name: value for name, value in options.items() if name != "prior_period"} | {"corrects": corrects}
        return wrong.provider, wrong.contract, (wrong.item, [*row[:5], options])

    def _reservation_for(self, job: Job) -> AgreedReservation:
        """Return the reservation that a job falls to; one that was never made, if its start-up has none."""
        reservations = self._agreed.get(job.startup)
        if reservations:
            return reservations[self._draw(job) % len(reservations)]
        startup = self.network.startups[job.startup]
        provider = startup.providers[self._draw(job) % len(startup.providers)]
        offered = tuple(item for item, _ in market.CLUSTER_OF[provider].prices_fen)
        return AgreedReservation(f"{job.startup}/none", contract_id(job.startup, provider), provider, offered)

    def _line(self, job: Job) -> tuple[str, str, tuple[str, Row]]:
        """Return the provider and contract that a job falls to, and its line with its item."""
        agreed = self._reservation_for(job)
        item = agreed.offered[(self._draw(job) >> 16) % len(agreed.offered)]
        return agreed.provider, agreed.contract, (item, self._row(job))

    def _row(self, job: Job) -> Row:
        state = self.stage.state
        options = {}
        if job.pays_available:
            options["pay_available"] = True
        if state.sealed_day is not None and state.day_of(job.ends_at) <= state.sealed_day:
            options["prior_period"] = True
        row = [job.id, job.gpu_milli, format_second(job.starts_at), format_second(job.ends_at), job.seconds]
        return [*row, options] if options else row

    def _draw(self, job: Job) -> int:
        """Return 32 bits that depend on the seed and the job alone."""
        return crc32(f"{self.seed} {job.startup} {job.id}".encode())

    def _settle(self, days_over: int, last_day: int) -> None:
        """Claim, settle, ask back, and seal, on the days after a quarter that this is done."""
        self.settling.play(days_over, last_day)
        if days_over == SEAL_DAY:
            seal = f"{cast.OPERATOR}/q{self.settling.quarter}"
            self.stage.act(cast.OPERATOR, "book.seal", seal=seal, last_day=format_day(last_day))

    def _lower_prices(self, day: int) -> None:
        """Let each cluster publish, a day ahead, that its first item becomes 5 % cheaper."""
        notes = []
        for cluster in market.CLUSTERS:
            item, price_fen = cluster.prices_fen[0]
            fields = {
                "item": item,
                "price_fen": price_fen * 95 // 100,
                "valid_from": format_instant(instant(day + 1)),
            }
            notes.append(self.stage.note(cluster.party, "tariff.publish", fields))
        self.stage.submit(*notes)

    def _expire(self) -> None:
        """Let the operator book what time has ended, if there is anything, until nothing more is due."""
        due = self.stage.state.due
        while due and due[0].at <= self.stage.now:
            self.stage.act(cast.OPERATOR, "book.expire")
            due = self.stage.state.due
