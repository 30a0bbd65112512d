"""Claims against a bank's file: paid, not paid, paid twice, paid otherwise."""

from collections.abc import Iterable

from tallystick.usage.payments import PaidClaim, Payment, SettledClaim, compare_payments


def claim(number: int, fen: int = 10_000) -> SettledClaim:
    return SettledClaim(f"heron/k-{number}", "city/2026", fen, fen, "2026-04-20", f"PAY-{number}")


def paid(line: int, fen: int, *texts: str) -> Payment:
    return Payment(line, "2026-04-21", fen, texts)


def names(rows: Iterable[PaidClaim]) -> list[str]:
    return [row.claim.claim for row in rows]


def test_each_claim_is_in_one_list() -> None:
    claims = [claim(number) for number in range(1, 8)]
    payments = [
        paid(2, 10_000, "PAY-1"),
        paid(3, 10_000, "0007", "voucher claim PAY-2, April"),
        paid(4, 10_000, "", "PAY-2"),
        paid(5, 9_999, "PAY-3", ""),
        paid(6, 10_000, "PAY-4"),
        paid(7, -10_000, "PAY-4", "returned"),
        paid(8, 77, "rent", "PAY-10"),
        paid(9, 10_000, "PAY-1 and PAY-5"),
    ]
    found = compare_payments(claims, payments)
    assert names(found.paid) == ["heron/k-1"]
    assert names(found.paid_twice) == ["heron/k-2"]
    assert [(one.claim.claim, one.paid_fen) for one in found.wrong_amount] == [("heron/k-3", 9_999)]
    assert names(found.unpaid) == ["heron/k-4", "heron/k-5", "heron/k-6", "heron/k-7"]
    assert [one.line for one in found.others] == [8, 9]
    assert found.is_open


def test_a_file_of_the_account_that_is_paid_is_read_the_other_way() -> None:
    found = compare_payments([claim(1), claim(2)], [paid(2, -10_000, "PAY-1"), paid(3, -20_000, "PAY-2")])
    assert (names(found.paid), names(found.paid_twice)) == (["heron/k-1"], ["heron/k-2"])


def test_what_was_set_off_whole_needs_no_payment() -> None:
    found = compare_payments([claim(1)._replace(payment_fen=0)], [])
    assert not found.is_open


def test_a_reference_with_a_blank_is_found_in_a_text() -> None:
    found = compare_payments([claim(1)._replace(payment_reference="bank 17")], [paid(2, 10_000, "see bank 17/x")])
    assert names(found.paid) == ["heron/k-1"]
