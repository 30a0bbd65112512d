"""Contracts whose every price is the tariff's: nobody bargained, though the ledger charges no more than the tariff.

Kept: for each holder and provider how many contracts, how many of them below the tariff, and the first entries.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from tallystick.patterns.parameters import Parameters
from tallystick.patterns.pattern import Certainty, Entries, Pattern, Seen, Severity
from tallystick.vouchers.contracts import price_at
from tallystick.vouchers.rules.contracts import ContractAmend, ContractSign
from tallystick.vouchers.rules.rule import Event
from tallystick.vouchers.state import State


@dataclass(slots=True)
class _Signed:
    """Contracts of a holder and a provider; the names are of those that are at the tariff's price."""

    contracts: int = 0
    cheaper: int = 0
    amount_fen: int = 0
    entries: Entries = field(default_factory=Entries)


class PricesWatch:
    """Every contract's prices against the tariff of its first day."""

    def __init__(self, parameters: Parameters) -> None:
        """Nothing is signed yet."""
        self._parameters = parameters
        self._signed: dict[tuple[str, str], _Signed] = defaultdict(_Signed)
        self._cheaper_later: set[str] = set()

    def sign(self, event: Event, state: State) -> None:
        """Take in a contract."""
        command = event.command
        assert isinstance(command, ContractSign)
        tariffs = state.tariffs.get(command.provider, {})
        instant = max(event.at, state.start_of(command.first_day))
        prices = [(one.price_fen, price_at(tariffs.get(one.item, []), instant)) for one in command.items]
        known = [(price_fen, tariff_fen) for price_fen, tariff_fen in prices if tariff_fen is not None]
        if not known:
            return
        signed = self._signed[command.holder, command.provider]
        signed.contracts += 1
        if any(price_fen < tariff_fen for price_fen, tariff_fen in known):
            signed.cheaper += 1
        else:
            signed.amount_fen += command.amount_fen
            signed.entries.add(event.index)

    def amend(self, event: Event, state: State) -> None:
        """Take in an amendment: one that makes anything cheaper than the tariff shows that somebody bargained."""
        command = event.command
        assert isinstance(command, ContractAmend)
        contract = state.contracts[command.contract]
        signed = self._signed.get((contract.holder, contract.provider))
        if command.items is None or signed is None or command.contract in self._cheaper_later:
            return
        tariffs = state.tariffs.get(contract.provider, {})
        for one in command.items:
            tariff_fen = price_at(tariffs.get(one.item, []), event.at)
            if tariff_fen is not None and one.price_fen < tariff_fen:
                self._cheaper_later.add(command.contract)
                signed.cheaper += 1
                return

    def seen(self) -> Iterator[Seen]:
        """Yield each two whose contracts are all at the tariff's price."""
        all_of: dict[str, _Signed] = defaultdict(_Signed)
        for (_, provider), signed in self._signed.items():
            all_of[provider].contracts += signed.contracts
            all_of[provider].cheaper += signed.cheaper
        for (holder, provider), signed in self._signed.items():
            if signed.contracts < self._parameters.ceiling_contracts or signed.cheaper:
                continue
            others = all_of[provider].contracts - signed.contracts
            cheaper = all_of[provider].cheaper
            is_alone = others >= self._parameters.ceiling_others and cheaper * 2 > others
            yield Seen(
                Pattern.CEILING_PRICES_ONLY,
                Severity.WARNING if is_alone else Severity.NOTE,
                Certainty.LIKELY if is_alone else Certainty.POSSIBLE,
                "the provider's other customers mostly pay less"
                if is_alone
                else "a price list that holds for everybody",
                (holder, provider),
                (),
                signed.entries.shown,
                {
                    "entries": signed.entries.count,
                    "contracts": signed.contracts,
                    "amount_fen": signed.amount_fen,
                    "other_contracts": others,
                    "other_contracts_cheaper": cheaper,
                },
                f"all {signed.contracts:,} contracts of {holder} and {provider} are at the tariff's prices; of the "
                f"provider's other contracts ({others:,}) {cheaper:,} are below them",
            )
