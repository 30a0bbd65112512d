"""Who plays: 17 cities with their programmes, the 10 national data-centre clusters, and start-ups; data, and no more.

A programme's figures are those of the city's published rules where they are known; `assumed` names the fields that
aren't known and were made up here, and for cities without any known rule (Suzhou, Wuhan, Chongqing) that is all of
them. On what no city says, a programme is strict: no transfer, the provider is paid, truncation to the fen. Prices
lie within those seen on the market. Ids tell a city's treasury (`wuhu-treasury`) from the cluster of the same name
(`wuhu-cluster`). Start-ups are invented.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

from stdnum.cn import uscc

NETWORK: Final = "national-network"
AUDITOR: Final = "national-audit-office"
OPERATOR: Final = "log-operator"
ORIGIN: Final = "tallystick.example/demo"
WORLD: Final = "tallystick.example/world"
"""The log that the network's is a member of."""
ROOT_KEYS: Final = 3
ROOT_QUORUM: Final = 2
VALIDITY_DAYS: Final = 365
OFFICERS: Final = 2
"""Keys of each treasury; all of them make its quorum, and sign what is above its officers' threshold."""
OFFICERS_ABOVE_YUAN: Final = 1_000_000
OFFICERS_WINDOW_DAYS: Final = 30

_ALL: Final = ("envelope", "share", "floor", "cap", "transfer", "payee")


@dataclass(frozen=True, slots=True)
class Terms:
    """One programme's rules, in yuan and per cent as cities publish them.

    Attributes:
        slug: the part of the programme's id after the treasury's.
        share_domestic, share_foreign: per cent of the fee, by the item's origin.
        reviewed: vouchers are issued for applications.
        assumed: what is not from the city's rules.
    """

    slug: str
    name: str
    voucher_kind: str
    envelope_yuan: int
    share_domestic: int
    share_foreign: int
    cap_yuan: int
    floor_yuan: int = 0
    transfer: str = "forbidden"
    payee: str = "provider"
    rounding_fen: int = 1
    domestic_only: bool = False
    reviewed: bool = False
    assumed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class City:
    """A city, whose treasury runs one programme or more; every start-up there gets a voucher under each."""

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


@dataclass(frozen=True, slots=True)
class Cluster:
    """A national cluster, a provider; prices in fen a GPU-hour by item."""

    slug: str
    name: str
    prices_fen: tuple[tuple[str, int], ...]

    @property
    def party(self) -> str:
        """The provider's party id."""
        return f"{self.slug}-cluster"


# id, name, origin
ITEMS: Final = (
    ("ascend-910b", "Ascend 910B", "domestic"),
    ("mlu370-x8", "Cambricon MLU370-X8", "domestic"),
    ("a100-80g", "NVIDIA A100 80 GB", "foreign"),
    ("h100-80g", "NVIDIA H100 80 GB", "foreign"),
)
DOMESTIC: Final = tuple(item for item, _, origin in ITEMS if origin == "domestic")

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
                30,
                30,
                5_000_000,
                assumed=("cap",),
            ),
            Terms(
                "model", "模型券", "model", 300_000_000, 30, 30, 5_000_000, reviewed=True, assumed=("share", "reviewed")
            ),
            Terms("corpus", "语料券", "corpus", 100_000_000, 30, 30, 2_000_000, assumed=("share", "cap")),
        ),
    ),
    City(
        "suzhou",
        "Suzhou",
        (Terms("compute", "算力券", "compute", 50_000_000, 30, 20, 4_000_000, transfer="open", assumed=_ALL),),
    ),
    City(
        "wuhan",
        "Wuhan",
        (Terms("compute", "算力券", "compute", 50_000_000, 30, 25, 4_000_000, transfer="approved", assumed=_ALL),),
    ),
    City(
        "shenzhen",
        "Shenzhen",
        (
            Terms("training", "训力券", "training", 500_000_000, 50, 50, 10_000_000),
            Terms("model", "模型券", "model", 100_000_000, 30, 30, 1_000_000, payee="holder"),
        ),
    ),
    City(
        "beijing",
        "Beijing",
        (Terms("compute", "算力券", "compute", 200_000_000, 20, 20, 2_000_000, assumed=("envelope",)),),
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
                30,
                30,
                2_000_000,
                payee="holder",
                assumed=("envelope", "share", "cap"),
            ),
        ),
    ),
    City("hangzhou", "Hangzhou", (Terms("compute", "算力券", "compute", 250_000_000, 30, 20, 8_000_000),)),
    City(
        "qingyang",
        "Qingyang",
        (Terms("compute", "算力券", "compute", 100_000_000, 30, 30, 2_000_000, floor_yuan=5_000),),
    ),
    City("chengdu", "Chengdu", (Terms("compute", "算力券", "compute", 10_000_000, 30, 30, 3_000_000),)),
    City("wuhu", "Wuhu", (Terms("compute", "算力券", "compute", 100_000_000, 25, 25, 20_000_000),)),
    City(
        "nanning",
        "Nanning",
        (Terms("compute", "算力券", "compute", 50_000_000, 30, 30, 2_000_000, payee="holder", rounding_fen=100),),
    ),
    City("zhengzhou", "Zhengzhou (Henan)", (Terms("compute", "算力券", "compute", 50_000_000, 20, 20, 1_000_000),)),
    City(
        "guiyang",
        "Guiyang (Guizhou)",
        (Terms("compute", "算力券", "compute", 80_000_000, 30, 30, 2_000_000, assumed=("share",)),),
    ),
    City(
        "tianjin",
        "Tianjin",
        (Terms("compute", "算力券", "compute", 20_000_000, 30, 30, 2_000_000, assumed=("share", "cap")),),
    ),
    City(
        "langfang",
        "Langfang",
        (Terms("compute", "算力券", "compute", 10_000_000, 30, 30, 2_000_000, assumed=("share", "cap")),),
    ),
    City(
        "chongqing",
        "Chongqing",
        (Terms("compute", "算力券", "compute", 50_000_000, 40, 0, 4_000_000, domestic_only=True, assumed=_ALL),),
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
                30,
                30,
                2_000_000,
                floor_yuan=100_000,
                payee="holder",
                assumed=("envelope", "share", "cap"),
            ),
        ),
    ),
)

CLUSTERS: Final = (
    Cluster("zhangjiakou", "Zhangjiakou", (("ascend-910b", 760), ("a100-80g", 1_020), ("h100-80g", 1_500))),
    Cluster("yangtze-delta", "Yangtze Delta demonstration zone", (("ascend-910b", 850), ("a100-80g", 1_200))),
    Cluster("wuhu", "Wuhu", (("ascend-910b", 720), ("mlu370-x8", 640), ("a100-80g", 1_050))),
    Cluster("shaoguan", "Shaoguan", (("ascend-910b", 790), ("h100-80g", 1_500))),
    Cluster("tianfu", "Tianfu", (("ascend-910b", 740), ("a100-80g", 980))),
    Cluster("chongqing", "Chongqing", (("ascend-910b", 700), ("mlu370-x8", 610), ("a100-80g", 960))),
    Cluster("guian", "Gui'an", (("ascend-910b", 620), ("a100-80g", 860), ("h100-80g", 1_450))),
    Cluster("horinger", "Horinger", (("ascend-910b", 610), ("a100-80g", 840))),
    Cluster("qingyang", "Qingyang", (("ascend-910b", 600), ("mlu370-x8", 600), ("a100-80g", 800))),
    Cluster("zhongwei", "Zhongwei", (("ascend-910b", 600), ("a100-80g", 820))),
)
CLUSTER_OF: Final = {cluster.party: cluster for cluster in CLUSTERS}

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
