"""Five frauds, each of commands that the rules accept, so that no audit finds one; its patterns do.

day
 35                the start-ups of the frauds are admitted
 40, 75, 110       one officer alone gives a start-up just under what would need another officer
 41                the start-up signs with two clusters, and reserves
 44                the first cluster burns more jobs in a night than it has cards
 46                the second burns jobs of the first once more, under other names
 50, 57, 64, 71    the second gives the same evidence for each week's jobs
 49, 52, 54, 56    a voucher goes round three start-ups of one owner
They happen among parties of their own, so the honest year goes on beside them as it is.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from tallystick.demo import cast, market
from tallystick.demo.attestations import evidence_hash
from tallystick.demo.contracts import FEN
from tallystick.demo.dated import DatedActs
from tallystick.demo.stage import Row
from tallystick.demo.year import instant
from tallystick.ledger import Admitted
from tallystick.patterns import Pattern, Seen, Severity
from tallystick.vouchers.quantities import SECOND_US, format_instant, format_second

FAVOURED: Final = "painted-boat"
ROUND: Final = ("hollow-reed", "twin-pond", "third-gate")
CITY: Final = "wuhu"
OPEN_CITY: Final = "suzhou"
FACE_FEN: Final = (cast.OFFICERS_ABOVE_YUAN - 10_000) * FEN
RESERVED_FEN: Final = 400_000 * FEN
PASSED_ON_FEN: Final = 600_000 * FEN
GPU_MILLI: Final = 128_000
JOBS_OF_A_NIGHT: Final = 52
"""Of 128 cards each: half as many again as the cluster says that it has."""
JOBS_TWICE: Final = 5


@dataclass(frozen=True, slots=True)
class Fraud:
    """A fraud that is hidden in the story.

    Attributes:
        what: in a few words.
        pattern: by which it is seen.
        party: who is seen in it.
    """

    what: str
    pattern: Pattern
    party: str

    def seen_in(self, seen: tuple[Seen, ...]) -> Seen | None:
        """Return what was seen of it, if it was, and as more than a note."""
        for one in seen:
            if one.pattern is self.pattern and self.party in one.parties and one.severity is not Severity.NOTE:
                return one
        return None


class Frauds(DatedActs):
    """The frauds of a founded network's year."""

    def acts(self) -> Mapping[int, Callable[[], None]]:
        """Each on its day."""
        return {
            35: self._admit,
            40: lambda: self._issue_alone(1),
            41: self._sign_and_reserve,
            44: self._burn_more_than_there_is,
            46: self._burn_again,
            49: self._issue_what_goes_round,
            50: lambda: self._burn_with_old_evidence(1),
            52: lambda: self._pass_on(0),
            54: lambda: self._pass_on(1),
            56: lambda: self._pass_on(2),
            57: lambda: self._burn_with_old_evidence(2),
            64: lambda: self._burn_with_old_evidence(3),
            71: lambda: self._burn_with_old_evidence(4),
            75: lambda: self._issue_alone(2),
            110: lambda: self._issue_alone(3),
        }

    @property
    def hidden(self) -> tuple[Fraud, ...]:
        """All of them."""
        return (
            Fraud("a cluster bills more cards than it has", Pattern.CAPACITY_EXCEEDED, self._clusters[0]),
            Fraud("two clusters bill the same jobs", Pattern.JOB_AT_TWO_PROVIDERS, self._clusters[1]),
            Fraud("one officer gives alone what two should", Pattern.JUST_UNDER_THRESHOLD, FAVOURED),
            Fraud("a voucher goes round in one family", Pattern.PASSED_ON_IN_CIRCLE, ROUND[0]),
            Fraud("one month's evidence serves for all", Pattern.EVIDENCE_REPEATED, self._clusters[1]),
        )

    @property
    def _clusters(self) -> tuple[str, str]:
        """Two clusters that the city accredits, and to which nothing else happens in the year."""
        troubled = {cluster.party for cluster in market.CLUSTERS[:2]}
        first, second, *_ = [one for one in self.network.accredited[self._programme(CITY)] if one not in troubled]
        return first, second

    def _city(self, slug: str) -> cast.City:
        (city,) = [one for one in cast.CITIES if one.slug == slug]
        return city

    def _programme(self, slug: str) -> str:
        city = self._city(slug)
        return city.programme(city.programmes[0])

    def _record(self, *notes: bytes) -> None:
        """Submit what the rules accept."""
        for answer in self.stage.submit(*notes):
            assert isinstance(answer, Admitted), answer

    def _admit(self) -> None:
        notes = []
        for slug, party in ((CITY, FAVOURED), *[(OPEN_CITY, party) for party in ROUND]):
            treasury = self._city(slug).treasury
            key = self.stage.keys.create(party, "finance-1")
            self.stage.keys.use(party, key)
            fields = {
                "admitted": party,
                "role": "holder",
                "name": f"{party} AI",
                "keys": [key.verifier.to_text()],
                "uscc": cast.social_credit_code(party),
            }
            keys = (*self.stage.keys.keys_of(treasury), key)
            notes.append(self.stage.note(treasury, "party.admit", fields, keys=keys))
        self._record(*notes)

    # -- one officer alone --------------------------------------------------------------------------------------------

    def _issue(self, slug: str, voucher: str, holder: str, face_fen: int, *, officers: int) -> None:
        treasury = self._city(slug).treasury
        fields = {
            "voucher": f"{treasury}/{voucher}",
            "programme": self._programme(slug),
            "holder": holder,
            "face_fen": face_fen,
            "valid_from": format_instant(self.stage.now),
        }
        keys = self.stage.keys.keys_of(treasury)[:officers]
        self._record(self.stage.note(treasury, "voucher.issue", fields, keys=keys))

    def _issue_alone(self, number: int) -> None:
        self._issue(CITY, f"{FAVOURED}-{number}", FAVOURED, FACE_FEN, officers=1)

    # -- jobs that were never run -------------------------------------------------------------------------------------

    def _contract(self, provider: str) -> str:
        return f"{FAVOURED}/at-{provider}"

    def _sign_and_reserve(self) -> None:
        for provider in self._clusters:
            item, _ = market.CLUSTER_OF[provider].prices_fen[0]
            contract = self._contract(provider)
            self.network.contracts.sign_about(contract, FAVOURED, provider, item)
            fields = {
                "reservation": contract,
                "voucher": f"{self._city(CITY).treasury}/{FAVOURED}-1",
                "contract": contract,
                "amount_fen": RESERVED_FEN,
                "until": format_instant(instant(self.day(100))),
            }
            self._record(self.stage.note(FAVOURED, "voucher.reserve", fields))

    def _burn(self, provider: str, ref: str, rows: list[Row], evidence: str | None = None) -> None:
        item, _ = market.CLUSTER_OF[provider].prices_fen[0]
        lines = [(item, row) for row in rows]
        statement = self.stage.statement(provider, self._contract(provider), ref, lines, evidence)
        assert self.stage.submit_statements([statement]) == []

    def _row(self, job: str, day: int, start: int, seconds: int, gpu_milli: int) -> Row:
        """Return a job that began so many seconds into a day."""
        starts_at = instant(self.day(day)) + start * SECOND_US
        return [job, gpu_milli, format_second(starts_at), format_second(starts_at + seconds * SECOND_US), seconds]

    def _burn_more_than_there_is(self) -> None:
        rows = [
            self._row(f"night-{number}", 43, 3_600 + 37 * number, 14_400 + 11 * number, GPU_MILLI)
            for number in range(JOBS_OF_A_NIGHT)
        ]
        self._burn(self._clusters[0], "one-night", rows)

    def _jobs(self, name: str) -> list[Row]:
        return [
            self._row(f"{name}-{number}", 45, 1_237 * number, 7_211 + 913 * number, 16_000)
            for number in range(1, JOBS_TWICE + 1)
        ]

    def _burn_again(self) -> None:
        for provider, name in zip(self._clusters, ("train", "tuning"), strict=True):
            self._burn(provider, f"{name}-of-day-45", self._jobs(name))

    def _burn_with_old_evidence(self, week: int) -> None:
        day = self.stage.state.day_of(self.stage.now) - self.year.first_day - 1
        row = self._row(f"week-{week}", day, 3_601 * week, 20_011 + week, 32_000)
        evidence = evidence_hash(self.seed, "records of one week")
        self._burn(self._clusters[1], f"week-{week}", [row], evidence)

    # -- round in one family ------------------------------------------------------------------------------------------

    def _issue_what_goes_round(self) -> None:
        self._issue(OPEN_CITY, f"{ROUND[0]}-1", ROUND[0], 2 * PASSED_ON_FEN, officers=cast.OFFICERS)

    def _pass_on(self, number: int) -> None:
        """Let the voucher go from one to the next; after the last, it is back with the first."""
        party, to = ROUND[number], ROUND[(number + 1) % len(ROUND)]
        before = f"{self._city(OPEN_CITY).treasury}/{ROUND[0]}-1" if number == 0 else f"{ROUND[number - 1]}/for-{party}"
        fields = {"voucher": before, "into": f"{party}/for-{to}", "to": to, "amount_fen": PASSED_ON_FEN}
        self._record(self.stage.note(party, "voucher.transfer", fields))
