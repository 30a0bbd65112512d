"""The sums that stand in the scenario tables, computed anew with fractions. Nothing here knows the package."""

import re
from dataclasses import dataclass, replace
from fractions import Fraction
from math import floor
from typing import Literal

_NUMBER = r"\d{1,3}(?:,\d{3})*(?:\.\d+)?"
_TERM = re.compile(rf"(?P<sign>[+−] )?(?P<number>{_NUMBER})(?: [a-z]+(?: [\w.:-]+)?)?")
_COMPARED = {"<": Fraction.__lt__, ">": Fraction.__gt__, "≠": Fraction.__ne__}
_FEE = re.compile(
    rf"(?P<cards>{_NUMBER}) × (?P<seconds>{_NUMBER}) s × (?P<price>{_NUMBER}) yuan/h = (?P<fee>{_NUMBER}…?)"
    rf"(?: cut to (?P<fee_cut>{_NUMBER}))?(?: > (?P<most>.+))?"
)
_COUNTED = re.compile(rf"(?P<quantity>{_NUMBER}) × (?P<price>{_NUMBER}) yuan = (?P<fee>{_NUMBER})(?: > (?P<most>.+))?")
_INVOICED = re.compile(rf"(?P<fee>{_NUMBER}) invoiced(?: > (?P<most>.+))?")
_QUANTITY = re.compile(rf"(?P<quantity>{_NUMBER}) units > (?P<less>{_NUMBER}) units")
_GPU_TIME = re.compile(
    rf"(?P<cards>{_NUMBER}) × (?P<seconds>{_NUMBER}) s > (?P<fewer>{_NUMBER}) × (?P<less>{_NUMBER}) s"
)
_PART = re.compile(
    rf"(?:(?P<names>absorbed|\w[\w.-]*(?:\+\w[\w.-]*)*) )?"
    rf"(?:(?P<days>\d+) of (?P<all_days>\d+) days = (?P<base>{_NUMBER}…?)"
    rf"(?: cut(?: in steps of (?P<base_step>{_NUMBER}))? to (?P<base_cut>{_NUMBER}))?, )?"
    rf"(?P<percent>{_NUMBER}) % = (?P<share>{_NUMBER}…?)"
    rf"(?: cut(?: in steps of (?P<share_step>{_NUMBER}))? to (?P<share_cut>{_NUMBER}))?"
    rf"(?:, at most (?P<ceiling>{_NUMBER}) % = (?P<bound>{_NUMBER}…?)(?: cut to (?P<bound_cut>{_NUMBER}))?"
    rf"(?P<spent>(?: − {_NUMBER})*)(?: = (?P<due>{_NUMBER}))?)?"
    r"(?:, only (?P<only>.+)| > (?P<most>.+))?"
)
Exceeded = Literal["GPU-time", "quantity", "fee", "payment"]


@dataclass(frozen=True)
class Part:
    """What a programme pays of a fee, in yuan, or what the contract's other support absorbs of it.

    Attributes:
        names: of its reservations, if they are named.
        due: its share, or what the ceiling leaves of that.
        held: what there is, if that is less.
        steps: in which an invoice's part, and the share of that, were cut.
    """

    names: tuple[str, ...]
    due: Fraction
    held: Fraction | None = None
    steps: tuple[Fraction, ...] = ()

    @property
    def paid(self) -> Fraction:
        """What it comes to."""
        return self.due if self.held is None else self.held


@dataclass(frozen=True)
class LineSum:
    """What a line's sum says, in yuan.

    Attributes:
        cards, seconds: of GPU-time; 0 of what is counted or invoiced.
        fee: None where GPU-time or quantities alone are compared.
        parts: of the programmes, in their order.
        exceeded: what is more than `most`, if the line is refused for that.
        quantity: of what is counted, else 0.
    """

    cards: Fraction
    seconds: Fraction
    fee: Fraction | None
    absorbed: Part
    parts: tuple[Part, ...] = ()
    exceeded: Exceeded | None = None
    most: Fraction = Fraction(0)
    quantity: Fraction = Fraction(0)


_NONE = Fraction(0)
_NO_SUPPORT = Part((), _NONE)


def number(text: str) -> Fraction:
    """Return a number with commas between thousands."""
    assert re.fullmatch(_NUMBER, text), f"{text} is no number like 1,000.00"
    return Fraction(text.replace(",", ""))


def terms(text: str) -> list[tuple[Fraction, str]]:
    """Return the terms of a sum, each with what it is: `10,000.00 issued − 4,000.00 reserved`."""
    read = []
    for place, one in enumerate(re.split(r" (?=[+−] )", text)):
        match = _TERM.fullmatch(one)
        assert match, f"{text} is no sum"
        assert (place == 0) == (match["sign"] is None), f"{text} is no sum"
        label = one[match.end("number") :].strip()
        read.append((number(match["number"]) * (-1 if match["sign"] == "− " else 1), label))
    return read


def total(text: str) -> Fraction:
    """Return what a sum comes to."""
    return sum((amount for amount, _ in terms(text)), Fraction(0))


def compared(text: str) -> tuple[Fraction, Fraction]:
    """Return both sides of `1.00 > 3.00 − 2.50`, which must hold."""
    match = re.fullmatch(r"(.+) ([<>≠]) (.+)", text)
    assert match, f"{text} compares nothing"
    sides = total(match[1]), total(match[3])
    assert _COMPARED[match[2]](*sides), f"{text} does not hold"
    return sides


def line(text: str) -> LineSum:
    """Return what a line costs and who pays it: `8 × 3,600 s × 6.00 yuan/h = 48.00; 50 % = 24.00`.

    What is counted begins `1,000 × 2.00 yuan = 2,000.00`, an invoice `2,000.00 invoiced`.
    """
    compared = _more_than_corrected(text)
    if compared is not None:
        return compared
    fee_text, *part_texts = text.split("; ")
    match = _FEE.fullmatch(fee_text)
    counted = _COUNTED.fullmatch(fee_text)
    if match:
        cards, seconds = number(match["cards"]), number(match["seconds"])
        fee = _cut(cards * seconds * number(match["price"]) / 3_600, match["fee"], match["fee_cut"])
        read = LineSum(cards, seconds, fee, _NO_SUPPORT)
    elif counted:
        match, quantity = counted, number(counted["quantity"])
        fee = _cut(quantity * number(counted["price"]), counted["fee"], None)
        read = LineSum(_NONE, _NONE, fee, _NO_SUPPORT, quantity=quantity)
    else:
        match = _INVOICED.fullmatch(fee_text)
        assert match, f"{text} is no sum of a line"
        fee = number(match["fee"])
        read = LineSum(_NONE, _NONE, fee, _NO_SUPPORT)
    if match["most"]:
        assert not part_texts, f"{text} goes on after a refusal"
        return replace(read, exceeded="fee", most=_less(fee, match["most"], text))
    return _with_parts(read, fee, part_texts)


def _more_than_corrected(text: str) -> LineSum | None:
    """Return what compares GPU-time, or quantities, with those of a line that is corrected."""
    match = _GPU_TIME.fullmatch(text)
    if match:
        cards, seconds = number(match["cards"]), number(match["seconds"])
        most = number(match["fewer"]) * number(match["less"])
        assert cards * seconds > most, f"{text} does not hold"
        return LineSum(cards, seconds, None, _NO_SUPPORT, (), "GPU-time", most)
    match = _QUANTITY.fullmatch(text)
    if match:
        quantity, most = number(match["quantity"]), number(match["less"])
        assert quantity > most, f"{text} does not hold"
        return LineSum(_NONE, _NONE, None, _NO_SUPPORT, (), "quantity", most, quantity)
    return None


def _with_parts(read: LineSum, fee: Fraction, texts: list[str]) -> LineSum:
    """Return a sum with what each part says, every one reckoned on those before it."""
    absorbed, parts = read.absorbed, list[Part]()
    for place, text in enumerate(texts):
        match = _PART.fullmatch(text)
        assert match, f"{text} is no part of a sum"
        assert match["most"] is None or place == len(texts) - 1, f"{text} goes on after a refusal"
        due = _due(match, fee, absorbed.paid + sum((part.paid for part in parts), Fraction(0)))
        held = _less(due, match["only"], text) if match["only"] else None
        if match["names"] == "absorbed":
            assert place == 0, f"{text} comes before what programmes pay"
            assert not match["ceiling"], f"{text} has one ceiling"
            absorbed = Part((), due, held)
            continue
        parts.append(Part(tuple(match["names"].split("+")) if match["names"] else (), due, held, _steps(match)))
        if match["most"]:
            most = _less(due, match["most"], text)
            return replace(read, absorbed=absorbed, parts=tuple(parts), exceeded="payment", most=most)
    assert parts, "a line is paid by somebody, if with 0.00"
    return replace(read, absorbed=absorbed, parts=tuple(parts))


def _steps(match: re.Match[str]) -> tuple[Fraction, ...]:
    """Return in which steps an invoice's part says that it was cut."""
    said = ("base", "share") if match["days"] else ()
    return tuple([number(match[f"{one}_step"] or "0.01") for one in said if match[f"{one}_cut"]])


def _due(match: re.Match[str], fee: Fraction, spent: Fraction) -> Fraction:
    """Return what a part says that is due: its share of the fee, or what its ceiling leaves after what was spent.

    Of an invoice the share is of the fee for the days that count; the ceiling is of the whole fee.
    """
    base = fee
    if match["days"]:
        exact = fee * int(match["days"]) / int(match["all_days"])
        base = _cut(exact, match["base"], match["base_cut"], match["base_step"])
    share = _cut(base * number(match["percent"]) / 100, match["share"], match["share_cut"], match["share_step"])
    if match["ceiling"] is None:
        return share
    bound = _cut(fee * number(match["ceiling"]) / 100, match["bound"], match["bound_cut"])
    said = -total(match["spent"].strip().replace("− ", "", 1).replace(" − ", " + ")) if match["spent"] else Fraction(0)
    assert said == -spent, f"{match[0]}: {float(spent)} was spent before"
    due = max(Fraction(0), min(share, bound - spent))
    assert number(match["due"] or match["bound_cut"] or match["bound"]) == due, f"{match[0]} should be {float(due)}"
    return due


def _less(amount: Fraction, text: str, where: str) -> Fraction:
    """Return what a sum comes to; it must be less than an amount."""
    less = total(text)
    assert less < amount, f"{where} does not hold"
    return less


def _cut(exact: Fraction, said: str, cut: str | None, step: str | None = None) -> Fraction:
    """Return an amount as it was cut to the fen, or in steps; what is said before must be its exact digits."""
    digits = said.removesuffix("…")
    places = len(digits.partition(".")[2])
    assert Fraction(floor(exact * 10**places), 10**places) == number(digits), f"{said} should be {float(exact)}"
    assert (exact == number(digits)) == (digits == said), f"{said} should be {float(exact)}"
    if cut is None:
        assert exact * 100 == floor(exact * 100), f"{said} is no whole number of fen"
        return exact
    steps = number(step or "0.01")
    assert number(cut) == floor(exact / steps) * steps, f"{said} is not cut to {cut}"
    return number(cut)
