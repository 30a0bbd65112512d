"""Who plays: 17 cities and a district with their programmes, and start-ups; clusters and items are in market.py.

Data, and no more. A programme's figures are those of the city's published rules where they are known; `assumed` names
the fields that aren't known and were made up here, and for those without any known rule (Suzhou, Wuhan, Chongqing,
and the district) that is all of them. On what no city says, a programme is strict: no transfer, the provider is paid,
truncation to the fen, and a ceiling of its own share, so that nobody else's support comes on top of it. Ids tell a
city's treasury (`wuhu-treasury`) from the cluster of the same name (`wuhu-cluster`). Start-ups are invented.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

from stdnum.cn import uscc

from tallystick.demo import market

NETWORK: Final = "national-network"
AUDITOR: Final = "national-audit-office"
OPERATOR: Final = "log-operator"
BUREAU: Final = "district-bureau"
EXPERTS: Final = "expert-panel"
CITY_BUREAU: Final = "city-bureau"
MISSPELT: Final = "distict-bureau"
PLATFORM: Final = "voucher-platform"
"""An operator that gives commands for a treasury, by its mandate."""
ORIGIN: Final = "tallystick.example/demo"
WORLD: Final = "tallystick.example/world"
"""The log that the network's is a member of."""
ROOT_KEYS: Final = 3
ROOT_QUORUM: Final = 2
VALIDITY_DAYS: Final = 365
REVIEWED: Final = "authenticity"
"""What the district's bureau looks at first, also of claims of which a programme asks it."""
REVIEWS: Final = (
    (REVIEWED, BUREAU, "the papers are complete and no copies"),
    ("merit", EXPERTS, "the plan needs the cards that it asks for"),
    ("eligibility", CITY_BUREAU, "a start-up of the city, without another voucher for the same"),
)
"""Of an application: on which topic, by whom, and why it passes, in the order in which they look at it."""
RECEIVED: Final = "delivery"
OFFICERS: Final = 2
"""Keys of each treasury; all of them make its quorum, and sign what is above its officers' threshold."""
OFFICERS_ABOVE_YUAN: Final = 1_000_000
OFFICERS_WINDOW_DAYS: Final = 30

CUT_OFF_DAYS: Final = 60
"""After a period of claims: recorded in every programme's rules."""

_ALL: Final = ("envelope", "share", "ceiling", "floor", "cap", "transfer", "payee")


@dataclass(frozen=True, slots=True)
class Share:
    """What a programme pays of a fee, in per cent, for items of an origin, for filed models, or for some items."""

    per_cent: int
    origin: str | None = None
    is_filed: bool = False
    items: tuple[str, ...] = ()

    def is_about(self, item: market.Item) -> bool:
        """Return whether it is the share of an item."""
        return (
            self.origin in (None, item.origin)
            and (not self.is_filed or item.filing is not None)
            and (not self.items or item.id in self.items)
        )


@dataclass(frozen=True, slots=True)
class Terms:
    """One programme's rules, in yuan and per cent as cities publish them.

    Attributes:
        slug: the part of the programme's id after the treasury's.
        shares: the first that is about an item holds.
        ceiling: the most of a fee that all support together pays, in per cent; the highest share, if None.
        rank: programmes of the lowest pay first.
        limit: the dearest unit that it pays for, in per cent of what is usual.
        reviewed: vouchers are issued for applications that the district bureau passed.
        days_before_log: it opened so many days before the log began.
        assumed: what is not from the city's rules.
    """

    slug: str
    name: str
    voucher_kind: str
    envelope_yuan: int
    shares: tuple[Share, ...]
    cap_yuan: int
    floor_yuan: int = 0
    ceiling: int | None = None
    rank: int = 0
    limit: int = 100
    transfer: str = "forbidden"
    payee: str = "provider"
    basis: str = "metered"
    rounding_fen: int = 1
    is_prorated: bool = False
    reviewed: bool = False
    days_before_log: int = 0
    assumed: tuple[str, ...] = ()

    def covers(self, item: str) -> bool:
        """Return whether it pays for an item."""
        return any(share.is_about(market.ITEM_OF[item]) for share in self.shares)


@dataclass(frozen=True, slots=True)
class City:
    """A city or a district, whose treasury runs one programme or more.

    A start-up gets a voucher under each of its city's, and of its district's, if the city has one here.
    """

    slug: str
    name: str
    programmes: tuple[Terms, ...]

    @property
    def treasury(self) -> str:
        """The treasury's party id."""
        return f"{self.slug}-treasury"

    def programme(self, terms: Terms) -> str:
        """The id of one of its programmes."""
        return f"{self.treasury}/{terms.slug}"


def _chips(domestic: int, foreign: int | None = None) -> tuple[Share, ...]:
    """Return shares of cards by their origin: the same for both, if the second isn't given."""
    return (Share(domestic, "domestic"), Share(domestic if foreign is None else foreign, "foreign"))


def _filed(per_cent: int) -> tuple[Share, ...]:
    """Return the share of services of filed models."""
    return (Share(per_cent, is_filed=True),)


# The cities that incidents need come first, so that a few start-ups are enough for them.
CITIES: Final = (
    City(
        "shanghai",
        "Shanghai",
        (
            Terms(
                "compute",
                "算力券",
                "compute",
                600_000_000,
                _chips(30),
                5_000_000,
                ceiling=100,
                assumed=("cap",),
            ),
            Terms(
                "model",
                "模型券",
                "model",
                300_000_000,
                _filed(30),
                5_000_000,
                reviewed=True,
                assumed=("share", "reviewed"),
            ),
            Terms(
                "corpus",
                "语料券",
                "corpus",
                100_000_000,
                (Share(30, items=(market.TEXT,)),),
                2_000_000,
                basis="invoiced",
                assumed=("share", "cap"),
            ),
        ),
    ),
    City(
        "suzhou",
        "Suzhou",
        (
            Terms(
                "compute",
                "算力券",
                "compute",
                50_000_000,
                _chips(30, 20),
                4_000_000,
                transfer="open",
                days_before_log=60,
                assumed=_ALL,
            ),
        ),
    ),
    City(
        "wuhan",
        "Wuhan",
        (
            Terms(
                "compute",
                "算力券",
                "compute",
                50_000_000,
                _chips(30, 25),
                4_000_000,
                transfer="approved",
                payee="contract",
                assumed=_ALL,
            ),
        ),
    ),
    City(
        "shenzhen",
        "Shenzhen",
        (
            Terms("training", "训力券", "training", 500_000_000, _chips(50), 10_000_000),
            Terms("model", "模型券", "model", 100_000_000, _filed(30), 1_000_000, ceiling=50, payee="holder"),
        ),
    ),
    City(
        "beijing",
        "Beijing",
        (
            Terms(
                "compute",
                "算力券",
                "compute",
                200_000_000,
                _chips(20),
                2_000_000,
                limit=95,
                assumed=("envelope", "limit"),
            ),
        ),
    ),
    City(
        "yangzhou",
        "Yangzhou",
        (
            Terms(
                "compute",
                "算力券",
                "compute",
                20_000_000,
                _chips(30),
                2_000_000,
                payee="holder",
                assumed=("envelope", "share", "cap"),
            ),
        ),
    ),
    City(
        "hangzhou",
        "Hangzhou",
        (Terms("compute", "算力券", "compute", 250_000_000, (*_filed(30), *_chips(30, 20)), 8_000_000),),
    ),
    City(
        "qingyang",
        "Qingyang",
        (Terms("compute", "算力券", "compute", 100_000_000, _chips(30), 2_000_000, floor_yuan=5_000),),
    ),
    City("chengdu", "Chengdu", (Terms("compute", "算力券", "compute", 10_000_000, _chips(30), 3_000_000),)),
    City("wuhu", "Wuhu", (Terms("compute", "算力券", "compute", 100_000_000, _chips(25), 20_000_000),)),
    City(
        "nanning",
        "Nanning",
        (
            Terms(
                "compute",
                "算力券",
                "compute",
                50_000_000,
                _chips(30),
                2_000_000,
                payee="holder",
                basis="both",
                rounding_fen=100,
                is_prorated=True,
            ),
        ),
    ),
    City("zhengzhou", "Zhengzhou (Henan)", (Terms("compute", "算力券", "compute", 50_000_000, _chips(20), 1_000_000),)),
    City(
        "guiyang",
        "Guiyang (Guizhou)",
        (Terms("compute", "算力券", "compute", 80_000_000, _chips(30), 2_000_000, assumed=("share",)),),
    ),
    City(
        "tianjin",
        "Tianjin",
        (Terms("compute", "算力券", "compute", 20_000_000, _chips(30), 2_000_000, assumed=("share", "cap")),),
    ),
    City(
        "langfang",
        "Langfang",
        (Terms("compute", "算力券", "compute", 10_000_000, _chips(30), 2_000_000, assumed=("share", "cap")),),
    ),
    City(
        "chongqing",
        "Chongqing",
        (Terms("compute", "算力券", "compute", 50_000_000, (Share(40, "domestic"),), 4_000_000, assumed=_ALL),),
    ),
    City(
        "qingdao",
        "Qingdao",
        (
            Terms(
                "compute",
                "算力券",
                "compute",
                30_000_000,
                _chips(30),
                2_000_000,
                floor_yuan=100_000,
                payee="holder",
                assumed=("envelope", "share", "cap"),
            ),
        ),
    ),
)

# It pays after the city, and no more than what leaves the start-up 55 % of the fee to pay.
DISTRICTS: Final = {
    "shanghai": City(
        "pudong",
        "Pudong (Shanghai)",
        (
            Terms(
                "compute",
                "算力券",
                "compute",
                50_000_000,
                _chips(20),
                1_000_000,
                ceiling=45,
                rank=1,
                assumed=_ALL,
            ),
        ),
    ),
}
TREASURIES: Final = (*CITIES, *DISTRICTS.values())


def payers(city: City) -> tuple[tuple[City, Terms], ...]:
    """Return the programmes that a start-up of a city gets vouchers of: the city's own, then its district's."""
    district = DISTRICTS.get(city.slug)
    both = (city,) if district is None else (city, district)
    return tuple((one, terms) for one in both for terms in one.programmes)


STARTUPS: Final = (
    *("amber-loom", "bright-quill", "cedar-voice", "clear-abacus", "cloud-weaver", "copper-lark"),
    *("dawn-lexicon", "deep-orchard", "eastern-prism", "first-snow", "golden-sieve", "green-lantern"),
    *("high-terrace", "ink-and-river", "jade-compass", "kite-string", "little-comet", "lucid-bamboo"),
    *("mountain-echo", "nine-bridges", "open-pavilion", "paper-crane", "quiet-harbour", "red-maple"),
    *("silk-tensor", "silver-carp", "south-gate", "stone-lion", "tea-horse", "white-heron"),
)


def social_credit_code(party: str) -> str:
    """Return a unified social credit code (GB 32100) that is formally valid, always the same for a party."""
    serial = int.from_bytes(hashlib.sha256(party.encode()).digest()[:8]) % 10**9
    code = f"91110000{serial:09d}"
    return code + str(uscc.calc_check_digit(code))
