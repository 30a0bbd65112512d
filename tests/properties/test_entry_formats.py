"""Commands, headers and entries are closed and have one canonical encoding; other bytes are refused."""

import copy
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.actors import ORIGIN, note_of, text_of
from support.editions import adopting
from support.scenario import Ledger, read_table
from tallystick.errors import CanonicalJsonError, EntryMalformedError, MalformedError
from tallystick.signing import canonical_json
from tallystick.signing.note import Note
from tallystick.vouchers.admit import read_note
from tallystick.vouchers.entry import ENTRY_SIZE_MAX, Entry, Header, split_entry
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rulebook import EVENT_KINDS, command_text, parse_command
from tallystick.vouchers.rules.rule import Event

Json = dict[str, Any]

# One more story than the frozen one: it is free to change.
STORY = """== one of each [empty log]
network   found                                                              -> founded
network   admit       shanghai as treasury                                   -> admitted
network   admit       guizhou as treasury                           -> admitted
network   admit       guian as provider                                      -> admitted
network   admit       registry as operator                                   -> admitted
shanghai  admit       acme as holder                                         -> admitted
shanghai  admit       bolt as holder uscc=none maker=yes name=none profile_hash=bolt                     -> admitted
shanghai  amend       quorum=2 officers=2~above~20,000.00~yuan~in~30~days    -> amended
shanghai  suspend     bolt                                                   -> suspended
shanghai  reinstate   bolt                                                   -> reinstated
acme      add-key     acme/officer-3 for acme                                -> added
guian     rotate-key  guian/officer-2 to guian/officer-3                     -> rotated
acme      revoke-key  acme/officer-2 of acme                                 -> revoked
network   rekey       tallystick.example/national to next overlap_seconds=7776000  -> rekeyed
network   register    m1 as domestic unit=count counted=a~million~tokens     -> registered
network   register    910b as domestic                                       -> registered
guian     price-unit  m1 1.80                                                -> published
guian     price       910b 6.00                                              -> published
guian     price       910b 5.00 valid_from=+1d                               -> published
guian     withdraw-price  910b from +1d                                      -> withdrawn
guian     declare     512×910b from 2026-01-05                               -> declared
registry  record      world.example:100                                      -> recorded
network   admit       panel as attester                                      -> admitted
shanghai  open        S2 9,000.00 opens_at=2025-07-01T00:00                  -> opened
shanghai  import      V0 of acme 1,000.00 under S2 used 250.00 valid_from=2025-09-01T00:00 \
valid_until=2026-08-31T16:00 -> imported
shanghai  open        S1 900,000.00 transfer=approved \
gates=1~of~panel~on~expert~of~the~application~before~issue~and~1~of~panel~on~usage~of~the~claim~before~settle \
shares=40~%~up~to~60~%~of~class~young~domestic~filed~910b,~50~%~of~all \
proration=2026-03-01~to~2026-12-31,~inclusive,~cut~to~1.00~yuan              -> opened
shanghai  accredit    guian under S1 batch=one                               -> accredited
acme      apply       A1 9,000.00 under S1 holder_class=under_one_year       -> filed
panel     attest      pass to application A1 on expert                       -> given
acme      withdraw-application  A1                                           -> withdrawn
acme      sign        K1 with guian 1,000.00 from 2026-01-05 to 2026-12-31   -> signed
acme      amend-contract  K1 amount_fen=900.00 last_day=2026-12-30 other_support_fen=0.00 items=all~at~9.00~yuan \
items_from=2026-01-06                                                        -> amended
acme      sign        K2 with guian 500.00 from 2026-01-05 to 2026-12-31 items=m1~at~2.00~yuan -> signed
acme      apply       A2 19,000.00 under S1                                  -> filed
panel     attest      pass to application A2 on expert                       -> given
shanghai  issue       V1 to acme 9,000.00 under S1 application=A2            -> issued
shanghai  issue       V2 to acme 9,000.00 under S1 application=A2 contract=K1 -> issued
shanghai  give-mandate  M1 to registry 500.00 each 1,000.00 in all programme=S1 -> given
registry  issue       V4 to acme 200.00 under S1 application=A2 contract=K1 mandate=M1 -> issued
shanghai  end-mandate  M1                                                    -> ended
acme      transfer    V3 of V1 5,000.00 to bolt and=shanghai/officer-1       -> transferred
shanghai  suspend-voucher  V2                                                -> suspended
shanghai  resume-voucher   V2                                                -> resumed
shanghai  revoke      V2                                                     -> revoked 9,000.00
acme      reserve     R2 of V1 40.00 under K2 until +20d                     -> reserved
acme      extend      R2 until +30d amount_fen=5.00                          -> extended
acme      reserve     R1 of V1 80.00 under K1 until +30d                     -> reserved
clock     +2d
guian     burn        K1 a 8x910b -1h..now | a 8x910b -1h..now | c 8x910b -1h..now available ref=st-1 \
evidence_root=sha256:0000000000000000000000000000000000000000000000000000000000000000 -> \
24.00 | job_time_already_burned | 24.00
guian     burn-units  10 of m1 under K2 2026-01-06 to 2026-01-06 ref=units-1 -> 9.00
guian     reverse     units-1 line 0                                         -> reversed 9.00 to reservation
guian     burn-units  8 of m1 under K2 2026-01-06 to 2026-01-06 corrects=units-1:0 pay_available=yes \
evidence_hash=sha256:0000000000000000000000000000000000000000000000000000000000000000 -> 7.20
guian     reverse     st-1 line 2                                            -> reversed 24.00 to reservation
clock     +1d
guian     claim       C1 of S1 up to 2026-01-07                              -> claimed 24.00 under K1 + 7.20 under K2
panel     attest      pass to claim C1 on usage                              -> given
shanghai  settle      C1 20.00~yuan~under~K1~and~4.00~yuan~withheld,~7.20~yuan~under~K2 -> settled
shanghai  disallow    1.00 under K1 of S1                                    -> disallowed
shanghai  demand      D1 of guian 12.00 under S1                             -> demanded
guian     claim       C2 of S1 up to 2026-01-07                              -> claimed 3.00 under K1
panel     attest      pass to claim C2 on usage                              -> given
shanghai  receive     10.00 of D1                                            -> received
shanghai  settle      C2 2.00~yuan~under~K1~and~1.00~yuan~withheld offsets=1.00~yuan~of~D1 -> settled
shanghai  cancel      1.00 of D1                                             -> cancelled
guian     release     R1                                                     -> released 56.00 to voucher
shanghai  delist      guian under S1 until +1d                               -> delisted
shanghai  amend-programme  S1 envelope_fen=800,000.00 closes_at=2026-01-31T16:00 rank=1 rules_from=2026-01-09 -> amended
clock     2026-04-05T08:00
registry  expire      -> expired 37.80 of reservation R2 to voucher + 5,000.00 of voucher V3 to programme + \
200.00 of voucher V4 to programme + 3,968.80 of voucher V1 to programme
registry  seal        2026-Q1 to 2026-03-31                                  -> sealed 13 accounts
"""
OPTIONAL = {
    "item.register/1": {"origin"},
    "party.admit/1": {"name", "profile_hash", "uscc", "maker", "quorum", "officers"},
    "party.amend/1": {"name", "profile_hash", "quorum", "officers"},
    "provider.accredit/1": {"batch"},
    "contract.amend/1": {"amount_fen", "last_day", "other_support_fen"},  # items and items_from go together
    "application.file/1": {"holder_class"},
    "voucher.issue/1": {"application", "contract", "mandate"},
    "mandate.give/1": {"programme"},
    "programme.amend/1": {"envelope_fen", "closes_at"},  # rules and rules_from go together
    "reservation.extend/1": {"amount_fen", "until"},  # not both
    "redemption.settle/1": {"offsets", "payment"},
    "service.burn/1": {"corrects", "pay_available", "evidence_hash"},
}
OPTIONAL_WITHIN = {
    "rules": {"proration", "gates"},
    "shares": {"ceiling_bp", "items", "origin", "filed", "holder_class"},
    "groups": {"evidence_root"},
}
UNBOUNDED = {"envelope_fen", "holder_fen", "floor_fen", "face_fen", "amount_fen", "other_support_fen", "threshold_fen"}
UNBOUNDED |= {"each_fen", "total_fen", "used_fen", "paid_fen", "withheld_fen"}


def _entries() -> list[Entry]:
    (story,) = read_table(STORY)
    ledger = Ledger()
    ledger.play(story)
    return ledger.entries


ENTRIES = _entries()
BY_KIND = {entry.event.kind: entry for entry in ENTRIES}
COMMANDS: dict[str, Json] = {
    str(command["kind"]): command
    for command in (orjson.loads(Note.from_bytes(split_entry(entry.data)[1]).text) for entry in ENTRIES)
}
COMMANDS["rules.adopt/1"] = orjson.loads(
    Note.from_bytes(split_entry(adopting(1, "2026-01-05T08:00:00.000000Z", 1))[1]).text
)
FIELDS = [(kind, name) for kind, command in COMMANDS.items() for name in command]


def with_other(value: Any, path: tuple[Any, ...], other: object) -> Any:
    """A JSON value with another one in a place within it."""
    if not path:
        return other
    place, *rest = path
    within = with_other(value[place], tuple(rest), other)
    return value | {place: within} if isinstance(value, dict) else [*value[:place], within, *value[place + 1 :]]


def objects_in(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Json]]:
    """The objects within a JSON value, with the places on the way."""
    if isinstance(value, dict):
        if path:
            yield path, value
        for name, member in value.items():
            yield from objects_in(member, (*path, name))
    elif isinstance(value, list):
        for place, member in enumerate(value):
            yield from objects_in(member, (*path, place))


WITHIN = [(kind, path, within) for kind, command in COMMANDS.items() for path, within in objects_in(command)]


def wrong_values(value: object) -> Iterator[object]:
    """Values of every other type, and of the same type out of bounds."""
    odd: list[object] = ["", "x y\n", -(2**53) + 1, True, [], {}, [[]], {"a": 1}]
    yield from (other for other in odd if type(other) is not type(value) or type(value) in (str, int))
    if isinstance(value, bool):
        yield from (1, "true")
    elif isinstance(value, int):
        yield from (str(value), 2**53 - 1)
    if isinstance(value, str):
        yield from (f" \n{value}", value + "x" * 300)
    if isinstance(value, list):
        yield value * 65


def answer_to(command: Json) -> Refusal | None:
    """What the first two steps say to a command signed by somebody."""
    data = note_of(command, "anybody/officer-1") if len(canonical_json.encode(command)) < 60_000 else None
    if data is None:
        with pytest.raises(MalformedError):
            parse_command(canonical_json.encode(command) + b"\n")
        return Refusal(Reason.COMMAND_MALFORMED)
    answer = read_note(data, ORIGIN)
    return answer if isinstance(answer, Refusal) else None


def malformed(command: Json) -> bool:
    """Whether it is refused as it should be, by both ways of reading it."""
    try:
        command_text(command)
    except CanonicalJsonError:
        return False
    except MalformedError:
        answer = answer_to(command)
        return answer is not None and answer.reason is Reason.COMMAND_MALFORMED
    return False


def test_there_is_a_command_of_every_kind() -> None:
    """So what follows is about all of them."""
    assert set(COMMANDS) == set(EVENT_KINDS)
    assert all(answer_to(command) is None for command in COMMANDS.values())


@pytest.mark.parametrize(("kind", "name"), FIELDS)
def test_no_field_can_be_left_out(kind: str, name: str) -> None:
    """But the few that are optional."""
    command = {key: value for key, value in COMMANDS[kind].items() if key != name}
    if name in OPTIONAL.get(kind, ()):
        assert answer_to(command) is None
    else:
        assert malformed(command)


@pytest.mark.parametrize(("kind", "name"), FIELDS)
def test_no_field_can_be_null(kind: str, name: str) -> None:
    """Canonical JSON here has no null, so it isn't even canonical; and the schema would not take it for absence."""
    line = orjson.dumps(COMMANDS[kind] | {name: None}, option=orjson.OPT_SORT_KEYS)
    with pytest.raises(CanonicalJsonError):
        parse_command(line + b"\n")
    answer = read_note(note_of({}, "anybody/officer-1").replace(b"{}\n", line + b"\n"), ORIGIN)
    assert isinstance(answer, Refusal)
    assert answer.reason is Reason.COMMAND_NOT_CANONICAL


@pytest.mark.parametrize(("kind", "name"), FIELDS)
def test_no_field_takes_another_type(kind: str, name: str) -> None:
    """Nothing is converted: not a number in quotes, not true for 1."""
    command = COMMANDS[kind]
    for wrong in wrong_values(command[name]):
        if wrong == 2**53 - 1 and name in UNBOUNDED:
            continue
        if name == "lines" and wrong == command[name] * 65:
            continue
        if name == "checkpoint" and wrong and isinstance(wrong, str):
            continue  # what a text says is decided, not read
        assert malformed(command | {name: wrong}), wrong


@pytest.mark.parametrize("kind", COMMANDS)
@pytest.mark.parametrize("extra", [{"note": ""}, {"starts_at": 1}, {"Kind": "x"}, {"": 1}, {"model_config": {}}])
def test_no_field_more(kind: str, extra: Json) -> None:
    """Closed."""
    assert malformed(COMMANDS[kind] | extra)


@pytest.mark.parametrize("kind", [*COMMANDS, "voucher.print"])
@pytest.mark.parametrize("version", ["/2", "/01", "", "/1 ", "/1\u00b9"])
def test_no_kind_of_another_version(kind: str, version: str) -> None:
    """A kind is one word."""
    command = COMMANDS.get(kind, COMMANDS["recovery.cancel/1"])
    assert malformed(command | {"kind": kind.removesuffix("/1") + version})


@pytest.mark.parametrize(("kind", "path", "within"), WITHIN, ids=[f"{kind} {path}" for kind, path, _ in WITHIN])
def test_an_object_within_a_command_is_as_closed(kind: str, path: tuple[Any, ...], within: Json) -> None:
    """Rules and their parts, items with a price, groups, options of a line, what is corrected: no field more or fewer.

    What rows may be is in test_statement_rows.py.
    """
    command = COMMANDS[kind]
    (*_, field) = [name for name in path if isinstance(name, str)]
    assert malformed(with_other(command, path, within | {"surprise": 1}))
    for name, value in within.items():
        without = with_other(command, path, {key: other for key, other in within.items() if key != name})
        assert malformed(without) != (name in OPTIONAL_WITHIN.get(field, ())), name
        for wrong in wrong_values(value):
            if not (wrong == 2**53 - 1 and name in UNBOUNDED) and not (name == "lines" and wrong == value * 65):
                assert malformed(with_other(command, (*path, name), wrong)), (name, wrong)


INVOICE: Json = {
    name: value for name, value in COMMANDS["service.burn/1"].items() if name not in ("quantity", "corrects")
} | {"document_hash": f"sha256:{'0' * 64}", "fee_fen": 100}


@pytest.mark.parametrize(
    ("changes", "is_read"),
    [
        ({}, True),
        ({"fee_fen": None}, False),
        ({"document_hash": None}, False),
        ({"quantity": 1}, False),
        ({"quantity": 1, "fee_fen": None}, False),
        ({"quantity": 1, "fee_fen": None, "document_hash": None}, True),
        ({"fee_fen": None, "document_hash": None}, False),
        ({"prior_period": True}, False),
        ({"quantity": 1, "fee_fen": None, "document_hash": None, "prior_period": True}, True),
        ({"corrects": {"statement": "s", "line": 0}}, True),
    ],
)
def test_a_service_is_counted_or_invoiced(changes: Json, is_read: bool) -> None:
    """Not both, and not neither; an invoice is of no prior period."""
    command = {name: value for name, value in (INVOICE | changes).items() if value is not None}
    assert malformed(command) != is_read
    assert (answer_to(command) is None) == is_read


@pytest.mark.parametrize("kind", ["programme.amend/1", "contract.amend/1", "reservation.extend/1"])
def test_an_amendment_says_something(kind: str) -> None:
    """One that changes nothing is no command."""
    changed = {"envelope_fen", "closes_at", "rules", "rules_from", "amount_fen", "last_day", "items", "items_from"}
    changed |= {"other_support_fen", "until"}
    assert malformed({name: value for name, value in COMMANDS[kind].items() if name not in changed})


def test_every_part_of_a_programmes_rules_is_tried() -> None:
    """What the story leaves out isn't looked at above."""
    found = {name for _, path, within in WITHIN for name in (*path, *within)}
    assert {"rules", "shares", "cap", "claims", "proration", "holder_class", "filed", "ceiling_bp"} <= found
    assert {"officers", "record", "groups", "evidence_root", "pay_available", "price_fen", "price_limit_fen"} <= found


@pytest.mark.parametrize(
    "change",
    [
        {"ref": "a b"},
        {"ref": "-a"},
        {"ref": "x" * 129},
        {"party": "Acme"},
        {"party": "acme-公司"},
        {"party": "a" * 64},
        {"party": "acme\n"},
        {"reservation": "acme"},
        {"reservation": "acme/"},
        {"reservation": "acme/R1/x"},
        {"reservation": f"acme/{'x' * 65}"},
        {"voucher": "acme/-"},
        {"amount_fen": 0},
        {"amount_fen": 2**53 - 1, "until": "2026-01-05T08:00:00Z"},
        {"until": "2026-02-30T00:00:00.000000Z"},
    ],
)
def test_values_out_of_bounds_are_refused(change: Json) -> None:
    """Ids, amounts and times, at a reservation."""
    assert malformed(COMMANDS["voucher.reserve/1"] | change)


@pytest.mark.parametrize("kind", COMMANDS)
def test_a_command_is_read_and_written_the_same(kind: str) -> None:
    """The text that is signed is the command's only one."""
    text = command_text(COMMANDS[kind])
    command = parse_command(text)
    assert canonical_json.encode(command.model_dump(mode="json", by_alias=True, exclude_none=True)) + b"\n" == text


@pytest.mark.parametrize("kind", BY_KIND)
def test_an_entry_is_read_and_written_the_same(kind: str) -> None:
    """Both directions, for every kind."""
    entry = BY_KIND[kind]
    assert Entry.from_bytes(entry.to_bytes()) == entry
    assert Entry.of(entry.event, split_entry(entry.data)[1]) == entry
    line, _ = split_entry(entry.data)
    assert Header.from_bytes(line).to_bytes() == line


HEADER = b'{"at":"2026-01-05T08:00:00.000000Z","index":42,"kind":"voucher.issued/1","outcome":{}}'


@pytest.mark.parametrize(
    ("what", "by"),
    [
        (b":42", b":+42"),
        (b":42", b":042"),
        (b":42", b":42.0"),
        (b":42", b":4.2e1"),
        (b":42", b':"42"'),
        (b":42", b":true"),
        (b":42", b":-1"),
        (b":42", b":9007199254740992"),
        (b":42", b": 42"),
        (b"08:00:00.000000Z", b"08:00:00Z"),
        (b"08:00:00.000000Z", b"08:00:00.000000+"),
        (b'"at"', b'"At"'),
        (b'"at":"2026-01-05T08:00:00.000000Z",', b""),
        (b'"outcome":{}', b'"outcome":[]'),
        (b'"outcome":{}', b'"outcome":"{}"'),
        (b'"outcome":{}', b'"outcome":{},"party":"acme"'),
        (b'"outcome":{}', b'"outcome":{"a":null}'),
        (b'"kind"', b'"index":42,"kind"'),
        (b'"kind":"voucher.issued/1","outcome":{}', b'"outcome":{},"kind":"voucher.issued/1"'),
        (b"voucher", b"v\\u006fucher"),
        (b"}", b"}\r"),
        (b"{", b"\xef\xbb\xbf{"),
    ],
)
def test_a_header_has_one_encoding(what: bytes, by: bytes) -> None:
    """Every other is refused."""
    assert Header.from_bytes(HEADER).index == 42
    with pytest.raises(EntryMalformedError):
        Header.from_bytes(HEADER.replace(what, by, 1))


def mutations(value: object) -> Iterator[object]:
    """Other encodings of a JSON value, of which some readers would say that they are the same."""
    if isinstance(value, bool):
        return
    if isinstance(value, int):
        yield from (str(value), value == 1, [value])
    elif isinstance(value, str):
        yield from ([value], value + " ", 0)
    elif isinstance(value, list):
        yield from ("".join(map(str, value)), {}, [*value, "x"])
        for place, item in enumerate(value):
            for other in mutations(item):
                yield [*value[:place], other, *value[place + 1 :]]


def odd_outcomes() -> Iterator[tuple[str, Json]]:
    """Outcomes with a field more, one less, or one in another encoding."""
    for kind, entry in BY_KIND.items():
        outcome = Header.from_bytes(split_entry(entry.data)[0]).outcome
        yield kind, outcome | {"surprise": 1}
        for name, value in outcome.items():
            yield kind, {key: other for key, other in outcome.items() if key != name}
            for other in mutations(value):
                yield kind, outcome | {name: other}
            if isinstance(value, int):
                yield kind, outcome | {name: -1}


@pytest.mark.parametrize(("kind", "outcome"), [*odd_outcomes()], ids=repr)
def test_an_outcome_is_closed_and_has_one_encoding(kind: str, outcome: Json) -> None:
    """What is read from an entry would be written the same, or it isn't read."""
    line, note = split_entry(BY_KIND[kind].data)
    try:
        odd = canonical_json.encode(orjson.loads(line) | {"outcome": outcome}) + b"\n" + note
    except CanonicalJsonError:
        return
    with pytest.raises(EntryMalformedError):
        Entry.from_bytes(odd)


def test_an_event_belongs_to_its_command() -> None:
    """A header that tells of something else is refused."""
    line, _ = split_entry(BY_KIND["voucher.suspended/1"].data)
    _, note = split_entry(BY_KIND["voucher.resumed/1"].data)
    with pytest.raises(EntryMalformedError, match="does not make an event"):
        Entry.from_bytes(line + b"\n" + note)


def test_an_entry_has_a_limit() -> None:
    """And a second line."""
    with pytest.raises(EntryMalformedError, match="over"):
        split_entry(b"x" * (ENTRY_SIZE_MAX + 1))
    with pytest.raises(EntryMalformedError, match="no newline"):
        split_entry(HEADER)


@pytest.mark.parametrize("kind", BY_KIND)
def test_a_note_cut_off_anywhere_is_refused(kind: str) -> None:
    """At every byte; nothing else is raised. Between two signature lines it is the same text, signed by fewer."""
    _, note = split_entry(BY_KIND[kind].data)
    signed = note.index(b"\n\n") + 2
    for end in range(len(note)):
        whole_lines = end > signed and note[end - 1 : end] == b"\n"
        assert isinstance(read_note(note[:end], ORIGIN), Refusal) != whole_lines


@pytest.mark.parametrize("kind", ["key.revoked/1", "time.burned/1"])
def test_an_entry_cut_off_anywhere_is_refused(kind: str) -> None:
    """At every byte. Between two signature lines it is another entry of the same text, which misses a signature."""
    data = BY_KIND[kind].data
    signed = data.index(b"\n\n") + 2
    for end in range(len(data)):
        if end > signed and data[end - 1 : end] == b"\n":
            assert Entry.from_bytes(data[:end]).data != data
            continue
        with pytest.raises(EntryMalformedError):
            Entry.from_bytes(data[:end])


@given(st.data())
def test_a_changed_byte_is_refused_or_is_another_entry(data: st.DataObject) -> None:
    """And read back it is exactly what it was changed to."""
    entry = data.draw(st.sampled_from(ENTRIES))
    place = data.draw(st.integers(0, len(entry.data) - 1))
    changed = bytearray(entry.data)
    changed[place] ^= data.draw(st.integers(1, 255))
    try:
        read = Entry.from_bytes(bytes(changed))
    except EntryMalformedError:
        return
    assert read != entry
    assert Entry.of(read.event, split_entry(bytes(changed))[1]).to_bytes() == bytes(changed)


@given(st.binary(max_size=400) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")))
def test_bytes_from_anybody_are_answered(data: bytes) -> None:
    """With a reason."""
    answer = read_note(data, ORIGIN)
    assert isinstance(answer, Refusal)
    assert answer.reason in list(Reason)[:5]


@given(
    st.recursive(
        st.text(max_size=5) | st.integers(-(2**53) + 1, 2**53 - 1) | st.booleans(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["item", "lines", "corrects", "kind"]), inner, max_size=4)
        ),
        max_leaves=10,
    ),
    st.sampled_from(FIELDS),
)
def test_no_json_breaks_the_reader(value: Any, field: tuple[str, str]) -> None:
    """Whatever stands in a field: it is refused by name, or it is good and comes out as it went in."""
    kind, name = field
    command = copy.deepcopy(COMMANDS[kind]) | {name: value}
    text = canonical_json.encode(command) + b"\n"
    try:
        read = parse_command(text)
    except MalformedError:
        return
    assert canonical_json.encode(read.model_dump(mode="json", by_alias=True, exclude_none=True)) + b"\n" == text


def test_an_event_knows_its_name() -> None:
    """From the command's kind."""
    event = BY_KIND["voucher.issued/1"].event
    assert isinstance(event, Event)
    assert event.kind == "voucher.issued/1"
    assert event.command.kind == "voucher.issue/1"


@pytest.mark.parametrize("more", [{"kind": "network.fo\nd/1"}, {"two\nlines": 1}, {"x" * 300 + "\n": 1}])
def test_a_refusal_is_one_short_line_whatever_was_written(more: dict[str, Any]) -> None:
    """Found by the fuzzer: an unknown kind was repeated with its newlines, and so was the name of a field too many."""
    with pytest.raises(MalformedError) as caught:
        parse_command(text_of(COMMANDS["recovery.cancel/1"] | more))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200
