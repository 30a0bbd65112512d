"""What is counted and what is invoiced, each on its day, where the cast allows it.

    day
     24  a start-up and a cluster agree on the use of a filed model, by the million tokens
     30  the same two on licensed texts, which are invoiced
     32  another start-up, whose city pays by days of the year, on cards, from a month before the year on
     59  the use of days 31 to 58; the same days a second time are refused
     70  an invoice about texts of these days, paid by the voucher for a corpus; the start-up attests their delivery
     72  an invoice about days -31 to 58, of which those of the year count; a second time it is refused
     92  the use of days 59 to 89
of which each that is invoiced is paid only once somebody else has looked at it.
"""

from collections.abc import Callable, Mapping
from typing import Final

from tallystick.demo import cast, market
from tallystick.demo.attestations import Verdict, attestation, evidence_hash
from tallystick.demo.contracts import FEN
from tallystick.demo.dated import DatedActs
from tallystick.demo.founding import Startup
from tallystick.demo.year import instant
from tallystick.vouchers.quantities import format_day, format_instant

RESERVED_FEN: Final = 80_000 * FEN
MILLION_TOKENS: Final = 9_000
TEXTS_FEN: Final = 20_000 * FEN
CARDS_FEN: Final = 200_000 * FEN
SECOND_MONTH: Final = (31, 58)
THIRD_MONTH: Final = (59, 89)
THREE_MONTHS: Final = (-31, 58)


class CountedAndInvoiced(DatedActs):
    """A filed model by use, and two invoices."""

    def acts(self) -> Mapping[int, Callable[[], None]]:
        """Each on its day."""
        return {
            24: self._agree_on_use,
            30: self._agree_on_texts,
            32: self._agree_on_cards,
            59: lambda: self._burn_use(*SECOND_MONTH, times=2),
            70: self._burn_invoice_about_texts,
            72: self._burn_invoice_about_cards,
            92: lambda: self._burn_use(*THIRD_MONTH, times=1),
        }

    def _agree(
        self, startup: Startup, terms: cast.Terms, item: str, *, basis: str = "metered", first_day: int | None = None
    ) -> None:
        """Let a start-up and a cluster sign a contract about an item, and reserve of its voucher for that."""
        voucher = self.voucher_under(startup, terms)
        provider = self._provider(startup, terms, item)
        if voucher is None or provider is None:
            return
        contract = self._contract(startup, item)
        fields: dict[str, object] = {"basis": basis}
        if first_day is not None:
            fields["first_day"] = format_day(self.day(first_day))
        self.network.contracts.sign_about(contract, startup.party, provider, item, **fields)
        until = min(self.stage.state.vouchers[voucher].valid_until, instant(self.day(150)))
        self.stage.act(
            startup.party,
            "voucher.reserve",
            reservation=contract,
            voucher=voucher,
            contract=contract,
            amount_fen=RESERVED_FEN,
            until=format_instant(until),
        )

    def _contract(self, startup: Startup, item: str) -> str:
        return f"{startup.party}/about-{item}"

    def _provider(self, startup: Startup, terms: cast.Terms, item: str) -> str | None:
        """Return the first cluster that sells the item and is accredited for it."""
        for provider in self.network.accredited[startup.city.programme(terms)]:
            if item in market.CLUSTER_OF[provider].all_prices_fen:
                return provider
        return None

    def _agree_on_use(self) -> None:
        terms = self._terms("model")
        self._agree(self.startups[0], terms, market.USE)

    def _agree_on_texts(self) -> None:
        self._agree(self.startups[0], self._terms("corpus"), market.TEXT, basis="invoiced")

    def _terms(self, slug: str) -> cast.Terms:
        """Return the terms of the first city's programme of that name."""
        (terms,) = [one for one in self.startups[0].city.programmes if one.slug == slug]
        return terms

    def _agree_on_cards(self) -> None:
        startup = self.network.startup_where(is_prorated=True)
        if startup is not None:
            item, first_day = market.ITEMS[0].id, THREE_MONTHS[0]
            self._agree(startup, startup.city.programmes[0], item, basis="invoiced", first_day=first_day)

    def _burn_use(self, first_day: int, last_day: int, *, times: int) -> None:
        for _ in range(times):
            self._burn(self.startups[0], market.USE, (first_day, last_day), quantity=MILLION_TOKENS)

    def _burn_invoice_about_texts(self) -> None:
        """The programme pays the cluster once the start-up, the contract's other side, has attested the delivery."""
        startup = self.startups[0]
        self._burn_invoice(startup, market.TEXT, SECOND_MONTH, TEXTS_FEN)
        contract = self._contract(startup, market.TEXT)
        if contract in self.stage.state.contracts:
            passed = Verdict("contract", contract, cast.RECEIVED, "all texts are here")
            self.stage.submit(attestation(self.stage, startup.party, passed, self.seed))

    def _burn_invoice_about_cards(self) -> None:
        startup = self.network.startup_where(is_prorated=True)
        if startup is not None:
            self._burn_invoice(startup, market.ITEMS[0].id, THREE_MONTHS, CARDS_FEN)
            self._burn_invoice(startup, market.ITEMS[0].id, THREE_MONTHS, CARDS_FEN)

    def _burn_invoice(self, startup: Startup, item: str, days: tuple[int, int], fee_fen: int) -> None:
        document_hash = evidence_hash(self.seed, f"invoice about {item} of {startup.party}")
        self._burn(startup, item, days, document_hash=document_hash, fee_fen=fee_fen)

    def _burn(self, startup: Startup, item: str, days: tuple[int, int], **more: object) -> None:
        """Let the contract's cluster send a statement, if there is a contract."""
        contract = self.stage.state.contracts.get(self._contract(startup, item))
        if contract is None:
            return
        first_day, last_day = (format_day(self.day(number)) for number in days)
        fields = {
            "contract": self._contract(startup, item),
            "item": item,
            "first_day": first_day,
            "last_day": last_day,
            **more,
        }
        self.stage.burn_service(contract.provider, fields)
