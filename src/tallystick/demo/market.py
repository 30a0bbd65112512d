"""What can be bought, and of whom: items, and the clusters with their prices. Data, and no more.

Prices lie within those seen on the market. The filed model is invented, as are the prices of what is counted.
"""

from dataclasses import dataclass
from typing import Final

SERVING: Final = "tidewater-serving"
USE: Final = "tidewater-mtok"
TEXT: Final = "corpus-tb-month"
FILING: Final = "Tidewater, in play, 2024-0417"


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

    @property
    def serves_the_model(self) -> bool:
        """Whether it has cards that serve the filed model, whose use it sells by count, too."""
        return any(item == SERVING for item, _ in self.prices_fen)

    @property
    def all_prices_fen(self) -> dict[str, int]:
        """Of all that it sells, in ascending order of items: by the GPU-hour, and by count."""
        counted = (TEXT, USE) if self.serves_the_model else (TEXT,)
        return dict(sorted((*self.prices_fen, *[(item, COUNTED_FEN[item]) for item in counted])))


@dataclass(frozen=True, slots=True)
class Item:
    """What can be bought; `limit_fen` is the most that a unit usually may cost."""

    id: str
    name: str
    limit_fen: int
    origin: str | None = None
    filing: str | None = None
    counted: str | None = None


ITEMS: Final = (
    Item("ascend-910b", "Ascend 910B", 850, "domestic"),
    Item("mlu370-x8", "Cambricon MLU370-X8", 700, "domestic"),
    Item("a100-80g", "NVIDIA A100 80 GB", 1_200, "foreign"),
    Item("h100-80g", "NVIDIA H100 80 GB", 1_500, "foreign"),
    Item(SERVING, "Cards that serve the model Tidewater", 1_000, filing=FILING),
    Item(USE, "The model Tidewater, by use", 2_000, filing=FILING, counted="a million tokens"),
    Item(TEXT, "Licensed text of the national corpus", 400_000, counted="a terabyte for a month"),
)
ITEM_OF: Final = {item.id: item for item in ITEMS}
COUNTED_FEN: Final = {USE: 1_800, TEXT: 380_000}
"""Prices of what is counted: every cluster sells texts, and use of the model if it serves that."""

CLUSTERS: Final = (
    Cluster("zhangjiakou", "Zhangjiakou", (("ascend-910b", 760), ("a100-80g", 1_020), ("h100-80g", 1_500))),
    Cluster(
        "yangtze-delta",
        "Yangtze Delta demonstration zone",
        (("ascend-910b", 850), ("a100-80g", 1_200), (SERVING, 980)),
    ),
    Cluster("wuhu", "Wuhu", (("ascend-910b", 720), ("mlu370-x8", 640), ("a100-80g", 1_050))),
    Cluster("shaoguan", "Shaoguan", (("ascend-910b", 790), ("h100-80g", 1_500), (SERVING, 910))),
    Cluster("tianfu", "Tianfu", (("ascend-910b", 740), ("a100-80g", 980), (SERVING, 860))),
    Cluster("chongqing", "Chongqing", (("ascend-910b", 700), ("mlu370-x8", 610), ("a100-80g", 960))),
    Cluster(
        "guian",
        "Gui'an",
        (("ascend-910b", 620), ("a100-80g", 860), ("h100-80g", 1_450), (SERVING, 720)),
    ),
    Cluster("horinger", "Horinger", (("ascend-910b", 610), ("a100-80g", 840), (SERVING, 710))),
    Cluster("qingyang", "Qingyang", (("ascend-910b", 600), ("mlu370-x8", 600), ("a100-80g", 800))),
    Cluster("zhongwei", "Zhongwei", (("ascend-910b", 600), ("a100-80g", 820), (SERVING, 700))),
)
CLUSTER_OF: Final = {cluster.party: cluster for cluster in CLUSTERS}
