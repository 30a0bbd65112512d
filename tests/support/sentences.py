"""The scenario tables' own notation: rows that can be read without knowing a notation (tests/rules/preamble.txt).

    clock 2026-02-02 00:00
    shanghai issues V7 to acme: 10,000.00 yuan under S1                                  -> issued
    acme reserves 10,000.01 yuan of V7 under K1 until 2026-03-04 00:00 as R7
        -> exceeds_available_balance: 10,000.01 > 10,000.00 issued
    guian burns for acme [document: st-1]:
        R1, job a: 8 × 910b for 3,600 s between 2026-01-31 14:00 and 2026-01-31 15:00
            -> 24.00: 8 × 3,600 s × 6.00 yuan/h = 48.00; 50 % = 24.00

What is indented goes on, and so does what follows a semicolon. Each sentence becomes a short row (scenario.py), in
which other tests write theirs; the sums stand beside it, computed by sums.py.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import NamedTuple

PREAMBLE = Path(__file__).resolve().parents[1] / "rules" / "preamble.txt"
TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d(?:\.\d{6})?)?"


class Verb(NamedTuple):
    """A command, and how a short row and a sentence say it."""

    kind: str
    short: str
    sentence: str


VERBS: dict[str, Verb] = {
    "found": Verb("network.found", "", "founds the network"),
    "adopt": Verb("rules.adopt", "{edition}", "adopts edition {edition} of the rules"),
    "record": Verb("checkpoint.record", "{checkpoint}", "records the checkpoint of {checkpoint}"),
    "rekey": Verb(
        "log.rekey",
        "{old_vkey} to {new_vkey}",
        "changes the log's key from {old_vkey} to {new_vkey}",
    ),
    "admit": Verb("party.admit", "{admitted} as {role}", "admits {admitted} as {role}"),
    "amend": Verb("party.amend", "", "amends itself"),
    "suspend": Verb("party.suspend", "{subject}", "suspends party {subject}"),
    "reinstate": Verb("party.reinstate", "{subject}", "reinstates party {subject}"),
    "add-key": Verb("key.add", "{vkey} for {subject}", "adds key {vkey} for {subject}"),
    "rotate-key": Verb("key.rotate", "{key} to {vkey}", "rotates key {key} to {vkey}"),
    "revoke-key": Verb("key.revoke", "{key} of {subject}", "revokes key {key} of {subject}"),
    "register": Verb("item.register", "{item} as {origin}", "registers {item} as {origin}"),
    "open": Verb("programme.open", "{programme} {envelope_fen}", "opens {programme} with {envelope_fen} yuan"),
    "close": Verb("programme.amend", "{programme}", "closes {programme}"),
    "amend-programme": Verb("programme.amend", "{programme}", "amends programme {programme}"),
    "accredit": Verb("provider.accredit", "{provider} under {programme}", "accredits {provider} under {programme}"),
    "delist": Verb(
        "provider.delist",
        "{provider} under {programme} until {valid_until}",
        "delists {provider} under {programme} from {valid_until}",
    ),
    "price": Verb(
        "tariff.publish",
        "{item} {price_fen}",
        "prices {item} at {price_fen} yuan an hour",
    ),
    "price-unit": Verb(
        "tariff.publish",
        "{item} {price_fen}",
        "prices a unit of {item} at {price_fen} yuan",
    ),
    "declare": Verb(
        "capacity.declare",
        "{capacity} from {first_day}",
        "declares that it has {capacity} from {first_day} on",
    ),
    "withdraw-capacity": Verb(
        "record.withdraw",
        "from {first_day}",
        "withdraws what it declared from {first_day} on",
    ),
    "withdraw-price": Verb(
        "record.withdraw",
        "{item} from {valid_from}",
        "withdraws the price of {item} from {valid_from}",
    ),
    "withdraw-accreditation": Verb(
        "record.withdraw",
        "{provider} under {programme} from {valid_from}",
        "withdraws the accreditation of {provider} under {programme} from {valid_from}",
    ),
    "give-mandate": Verb(
        "mandate.give",
        "{mandate} to {operator} {each_fen} each {total_fen} in all",
        "gives mandate {mandate} to {operator}: {each_fen} yuan each, {total_fen} yuan in all",
    ),
    "end-mandate": Verb("mandate.end", "{mandate}", "ends mandate {mandate}"),
    "withdraw-party": Verb("record.withdraw", "{admitted}", "withdraws the admission of {admitted}"),
    "sign": Verb(
        "contract.sign",
        "{contract} with {other} {amount_fen} from {first_day} to {last_day}",
        "signs {contract} with {other}: {amount_fen} yuan from {first_day} to {last_day}",
    ),
    "amend-contract": Verb("contract.amend", "{contract}", "amends contract {contract}"),
    "apply": Verb(
        "application.file",
        "{application} {amount_fen} under {programme}",
        "applies for {amount_fen} yuan under {programme} as {application}",
    ),
    "withdraw-application": Verb("application.withdraw", "{application}", "withdraws application {application}"),
    "attest": Verb(
        "attestation.give",
        "{verdict} to {subject_type} {subject_id} on {topic}",
        "gives {verdict} to {subject_type} {subject_id} on {topic}",
    ),
    "issue": Verb(
        "voucher.issue",
        "{voucher} to {holder} {face_fen} under {programme}",
        "issues {voucher} to {holder}: {face_fen} yuan under {programme}",
    ),
    "import": Verb(
        "voucher.import",
        "{voucher} of {holder} {face_fen} under {programme} used {used_fen}",
        "imports {voucher} of {holder}: {face_fen} yuan under {programme}, {used_fen} yuan of it used",
    ),
    "transfer": Verb(
        "voucher.transfer",
        "{into} of {voucher} {amount_fen} to {to}",
        "transfers {amount_fen} yuan of {voucher} to {to} as {into}",
    ),
    "suspend-voucher": Verb("voucher.suspend", "{voucher}", "suspends voucher {voucher}"),
    "resume-voucher": Verb("voucher.resume", "{voucher}", "resumes voucher {voucher}"),
    "revoke": Verb("voucher.revoke", "{voucher}", "revokes voucher {voucher}"),
    "expire": Verb("book.expire", "", "books what time has ended"),
    "reserve": Verb(
        "voucher.reserve",
        "{reservation} of {voucher} {amount_fen} under {contract} until {until}",
        "reserves {amount_fen} yuan of {voucher} under {contract} until {until} as {reservation}",
    ),
    "extend": Verb("reservation.extend", "{reservation} until {until}", "extends {reservation} until {until}"),
    "extend-by": Verb("reservation.extend", "{reservation} {amount_fen}", "extends {reservation} by {amount_fen} yuan"),
    "release": Verb("reservation.release", "{reservation}", "releases {reservation}"),
    "burn": Verb("time.burn", "{contract} {lines}", "burns under {contract}"),
    "burn-units": Verb(
        "service.burn",
        "{quantity} of {item} under {contract} {first_day} to {last_day}",
        "burns {quantity} units of {item} under {contract} from {first_day} to {last_day}",
    ),
    "invoice": Verb(
        "service.burn",
        "{fee_fen} of {item} under {contract} {first_day} to {last_day}",
        "invoices {fee_fen} yuan of {item} under {contract} from {first_day} to {last_day}",
    ),
    "reverse": Verb("burn.reverse", "{statement} line {line}", "reverses line {line} of {statement}"),
    "claim": Verb(
        "redemption.claim",
        "{claim} of {programme} up to {last_day}",
        "claims what was burned under {programme} up to {last_day} as {claim}",
    ),
    "settle": Verb("redemption.settle", "{claim} {rows}", "settles {claim}: {rows}"),
    "disallow": Verb(
        "redemption.disallow",
        "{amount_fen} under {contract} of {programme}",
        "disallows {amount_fen} yuan under {contract} of {programme}",
    ),
    "demand": Verb(
        "recovery.demand",
        "{demand} of {payee} {amount_fen} under {programme}",
        "demands {amount_fen} yuan under {programme} back from {payee} as {demand}",
    ),
    "receive": Verb("recovery.receive", "{amount_fen} of {demand}", "receives {amount_fen} yuan of {demand}"),
    "cancel": Verb("recovery.cancel", "{amount_fen} of {demand}", "cancels {amount_fen} yuan of {demand}"),
    "seal": Verb("book.seal", "{seal} to {last_day}", "seals the days to {last_day} as {seal}"),
}
OTHERS = {
    "again": "sends its last note again",
    "send": "sends {raw}",
    "has": "has under {raw}",
    "has-sealed": "has sealed of {raw}",
}
"""Sentences that make no command: notes, and what is found in the books."""
_TIMED = {"until", "valid_until", "valid_from"}
_SETTINGS = {"signed by": "by", "forged": "forged", "document": "ref", "signed at": "signed", "for the log": "log"}
_LINE = re.compile(
    r"job (?P<job>\S+?)(?: \((?P<jobs>\d+) times\))?: (?P<cards>[\d.]+) × (?P<item>\S+)"
    rf" for (?P<seconds>[\d,]+) s between (?P<start>{TIME}) and (?P<end>{TIME})(?:, (?P<options>.+))?"
)
_OPTIONS = {"paying what is available": "available", "of a prior period": "prior"}


@dataclass
class Sentence:
    """A row as it is read: its short form, the answer that is due, and the sums that stand with it."""

    line: int
    actor: str
    verb: str
    arguments: str = ""
    answer: str = ""
    sums: list[str] = field(default_factory=list)


def sentences(text: str) -> Iterator[Sentence | str]:
    """Yield the rows of a table, and the titles of its stories.

    Raises:
        ValueError: a row can't be read; with its line.
    """
    for number, row, lines in _rows(text):
        try:
            yield row.removeprefix("==").strip() if row.startswith("==") else _sentence(number, row, lines)
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from None


def assumed(section: str, role: str = "") -> dict[str, str]:
    """Return the values of a section of the preamble, as short rows say them; of some of them, only for a role.

    A section is called by the words of a sentence before its first value.
    """
    values = {}
    for full_name, value in preamble().get(section, {}).items():
        name, _, roles = full_name.partition(", of a ")
        if not roles or role in roles.split(" or a "):
            values[name] = _short(name, value).replace("~", " ")
    return values


@cache
def preamble() -> dict[str, dict[str, str]]:
    """Return what all rows take for granted: values by name, by section."""
    sections: dict[str, dict[str, str]] = {}
    for _, row, _ in _rows(PREAMBLE.read_text("utf-8")):
        if row.startswith("=="):
            section = sections[row.removeprefix("==").strip()] = {}
        else:
            name, _, value = row.partition(": ")
            section[name] = value
    return sections


def _rows(text: str) -> Iterator[tuple[int, str, list[str]]]:
    """Yield rows with the lines that are indented under them; an answer, or what is behind `;`, goes on with one."""
    group: tuple[int, str, list[str]] | None = None
    for number, full_line in enumerate(text.splitlines(), 1):
        line = re.split(r"(?:^|\s)#\s|^#$", full_line)[0].rstrip()
        if not line:
            continue
        if line[0] != " ":
            if group is not None:
                yield group
            group = (number, line, [])
            continue
        assert group is not None, f"line {number}: nothing to go on with"
        row, lines = group[1:]
        if not line.strip().startswith("->") and not (lines or [row])[-1].endswith(";"):
            lines.append(line.strip())
        elif lines:
            lines[-1] += f" {line.strip()}"
        else:
            group = (group[0], f"{row} {line.strip()}", lines)
    if group is not None:
        yield group


def _sentence(number: int, row: str, lines: list[str]) -> Sentence:
    said, answer, sums = _answered(row)
    actor, _, rest = said.partition(" ")
    if actor == "clock":
        _insist(re.fullmatch(TIME, rest) and not answer, f"{rest!r} is no time like 2026-02-02 00:00, or has an answer")
        return Sentence(number, actor, rest.replace(" ", "T"))
    rest, _, settings = rest.removesuffix(":").partition(" [")
    verb, fields = _matched(rest)
    words = [VERBS[verb].short.replace(" {lines}", "").format(**fields) if verb in VERBS else fields.get("raw", "")]
    sentence = Sentence(number, actor, verb, "", answer, sums)
    if verb == "burn":
        _insist(lines, "a statement without lines")
        read = [_answered(line) for line in lines]
        _insist_on_order([line for line, _, _ in read])
        words.append(" | ".join(_short_line(line) for line, _, _ in read))
        answers = [one for line, line_answer, _ in read if line_answer for one in [line_answer] * _jobs_of(line)]
        _insist(not answer or not answers, "a statement is answered as a whole or line by line")
        if answers:
            sentence.answer = " | ".join(answers)
            sentence.sums = [one for line, _, line_sums in read for one in (line_sums or [""]) * _jobs_of(line)]
    else:
        _insist(not lines, "only statements have lines")
    _insist(sentence.answer, "no answer")
    words += [_setting(one) for one in settings.removesuffix("]").split("; ") if one]
    sentence.arguments = " ".join(words)
    return sentence


def _answered(row: str) -> tuple[str, str, list[str]]:
    said, _, answer = row.partition("->")
    answer, _, sums = answer.partition(": ")
    return said.strip(), " ".join(answer.split()), [" ".join(sums.split())] if sums else []


def _matched(text: str) -> tuple[str, dict[str, str]]:
    """Return which sentence a row is, and its values in short."""
    for verb, sentence in [*[(verb, one.sentence) for verb, one in VERBS.items()], *OTHERS.items()]:
        match = re.fullmatch(_pattern(sentence), text)
        if match:
            blanks = {name: "~" if name == "rows" else "T" for name in match.groupdict()}
            return verb, {name: value.replace(" ", blanks[name]) for name, value in match.groupdict().items()}
    raise ValueError(f"no sentence is like {text!r}")


@cache
def _pattern(sentence: str) -> str:
    parts = re.split(r"\{(\w+)\}", sentence)
    for place in range(1, len(parts), 2):
        like = TIME if parts[place] in _TIMED else ".+" if parts[place] == "rows" else "[^ ]+"
        parts[place] = f"(?P<{parts[place]}>{like})"
    return "".join(part if place % 2 else re.escape(part) for place, part in enumerate(parts))


def _short_line(text: str) -> str:
    match = _LINE.fullmatch(text)
    if match is None:
        raise ValueError(f"no line of a statement is like {text!r}")
    start, end = match["start"].replace(" ", "T"), match["end"].replace(" ", "T")
    words = [match["job"], f"{match['cards']}x{match['item']}", f"{start}..{end}"]
    words.append(f"seconds={match['seconds'].replace(',', '')}")
    for option in (match["options"] or "").split(", ") if match["options"] else ():
        corrects = re.fullmatch(r"corrects (\S+:\d+)", option)
        _insist(corrects or option in _OPTIONS, f"no line has an option like {option!r}")
        words.append(f"corrects={corrects[1]}" if corrects else _OPTIONS[option])
    words += [f"x{match['jobs']}"] if match["jobs"] else []
    return " ".join(words)


def _jobs_of(line: str) -> int:
    """Return how many lines of a statement a line of the table stands for: `job a (100 times)`."""
    match = _LINE.fullmatch(line)
    return int(match["jobs"] or 1) if match else 1


def _insist_on_order(lines: list[str]) -> None:
    """Refuse lines of several items that don't stand as they are counted."""
    items = [match["item"] for line in lines if (match := _LINE.fullmatch(line))]
    _insist(items == sorted(items), "lines of several items stand in the order of the items, as they are counted")


def _setting(text: str) -> str:
    name, _, value = text.partition(": ")
    return f"{_SETTINGS.get(name, name)}={_short(name, value)}"


def _short(name: str, value: str) -> str:
    """Return a value as short rows have it."""
    if value == "the log's time":
        return "now"
    later = re.fullmatch(r"(\d+) days after the log's time", value)
    if later:
        return f"+{later[1]}d"
    if re.fullmatch(TIME, value):
        return value.replace(" ", "T")
    if name in ("uscc", "profile_hash"):
        value = value.replace("one with a wrong check character", "wrong")
    amount = re.fullmatch(r"([\d,.]+) (?:%|yuan)", value)
    if amount:
        return amount[1]
    return value.removeprefix("that of ").replace(" on the key pair of ", ":").replace(" ", "~")


def _insist(holds: object, otherwise: str) -> None:
    if not holds:
        raise ValueError(otherwise)
