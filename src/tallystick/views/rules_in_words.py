"""A programme's rules in words, one sentence a rule: what an applicant, a provider or an auditor asks of them."""

from collections.abc import Iterator
from typing import Final

from tallystick.forms.amounts import yuan
from tallystick.vouchers.fields import ChipOrigin, ClaimCycle, DayCount, Payee, ProgrammeBasis, TransferPolicy
from tallystick.vouchers.programmes import ProgrammeRules, Proration, ShareRow
from tallystick.vouchers.quantities import format_day
from tallystick.vouchers.reviews import Gate

_BASIS_POINTS_A_PERCENT: Final = 100
_ORIGINS: Final[dict[ChipOrigin, str]] = {"domestic": "of domestic origin", "foreign": "of foreign origin"}
_TRANSFERS: Final[dict[TransferPolicy, str]] = {
    "forbidden": "vouchers can't be transferred",
    "approved": "vouchers are transferred with the treasury's signature",
    "open": "vouchers may be transferred",
}
_PAYEES: Final[dict[Payee, str]] = {
    "provider": "the provider",
    "holder": "the holder",
    "contract": "the side that the contract names",
}
_BASES: Final[dict[ProgrammeBasis, str]] = {
    "metered": "lines of use",
    "invoiced": "invoices",
    "both": "lines of use and invoices",
}
_CYCLES: Final[dict[ClaimCycle, str]] = {
    "month": "up to the end of a month",
    "quarter": "up to the end of a quarter",
    "any": "up to any day",
}
_DAY_COUNTS: Final[dict[DayCount, str]] = {
    "end_minus_start": "last day minus first day",
    "inclusive": "both days counted",
}


def rules_in_words(rules: ProgrammeRules) -> tuple[str, ...]:
    """Return what rules say, rule by rule; amounts in yuan."""
    return tuple(_sentences(rules))


def _sentences(rules: ProgrammeRules) -> Iterator[str]:
    for number, row in enumerate(rules.shares):
        yield f"{'else ' if number else ''}it pays {_share(row, rules.ceiling_bp)}"
    yield f"of several programmes it pays as rank {rules.rank}, the lowest first"
    cap = rules.cap
    yield f"a holder is granted at most {yuan(cap.holder_fen)} yuan a fiscal year in the group {cap.group}"
    if cap.floor_fen:
        yield f"a voucher is of {yuan(cap.floor_fen)} yuan or more"
    yield f"a voucher is valid for {rules.validity_days:,} days"
    yield _TRANSFERS[rules.transfer]
    yield f"it pays {_PAYEES[rules.payee]}, for {_BASES[rules.basis]}"
    if rules.proration is not None:
        yield _prorated(rules.proration)
    yield f"it is claimed {_CYCLES[rules.claims.cycle]}, within {rules.claims.cut_off_days} days after it"
    yield "a claim is exact to the fen" if rules.rounding_fen == 1 else "a claim is rounded down to whole yuan"
    yield from map(gate_in_words, rules.gates)


def percent(basis_points: int) -> str:
    """Return basis points in percent: 3,000 is `30 %`, 3,025 is `30.25 %`."""
    whole, rest = divmod(basis_points, _BASIS_POINTS_A_PERCENT)
    return f"{whole}.{rest:02d} %" if rest else f"{whole} %"


def gate_in_words(gate: Gate) -> str:
    """Return what a gate asks."""
    by = "the contract's other side" if gate.other_side else f"{gate.passes} of {', '.join(gate.attesters)}"
    return f"before {_ACTS[gate.before]}, {by} must pass the {gate.subject_type} on {gate.topic}"


_ACTS: Final = {"issue": "an issue", "claim": "a claim", "settle": "a payment"}


def _share(row: ShareRow, ceiling_bp: int) -> str:
    of_items = f" of {', '.join(row.items)}" if row.items is not None else ""
    of_origin = f" of items {_ORIGINS[row.origin]}" if row.origin is not None else ""
    of_filed = " of filed models" if row.filed else ""
    of_class = f" for holders of class {row.holder_class}" if row.holder_class is not None else ""
    ceiling = percent(ceiling_bp if row.ceiling_bp is None else row.ceiling_bp)
    return (
        f"{percent(row.share_bp)} of the fee{of_items}{of_origin}{of_filed}{of_class}, "
        f"with all other support at most {ceiling}"
    )


def _prorated(proration: Proration) -> str:
    return (
        f"of an invoice the days from {format_day(proration.first_day)} to {format_day(proration.last_day)} count "
        f"({_DAY_COUNTS[proration.day_count]}), truncated to {yuan(proration.truncate_fen)} yuan"
    )
