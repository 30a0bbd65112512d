"""What is due is listed for the bank; what it carried out becomes settlements to sign, and all else is reported."""

import csv
import io
import shutil
from pathlib import Path
from typing import Any

import pytest

from support.actors import ORIGIN
from support.command_line import Ran, done, failed, run
from support.small_ledger import HOLDERS_OWN, LOG_KEY, TREASURY
from tallystick.accounting.payables import payment_reference
from tallystick.forms.form import form_of
from tallystick.forms.leaves import Surroundings
from tallystick.forms.sheets import Row, read_sheet, text_of
from tallystick.ledger import Admitted, open_ledger
from tallystick.vouchers.quantities import DAY_US, parse_instant

CHEAP = "shanghai/compute-2026"
CLAIM, PAYEE, DUE_FEN = "maker-a/c2", "maker-a", 8_600
REFERENCE = payment_reference(ORIGIN, CLAIM)
PAYEES = "payee,name,account,bank\nmaker-a,Maker A,6222 0200 1122,ICBC\nguian,Gui'an,6228-48,=ABC\n"
HEAD = "date,amount,account,payee,remittance,reference,status\n"
PAID = f"2026-02-10,86.00,622202001122,Maker A,{REFERENCE} {CLAIM},B-17,success\n"


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def cells(path: Path) -> list[dict[str, str]]:
    return [*csv.DictReader(io.StringIO(path.read_text("utf-8-sig")))]


def read(ledger: Path, folder: Path, bank: str, *more: object, programme: str = HOLDERS_OWN) -> Ran:
    file = written(folder, "bank.csv", HEAD + bank)
    return run("payments", "read", ledger, file, "--programme", programme, "--json", *more)


def commands_of(sheet: Path) -> list[dict[str, Any]]:
    """What `do redemption.settle --from` makes of a sheet."""
    form = form_of("redemption.settle")
    assert form is not None
    read, faults = read_sheet(form, text_of(sheet.read_bytes()))
    assert not faults
    rows = [row for row in read if isinstance(row, Row)]
    filled = [form.read(row.words, Surroundings(28_800)) for row in rows]
    assert not [fault for one in filled for fault in one.faults]
    return [{"ref": row.ref} | one.fields for row, one in zip(rows, filled, strict=True)]


def test_what_is_due_is_listed_with_the_accounts_of_a_file(small_ledger: Path, tmp_path: Path) -> None:
    payees, out = written(tmp_path, "payees.csv", PAYEES), tmp_path / "list.csv"
    said = done("payments", "list", small_ledger, "--programme", HOLDERS_OWN, "--accounts", payees, "-o", out)
    assert "1 payment, 86.00 yuan, as of entry " in said
    assert cells(out) == [
        {
            "reference": REFERENCE,
            "payee": PAYEE,
            "name": "Maker A",
            "account": "622202001122",
            "bank": "ICBC",
            "amount": "86.00",
            "remittance": f"{REFERENCE} {CLAIM}",
            "claim": CLAIM,
            "last_day": cells(out)[0]["last_day"],
        }
    ]
    before = out.read_bytes()
    done("payments", "list", small_ledger, "--programme", HOLDERS_OWN, "--accounts", payees, "-o", out, "--fresh")
    assert out.read_bytes() == before


def test_what_is_withheld_and_set_off_is_not_paid(small_ledger: Path, tmp_path: Path) -> None:
    payees = written(tmp_path, "payees.csv", PAYEES)
    kept = written(tmp_path, "kept.csv", 'claim,contract,withheld,reason\nguian/c3,maker-a/k1,20.00,"late, by=far"\n')
    words: list[Any] = ["payments", "list", small_ledger, "--programme", CHEAP, "--accounts", payees, "--as-of", "57"]
    listed = run(*words, "--withhold", kept, "--set-off")
    (row,) = csv.DictReader(io.StringIO(listed.out.removeprefix("\ufeff")))
    assert (row["amount"], row["bank"]) == ("50.00", "'=ABC")  # 10,000 − 2,000 withheld − 3,000 asked back
    assert "1 payment, 50.00 yuan" in listed.err


@pytest.mark.parametrize(
    ("payees", "said"),
    [
        (PAYEES.replace("maker-a,", "maker-b,"), "has no account of maker-a: add a line for each"),
        (PAYEES + PAYEES.splitlines()[1], "line 4: maker-a stands in line 2 too"),
        (PAYEES.replace("6222 0200 1122", "6.222E+11"), "line 2: '6.222E+11' is no account's number"),
        (PAYEES.replace("ICBC", ""), "line 2 has no bank"),
        (PAYEES.replace(",ICBC", ""), "line 2 has 3 cells, and there are 4 headings"),
        (PAYEES.replace("bank", "iban"), "its headings must be payee, name, account, bank; they are payee, name,"),
        ("", "its headings must be payee, name, account, bank; they are"),
        ('payee,"', "is not CSV"),
    ],
)
def test_an_account_that_is_missing_double_or_none_is_one_line(
    small_ledger: Path, tmp_path: Path, payees: str, said: str
) -> None:
    file, out = written(tmp_path, "payees.csv", payees), tmp_path / "list.csv"
    words = ["payments", "list", small_ledger, "--programme", HOLDERS_OWN, "--accounts", file, "-o", out]
    complaint = failed(*words)
    assert complaint.startswith(str(file))
    assert said in complaint
    assert not out.exists()


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        (
            "maker-a/c2,maker-a/k9,1.00,x",
            "line 2: no open claim maker-a/c2 of this programme has a contract maker-a/k9",
        ),
        ("guian/c1,maker-a/k1,1.00,x", "no open claim guian/c1"),
        ("maker-a/c2,maker-a/k2,900.00,x", "yuan are claimed under maker-a/k2"),
        ("maker-a/c2,maker-a/k2,0.00,x", "yuan are claimed under maker-a/k2"),
        ("maker-a/c2,maker-a/k2,much,x", "line 2: withheld must be an amount in yuan"),
        ("maker-a/c2,maker-a/k2,1.00,", "line 2 has no reason"),
        ("maker-a/c2,maker-a/k2,1.00,x\nmaker-a/c2,maker-a/k2,1.00,y", "line 3: maker-a/k2 of maker-a/c2 stands there"),
    ],
)
def test_what_can_t_be_withheld_is_one_line(small_ledger: Path, tmp_path: Path, kept: str, said: str) -> None:
    payees = written(tmp_path, "payees.csv", PAYEES)
    file = written(tmp_path, "kept.csv", f"claim,contract,withheld,reason\n{kept}\n")
    words = ["payments", "list", small_ledger, "--programme", HOLDERS_OWN, "--accounts", payees, "--withhold", file]
    assert said in failed(*words)


@pytest.mark.parametrize(
    ("bank", "found"),
    [
        (PAID, []),
        (PAID.replace(REFERENCE, REFERENCE.lower()[:9] + " " + REFERENCE.lower()[9:]), []),
        (PAID.replace(REFERENCE + " ", ""), []),
        (PAID + PAID.replace("86.00", "-86.00").replace("B-17", "B-18") + PAID.replace("B-17", "B-19"), []),
        (PAID.replace("86.00", "85.00"), [("wrong_amount", 2, CLAIM)]),
        (PAID + PAID.replace("B-17", "B-18"), [("paid_twice", 3, CLAIM)]),
        (PAID.replace("622202001122", "111111"), [("wrong_account", 2, CLAIM)]),
        (PAID.replace("success", "failed"), [("not_carried_out", 2, CLAIM)]),
        (PAID.replace(REFERENCE, "TS" + "0" * 16), [("unknown_reference", 2, None)]),
        (PAID.replace(f"{REFERENCE} {CLAIM}", "rent"), [("no_reference", 2, None)]),
        (PAID.replace(f"{REFERENCE} {CLAIM}", f"{CLAIM} guian/c1"), [("unknown_reference", 2, None)]),
        (PAID.replace(f"{REFERENCE} {CLAIM}", "guian/c1"), []),
        (PAID.replace(f"{REFERENCE} {CLAIM}", "xmaker-a/c2"), [("no_reference", 2, None)]),
    ],
)
def test_what_the_bank_says_is_compared_to_the_fen(
    small_ledger: Path, tmp_path: Path, bank: str, found: list[tuple[str, int, str | None]]
) -> None:
    payees = written(tmp_path, "payees.csv", PAYEES)
    ran = read(small_ledger, tmp_path, bank, "--accounts", payees, "-o", tmp_path / "settle.csv")
    said = ran.json
    assert [(one["code"], one["line"], one["claim"]) for one in said["findings"]] == found
    assert ran.status == (1 if found else 0)
    is_paid = [one["claim"] for one in said["paid"]] == [CLAIM]
    assert is_paid is (not found and "guian/c1" not in bank)
    assert (tmp_path / "settle.csv").exists() is is_paid
    if found and found[0][2] is None:
        assert [one["claim"] for one in said["unpaid"]] == [CLAIM]
    if found == [("no_reference", 2, None)]:
        assert read(small_ledger, tmp_path, bank, "--only-ours").json["passed_over"] == 1


def test_what_was_paid_is_settled_by_the_sheet_and_never_twice(small_ledger: Path, tmp_path: Path) -> None:
    ledger, sheet = tmp_path / "ledger", tmp_path / "settle.csv"
    shutil.copytree(small_ledger, ledger)
    assert read(ledger, tmp_path, PAID, "-o", sheet).status == 0
    (command,) = commands_of(sheet)
    assert command["payment"] == {"amount_fen": DUE_FEN, "day": "2026-02-10", "reference": "B-17"}
    assert command["ref"] == f"settle-{REFERENCE}"
    at = parse_instant("2027-02-13T08:30:00.000000Z") + DAY_US
    with open_ledger(ledger, LOG_KEY, clock=lambda: at) as opened:
        (answer,) = opened.submit([TREASURY.note("redemption.settle", at, **command)])
        assert isinstance(answer, Admitted), answer
    again = read(ledger, tmp_path, PAID).json
    assert (again["paid"], again["settled_before"], again["findings"]) == ([], [CLAIM], [])
    twice = read(ledger, tmp_path, PAID.replace("B-17", "B-99").replace("02-10", "02-20"))
    assert (twice.status, [one["code"] for one in twice.json["findings"]]) == (1, ["paid_twice"])


def test_a_sheet_on_standard_output_leaves_the_rest_to_standard_error(small_ledger: Path, tmp_path: Path) -> None:
    file = written(tmp_path, "bank.csv", HEAD + PAID + PAID.replace(f"{REFERENCE} {CLAIM}", "rent").replace("17", "18"))
    words: list[Any] = ["payments", "read", small_ledger, file, "--programme", HOLDERS_OWN, "-o", "-"]
    ran = run(*words)
    assert ran.status == 1
    assert ran.out.startswith("\ufeffref,claim,row,offset,payment,mandate\n")
    assert ran.err == "tallystick: line 3: no_reference: 'rent' names no claim of this treasury\n"
    assert "give -o a file's name" in failed(*words, "--json")


def test_several_contracts_offsets_and_words_of_strangers_come_through_the_sheet(
    small_ledger: Path, tmp_path: Path
) -> None:
    """As of an older entry, what is due of c3 is what its settlement in the log says, but for its reason."""
    from tallystick.accounting.payables import payables
    from tallystick.accounting.payments import SHEET_COLUMNS, Paid, settlement_rows
    from tallystick.accounting.plain_sheets import SheetRow
    from tallystick.printing.csv_bytes import csv_bytes
    from tallystick.views import Views

    kept = SheetRow(
        2, {"claim": "guian/c1", "contract": "maker-a/k1", "withheld": "100.00", "reason": '"x", paid=1.00'}
    )
    with Views.as_of(small_ledger, index=54) as views:
        (due,) = payables(views, ORIGIN, CHEAP, [kept])
    sheet = tmp_path / "sheet.csv"
    sheet.write_bytes(csv_bytes(SHEET_COLUMNS, settlement_rows([Paid(due, None)], "registry/m1", 28_800)))
    (command,) = commands_of(sheet)
    assert [row["paid_fen"] for row in command["rows"]] == [38_960, 2_000, 5_000]
    assert command["rows"][0] | {"withheld_fen": 10_000, "reason": '"x", paid=1.00'} == command["rows"][0]
    assert command["mandate"] == "registry/m1"
