"""Payments for the bank, and the bank's answer: what was paid becomes settlements to sign, all else is reported.

Nothing is signed and nothing is sent here. A claim is settled by the answer if what the bank carried out for it, less
what came back, is exactly what is due, to the account that it was meant for.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from tallystick.accounting.bank_file import BankPayment
from tallystick.accounting.payables import REFERENCE, Payable, PayeeAccount, payment_reference
from tallystick.forms.amounts import yuan
from tallystick.forms.form import form_of
from tallystick.forms.leaves import Surroundings
from tallystick.views import ClaimBalance

LIST_COLUMNS: Final = ("reference", "payee", "name", "account", "bank", "amount", "remittance", "claim", "last_day")
SHEET_COLUMNS: Final = ("ref", "claim", "row", "offset", "payment", "mandate")
_APART: Final = re.compile(r"[\s,;:|()\[\]{}，；：（）、]+")


class BankFinding(StrEnum):
    """What is wrong with a payment, or with what was paid for a claim."""

    PAID_TWICE = "paid_twice"
    WRONG_AMOUNT = "wrong_amount"
    WRONG_ACCOUNT = "wrong_account"
    NOT_CARRIED_OUT = "not_carried_out"
    PAID_BEFORE_GATES = "paid_before_gates"
    UNKNOWN_REFERENCE = "unknown_reference"
    NO_REFERENCE = "no_reference"


@dataclass(frozen=True, slots=True)
class FoundInBankFile:
    """A finding.

    Attributes:
        code: what it is.
        line: of the bank's file.
        claim: that it is about; None if that isn't known.
        amount_fen: paid, in all.
        due_fen: what would have been right; None if that isn't known.
        detail: for a person.
    """

    code: BankFinding
    line: int
    claim: str | None
    amount_fen: int
    due_fen: int | None
    detail: str


@dataclass(frozen=True, slots=True)
class Paid:
    """A claim that can be settled, and its payment; None where nothing was to be paid by the bank."""

    payable: Payable
    payment: BankPayment | None


@dataclass(slots=True)
class BankAnswer:
    """What came of reading the bank's file.

    Attributes:
        paid: claims that can be settled.
        settled: claims that are settled with these payments already.
        unpaid: payable claims without a payment.
        elsewhere: how many payments are of other programmes of the treasury.
        passed_over: how many have no reference of ours, where such are no finding.
        findings: what is wrong.
    """

    paid: list[Paid] = field(default_factory=list)
    settled: list[str] = field(default_factory=list)
    unpaid: list[Payable] = field(default_factory=list)
    elsewhere: int = 0
    passed_over: int = 0
    findings: list[FoundInBankFile] = field(default_factory=list)


def payment_rows(dues: Iterable[Payable], accounts: Mapping[str, PayeeAccount]) -> Iterator[dict[str, str]]:
    """Yield the rows of the list for the bank, amounts in yuan; nothing of which nothing is due."""
    for due in dues:
        if due.due_fen and not due.missing:
            account = accounts[due.payee]
            yield {
                "reference": due.reference,
                "payee": due.payee,
                "name": account.name,
                "account": account.account,
                "bank": account.bank,
                "amount": yuan(due.due_fen).replace(",", ""),
                "remittance": f"{due.reference} {due.claim}",
                "claim": due.claim,
                "last_day": due.last_day,
            }


def read_answer(
    payments: Sequence[BankPayment],
    programme: str,
    dues: Sequence[Payable],
    claims: Sequence[ClaimBalance],
    origin: str,
    accounts: Mapping[str, PayeeAccount] | None = None,
    *,
    only_ours: bool = False,
) -> BankAnswer:
    """Compare a bank's payments with what is due.

    Args:
        payments: of the bank's file.
        programme: whose claims are paid.
        dues: of its open claims.
        claims: of all the treasury's programmes.
        origin: the log's.
        accounts: where payees are paid; not compared, if not given.
        only_ours: payments without any reference of ours are passed over.
    """
    answer = BankAnswer()
    known = {payment_reference(origin, claim.claim): claim for claim in claims}
    by_id = {claim.claim: claim for claim in claims}
    of_claim: dict[str, list[BankPayment]] = {}
    references = Counter(payment.reference for payment in payments)
    for read in payments:
        # A treasury uses each reference once: one that several payments share is none.
        payment = replace(read, reference="") if references[read.reference] > 1 else read
        found, has_reference = _claims_of(payment, known, by_id)
        if len(found) == 1:
            of_claim.setdefault(found[0], []).append(payment)
        elif only_ours and not has_reference:
            answer.passed_over += 1
        else:
            answer.findings.append(_unknown(payment, found, has_reference=has_reference))
    for due in dues:
        _add_due(answer, due, of_claim.pop(due.claim, []), accounts)
    for claim, of_it in of_claim.items():
        if by_id[claim].programme == programme:
            _add_settled(answer, by_id[claim], of_it, payment_reference(origin, claim))
        else:
            answer.elsewhere += len(of_it)
    answer.findings.sort(key=lambda one: one.line)
    return answer


def settlement_rows(paid: Iterable[Paid], mandate: str | None, zone: int) -> Iterator[dict[str, str | None]]:
    """Yield the rows of a sheet for `tallystick do redemption.settle --from`: a contract or demand a row.

    Args:
        paid: what can be settled.
        mandate: by which an operator settles for the treasury, if one does.
        zone: the network's offset (seconds).
    """
    form = form_of("redemption.settle")
    assert form is not None
    for one in paid:
        said: dict[str, list[str]] = {}
        for name, text in form.write(_fields(one, mandate), Surroundings(zone)):
            said.setdefault(name, []).append(text)
        ref = f"settle-{one.payable.reference}"
        for place in range(max(map(len, said.values()))):
            row = {name: texts[place] if place < len(texts) else None for name, texts in said.items()}
            yield dict.fromkeys(SHEET_COLUMNS) | {"ref": ref} | row


def _fields(one: Paid, mandate: str | None) -> dict[str, Any]:
    """Return the command's own fields as JSON values."""
    due, payment = one.payable, one.payment
    fields: dict[str, Any] = {
        "claim": due.claim,
        "rows": [
            {"contract": share.contract, "paid_fen": share.paid_fen}
            | ({"withheld_fen": share.withheld_fen, "reason": share.reason} if share.withheld_fen else {})
            for share in due.shares
        ],
    }
    if due.offsets:
        fields["offsets"] = [{"demand": demand, "amount_fen": amount_fen} for demand, amount_fen in due.offsets]
    if payment is not None:
        reference = payment.reference or due.reference
        fields["payment"] = {"amount_fen": due.due_fen, "day": payment.day, "reference": reference}
    return fields | ({"mandate": mandate} if mandate else {})


def _claims_of(
    payment: BankPayment, known: Mapping[str, ClaimBalance], by_id: Mapping[str, ClaimBalance]
) -> tuple[list[str], bool]:
    """Return the claims that a payment names, and whether it has a reference as ours are."""
    text = unicodedata.normalize("NFKC", payment.remittance)
    references = REFERENCE.findall("".join(text.split()).upper())
    found = [known[reference].claim for reference in references if reference in known]
    if not found and not references:
        found = [word for word in _APART.split(text) if word in by_id]
    return list(dict.fromkeys(found)), bool(references)


def _unknown(payment: BankPayment, found: Sequence[str], *, has_reference: bool) -> FoundInBankFile:
    if found:
        detail = f"names {' and '.join(found)}, and is one payment"
    else:
        detail = (
            f"{payment.remittance[:100]!r} names no claim of this treasury" if payment.remittance else "has no text"
        )
    code = BankFinding.UNKNOWN_REFERENCE if has_reference or found else BankFinding.NO_REFERENCE
    return FoundInBankFile(code, payment.line, None, payment.amount_fen, None, detail)


def _add_due(
    answer: BankAnswer, due: Payable, payments: Sequence[BankPayment], accounts: Mapping[str, PayeeAccount] | None
) -> None:
    """Add what became of a claim that is open."""
    made = [one for one in payments if one.is_carried_out]

    def add(code: BankFinding, payment: BankPayment, amount_fen: int, detail: str) -> None:
        answer.findings.append(FoundInBankFile(code, payment.line, due.claim, amount_fen, due.due_fen, detail))

    for payment in payments:
        if not payment.is_carried_out:
            add(BankFinding.NOT_CARRIED_OUT, payment, payment.amount_fen, "the bank says that it wasn't made")
    if not made:
        if due.due_fen or due.missing:
            answer.unpaid.append(due)
        else:
            answer.paid.append(Paid(due, None))
        return
    paid_fen = sum(payment.amount_fen for payment in made)
    last = made[-1]
    account = None if accounts is None else accounts.get(due.payee)
    wrong = [one for one in made if account is not None and one.account and one.account != account.account]
    if paid_fen == 0:
        answer.unpaid.append(due)
    elif wrong:
        add(BankFinding.WRONG_ACCOUNT, wrong[0], paid_fen, f"{due.payee} is not paid at {wrong[0].account}")
    elif paid_fen != due.due_fen:
        counts = Counter(one.amount_fen for one in made)
        is_twice = due.due_fen > 0 and counts[due.due_fen] > 1
        lines = ", ".join(str(one.line) for one in made)
        detail = f"{yuan(due.due_fen)} yuan are due, and {yuan(paid_fen)} were paid (lines {lines})"
        add(BankFinding.PAID_TWICE if is_twice else BankFinding.WRONG_AMOUNT, last, paid_fen, detail)
    elif due.missing:
        add(BankFinding.PAID_BEFORE_GATES, last, paid_fen, f"it was paid before: {'; '.join(due.missing)}")
    else:
        answer.paid.append(Paid(due, next(one for one in reversed(made) if one.amount_fen > 0)))


def _add_settled(answer: BankAnswer, claim: ClaimBalance, payments: Sequence[BankPayment], reference: str) -> None:
    """Add what was paid of a claim that is settled already."""
    said = claim.payment_reference, claim.payment_day, claim.payment_fen
    rest_fen = paid_fen = 0
    for payment in [one for one in payments if one.is_carried_out]:
        is_of_it = said[0] in (payment.reference, reference) or said[1:] == (payment.day, payment.amount_fen)
        paid_fen += payment.amount_fen if is_of_it else 0
        rest_fen += 0 if is_of_it else payment.amount_fen
    if rest_fen == 0 and paid_fen in (0, claim.payment_fen):
        answer.settled.append(claim.claim)
        return
    code = BankFinding.PAID_TWICE if rest_fen > 0 else BankFinding.WRONG_AMOUNT
    said_fen = rest_fen if rest_fen > 0 else paid_fen + rest_fen
    detail = f"it is settled with a payment of {yuan(claim.payment_fen)} yuan ({said[0]}); here are {yuan(said_fen)}"
    answer.findings.append(FoundInBankFile(code, payments[-1].line, claim.claim, said_fen, claim.payment_fen, detail))
