"""What the views are asked: each question reads rows of one moment, and writes nothing."""

from abc import abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from tallystick.publishing.reader import Reader
from tallystick.views import entry_index
from tallystick.views.applications import (
    ApplicationAccount,
    ApplicationBalance,
    application_account,
    application_balances,
)
from tallystick.views.balances import (
    VOUCHERS,
    HolderAccount,
    HolderBalance,
    ReservationAccount,
    VoucherBalance,
    holder_account,
    holder_balances,
    reservation_account,
)
from tallystick.views.catalogue import ItemAccount, item_account
from tallystick.views.claim_lines import claimed_statements, lines_of_claim
from tallystick.views.claims import ClaimAccount, ClaimBalance, claim_account, claim_balances
from tallystick.views.concerned import few_shown, login_key, parties_concerned, things_of, told_of
from tallystick.views.contract_account import ContractAccount, contract_account
from tallystick.views.contract_lines import lines_of_contract, reversed_lines
from tallystick.views.contract_payments import ContractBalance, contract_balances
from tallystick.views.demands import DemandAccount, DemandBalance, demand_account, demand_balances
from tallystick.views.entry_index import RecordedEntry
from tallystick.views.figure_questions import FigureQuestions, Found
from tallystick.views.library import SQLiteCursor
from tallystick.views.lists import By, ListKind, Page, page_of
from tallystick.views.mandates import MandateAccount, MandateBalance, mandate_account, mandate_balances
from tallystick.views.parties import KeyAccount, PartyAccount, key_account, party_account
from tallystick.views.payees import PayeeBalance, payee_balances
from tallystick.views.programme_balances import ProgrammeBalance, programme_balances
from tallystick.views.programme_book import ProgrammeBook, programme_book
from tallystick.views.provider_statement import (
    ProviderBalance,
    ProviderStatement,
    RefusedLines,
    provider_balances,
    provider_statement,
    refused_lines,
)
from tallystick.views.searching import HITS_MAX, Hit, entry_with_leaf_hash, hits_in_views, statement_with_job
from tallystick.views.summaries import Summary, SummaryKind, summary_of
from tallystick.views.treasuries import TreasuryAccount, TreasuryBalance, treasury_account, treasury_balances
from tallystick.views.voucher_history import VoucherHistory, voucher_history
from tallystick.vouchers.reading_rights import Concerned, ThingKind
from tallystick.vouchers.sessions import LoginKey

Balance = (
    ProgrammeBalance
    | HolderBalance
    | ProviderBalance
    | VoucherBalance
    | ContractBalance
    | ApplicationBalance
    | MandateBalance
    | ClaimBalance
    | DemandBalance
    | PayeeBalance
    | TreasuryBalance
)


class Questions(FigureQuestions):
    """The questions, asked of whatever rows there are."""

    @abstractmethod
    def ask(self, question: Callable[[SQLiteCursor], Found]) -> Found:
        """Answer a question from rows."""

    last_day: str | None = None
    """The last day of which lines count; None: all do."""

    @abstractmethod
    def entries(self, indices: Iterable[int]) -> Iterator[bytes]:
        """Yield entries of the log.

        Raises:
            NotALedgerError: one can't be read.
        """

    def balances(self, by: By) -> list[Balance]:
        """Return a row for each of a kind in order of their ids; applications, claims, demands in that of the log."""
        match by:
            case "programme":
                return [*self.ask(programme_balances)]
            case "holder":
                return [*self.ask(holder_balances)]
            case "provider":
                return [*self.ask(provider_balances)]
            case "voucher":
                return [*self.ask(VOUCHERS.rows)]
            case "contract":
                return [*self.ask(contract_balances)]
            case "application":
                return [*self.ask(application_balances)]
            case "mandate":
                return [*self.ask(mandate_balances)]
            case "claim":
                return [*self.ask(claim_balances)]
            case "demand":
                return [*self.ask(demand_balances)]
            case "payee":
                return [*self.ask(payee_balances)]
            case "treasury":
                return [*self.ask(treasury_balances)]

    def voucher(self, voucher: str) -> VoucherHistory:
        """Return a voucher and its history.

        Raises:
            NotFoundError: there is none of that id.
        """
        return self.ask(lambda c: voucher_history(c, voucher))

    def contract(self, contract: str) -> ContractAccount:
        """Return a contract, its terms and prices over time, who pays for it, and its statements with their lines.

        Raises:
            NotFoundError: there is none of that id.
            NotALedgerError: an entry can't be read.
        """
        account = self.ask(lambda c: contract_account(c, contract))
        statements = [one.index for one in account.statements]
        taken_back = self.ask(lambda c: reversed_lines(c, statements))
        lines = lines_of_contract(self.entries([0, *statements]), taken_back, self.last_day)
        return replace(account, lines=tuple(lines))

    def holder(self, holder: str) -> HolderAccount:
        """Return a holder's balance, vouchers, contracts and reservations.

        Raises:
            NotFoundError: there is none of that id.
        """
        return self.ask(lambda c: holder_account(c, holder))

    def provider(self, provider: str) -> ProviderStatement:
        """Return a provider's statement.

        Raises:
            NotFoundError: there is none of that id.
        """
        return self.ask(lambda c: provider_statement(c, provider))

    def programme(self, programme: str) -> ProgrammeBook:
        """Return a programme's book.

        Raises:
            NotFoundError: there is none of that id.
        """
        return self.ask(lambda c: programme_book(c, programme))

    def summary(self, kind: SummaryKind, id_: str) -> Summary:
        """Return a thing without the lists beside it (`summaries.summary_of`).

        Raises:
            NotFoundError: there is none of that id.
        """
        return self.ask(lambda c: summary_of(c, kind, id_))

    def mandate(self, mandate: str) -> MandateAccount:
        """Return a mandate, and all that was done by it.

        Raises:
            NotFoundError: there is none of that id.
        """
        return self.ask(lambda c: mandate_account(c, mandate))

    def claim(self, claim: str) -> ClaimAccount:
        """Return a claim, its contracts, what its payment was set off against, its lots and lines.

        Raises:
            NotFoundError: there is none of that id.
            NotALedgerError: an entry can't be read.
        """
        account = self.ask(lambda c: claim_account(c, claim))
        found = self.ask(lambda c: claimed_statements(c, claim))
        lines = lines_of_claim(found, self.entries([0, *sorted(found.lots)]))
        return replace(account, lines=tuple(lines))

    def application(self, application: str) -> ApplicationAccount:
        """Return an application's way: verdicts, gates, what was issued for it.

        Raises:
            NotFoundError: there is none of that id.
        """
        return self.ask(lambda c: application_account(c, application))

    def party(self, party: str) -> PartyAccount:
        """Return a party, its keys, and which commands it gave.

        Raises:
            NotFoundError: there is none of that id.
        """
        return self.ask(lambda c: party_account(c, party))

    def treasury(self, treasury: str) -> TreasuryAccount:
        """Return a treasury over all its programmes, and what it owes to whom and since when.

        Raises:
            NotFoundError: there is none of that id.
        """
        return self.ask(lambda c: treasury_account(c, treasury))

    def item(self, item: str) -> ItemAccount:
        """Return an item and every provider's prices of it.

        Raises:
            NotFoundError: there is none of that id.
        """
        return self.ask(lambda c: item_account(c, item))

    def reservation(self, reservation: str) -> ReservationAccount:
        """Return a reservation, and the entries that concern it.

        Raises:
            NotFoundError: there is none of that id.
        """
        return self.ask(lambda c: reservation_account(c, reservation))

    def key(self, key: str) -> KeyAccount:
        """Return a key.

        Raises:
            NotFoundError: there is none of that label.
        """
        return self.ask(lambda c: key_account(c, key))

    def listed(
        self,
        kind: ListKind,
        limit: int,
        *,
        after: str | None = None,
        keep: Callable[[Sequence[Any]], Sequence[Any]] = lambda rows: rows,
        among: Collection[str] | None = None,
        **equal: object,
    ) -> Page:
        """Return a page of a list (`lists.page_of`).

        Raises:
            NotFoundError: there is no row to go on after.
        """
        return self.ask(lambda c: page_of(c, kind, limit, after=after, keep=keep, among=among, **equal))

    def search(self, text: str, log: Reader, keep: Callable[[Hit], bool] = lambda _: True) -> list[Hit]:
        """Return what a text leads to, at most `searching.HITS_MAX`: what matches exactly first, nothing twice.

        Args:
            text: what somebody has.
            log: with all entries that the views know, for what they don't index.
            keep: says what of it is shown.

        Raises:
            NotALedgerError: an entry can't be read.
        """
        found: dict[tuple[str, str], Hit] = {}
        hits = chain(
            self.ask(lambda c: list(hits_in_views(c, text, log.size))),
            entry_with_leaf_hash(text, log),
            self.ask(lambda c: list(statement_with_job(c, text, self.entries))),
        )
        for hit in hits:
            if (hit.kind, hit.id) not in found and keep(hit):
                found[hit.kind, hit.id] = hit
            if len(found) == HITS_MAX:
                break
        return [*found.values()]

    def recorded(self, limit: int, **wanted: Any) -> list[RecordedEntry]:  # noqa: ANN401 - as `recorded_entries` has it
        """Return entries in short, newest first (`entry_index.recorded_entries`)."""
        return self.ask(lambda c: entry_index.recorded_entries(c, limit, **wanted))

    def demand(self, demand: str) -> DemandAccount:
        """Return a demand, and what became of it.

        Raises:
            NotFoundError: there is none of that id.
        """
        return self.ask(lambda c: demand_account(c, demand))

    def refusals_by_reason(self) -> list[RefusedLines]:
        """Return the refused lines of statements, by provider and reason."""
        return [*self.ask(refused_lines)]

    def entries_concerning(self, name: str) -> list[int]:
        """Return the indices, ascending, of the entries that concern an account or a thing (`entry_index`)."""
        return self.ask(lambda c: entry_index.entries_concerning(c, name))

    def statement_entry(self, provider: str, ref: str, before: int) -> int | None:
        """Return the index of a provider's newest statement of this reference before an entry, if there is one."""
        return self.ask(lambda c: entry_index.statement_entry(c, provider, ref, before))

    def seal_leaf(self, seal_index: int, account: str) -> bytes | None:
        """Return an account's leaf at a seal; None if that has none, or is no seal."""
        return self.ask(lambda c: entry_index.seal_leaf(c, seal_index, account))

    def seal_leaves(self, seal_index: int) -> list[tuple[str, bytes]]:
        """Return every account and its leaf, in the order of a seal's tree; nothing if that entry is no seal."""
        return self.ask(lambda c: entry_index.seal_leaves(c, seal_index))

    def parties_concerned(self, kind: ThingKind, thing: str) -> Concerned | None:
        """Return which parties a thing concerns; None if there is none of that id (`concerned.parties_concerned`)."""
        return self.ask(lambda c: parties_concerned(c, kind, thing))

    def things_of(self, kind: ThingKind, party: str, ids: Collection[str] | None = None) -> frozenset[str]:
        """Return the ids of the things of a kind of which a party sees all (`concerned.things_of`)."""
        return self.ask(lambda c: things_of(c, kind, party, ids))

    def told_of(self, kind: ThingKind, party: str, ids: Collection[str] | None = None) -> frozenset[str]:
        """Return the ids of the things of a kind of which a party sees the terms (`concerned.told_of`)."""
        return self.ask(lambda c: told_of(c, kind, party, ids))

    def few_shown(self, kind: ThingKind, party: str, limit: int) -> frozenset[str] | None:
        """Return the ids of all that is shown of a kind to a party; None if that is more than so many."""
        return self.ask(lambda c: few_shown(c, kind, party, limit))

    def login_key(self, label: str) -> LoginKey | None:
        """Return a key and its party as they are now, for a login; None if there is no such key."""
        return self.ask(lambda c: login_key(c, label))
