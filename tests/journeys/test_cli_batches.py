"""Many commands out of a sheet: previewed, each signed once and sent until it is answered, never twice."""

import json
from pathlib import Path

import pytest

from support.actors import uscc_of
from support.command_line import ORIGIN, Desk, Ran, run
from tallystick.client.outbox import open_outbox
from tallystick.forms.form import forms
from tallystick.forms.sheets import ROWS_MAX, Row, read_sheet, text_of
from tallystick.publishing import read_ledger

AT = "2026-01-05T16:00:00"
TREASURY = "shanghai-treasury"
HEADINGS = "voucher,programme,holder,face,valid-from"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    made = Desk(tmp_path_factory.mktemp("desk"))
    made.found()
    made.open_programme()
    return made


@pytest.fixture
def folder(desk: Desk, tmp_path: Path) -> Path:
    """A folder with the treasury's profile."""
    said = {"source": str(desk.ledger), "log": ORIGIN, "party": TREASURY, "key": str(desk.key(f"{TREASURY}/desk"))}
    text = "".join(f"{name} = {json.dumps(value)}\n" for name, value in said.items())
    (tmp_path / "tallystick.toml").write_text(text)
    return tmp_path


def row(name: str, face: str = "100.00", holder: str = "acme-ai") -> str:
    return f'{TREASURY}/{name},{TREASURY}/compute-2026,{holder},"{face}",2026-01-06'


def batch(folder: Path, text: str | bytes, *more: object, kind: str = "voucher.issue", name: str = "issues.csv") -> Ran:
    sheet = folder / name
    sheet.write_bytes(text if isinstance(text, bytes) else text.encode())
    profile = folder / "tallystick.toml"
    return run("do", kind, "--from", sheet, "--profile", profile, "--log-time", AT, *more)


def sheet_of(*rows: str, headings: str = HEADINGS) -> str:
    return "\n".join([headings, *rows]) + "\n"


def vouchers(desk: Desk) -> list[str]:
    with read_ledger(desk.ledger) as reader:
        return [*reader.state().vouchers]


def test_every_row_is_recorded_once_whatever_is_repeated(desk: Desk, folder: Path) -> None:
    """A second run of the same file sends nothing."""
    text = sheet_of(*[row(f"b-{number}") for number in range(20)])
    first = batch(folder, text, "--yes")
    assert (first.status, first.err) == (0, "")
    assert "20 would be recorded, of which 10 are not shown; 0 would be refused; face in all 2,000.00 yuan" in first.out
    assert first.out.splitlines()[-1] == "20 of 20 rows are recorded; 0 were refused"
    size = desk.size
    assert [f"{TREASURY}/b-{number}" in vouchers(desk) for number in range(20)] == [True] * 20
    assert len([*(folder / "receipts").iterdir()]) == 20
    again = batch(folder, text, "--yes")
    assert again.out.splitlines()[0] == "20 of 20 rows are recorded already"
    assert (again.status, desk.size) == (0, size)


def test_a_mended_row_is_sent_and_the_others_are_not(desk: Desk, folder: Path) -> None:
    """What was refused is signed anew when its row is mended, and what was recorded stays."""
    first = batch(folder, sheet_of(row("c-1"), row("c-2", "99,000,000.00"), row("c-3")), "--yes")
    assert first.status == 1
    assert "line 3: refused: exceeds_envelope" in first.out
    size = desk.size
    mended = batch(folder, sheet_of(row("c-1"), row("c-2", "99.00"), row("c-3")), "--yes")
    assert mended.out.splitlines()[0] == "2 of 3 rows are recorded already"
    assert (mended.status, desk.size) == (0, size + 1)


def test_what_would_be_refused_is_shown_before_anything_is_sent(desk: Desk, folder: Path) -> None:
    """Against one state: the second of two vouchers of one id is refused because of the first."""
    size = desk.size
    ran = batch(folder, sheet_of(row("d-1"), row("d-1")), "--check")
    assert ran.status == 1
    assert "1 would be recorded; 1 would be refused" in ran.out
    assert "id_already_used" in ran.out
    assert desk.size == size
    unasked = batch(folder, sheet_of(row("d-1")))
    assert (unasked.status, desk.size) == (2, size)
    assert "give --yes" in unasked.err


def test_all_wrong_rows_are_named_at_once_and_nothing_is_signed(desk: Desk, folder: Path) -> None:
    """By line and heading."""
    size = desk.size
    ran = batch(folder, sheet_of(row("e-1", "1.5"), row("e-2"), row("E 3"), row("e-4", holder="")), "--yes")
    assert ran.status == 2
    assert ran.out == ""
    lines = ran.err.splitlines()
    assert "line 2, face: must be an amount in yuan with two decimals or none" in lines[0]
    assert "line 4, voucher: must be an id like shanghai-treasury/v-1" in lines[1]
    assert "line 5, holder: is missing" in lines[2]
    assert lines[3].endswith("issues.csv: 3 things are wrong, and nothing was signed")
    assert desk.size == size
    assert not (folder / "outbox" / TREASURY / "notes").exists()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_utf_8_is_read_with_and_without_a_byte_order_mark(folder: Path, encoding: str) -> None:
    """As spreadsheets write it."""
    text = sheet_of("acme-ai,资料不全", headings="subject,reason")
    ran = batch(folder, text.encode(encoding), "--check", kind="party.suspend", name=f"{encoding}.csv")
    assert ran.status == 0, ran
    assert "资料不全" in ran.out


def test_another_encoding_needs_a_word(folder: Path) -> None:
    """A sheet in GB 18030 isn't taken for something else."""
    text = sheet_of("acme-ai,资料不全", headings="subject,reason").encode("gb18030")
    refused = batch(folder, text, "--check", kind="party.suspend")
    assert refused.status == 2
    assert (
        "(line 2) is not utf-8: save it as CSV UTF-8, or name its encoding, such as --encoding gb18030" in refused.err
    )
    ran = batch(folder, text, "--check", "--encoding", "gb18030", kind="party.suspend")
    assert (ran.status, "资料不全" in ran.out) == (0, True)


def test_the_template_has_a_heading_for_each_option(folder: Path) -> None:
    """So it can be filled in."""
    assert run("do", "party.suspend", "--template").out == "ref,subject,reason\n"


def test_a_repeated_heading_is_a_list(folder: Path) -> None:
    """As an option that is repeated."""
    headings = "contract,holder,provider,document,amount,first-day,last-day,item,item,basis,claimant,related-party"
    values = (
        'a/k,a,b,sha256:{},"1.00",2026-01-05,2026-02-05,"item=x,price=1.00","item=a,price=2.00",metered,provider,no'
    )
    rows, faults = read_sheet(forms()["contract.sign/1"], sheet_of(values.format("0" * 64), headings=headings))
    assert faults == []
    assert isinstance(rows[0], Row)
    assert rows[0].words["item"] == ["item=x,price=1.00", "item=a,price=2.00"]


def test_rows_of_one_reference_are_one_command() -> None:
    """A statement is a sheet with a job a row."""
    text = 'ref,contract,line\ns-1,a/k,"item=x,job=a"\ns-1,a/k,"item=x,job=b"\ns-2,a/k,"item=x,job=c"\n'
    rows, faults = read_sheet(forms()["time.burn/1"], text)
    assert faults == []
    assert isinstance(rows[0], Row)
    assert [(row.ref, row.words["line"]) for row in rows if isinstance(row, Row)] == [
        ("s-1", ["item=x,job=a", "item=x,job=b"]),
        ("s-2", ["item=x,job=c"]),
    ]
    assert rows[0].words["contract"] == ["a/k"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "line 1: it is empty"),
        (HEADINGS + "\n\n", "line 2: there is no row below the headings"),
        ("voucher;face\na;b\n", "line 1: its cells are not separated by commas"),
        ("voucher,prise\na,b\n", "line 1, prise: is no option of voucher.issue/1"),
        ("voucher,voucher\na,b\n", "line 1, voucher: is there twice"),
        ("voucher,face\na\n", "line 2: 1 cells, and there are 2 headings"),
        ("ref,voucher\na,b\n\na,c\n", "line 4, voucher: is another than in line 2, of the same ref"),
        ('voucher\n"a\n', "line 2: it is not CSV"),
    ],
)
def test_what_is_no_sheet_is_said_in_words(text: str, words: str) -> None:
    """With the line."""
    _, faults = read_sheet(forms()["voucher.issue/1"], text)
    assert str(faults[0]).startswith(words)


def test_a_sheet_has_so_many_rows_at_most() -> None:
    """What is larger is made several of."""
    text = "voucher\n" + "a\n" * (ROWS_MAX + 1)
    rows, faults = read_sheet(forms()["voucher.issue/1"], text)
    assert len(rows) == ROWS_MAX
    assert str(faults[0]) == f"line {ROWS_MAX + 2}: more than {ROWS_MAX:,} commands: make several files of it"


def test_an_unknown_encoding_is_said() -> None:
    """With one that there is."""
    with pytest.raises(ValueError, match="there is no encoding 'klingon'; gb18030 is one"):
        text_of(b"a", "klingon")


def test_a_sheet_may_have_commands_of_several_kinds(desk: Desk, folder: Path) -> None:
    """In order, each row seeing what those before it did; a cell of another kind's option is named."""
    sheet = folder / "mixed.csv"
    head = "do,voucher,programme,holder,face,valid-from,reason"
    issue = f"voucher.issue,{row('m-1')},"
    suspend = f"voucher.suspend,{TREASURY}/m-1,,,,,under review"
    sheet.write_text("\n".join([head, issue, suspend]))
    size = desk.size
    words = ("do", "--from", sheet, "--profile", folder / "tallystick.toml", "--log-time", AT)
    ran = run(*words, "--yes")
    assert (ran.status, ran.err) == (0, ""), ran
    assert f'suspends voucher {TREASURY}/m-1: "under review"' in ran.out
    assert desk.size == size + 2
    assert "2 of 2 rows are recorded already" in run(*words, "--yes").out
    sheet.write_text("\n".join([head, f"voucher.suspend,{TREASURY}/m-1,,acme-ai,,,r", "voucher.isue,,,,,,"]))
    wrong = run(*words, "--yes")
    assert "line 3, do: there is no kind of command 'voucher.isue'" in wrong.err
    sheet.write_text("\n".join([head, f"voucher.suspend,{TREASURY}/m-1,,acme-ai,,,r"]))
    assert "line 2, holder: is no option of voucher.suspend/1" in run(*words, "--yes").err
    sheet.write_text("voucher,reason\na,b\n")
    assert "there is no column 'do'" in run(*words, "--yes").err


def mixed(folder: Path, text: str, *more: object) -> Ran:
    """Give a sheet of several kinds by the profile in a folder."""
    sheet = folder / "mixed.csv"
    sheet.write_text(text)
    return run("do", "--from", sheet, "--profile", folder / "tallystick.toml", "--log-time", AT, *more)


def test_a_sheet_has_headings_for_each_kind_and_is_shown_in_full(desk: Desk, folder: Path) -> None:
    """A row that begins with `do` has headings; spreadsheets fill short rows up."""
    text = sheet_of(
        f"voucher.issue,{row('n-1')}",
        "do,voucher,reason,,,",
        f"voucher.suspend,{TREASURY}/n-1,under review,,,",
        headings=f"do,{HEADINGS}",
    )
    shown = mixed(folder, text, "--check")
    assert (shown.status, shown.err) == (0, "")
    first, sentence, *_ = shown.out.splitlines()
    assert first == "line 2, would be recorded"
    assert sentence.startswith(f"{TREASURY} ({TREASURY}) issues voucher {TREASURY}/n-1 of 100.00 yuan to acme-ai")
    assert "  for the log tallystick.example/rehearsal, as ref row-" in shown.out
    ran = mixed(folder, text, "--yes")
    assert ran.status == 0, ran
    *_, first, second, last = ran.out.splitlines()
    assert first == f"line 2: recorded as entry {desk.size - 2}: valid until 2027-01-06T00:00:00 (UTC+08:00)"
    assert second == f"line 4: recorded as entry {desk.size - 1}"
    assert last == "2 of 2 rows are recorded; 0 were refused"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("do,note\ncosign,\n", "line 2, note: is missing: the file of the note to sign"),
        ("do,note\ninbox sign,\n", "line 2, note: is missing: the id, or PARTY/REF, of the note to sign"),
        ("do,note,reason\ncosign,a.note,why\n", "line 2, reason: is said by the note: leave it empty"),
        ("do,note,subject\nparty.suspend,a,b\n", "line 2, note: goes with cosign and inbox sign alone"),
        ("do,prepare,subject\nparty.suspend,perhaps,b\n", "line 2, prepare: must be yes or no"),
        ("do,note\ncosign,none.note\n", "line 2: none.note: No such file or directory"),
        ("do,note\ninbox sign,a/b\n", "line 2: a/b can't wait here: notes wait at a service, and this is a ledger"),
        ("do,subject\ndo,subjekt\n", "line 2, subjekt: is no option of any kind"),
    ],
)
def test_what_is_wrong_with_a_note_or_a_heading_is_said(folder: Path, text: str, words: str) -> None:
    """With the line, and nothing is signed."""
    ran = mixed(folder, text, "--yes")
    assert (ran.status, ran.out) == (2, "")
    assert words in ran.err
    assert ran.err.endswith("; nothing was signed\n")


def test_a_note_of_others_is_signed_in_its_place(desk: Desk, folder: Path) -> None:
    """An admission that a new party's key signed, and a voucher for it, in one sheet; once, whatever is repeated."""
    key = run("key", "new", "neu-ai/desk", "-o", folder / "neu.pem", "--no-passphrase").out.strip()
    words = ("--admitted", "neu-ai", "--role", "holder", "--name", "Neu", "--uscc", uscc_of("neu-ai"), "--key", key)
    profile = ("--profile", folder / "tallystick.toml", "--log-time", AT, "--sign-with", folder / "neu.pem")
    note = folder / "neu.note"
    assert run("do", "party.admit", *words, *profile, "--prepare", "-o", note, "--yes").status == 0
    text = sheet_of(
        f"cosign,{note}", f"do,{HEADINGS}", f"voucher.issue,{row('o-1', holder='neu-ai')}", headings="do,note"
    )
    size = desk.size
    ran = mixed(folder, text, "--yes")
    assert (ran.status, desk.size) == (0, size + 2), ran
    assert "admits neu-ai, called Neu, as holder" in ran.out.replace('"', "")
    assert "signed by neu-ai/desk" in ran.out
    again = mixed(folder, text, "--yes")
    assert (again.status, desk.size) == (0, size + 2)
    assert again.out.splitlines()[0] == "2 of 2 rows are recorded already"


def test_a_row_may_be_left_for_others_to_sign(desk: Desk, folder: Path) -> None:
    """Beside a ledger that is a file; given again, it isn't signed a second time."""
    text = sheet_of(f"voucher.issue,yes,p-1,{row('p-1')}", headings=f"do,prepare,ref,{HEADINGS}")
    size = desk.size
    ran = mixed(folder, text, "--yes")
    assert (ran.status, desk.size) == (0, size), ran
    prepared = folder / "prepared" / "p-1.note"
    assert ran.out.splitlines()[0] == "line 2, would wait for other signatures"
    assert ran.out.splitlines()[-2:] == [
        f"line 2: {prepared}: signed; the others sign with `tallystick cosign {prepared}`",
        "0 of 1 rows are recorded; 0 were refused; 1 wait for other signatures",
    ]
    before = prepared.read_bytes()
    assert "0 of 1 rows are recorded already; 1 were left for other signatures" in mixed(folder, text, "--yes").out
    assert prepared.read_bytes() == before
    every = batch(folder, sheet_of(row("p-2")), "--prepare", "--yes")
    assert "1 wait for other signatures" in every.out
    assert "leave --ref out" in batch(folder, sheet_of(row("p-2")), "--ref", "a").err


def test_the_template_of_several_kinds_has_a_block_for_each() -> None:
    """To be filled in as it stands."""
    out = run("do", "--template", "party.suspend, voucher.suspend").out
    assert out == "do,subject,reason\nparty.suspend,,\ndo,voucher,mandate,reason\nvoucher.suspend,,,\n"
    assert "there is no kind of command 'party.suspned'" in run("do", "--template", "party.suspned").err


# -------------------------------------------------------------------------------------------------------- outbox


def test_a_note_that_may_be_recorded_is_never_replaced(tmp_path: Path) -> None:
    """Only one that the log refused."""
    with open_outbox(tmp_path) as outbox:
        outbox.add({"a/b": b"first"})
        with pytest.raises(ValueError, match="a/b has another note already"):
            outbox.add({"a/b": b"second"})
        outbox.keep([("a/b", {"accepted": False})])
        outbox.add({"a/b": b"second"})
        assert (outbox.note("a/b"), outbox.answer("a/b")) == (b"second", None)


def test_an_answer_that_was_cut_off_is_none(tmp_path: Path) -> None:
    """A kill may leave half a line, which the next answer replaces."""
    with open_outbox(tmp_path) as outbox:
        outbox.keep([("a", {"accepted": True})])
    file = tmp_path / "answers.jsonl"
    file.write_bytes(file.read_bytes() + b'{"ref":"b","ans')
    with open_outbox(tmp_path) as outbox:
        assert (outbox.answer("a"), outbox.answer("b")) == ({"accepted": True}, None)
        outbox.keep([("c", {"accepted": True})])
    with open_outbox(tmp_path) as outbox:
        assert outbox.answer("c") == {"accepted": True}
    assert file.read_bytes().count(b"\n") == 2
