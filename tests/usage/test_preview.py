"""What the log would refuse is left out; what is too large is halved; what crosses an end is cut there."""

from collections.abc import Sequence

from support.metered import CONTRACT, ITEM, standing, us, used
from tallystick.signing.algorithms import SHA256
from tallystick.transparency.merkle import leaf_hash, root_of
from tallystick.usage.evidence import evidence_lines, nonce_of, salted_hash
from tallystick.usage.planning import PlannedLine, by_spell, plan
from tallystick.usage.preview import previewed
from tallystick.usage.splitting import Cuts
from tallystick.usage.statements import PlannedStatement, statements_of
from tallystick.wire import JsonObject
from tallystick.wire.json_text import json_text

KEY = bytes(range(32))


def lines_of(count: int, begin: int = 0, end: int = 100) -> list[PlannedLine]:
    there = standing()
    usage = [used(f"heron/{number:04}", begin, end) for number in range(count)]
    return plan(by_spell(usage), there, Cuts(there.utc_offset_us)).burns


def accepted(statement: PlannedStatement) -> JsonObject:
    lines = [{"accepted": True, "fee_fen": line.seconds, "paid_fen": line.seconds // 2} for line in statement.lines]
    return {"accepted": True, "lines": lines}


def refused(reason: str) -> JsonObject:
    return {"accepted": False, "reason": reason, "detail": "", "transient": True}


def test_a_statement_that_is_too_large_is_halved_until_it_fits() -> None:
    """Whatever an entry holds: each line is asked for in the end."""

    def check(statements: Sequence[PlannedStatement]) -> list[JsonObject]:
        return [refused("entry_too_large") if len(one.lines) > 70 else accepted(one) for one in statements]

    found = previewed(lines_of(500), standing().contracts, check)
    assert sum(len(one.lines) for one in found.statements) == len(found.amounts) == 500
    assert max(len(one.lines) for one in found.statements) <= 70
    assert found.refused == []


def test_a_refused_line_is_left_out_and_the_others_are_sent_together() -> None:
    """With the amounts that were answered for them."""

    def check(statements: Sequence[PlannedStatement]) -> list[JsonObject]:
        answers = [accepted(one) for one in statements]
        for statement, answer in zip(statements, answers, strict=True):
            for line, said in zip(statement.lines, answer["lines"], strict=True):
                if line.usage.job.endswith("7"):
                    said.clear()
                    said.update(refused("exceeds_reservation"))
        return answers

    found = previewed(lines_of(20), standing().contracts, check)
    (statement,) = found.statements
    assert [one.line.usage.job for one in found.refused] == ["heron/0007", "heron/0017"]
    assert {one.reason for one in found.refused} == {"exceeds_reservation"}
    assert (len(statement.lines), [one.fee_fen for one in found.amounts]) == (18, [100] * 18)
    assert [statement] == list(statements_of(statement.lines))


def test_a_whole_statement_that_is_refused_is_shown_line_by_line() -> None:
    found = previewed(lines_of(3), {}, lambda statements: [refused("contract_unknown") for _ in statements])
    assert (found.statements, [one.reason for one in found.refused]) == ([], ["contract_unknown"] * 3)


def test_a_line_that_crosses_ends_is_cut_at_each() -> None:
    there = standing()
    there.contracts[CONTRACT].ends |= {us(30), us(70), us(500)}

    def check(statements: Sequence[PlannedStatement]) -> list[JsonObject]:
        answers = [accepted(one) for one in statements]
        for statement, answer in zip(statements, answers, strict=True):
            for line, said in zip(statement.lines, answer["lines"], strict=True):
                if line.ends_at > us(70):
                    said.clear()
                    said.update(refused("outside_reservation"))
        return answers

    found = previewed(lines_of(1), there.contracts, check)
    assert [line.seconds for line, _ in found.lines()] == [30, 40]
    assert [(one.line.seconds, one.reason) for one in found.refused] == [(30, "outside_reservation")]


def test_a_record_is_opened_by_its_line_of_evidence() -> None:
    """The root of the group is over the hashes of its records, each with its nonce."""
    import json

    (statement,) = statements_of(lines_of(5))
    (group,) = statement.groups(KEY)
    said = [json.loads(line) for line in evidence_lines(statement.ref, statement.lines, KEY).splitlines()]
    hashes = [bytes.fromhex(one["hash"].removeprefix("sha256:")) for one in said]
    assert group["item"] == ITEM
    assert group["evidence_root"] == SHA256.to_text(root_of([leaf_hash(one) for one in hashes]))
    for one, expected in zip(said, hashes, strict=True):
        assert SHA256.digest(bytes.fromhex(one["record_hex"]) + bytes.fromhex(one["nonce"])) == expected
    assert salted_hash(b"a", KEY) != salted_hash(b"a", bytes(32))
    assert nonce_of(b"a", KEY) == nonce_of(b"a", KEY) != nonce_of(b"b", KEY)
    assert "evidence_root" not in statement.groups(None)[0]
    assert json_text(statement.fields({"log": "x"}, KEY)) == json_text(statement.fields({"log": "x"}, KEY))
