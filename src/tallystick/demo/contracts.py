"""Contracts between start-ups and clusters: one for each two, signed by both before anything is reserved under it."""

from collections.abc import Iterable, Mapping
from typing import Final

from tallystick.demo import market
from tallystick.demo.stage import Stage
from tallystick.demo.year import Year
from tallystick.signing.algorithms import SHA256
from tallystick.vouchers.quantities import format_day
from tallystick.vouchers.rules.contracts import CONTRACT_DAYS_MAX

FEN: Final = 100
AMOUNT_YUAN: Final = 20_000_000
OTHER_SUPPORT_YUAN: Final = 2_000
SUPPORTED_EACH: Final = 10
"""The first of so many contracts gets that much from elsewhere."""
CLAIMANTS: Final = ("provider", "holder", "either")


class Contracts:
    """All that start-ups and clusters signed, by who they are."""

    def __init__(self, stage: Stage, year: Year) -> None:
        """Nothing is signed yet."""
        self.stage = stage
        self.year = year
        self._signed: dict[tuple[str, str], str] = {}

    def sign(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Let start-ups and clusters sign a contract, those that have none with each other yet."""
        notes = []
        for startup, provider in dict.fromkeys(pairs):
            if (startup, provider) not in self._signed:
                notes.append(self._contract(startup, provider))
                self._signed[startup, provider] = contract_id(startup, provider)
        if notes:
            self.stage.submit(*notes)

    def _contract(self, startup: str, provider: str) -> bytes:
        """Return what both signed: the cluster's list of prices, from today to the story's end."""
        number = len(self._signed)
        more = {
            "claimant": CLAIMANTS[number % len(CLAIMANTS)],
            "other_support_fen": OTHER_SUPPORT_YUAN * FEN if number % SUPPORTED_EACH == 0 else 0,
        }
        prices_fen = dict(sorted(market.CLUSTER_OF[provider].prices_fen))
        fields = self._terms(contract_id(startup, provider), startup, provider, prices_fen) | more
        return self.stage.note_of_both(startup, provider, "contract.sign", fields)

    def sign_about(self, contract: str, startup: str, provider: str, item: str, **fields: object) -> None:
        """Let a start-up and a cluster sign another contract, about one item, at the cluster's price."""
        prices_fen = {item: market.CLUSTER_OF[provider].all_prices_fen[item]}
        terms = self._terms(contract, startup, provider, prices_fen) | fields
        self.stage.submit(self.stage.note_of_both(startup, provider, "contract.sign", terms))

    def _terms(self, contract: str, startup: str, provider: str, prices_fen: Mapping[str, int]) -> dict[str, object]:
        """Return a contract, metered, from today to the story's end, without support from elsewhere."""
        today = self.stage.state.day_of(self.stage.now)
        return {
            "contract": contract,
            "holder": startup,
            "provider": provider,
            "document_hash": SHA256.of(f"{contract}, from {format_day(today)}\n".encode()),
            "amount_fen": AMOUNT_YUAN * FEN,
            "first_day": format_day(today),
            "last_day": format_day(min(max(self.year.end_day - 1, today), today + CONTRACT_DAYS_MAX - 1)),
            "items": [{"item": item, "price_fen": price_fen} for item, price_fen in prices_fen.items()],
            "basis": "metered",
            "claimant": "provider",
            "related_party": False,
            "other_support_fen": 0,
        }

    def amend(self, startup: str, provider: str, **fields: object) -> None:
        """Let both sign an amendment; the start-up tries it alone first, in vain."""
        amendment = {"contract": contract_id(startup, provider), **fields}
        self.stage.act(startup, "contract.amend", **amendment)
        self.stage.submit(self.stage.note_of_both(startup, provider, "contract.amend", amendment))


def contract_id(startup: str, provider: str) -> str:
    """Return the id of the contract of a start-up and a cluster."""
    return f"{startup}/with-{provider}"
