"""`tallystick rules` lists what docs/formats.md says, for people and for programs."""

import json

from documentation.test_formats import names, table
from support.command_line import done
from tallystick.vouchers.refusals import Reason


def test_json_agrees_with_the_tables_of_the_docs() -> None:
    told = json.loads(done("rules", "--json"))
    listed = [
        (
            [one["kind"]],
            [one["event"]],
            [field["name"] + "?" * (not field["required"]) for field in one["fields"]],
            one["outcome"],
        )
        for one in told["commands"]
    ]
    assert listed == [tuple(map(names, row)) for row in table("| command | event | fields | outcome |")]
    assert set(told["every_command"]["fields"]) == {name for row in table("| field | |") for name in names(row[0])}


def test_each_command_says_who_signs_what_it_touches_and_what_refuses_it() -> None:
    for one in json.loads(done("rules", "--json"))["commands"]:
        assert one["roles"], one["kind"]
        assert {type(one[name]) for name in ("meaning", "signers", "touches")} == {str}
        assert all(one[name].endswith(".") for name in ("meaning", "signers", "touches")), one["kind"]
        assert all(field["meaning"] for field in one["fields"]), one["kind"]
        assert one["refusals"], one["kind"]
        assert set(one["refusals"]) <= {reason.value for reason in Reason}


def test_as_a_table() -> None:
    lines = done("rules", "--wide").splitlines()
    assert lines[0] == "Commands, each also with kind, log, party, ref, signed_at; ? may be left out"
    row = next(line for line in lines if line.startswith("voucher.reserve/1"))
    assert row.split(maxsplit=3)[1:] == [
        "voucher.reserved/1",
        "holder",
        "reservation, voucher, contract, amount_fen, until",
    ]
