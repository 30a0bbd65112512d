"""Scenarios: stories in rows, each row really signed, decided, recorded and checked.

The tables in tests/rules/tables are written in sentences (sentences.py). Tests whose subject is something else write
the same in short:

    == a title, one story
    shanghai  issue    V7 to acme 10,000.00 under S1              -> issued
    acme      reserve  R7 of V7 10,000.01 for guian until +30d    -> exceeds_available_balance
    clock     +1d
    guian     burn     acme R1 job-8 8x910b -10h..-9h             -> 24.00
    guian     again                                               -> already_recorded

A story starts from the network of tables/standard.txt, or from nothing where its title ends in `[empty log]`. What a
verb takes is in `VERBS`, and any other field of the command is set by `field=value`; what a row doesn't say is in
tests/rules/preamble.txt. Answers are event words with what was computed, or reasons; a statement has one for each line,
between bars. `-> one, not other` says that both apply.

- Ids are short: `V7` is `shanghai/V7` once shanghai made it. Money is yuan with two decimals. Times are `now`, `+1d2h`,
  `-90m`, `2026-02-01` or `2026-02-01T08:00`, in UTC.
- `by=`, `and=` and `forged=` name keys: who signs instead, who signs too, and whose line is not its signature.
- `ref=`, `signed=` and `log=` stand for what every command has.
"""

import copy
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from support import sums
from support.actors import ORIGIN, checkpoint_of, label_of, note_of, uscc_of, vkey_of
from support.sentences import VERBS, Sentence, assumed, sentences
from tallystick.audit.book_checks import faults
from tallystick.signing.keys import VerifierKey
from tallystick.signing.note import Note
from tallystick.verifying import GOOD, UNTOLD, result_of
from tallystick.vouchers.admit import admit, read_note
from tallystick.vouchers.book import Posting
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.evolve import evolve
from tallystick.vouchers.outcomes import Burned, Claimed, Released, Returned, Reversed, Sealed
from tallystick.vouchers.quantities import SECOND_US, format_instant, parse_instant
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rules.burning import TimeBurn
from tallystick.vouchers.rules.rule import Event
from tallystick.vouchers.state import State

Json = dict[str, Any]
REASONS = {reason.value: reason for reason in Reason}
TABLES = Path(__file__).resolve().parents[1] / "rules" / "tables"
BEGINNING = "2026-01-05T08:00"

MAKES = {
    "programme.open": "programme",
    "application.file": "application",
    "voucher.issue": "voucher",
    "voucher.transfer": "into",
    "voucher.reserve": "reservation",
    "redemption.claim": "claim",
    "book.seal": "seal",
}
_IDS = {"programme", "application", "voucher", "into", "reservation", "claim", "seal"}
_INSTANTS = {"valid_from", "valid_until", "until", "since", "opens_at", "closes_at", "signed_at"}
_OF_LINES = {"seconds", "corrects"}
_SIGNING = {"by", "and", "forged", "ref", "signed", "log"}
_OF_NETWORK = ("network/root-1", "network/root-2")
_MICROSECONDS = {
    "d": 86_400 * SECOND_US,
    "h": 3_600 * SECOND_US,
    "m": 60 * SECOND_US,
    "s": SECOND_US,
    "us": 1,
}

_TEXT = b'{"item":"x","kind":"item.register/1","log":"tallystick.example/national"}\n'
RAW_NOTES: dict[str, bytes] = {
    "65,535-bytes": b"x" * 65_535,
    "65,536-bytes": b"x" * 65_536,
    "a-text-alone": _TEXT,
    "a-line-that-signs-nothing": b" " + _TEXT + "\n— network/root-1 AAAA\n".encode(),
    "a-blank-too-many": note_of({}, "network/root-1").replace(b"{}", b"{ }"),
    "two-lines": note_of({}, "network/root-1").replace(b"{}\n", b"{}\n{}\n"),
    "an-unknown-kind": note_of({"kind": "voucher.print/1", "log": ORIGIN}, "network/root-1"),
    "no-command": note_of({}, "network/root-1"),
}
"""What no builder of commands would write, by name."""


@dataclass(frozen=True)
class Row:
    """One line of a table: who does what, and the answer that is due (`later_reason` applies too, but comes later)."""

    line: int
    actor: str
    verb: str
    arguments: str
    answer: str = ""
    later_reason: str = ""
    sums: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"line {self.line}: {self.actor} {self.verb} {self.arguments} -> {self.answer}"


@dataclass(frozen=True)
class Story:
    """A titled part of a table."""

    title: str
    rows: tuple[Row, ...]

    @property
    def from_nothing(self) -> bool:
        """Whether it starts with an empty log."""
        return self.title.endswith("[empty log]")


def read_table(text: str) -> Iterator[Story]:
    """Yield the stories of a table."""
    title, rows = "", list[Row]()
    for number, full_line in enumerate(text.splitlines(), 1):
        line = re.split(r"(?:^|\s)#\s", full_line)[0].strip()
        if line.startswith("=="):
            if rows:
                yield Story(title, tuple(rows))
            title, rows = line.removeprefix("==").strip(), []
        elif line:
            rows.append(_read_row(number, line))
    yield Story(title, tuple(rows))


def read_sentences(text: str) -> Iterator[Story]:
    """Yield the stories of a table in sentences."""
    title, rows = "", list[Row]()
    for one in sentences(text):
        if isinstance(one, Sentence):
            first, _, later = one.answer.partition(", not ")
            rows.append(Row(one.line, one.actor, one.verb, one.arguments, first, later, tuple(one.sums)))
            continue
        if rows:
            yield Story(title, tuple(rows))
        title, rows = one, []
    yield Story(title, tuple(rows))


def _read_row(number: int, line: str) -> Row:
    request, arrow, answer = line.partition("->")
    actor, verb, *arguments = request.split()
    if bool(arrow) == (actor == "clock"):
        raise ValueError(f"line {number}: every row but the clock's has an answer")
    first, _, later = " ".join(answer.split()).partition(", not ")
    return Row(number, actor, verb, " ".join(arguments), first, later)


@dataclass
class Ledger:
    """A log in memory, played row by row and checked after each."""

    state: State = field(default_factory=lambda: State.empty(ORIGIN))
    at: int = 0
    entries: list[Entry] = field(default_factory=list)
    ids: dict[str, str] = field(default_factory=dict)
    notes: dict[str, bytes] = field(default_factory=dict)
    refs: int = 0
    answered: Entry | Refusal | None = None

    def play(self, story: Story) -> None:
        """Play every row, and insist on its answer."""
        self.at = self.at or self._instant(BEGINNING)
        for row in story.rows:
            if row.actor == "clock":
                self.at = self._instant(row.verb)
                continue
            answer = self.answer(row)
            assert answer == row.answer, f"{row}\n  but it was {answer}"
            assert self.answered is not None
            check_sums(row, self.answered, self.state)
            check_books(self.state)

    def answer(self, row: Row) -> str:
        """Submit what a row says; the answer is in the words of the tables."""
        if row.verb == "again":
            return _told(self.submit(self.notes[row.actor]))
        if row.verb == "send":
            return _told(self.submit(RAW_NOTES[row.arguments]))
        command, note = self.note(row)
        self.notes[row.actor] = note
        answer = self.submit(note)
        made = MAKES.get(str(command["kind"]).removesuffix("/1"))
        if isinstance(answer, Entry) and made:
            self.ids[command[made].partition("/")[2]] = command[made]
        return _told(answer)

    def submit(self, note: bytes) -> Entry | Refusal:
        """Decide a note, with signatures verified ahead and without; keep what is admitted."""
        self.answered = self._submit(note)
        return self.answered

    def _submit(self, note: bytes) -> Entry | Refusal:
        signed = read_note(note, ORIGIN)
        if isinstance(signed, Refusal):
            return signed
        before = self.state.to_bytes()
        answer = admit(self.state, signed, self.at)
        verdicts = self._verdicts_ahead(signed.note)
        assert admit(self.state, replace(signed, verdicts=verdicts), self.at) == answer
        assert self.state.to_bytes() == before, "a decision changes nothing"
        if isinstance(answer, Entry):
            assert Entry.from_bytes(answer.to_bytes()) == answer
            expected = copy.deepcopy(self.state.book.totals)
            postings = evolve(self.state, answer.event)
            _post(expected, postings)
            assert self.state.book.totals | expected == expected
            self.entries.append(answer)
        return answer

    def note(self, row: Row) -> tuple[Json, bytes]:
        """The command of a row, and the note of it."""
        kind, template, sentence = VERBS[row.verb]
        words, settings = self._split(row.arguments)
        said = _match(template, " ".join(words), row)
        taken = assumed(sentence.partition(" {")[0], said.get("role", ""))
        fields = {name: text.replace("<party>", said.get("admitted", "")) for name, text in taken.items()} | said
        fields |= {name: value for name, value in settings.items() if name not in _SIGNING}
        self.refs += 1
        command: Json = {"kind": f"{kind}/1", "log": settings.get("log", ORIGIN), "party": row.actor}
        command |= {"ref": settings.get("ref", f"ref-{self.refs}")}
        command |= {
            "signed_at": format_instant(self._instant(settings.get("signed", assumed("every command")["signed at"])))
        }
        made = MAKES.get(kind)
        for name, value in fields.items():
            if value != "none":
                command[name] = self._value(name, value, row.actor if name == made else None)
        if kind == "checkpoint.record" and "log_vkey" not in command:
            command["log_vkey"] = vkey_of(fields["checkpoint"].partition(":")[0])
        if kind == "record.withdraw":
            command["record"] = {name: command.pop(name) for name in fields}
            command["record"]["type"] = row.verb.removeprefix("withdraw-").replace("price", "tariff")
        signers = self._signers(row.actor, kind, fields, settings)
        forged = tuple(name for name in settings.get("forged", "").split(",") if name)
        return command, note_of(command, *[name for name in signers if name not in forged], spoiled=forged)

    def _split(self, arguments: str) -> tuple[list[str], dict[str, str]]:
        """Tell the words of the template from `field=value`; what stands after a statement's holder is its lines."""
        words, settings = list[str](), dict[str, str]()
        for token in arguments.split():
            name, equals, value = token.partition("=")
            if equals and name not in _OF_LINES:
                settings[name] = value.replace("~", " ")
            else:
                words.append(token)
        return words, settings

    def _value(self, name: str, value: str, maker: str | None) -> Any:
        """Return a field's JSON value."""
        if name in _IDS:
            return self._id(value, maker)
        if name in _INSTANTS:
            return format_instant(self._instant(value))
        if name in _READERS:
            return _READERS[name](value)
        if name == "lines":
            return [line for text in value.split("|") for line in self._burn_lines(text.split())]
        if "_fen" in name:
            return fen(value)
        return int(value) if re.fullmatch(r"-?\d+", value) and name not in _TEXTS else value

    def _id(self, value: str, maker: str | None) -> str:
        if "/" in value:
            return value
        return f"{maker}/{value}" if maker else self.ids.get(value, f"shanghai/{value}")

    def _burn_lines(self, words: list[str]) -> Iterator[Json]:
        """Yield `R1 job-7 8x910b -10h..-9h`, and where wanted `seconds=…`, `drain`, `corrects=st-1:0`, `x300` jobs."""
        reservation, job, gpus, interval, *options = words
        count, _, item = gpus.partition("x")
        starts_at, ends_at = (self._instant(text) for text in interval.split(".."))
        line: Json = {
            "reservation": self._id(reservation, None),
            "job": job,
            "item": item,
            "gpu_milli": thousandths(count),
            "from": format_instant(starts_at),
            "to": format_instant(ends_at),
            "seconds": max(1, (ends_at - starts_at) // SECOND_US),
        }
        jobs = 1
        for option in options:
            if option == "drain":
                line["if_short"] = "drain"
            elif option.startswith("seconds="):
                line["seconds"] = int(option.partition("=")[2])
            elif option.startswith("corrects="):
                statement, _, number = option.removeprefix("corrects=").rpartition(":")
                line["corrects"] = {"statement": statement, "line": int(number)}
            else:
                jobs = int(option.removeprefix("x"))
        yield from (line | ({"job": f"{job}.{number}"} if jobs > 1 else {}) for number in range(jobs))

    def _signers(self, actor: str, kind: str, fields: Json, settings: dict[str, str]) -> list[str]:
        role = self.state.parties[actor].role if actor in self.state.parties else actor
        own = assumed("every command", role)["signed by"].replace("<party>", actor).split(",")
        if kind in ("key.add", "party.admit"):
            brought = [fields.get(name, "") for name in ("vkey", "keys", "meter_keys", "read_keys")]
            own += ",".join(brought).split(",")
        if kind == "key.add" and actor != fields["subject"]:
            own += _OF_NETWORK
        own = [name for name in dict.fromkeys(own) if name]
        if "by" in settings:
            own = settings["by"].split(",")
        return own + settings.get("and", "").split(",") if "and" in settings else own

    def _instant(self, text: str) -> int:
        """Return `now`, `+1d2h`, `2026-02-01` or `2026-02-01T08:00:00.000000`, or a part of it, in microseconds."""
        if text == "now":
            return self.at
        if text[0] in "+-":
            parts = re.findall(r"(\d+)(us|[dhms])", text)
            assert "".join(number + unit for number, unit in parts) == text[1:], text
            distance = sum(int(number) * _MICROSECONDS[unit] for number, unit in parts)
            return self.at + (distance if text[0] == "+" else -distance)
        return parse_instant(text + "2026-02-01T00:00:00.000000Z"[len(text) :])

    def _verdicts_ahead(self, note: Note) -> dict[bytes, bool]:
        """What the writer's processes find out about a note before it is decided."""
        known = [(key, one.blob) for one in note.signatures if (key := self._key(one.label)) is not None]
        _, verdicts = result_of(([note.text], 0, [(0, 0, len(note.text), key.to_text(), blob) for key, blob in known]))
        told = [(line, verdict) for line, verdict in zip(known, verdicts, strict=True) if verdict != UNTOLD]
        return {key.public_key + blob: verdict == GOOD for (key, blob), verdict in told}

    def _key(self, label: str) -> VerifierKey | None:
        key = self.state.keys.get(label)
        return VerifierKey.from_text(key.vkey) if key else None


def _match(template: str, text: str, row: Row) -> dict[str, str]:
    pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>\\S+)", re.escape(template)).replace(r"(?P<lines>\S+)", "(?P<lines>.+)")
    match = re.fullmatch(pattern, text)
    assert match, f"{row}\n  is not spelled {template}"
    return match.groupdict()


def fen(text: str) -> int:
    """Return yuan with two decimals in fen."""
    assert re.fullmatch(r"\d{1,3}(,\d{3})*\.\d\d", text), f"{text} is not money like 1,000.00"
    return int(text.replace(",", "").replace(".", ""))


def yuan(amount_fen: int) -> str:
    """Return fen as yuan with two decimals."""
    return f"{amount_fen // 100:,}.{amount_fen % 100:02}"


def thousandths(text: str) -> int:
    """Return a number of GPUs, `8` or `0.5`, in thousandths."""
    whole, _, fraction = text.partition(".")
    return int(whole) * 1_000 + int(fraction.ljust(3, "0") or "0")


def _vkeys(text: str) -> list[str]:
    return [vkey_of(name) for name in text.split(",")]


def _uscc(text: str) -> str:
    """Return the code of a party, or one whose check character is wrong."""
    return uscc_of("acme")[:-1] + ("0" if uscc_of("acme")[-1] != "0" else "1") if text == "wrong" else uscc_of(text)


def _checkpoint(text: str) -> str:
    """Return the checkpoint `world.example:100`: that log's of 100 entries, also `:other-root`, `:forged`, `:cut`."""
    origin, size, *odd = text.split(":")
    signed_by = "y.example" if odd == ["forged"] else origin
    note = checkpoint_of(origin, int(size), f"{origin} {size} {odd == ['other-root']}", signed_by=signed_by)
    return note[:-1] if odd == ["cut"] else note


def _capacity(text: str) -> list[Json]:
    """Return what `512×910b,64×h100` says; `nothing` is the empty list."""
    pairs = [one.split("×") for one in text.split(",")] if text != "nothing" else []
    return [{"installed": int(installed), "item": item} for installed, item in pairs]


def _officers(text: str) -> Json:
    """Return the rule that `2 above 20,000.00 yuan in 30 days` says."""
    required, _, threshold, _, _, window, _ = text.split()
    return {"required": int(required), "threshold_fen": fen(threshold), "window_days": int(window)}


def _declarations(text: str) -> Json:
    """Return what `related with 1,000.00 yuan of other support` declares; or `unrelated`."""
    related, _, other, *_ = text.split()
    return {"related_party": related == "related", "other_support_fen": fen(other)}


_READERS: dict[str, Callable[[str], Any]] = {
    "keys": _vkeys,
    "meter_keys": _vkeys,
    "read_keys": _vkeys,
    "root_keys": _vkeys,
    "vkey": vkey_of,
    "key": label_of,
    "uscc": _uscc,
    "maker": lambda text: text == "yes",
    "quorum": int,
    "officers": _officers,
    "declarations": _declarations,
    "capacity": _capacity,
    "checkpoint": _checkpoint,
    "log_vkey": vkey_of,
    "items": lambda text: [] if text == "all" else text.split(","),
}
_TEXTS = {"item", "statement", "payment_reference", "evidence_sha256", "first_day", "last_day"}


def _told(answer: Entry | Refusal) -> str:
    """Say an answer in the words of the tables."""
    if isinstance(answer, Refusal):
        return answer.reason.value
    outcome = answer.event.outcome
    word = answer.event.kind.partition(".")[2].removesuffix("/1")
    if isinstance(outcome, Burned):
        told = [yuan(amount_fen) for amount_fen in outcome.from_voucher_fen]
        for line, reason in outcome.refused:
            assert (outcome.fee_fen[line], outcome.from_voucher_fen[line]) == (0, 0)
            told[line] = reason.value
        return " | ".join(told)
    if isinstance(outcome, Released):
        return f"{word} {yuan(outcome.released_fen)} to {outcome.to}"
    if isinstance(outcome, Reversed):
        return f"{word} {yuan(outcome.returned_fen)} to {outcome.to}"
    if isinstance(outcome, Returned):
        return f"{word} {yuan(outcome.returned_fen)}"
    if isinstance(outcome, Sealed):
        return f"{word} {outcome.accounts} accounts"
    return f"{word} {yuan(outcome.amount_fen)}" if isinstance(outcome, Claimed) else word


def _post(books: dict[str, dict[Any, int]], postings: tuple[Posting, ...]) -> None:
    """Carry postings into books, account by account."""
    for posting in postings:
        book = books.setdefault(posting.programme, dict.fromkeys(_ACCOUNTS, 0))
        if posting.source != "envelope":
            book[posting.source] -= posting.amount_fen
        book[posting.target] += posting.amount_fen


_ACCOUNTS = ("unissued", "available", "reserved", "burned", "claimed", "paid")


def check_books(state: State) -> None:
    """Insist on the law of conservation, and that each account is what its parts add up to."""
    balances = state.book.balances
    for name, programme in state.programmes.items():
        vouchers = [one for one, voucher in state.vouchers.items() if voucher.programme == name]
        reservations = {held.id for held in state.reservations.values() if held.programme == name}
        parts = {
            "available": sum(state.book["available", one] for one in vouchers),
            "reserved": sum(state.book["reserved", one] for one in reservations),
            "burned": sum(amount for one, amount in balances["burned"].items() if one.split()[0] in reservations),
            "claimed": sum(state.claimed_fen(one) for one in state.claims if state.claims[one].programme == name),
            "paid": sum(state.book["paid", one] for one in reservations),
        }
        parts["unissued"] = programme.rules.envelope_fen - sum(parts.values())
        assert state.book.totals[name] == parts, name
        granted = {one: amount for one, amount in balances["granted"].items() if one.split()[0] == name}
        assert max(granted.values(), default=0) <= programme.rules.holder_cap_fen, name
    assert all(amount > 0 for account in balances for amount in balances[account].values() if account != "envelope")
    assert [*faults(state)] == []


def check_sums(row: Row, answered: Entry | Refusal, state: State) -> None:
    """Insist that a row's sums come to its answer, and are about what is in entry, state and detail."""
    for number, (text, answer) in enumerate(zip(row.sums, row.answer.split(" | "), strict=bool(row.sums))):
        if not text:
            continue
        if row.verb == "burn":
            assert isinstance(answered, Entry)
            _check_line(text, answer, answered.event, number, state)
        elif isinstance(answered, Entry):
            amount = re.search(r"[\d,]+(\.\d\d)?", answer)
            assert amount, row
            assert sums.total(text) == sums.number(amount[0]), row
        else:
            left, right = sums.compared(text)
            assert f" {yuan(int(left * 100))}" in f" {row.arguments}", row
            assert f" {int(right * 100)} fen" in f" {answered.detail}", f"{row}: {answered.detail}"


def _check_line(text: str, answer: str, event: Event, number: int, state: State) -> None:
    """Insist that the sum of a statement's line has its factors, and comes to its fee and its answer."""
    command, outcome = event.command, event.outcome
    assert isinstance(command, TimeBurn)
    assert isinstance(outcome, Burned)
    line, said = command.lines[number], sums.burned(text)
    assert said.cards * 1_000 == line.gpu_milli, text
    assert said.seconds == line.seconds, text
    assert answer == ("exceeds_reservation" if said.paid is None else yuan(int(said.paid * 100))), text
    assert said.paid is None or said.fee * 100 == outcome.fee_fen[number], text
    if said.remaining is not None:
        taken = zip(command.lines, outcome.from_voucher_fen, strict=True)
        since = sum(amount for other, amount in list(taken)[number:] if other.reservation == line.reservation)
        assert said.remaining * 100 == state.book["reserved", line.reservation] + since, text


@cache
def _standard() -> Ledger:
    ledger = Ledger()
    (story,) = read_sentences((TABLES / "standard.txt").read_text("utf-8"))
    ledger.play(story)
    return ledger


def ledger_for(story: Story) -> Ledger:
    """Return the ledger that a story starts from."""
    return Ledger() if story.from_nothing else copy.deepcopy(_standard())


def reasons_in(answer: str) -> set[Reason]:
    """Return the reasons that an answer of a table names."""
    return {REASONS[word] for word in answer.split(" | ") if word in REASONS}
