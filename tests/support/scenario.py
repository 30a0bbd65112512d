"""Scenarios: stories in rows, each row really signed, decided, recorded and checked.

The tables in tests/rules/tables are written in sentences (sentences.py). Tests whose subject is something else write
the same in short:

    == a title, one story
    shanghai  issue    V7 to acme 10,000.00 under S1              -> issued
    acme      reserve  R7 of V7 10,000.01 under K1 until +30d     -> exceeds_available_balance
    clock     +1d
    guian     burn     K1 job-8 8x910b -10h..-9h                  -> 24.00
    guian     again                                               -> already_recorded

A story starts from the network of tables/standard.txt, or from nothing where its title ends in `[empty log]`. What a
verb takes is in `VERBS`, and any other field of the command is set by `field=value`, one within another by
`cap.floor_fen=value`; what a row doesn't say is in tests/rules/preamble.txt. Answers are event words with what was
computed, or reasons; a statement has one for each line, between bars. `-> one, not other` says that both apply.

- Ids are short: `V7` is `shanghai/V7` once shanghai made it. Money is yuan with two decimals. Times are `now`, `+1d2h`,
  `-90m`, `2026-02-01` or `2026-02-01T08:00`, in UTC.
- A line may end in `seconds=600`, `corrects=st-1:0`, `available`, `prior` (of a prior period), `x300` (so many jobs).
- `by=`, `and=` and `forged=` name keys: who signs instead, who signs too, and whose line is not its signature.
- `ref=`, `signed=` and `log=` stand for what every command has.
"""

import copy
import pickle
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any, cast

from support.actors import ORIGIN, note_of, vkey_of
from support.row_checks import Recount, check_books, post
from support.row_values import (
    READERS,
    basis_points,
    fen,
    items_in,
    log_key_name,
    names_in,
    offsets_in,
    settled_rows,
    thousandths,
    yuan,
)
from support.sentences import VERBS, Sentence, assumed, sentences
from support.sum_checks import check_sums
from support.told_answers import told, told_accounts, told_balances
from tallystick.audit.book_checks import faults
from tallystick.signing.keys import VerifierKey
from tallystick.signing.note import Note
from tallystick.verifying import GOOD, UNTOLD, result_of
from tallystick.vouchers.accounts import account_leaves
from tallystick.vouchers.admit import SignedCommand, admit, read_note
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.evolve import evolve
from tallystick.vouchers.quantities import SECOND_US, format_day, format_instant, format_second, parse_instant
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rules.programme_rules import RulesFields
from tallystick.vouchers.state import State

Json = dict[str, Any]
REASONS = {reason.value: reason for reason in Reason}
TABLES = Path(__file__).resolve().parents[1] / "rules" / "tables"
BEGINNING = "2026-01-05T08:00"

MAKES = {
    "contract.sign": "contract",
    "programme.open": "programme",
    "mandate.give": "mandate",
    "application.file": "application",
    "voucher.issue": "voucher",
    "voucher.import": "voucher",
    "voucher.transfer": "into",
    "voucher.reserve": "reservation",
    "redemption.claim": "claim",
    "recovery.demand": "demand",
    "book.seal": "seal",
}
_IDS = {"programme", "mandate", "application", "contract", "voucher", "into", "reservation", "claim", "demand", "seal"}
_INSTANTS = {"valid_from", "valid_until", "until", "since", "opens_at", "closes_at", "signed_at"}
_OF_LINES = {"seconds", "corrects"}
_OF_RULES = set(RulesFields.__dataclass_fields__)
_TEXTS = {
    "item",
    "topic",
    "statement",
    "reference",
    "evidence_hash",
    "first_day",
    "last_day",
    "items_from",
    "day",
    "group",
}
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
    """A log in memory, played row by row and checked after each.

    Beside the state is another of the same entries, in which all that ended stays: it answers the same, but where it
    still knows what has left; and what is added up anew from all entries, is compared with that.
    """

    state: State = field(default_factory=lambda: State.empty(ORIGIN))
    whole: State = field(default_factory=lambda: State.empty(ORIGIN))
    at: int = 0
    entries: list[Entry] = field(default_factory=list)
    ids: dict[str, str] = field(default_factory=dict)
    notes: dict[str, bytes] = field(default_factory=dict)
    rules: dict[str, Json] = field(default_factory=dict)
    refs: int = 0
    command: Json = field(default_factory=dict)
    answered: Entry | Refusal | None = None
    recount: Recount = field(default_factory=Recount)
    sealed: tuple[str, ...] = ()
    checked: bool = True

    def play(self, story: Story) -> None:
        """Play every row, and insist on its answer; and on the books, unless another test does."""
        self.at = self.at or self._instant(BEGINNING)
        for row in story.rows:
            if row.actor == "clock":
                self.at = self._instant(row.verb)
                continue
            answer = self.answer(row)
            assert answer == row.answer, f"{row}\n  but it was {answer}"
            assert self.answered is not None
            if not self.checked:
                continue
            if row.sums:
                check_sums(row.arguments, row.answer, row.sums, self.command, self.answered, self.state, self.sealed)
            self.recount.take(self.entries, self.whole)
            check_books(self.whole, self.recount)
            assert [*faults(self.whole)] == [], row
            assert [*faults(self.state)] == [], row
            assert [*account_leaves(self.state)] == [*account_leaves(self.whole)], row

    def answer(self, row: Row) -> str:
        """Submit what a row says; the answer is in the words of the tables."""
        if row.verb == "again":
            return told(self.submit(self.notes[row.actor]), self.state)
        if row.verb == "send":
            return told(self.submit(RAW_NOTES[row.arguments]), self.state)
        if row.verb == "has":
            return told_balances(self.state, self._id(row.arguments, None))
        if row.verb == "has-sealed":
            return told_accounts(self.sealed, row.arguments)
        command, note = self.note(row)
        self.command, self.notes[row.actor] = command, note
        accounts = tuple(name for name, _ in account_leaves(self.state)) if row.verb == "seal" else ()
        answer = self.submit(note)
        if isinstance(answer, Entry) and accounts:
            self.sealed = accounts
        made = MAKES.get(str(command["kind"]).removesuffix("/1"))
        if isinstance(answer, Entry) and made:
            self.ids[command[made].partition("/")[2]] = command[made]
        if isinstance(answer, Entry) and "rules" in command:
            self.rules[command["programme"]] = command["rules"]
        return told(answer, self.state)

    def submit(self, note: bytes) -> Entry | Refusal:
        """Decide a note, with signatures verified ahead and without; keep what is admitted."""
        self.answered = self._submit(note)
        return self.answered

    def _submit(self, note: bytes) -> Entry | Refusal:
        signed = read_note(note, ORIGIN)
        if isinstance(signed, Refusal):
            return signed
        answer = self._decide(signed) if self.checked else admit(self.state, signed, self.at)
        if isinstance(answer, Entry):
            expected = copy.deepcopy(self.state.book.totals) if self.checked else {}
            postings = evolve(self.state, answer.event)
            if self.checked:
                post(expected, postings)
                assert self.state.book.totals == expected
                assert evolve(self.whole, answer.event, is_part=True) == postings
            self.entries.append(answer)
        return answer

    def _decide(self, signed: SignedCommand) -> Entry | Refusal:
        """Decide a command, with signatures verified ahead and without, and with nothing known of who pays."""
        before = self.state.to_bytes()
        answer = admit(self.state, signed, self.at)
        verdicts = self._verdicts_ahead(signed.note)
        assert admit(self.state, replace(signed, verdicts=verdicts), self.at) == answer
        assert admit(replace(self.state, payers={}), signed, self.at) == answer, "what is known changes it"
        assert self.state.to_bytes() == before, "a decision changes nothing"
        if isinstance(answer, Entry):
            assert Entry.from_bytes(answer.to_bytes()) == answer
        by_whole = admit(self.whole, signed, self.at)
        if getattr(by_whole, "reason", by_whole) != getattr(answer, "reason", answer):
            assert isinstance(answer, Refusal)
            assert answer.reason.value.endswith("_unknown")
            assert "left the books" in answer.detail
            if isinstance(by_whole, Entry):  # a verdict, or a statement of which every line is refused
                moved = evolve(copy.deepcopy(self.whole), by_whole.event, is_part=True)
                assert moved == (), "no money can be moved with what has left"
        return answer

    def note(self, row: Row) -> tuple[Json, bytes]:
        """The command of a row, and the note of it."""
        kind, template, sentence = VERBS[row.verb]
        words, settings = self._split(row.verb, row.arguments)
        self.refs += 1
        ref = settings.get("ref", f"ref-{self.refs}")
        said = _match(template, " ".join(words), row)
        sides = self._sides(kind, row.actor, said, settings)
        if said.pop("other", None):
            said |= sides
        names = {"party": said.get("admitted", row.actor), "document": ref} | said | sides
        taken = assumed(sentence.partition(" {")[0], said.get("role", ""))
        fields = {name: _filled(text, names) for name, text in taken.items()} | said
        fields |= {name: value for name, value in settings.items() if name not in _SIGNING}
        signed_by = fields.pop("signed by", "")
        command: Json = {"kind": f"{kind}/1", "log": settings.get("log", ORIGIN), "party": row.actor, "ref": ref}
        command |= {
            "signed_at": format_instant(self._instant(settings.get("signed", assumed("every command")["signed at"])))
        }
        if kind == "programme.amend" and any(_is_rule(name) for name in fields):
            command["rules"] = copy.deepcopy(self.rules.get(self._id(fields["programme"], None), {}))
            if not command["rules"]:
                fields = {name: value for name, value in assumed("opens").items() if _is_rule(name)} | fields
        if kind in ("redemption.settle", "recovery.receive"):
            self._fill_payment(command, kind, fields)
        self._fill(command, kind, fields, row.actor)
        if kind == "checkpoint.record" and "log_vkey" not in command:
            command["log_vkey"] = vkey_of(fields["checkpoint"].partition(":")[0])
        if kind == "record.withdraw":
            command["record"] = {name.replace("admitted", "party"): command.pop(name) for name in fields}
            command["record"]["type"] = row.verb.removeprefix("withdraw-").replace("price", "tariff")
        if kind == "attestation.give" and command["subject_type"] in ("application", "claim", "contract"):
            command["subject_id"] = self._id(command["subject_id"], None)
        signers = self._signers(row.actor, kind, fields, settings, signed_by)
        forged = tuple(names_in(settings.get("forged", "")))
        return command, note_of(command, *[name for name in signers if name not in forged], spoiled=forged)

    def _sides(self, kind: str, actor: str, said: dict[str, str], settings: dict[str, str]) -> dict[str, str]:
        """Return holder and provider of the contract that a command is about: who gives it, and the other one."""
        if kind == "contract.amend":
            contract = self.state.contracts.get(self._id(said["contract"], None))
            return {"holder": contract.holder, "provider": contract.provider} if contract else {}
        if kind != "contract.sign":
            return {}
        parties = self.state.parties
        sides = [said["other"], actor]
        is_provider = [one in parties and parties[one].role == "provider" for one in sides]
        provider, holder = sides if is_provider != [False, True] else reversed(sides)
        return {name: settings.get(name, side) for name, side in (("holder", holder), ("provider", provider))}

    def _fill(self, command: Json, kind: str, fields: dict[str, str], actor: str) -> None:
        """Give a command its fields; `cap.floor_fen` stands within `cap`, and a programme's rules within `rules`."""
        evidence_root = fields.pop("evidence_root", None)
        for full_name, value in fields.items():
            *path, name = full_name.split(".")
            within = command
            is_rule = kind in ("programme.open", "programme.amend") and _is_rule(full_name)
            for one in ["rules", *path] if is_rule else path:
                within = within.setdefault(one, {})
            if value == "none":
                within.pop(name, None)
            elif name == "lines":
                within["groups"] = self._groups(value, evidence_root)
            else:
                within[name] = self._value(name, value, actor if name == MAKES.get(kind) else None)

    def _fill_payment(self, command: Json, kind: str, fields: dict[str, str]) -> None:
        """Give a settlement its rows, and it or a receipt its payment: of what it pays and isn't set off."""
        if kind == "recovery.receive":
            fields["payment.amount_fen"] = fields.pop("amount_fen")
        else:
            command["rows"] = rows = settled_rows(fields.pop("rows"), fields.pop("reason"))
            for row in rows:
                row["contract"] = self._id(row["contract"], None)
            offsets = offsets_in(fields.pop("offsets", ""))
            if offsets:
                command["offsets"] = [one | {"demand": self._id(one["demand"], None)} for one in offsets]
            due_fen = sum(row["paid_fen"] for row in rows) - sum(one["amount_fen"] for one in offsets)
            if due_fen > 0:
                fields.setdefault("payment.amount_fen", yuan(due_fen))
        if fields.pop("payment", "") == "none" or "payment.amount_fen" not in fields:
            for name in [name for name in fields if name.startswith("payment.")]:
                del fields[name]
        elif fields["payment.day"] == "today":
            fields["payment.day"] = format_day(self.state.day_of(self.at))

    def _split(self, verb: str, arguments: str) -> tuple[list[str], dict[str, str]]:
        """Tell the words of the template from `field=value`; what stands after a statement's contract is its lines."""
        words, settings = list[str](), dict[str, str]()
        for token in arguments.split():
            name, equals, value = token.partition("=")
            if equals and not (verb == "burn" and name in _OF_LINES):
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
        if name in READERS:
            return READERS[name](value)
        if name == "items":
            return items_in(value, [*self.state.items])
        if "_fen" in name:
            return fen(value)
        if name.endswith("_bp"):
            return basis_points(value)
        return int(value) if re.fullmatch(r"-?\d+", value) and name not in _TEXTS else value

    def _id(self, value: str, maker: str | None) -> str:
        if "/" in value:
            return value
        return f"{maker}/{value}" if maker else self.ids.get(value, f"shanghai/{value}")

    def _groups(self, text: str, evidence_root: str | None) -> list[Json]:
        """Return a statement's groups: its lines as they stand, those of an item together."""
        rows = [row for line in text.split("|") for row in self._burn_lines(line.split())]
        root = {"evidence_root": evidence_root} if evidence_root else {}
        return [
            {"item": item, "lines": [row for _, row in of_item]} | root
            for item, of_item in groupby(rows, key=lambda one: one[0])
        ]

    def _burn_lines(self, words: list[str]) -> Iterator[tuple[str, list[Any]]]:
        """Yield item and row of `job-7 8x910b -10h..-9h seconds=600 corrects=st-1:0 available prior x300`."""
        job, gpus, interval, *said = words
        count, _, item = gpus.partition("x")
        starts_at, ends_at = (self._instant(text) for text in interval.split(".."))
        seconds = max(1, (ends_at - starts_at) // SECOND_US)
        options: Json = {}
        jobs = 1
        for word in said:
            if word == "available":
                options["pay_available"] = True
            elif word == "prior":
                options["prior_period"] = True
            elif word.startswith("seconds="):
                seconds = int(word.partition("=")[2])
            elif word.startswith("corrects="):
                statement, _, number = word.removeprefix("corrects=").rpartition(":")
                options["corrects"] = {"statement": statement, "line": int(number)}
            else:
                jobs = int(word.removeprefix("x"))
        row = [thousandths(count), _job_time(starts_at), _job_time(ends_at), seconds, *([options] if options else [])]
        yield from ((item, [f"{job}.{number}" if jobs > 1 else job, *row]) for number in range(jobs))

    def _signers(self, actor: str, kind: str, fields: Json, settings: dict[str, str], signed_by: str = "") -> list[str]:
        role = self.state.parties[actor].role if actor in self.state.parties else actor
        own = names_in(signed_by or assumed("every command", role)["signed by"].replace("<party>", actor))
        if kind == "key.rotate" and not signed_by:  # the key itself; of the network the others of its quorum too
            own = [fields["key"], *(own if actor == "network" else ())]
        if kind in ("key.add", "key.rotate", "party.admit"):
            brought = [fields.get(name, "") for name in ("vkey", "keys", "meter_keys", "read_keys")]
            own += names_in(",".join(brought))
        if kind == "log.rekey":
            own.append(log_key_name(fields["new_vkey"]))
        if kind == "key.add" and actor != fields["subject"]:
            own += _OF_NETWORK
        own = [name for name in dict.fromkeys(own) if name]
        if "by" in settings:
            own = names_in(settings["by"])
        return own + names_in(settings.get("and", ""))

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


def _is_rule(name: str) -> bool:
    """Return whether a field is a rule of a programme, or within one."""
    return name.partition(".")[0] in _OF_RULES


def _filled(text: str, names: dict[str, str]) -> str:
    """Return a value of the preamble with the names of the row in it."""
    return re.sub(r"<(\w+)>", lambda match: names.get(match[1], names["party"]), text)


def _job_time(instant: int) -> str:
    """Return a job's time, which has whole seconds; another is spelled as it is, and refused."""
    return format_second(instant) if instant % SECOND_US == 0 else format_instant(instant)


@cache
def _standard() -> bytes:
    """Play the standard network; pickled, because that is copied several times faster."""
    ledger = Ledger()
    (story,) = read_sentences((TABLES / "standard.txt").read_text("utf-8"))
    ledger.play(story)
    return pickle.dumps(ledger)


def ledger_for(story: Story) -> Ledger:
    """Return the ledger that a story starts from."""
    return Ledger() if story.from_nothing else cast(Ledger, pickle.loads(_standard()))


def reasons_in(answer: str) -> set[Reason]:
    """Return the reasons that an answer of a table names."""
    return {REASONS[word] for word in answer.split(" | ") if word in REASONS}
