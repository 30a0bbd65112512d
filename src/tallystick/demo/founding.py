"""The first day: parties admitted, programmes opened, providers accredited, contracts signed, vouchers issued."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from tallystick.demo import cast, market
from tallystick.demo.attestations import Verdict, attestation, evidence_hash
from tallystick.demo.contracts import FEN, Contracts
from tallystick.demo.programmes import programme_fields
from tallystick.demo.stage import Stage
from tallystick.demo.year import UTC_OFFSET_SECONDS, Year, instant
from tallystick.ledger import Admitted
from tallystick.vouchers.editions import EDITIONS
from tallystick.vouchers.quantities import format_day, format_instant

PROVIDERS_BY_PROGRAMME: Final = 6
PROVIDERS_BY_STARTUP: Final = 3
FACE_STEP_YUAN: Final = 10_000
FACE_STEPS: Final = range(100, 201)  # CNY 1–2 million
BURN_WINDOW_DAYS: Final = 92
FRESHNESS_DAYS: Final = 7
RELEASE_GRACE_DAYS: Final = 7
TARIFF_NOTICE_DAYS: Final = 30
SEALING_GRACE_DAYS: Final = 3
INSTALLED: Final = 4_096  # of each item that a cluster offers
TAKEOVER_DAYS: Final = 7


@dataclass(slots=True)
class Startup:
    """A holder: its city, its voucher ids, and the providers that it has contracts with."""

    party: str
    city: cast.City
    providers: tuple[str, ...]
    vouchers: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Network:
    """Who is there once the network is founded.

    Attributes:
        terms: by programme id.
        accredited: providers, by programme id.
        contracts: of start-ups and providers.
    """

    startups: dict[str, Startup]
    terms: dict[str, cast.Terms]
    accredited: dict[str, list[str]]
    contracts: Contracts

    def startup_where(self, **terms: object) -> Startup | None:
        """Return the first start-up that holds a voucher and whose city's first programme has these terms."""
        for startup in self.startups.values():
            first = startup.city.programmes[0]
            if startup.vouchers and all(getattr(first, name) == value for name, value in terms.items()):
                return startup
        return None


class Founding:
    """The first day, act by act."""

    def __init__(self, stage: Stage, year: Year, seed: int) -> None:
        """Take the stage; its clock stands at the first day."""
        self.stage = stage
        self.year = year
        self.seed = seed
        self.random = random.Random(seed)  # noqa: S311 - a story, not a secret
        self.terms = {city.programme(terms): terms for city in cast.TREASURIES for terms in city.programmes}

    def play(self, parties: Sequence[str]) -> Network:
        """Found the network, with these start-ups, and return who is there."""
        self._found()
        self._admit_institutions()
        startups = self._admit_startups(parties)
        self._register_items()
        accredited = self._open_programmes()
        self._publish_tariffs()
        self._declare_capacities()
        network = Network(startups, self.terms, accredited, Contracts(self.stage, self.year))
        self._choose_providers(network)
        self._apply(network)
        self._issue_vouchers(network)
        return network

    def _found(self) -> None:
        """Make the ledger, founded by two of three root keys."""
        keys = self.stage.keys
        roots = [keys.create(cast.NETWORK, f"root-{number}") for number in range(1, cast.ROOT_KEYS + 1)]
        keys.use(cast.NETWORK, *roots[: cast.ROOT_QUORUM])
        genesis = self.stage.note(
            cast.NETWORK,
            "network.found",
            {
                "edition": EDITIONS[-1],
                "name": "A year of compute vouchers, in play",
                "currency": "CNY",
                "root_keys": [key.verifier.to_text() for key in roots],
                "root_quorum": cast.ROOT_QUORUM,
                "clock_skew_seconds": 300,
                "freshness_seconds": FRESHNESS_DAYS * 86_400,
                "burn_window_seconds": BURN_WINDOW_DAYS * 86_400,
                "release_grace_seconds": RELEASE_GRACE_DAYS * 86_400,
                "tariff_notice_seconds": TARIFF_NOTICE_DAYS * 86_400,
                "takeover_seconds": TAKEOVER_DAYS * 86_400,
                "sealing_grace_seconds": SEALING_GRACE_DAYS * 86_400,
                "member_of": cast.WORLD,
                "utc_offset_seconds": UTC_OFFSET_SECONDS,
            },
        )
        log_key = keys.create_log_key(cast.ORIGIN)
        self.stage.found(genesis, log_key)
        self.stage.write_settings(keys.log_key_file)

    def _admission(
        self, admitter: str, party: str, role: str, name: str, labels: Sequence[str], **more: object
    ) -> bytes:
        """Make a party's keys, of which it uses the first, and return its admission."""
        keys = [self.stage.keys.create(party, label) for label in labels]
        self.stage.keys.use(party, keys[0])
        vkeys = [key.verifier.to_text() for key in keys]
        fields = {"admitted": party, "role": role, "name": name, "keys": vkeys, **more}
        return self.stage.note(admitter, "party.admit", fields, keys=(*self.stage.keys.keys_of(admitter), *keys))

    def _admit_institutions(self) -> None:
        """Admit treasuries, clusters, the auditor, the operators and those who review."""
        notes = [
            self._admission(cast.NETWORK, cast.AUDITOR, "auditor", "National Audit Office, in play", ["auditor-1"]),
            self._admission(cast.NETWORK, cast.OPERATOR, "operator", "Log operator, in play", ["books-1"]),
            self._admission(cast.NETWORK, cast.PLATFORM, "operator", "Voucher platform, in play", ["desk-1"]),
        ]
        reviewers = (
            (cast.BUREAU, "District bureau"),
            (cast.EXPERTS, "Expert panel"),
            (cast.CITY_BUREAU, "City bureau"),
        )
        for party, name in reviewers:
            notes.append(self._admission(cast.NETWORK, party, "attester", f"{name}, in play", ["reviewer-1"]))
        for city in cast.TREASURIES:
            notes.append(self._treasury_admission(city))
        for cluster in market.CLUSTERS:
            code = cast.social_credit_code(cluster.party)
            notes.append(
                self._admission(
                    cast.NETWORK, cluster.party, "provider", f"{cluster.name} cluster", ["meter-1"], uscc=code
                )
            )
        self.stage.submit(*notes)

    def _treasury_admission(self, city: cast.City) -> bytes:
        """Make a treasury's keys, all of which sign what it commands, and return its admission."""
        keys = [self.stage.keys.create(city.treasury, f"officer-{number}") for number in range(1, cast.OFFICERS + 1)]
        self.stage.keys.use(city.treasury, *keys)
        officers = {
            "threshold_fen": cast.OFFICERS_ABOVE_YUAN * FEN,
            "required": cast.OFFICERS,
            "window_days": cast.OFFICERS_WINDOW_DAYS,
        }
        fields = {
            "admitted": city.treasury,
            "role": "treasury",
            "name": f"{city.name} treasury",
            "keys": [key.verifier.to_text() for key in keys],
            "quorum": cast.OFFICERS,
            "officers": officers,
        }
        return self.stage.note(
            cast.NETWORK, "party.admit", fields, keys=(*self.stage.keys.keys_of(cast.NETWORK), *keys)
        )

    def _admit_startups(self, parties: Sequence[str]) -> dict[str, Startup]:
        """Spread the start-ups over the cities; each is admitted by its city's treasury."""
        startups = {}
        notes = []
        for number, party in enumerate(parties):
            city = cast.CITIES[number % len(cast.CITIES)]
            startups[party] = Startup(party, city, ())
            code = cast.social_credit_code(party)
            notes.append(self._admission(city.treasury, party, "holder", f"{party} AI", ["finance-1"], uscc=code))
        self.stage.submit(*notes)
        return startups

    def _register_items(self) -> None:
        notes = []
        for item in market.ITEMS:
            fields = {"item": item.id, "name": item.name, "unit": "gpu_time" if item.counted is None else "count"}
            more = {"counted": item.counted, "origin": item.origin, "filing": item.filing}
            fields |= {name: value for name, value in more.items() if value is not None}
            notes.append(self.stage.note(cast.NETWORK, "item.register", fields))
        self.stage.submit(*notes)

    def _open_programmes(self) -> dict[str, list[str]]:
        """Open every programme; a city and its district accredit the same clusters, for all of their programmes."""
        accredited = {}
        notes = []
        for city in cast.CITIES:
            chosen = sorted(self.random.sample([cluster.party for cluster in market.CLUSTERS], PROVIDERS_BY_PROGRAMME))
            for treasury, terms in cast.payers(city):
                programme = treasury.programme(terms)
                fields = programme_fields(programme, terms, self.year)
                notes.append(self.stage.note(treasury.treasury, "programme.open", fields))
                accredited[programme] = list(chosen)
                notes += [self._accreditation(treasury, terms, provider) for provider in chosen]
        self.stage.submit(*notes)
        return accredited

    def _accreditation(self, city: cast.City, terms: cast.Terms, provider: str) -> bytes:
        """Return the accreditation of a provider for all that it offers, up to what a programme pays for a unit."""
        limits = [
            {"item": item, "price_limit_fen": market.ITEM_OF[item].limit_fen * terms.limit // 100}
            for item in market.CLUSTER_OF[provider].all_prices_fen
        ]
        fields = {
            "programme": city.programme(terms),
            "provider": provider,
            "valid_from": format_instant(instant(self.year.first_day)),
            "items": limits,
            "batch": "first batch",
        }
        return self.stage.note(city.treasury, "provider.accredit", fields)

    def _publish_tariffs(self) -> None:
        valid_from = format_instant(self.stage.now)
        self.stage.submit(
            *[
                self.stage.note(
                    cluster.party,
                    "tariff.publish",
                    {"item": item, "price_fen": price_fen, "valid_from": valid_from},
                )
                for cluster in market.CLUSTERS
                for item, price_fen in cluster.all_prices_fen.items()
            ]
        )

    def _declare_capacities(self) -> None:
        first_day = format_day(self.year.first_day)
        notes = []
        for cluster in market.CLUSTERS:
            capacity = [{"installed": INSTALLED, "item": item} for item in sorted(dict(cluster.prices_fen))]
            fields = {"capacity": capacity, "first_day": first_day}
            notes.append(self.stage.note(cluster.party, "capacity.declare", fields))
        self.stage.submit(*notes)

    def _choose_providers(self, network: Network) -> None:
        """Each start-up signs contracts with some clusters that its city accredits."""
        for startup in network.startups.values():
            programme = startup.city.programme(startup.city.programmes[0])
            startup.providers = tuple(self.random.sample(network.accredited[programme], PROVIDERS_BY_STARTUP))
        network.contracts.sign(
            [(startup.party, provider) for startup in network.startups.values() for provider in startup.providers]
        )

    def _apply(self, network: Network) -> None:
        """Let start-ups file applications where vouchers are issued for such: district, experts and bureau review them.

        The first corrects a typing error, and doesn't convince the experts at once.
        """
        notes: list[bytes] = []
        for startup in network.startups.values():
            for terms in [one for one in startup.city.programmes if one.reviewed]:
                is_first = not notes
                if is_first:
                    wrong = f"{application_id(startup, terms)}-mistyped"
                    notes.append(self._application(startup, terms, wrong, terms.cap_yuan * 10))
                    notes.append(self.stage.note(startup.party, "application.withdraw", {"application": wrong}))
                notes.append(self._application(startup, terms, application_id(startup, terms), terms.cap_yuan))
                notes += self._reviews(application_id(startup, terms), is_first=is_first)
        self.stage.submit(*notes)

    def _reviews(self, application: str, *, is_first: bool) -> Iterator[bytes]:
        """Yield the verdicts on an application in turn; the first one the experts fail before they pass it."""
        for topic, attester, reason in cast.REVIEWS:
            if is_first and attester == cast.EXPERTS:
                doubt = Verdict(
                    "application", application, topic, "the plan doesn't say how many cards it needs", "fail"
                )
                yield attestation(self.stage, attester, doubt, self.seed)
            yield attestation(self.stage, attester, Verdict("application", application, topic, reason), self.seed)

    def _application(self, startup: Startup, terms: cast.Terms, application: str, asked_yuan: int) -> bytes:
        fields = {
            "application": application,
            "programme": startup.city.programme(terms),
            "amount_fen": asked_yuan * FEN,
            "holder_class": "startup",
            "declarations": {"related_party": False, "other_support_fen": 0},
            "evidence_hash": evidence_hash(self.seed, application),
        }
        return self.stage.note(startup.party, "application.file", fields)

    def _issue_vouchers(self, network: Network) -> None:
        """Give every start-up a voucher under each programme that pays for it; one officer alone tries in vain once."""
        wanted = []
        for startup in network.startups.values():
            for city, terms in cast.payers(startup.city):
                face_yuan = min(self.random.choice(FACE_STEPS) * FACE_STEP_YUAN, terms.cap_yuan)
                wanted.append((startup, city, terms, face_yuan * FEN))
        for startup, city, terms, face_fen in wanted:
            if face_fen > cast.OFFICERS_ABOVE_YUAN * FEN:
                self.stage.submit(self._issue(startup, city, terms, face_fen, officers=1))
                break
        notes = [self._issue(*one, cast.OFFICERS) for one in wanted]
        for (startup, city, terms, _), answer in zip(wanted, self.stage.submit(*notes), strict=True):
            if isinstance(answer, Admitted):
                startup.vouchers.append(voucher_id(startup, city, terms))

    def _issue(self, startup: Startup, city: cast.City, terms: cast.Terms, face_fen: int, officers: int) -> bytes:
        voucher = voucher_id(startup, city, terms)
        fields = {
            "voucher": voucher,
            "programme": city.programme(terms),
            "holder": startup.party,
            "face_fen": face_fen,
            "valid_from": format_instant(self.stage.now),
            "evidence_hash": evidence_hash(self.seed, voucher),
        }
        if terms.reviewed:
            fields["application"] = application_id(startup, terms)
        keys = self.stage.keys.keys_of(city.treasury)[:officers]
        return self.stage.note(city.treasury, "voucher.issue", fields, keys=keys)


def voucher_id(startup: Startup, city: cast.City, terms: cast.Terms) -> str:
    """Return the id of a start-up's voucher under a programme of a city."""
    return f"{city.treasury}/{startup.party}-{terms.slug}"


def application_id(startup: Startup, terms: cast.Terms) -> str:
    """Return the id of a start-up's application under a programme of its city."""
    return f"{startup.party}/{terms.slug}"
