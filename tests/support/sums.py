"""The sums that stand in the scenario tables, computed anew with fractions. Nothing here knows the package."""

import re
from dataclasses import dataclass
from fractions import Fraction
from math import floor

_NUMBER = r"\d{1,3}(?:,\d{3})*(?:\.\d+)?"
_TERM = re.compile(rf"(?P<sign>[+−] )?(?P<number>{_NUMBER})(?: [a-z]+(?: [\w.-]+)?)?")
_COMPARED = {"<": Fraction.__lt__, ">": Fraction.__gt__, "≠": Fraction.__ne__}
_BURNED = re.compile(
    rf"(?P<cards>{_NUMBER}) × (?P<seconds>{_NUMBER}) s × (?P<price>{_NUMBER}) yuan/h = (?P<fee>{_NUMBER}…?)"
    rf"(?: cut to (?P<fee_cut>{_NUMBER}))?; (?P<percent>{_NUMBER}) % = (?P<share>{_NUMBER}…?)"
    rf"(?: cut to (?P<share_cut>{_NUMBER}))?(?:, drained to (?P<drained>.+)| > (?P<remaining>.+))?"
)


@dataclass(frozen=True)
class Burned:
    """What a line's sum says, in yuan; `remaining` where it is less than the share, and then `paid` only if drained."""

    cards: Fraction
    seconds: Fraction
    fee: Fraction
    remaining: Fraction | None
    paid: Fraction | None


def number(text: str) -> Fraction:
    """Return a number with commas between thousands."""
    assert re.fullmatch(_NUMBER, text), f"{text} is no number like 1,000.00"
    return Fraction(text.replace(",", ""))


def total(text: str) -> Fraction:
    """Return the sum of terms, each with what it is: `10,000.00 issued − 4,000.00 reserved`."""
    terms = re.split(r" (?=[+−] )", text)
    found = [_TERM.fullmatch(term) for term in terms]
    amount = Fraction(0)
    for place, match in enumerate(found):
        assert match, f"{text} is no sum"
        assert (place == 0) == (match["sign"] is None), f"{text} is no sum"
        amount += number(match["number"]) * (-1 if match["sign"] == "− " else 1)
    return amount


def compared(text: str) -> tuple[Fraction, Fraction]:
    """Return both sides of `1.00 > 3.00 − 2.50`, which must hold."""
    match = re.fullmatch(r"(.+) ([<>≠]) (.+)", text)
    assert match, f"{text} compares nothing"
    sides = total(match[1]), total(match[3])
    assert _COMPARED[match[2]](*sides), f"{text} does not hold"
    return sides


def burned(text: str) -> Burned:
    """Return what a line costs, by `8 × 3,600 s × 6.00 yuan/h = 48.00; 50 % = 24.00`."""
    match = _BURNED.fullmatch(text)
    assert match, f"{text} is no sum of a line"
    cards, seconds = number(match["cards"]), number(match["seconds"])
    fee = _cut(cards * seconds * number(match["price"]) / 3_600, match["fee"], match["fee_cut"])
    share = _cut(fee * number(match["percent"]) / 100, match["share"], match["share_cut"])
    less = match["drained"] or match["remaining"]
    if less is None:
        return Burned(cards, seconds, fee, None, share)
    assert share > total(less), f"{text} does not hold"
    return Burned(cards, seconds, fee, total(less), total(less) if match["drained"] else None)


def _cut(exact: Fraction, said: str, cut: str | None) -> Fraction:
    """Return an amount as it was cut, to fen or yuan; what is said before must be its exact digits."""
    digits = said.removesuffix("…")
    places = len(digits.partition(".")[2])
    assert Fraction(floor(exact * 10**places), 10**places) == number(digits), f"{said} should be {float(exact)}"
    assert (exact == number(digits)) == (digits == said), f"{said} should be {float(exact)}"
    if cut is None:
        assert exact * 100 == floor(exact * 100), f"{said} is no whole number of fen"
        return exact
    assert number(cut) in (Fraction(floor(exact * 100), 100), floor(exact)), f"{said} is not cut to {cut}"
    return number(cut)
