"""The oracle on its own: worked figures by hand, so that it isn't only right where the package is right too."""

from typing import Any

import pytest

from properties.naive_ledger import (
    NaiveLedger,
    covered,
    day,
    fee,
    instant,
    instant_text,
    uscc_check_character_is_right,
)

ORIGIN = "tallystick.example/national"
START = instant("2026-01-05T08:00:00.000000Z")
SECOND = 1_000_000
DAY = 86_400 * SECOND
SIGNERS = {"net": ["net/a+00000001"], "city": ["city/a+00000002"], "dc": ["dc/a+00000003"], "lab": ["lab/a+00000004"]}


@pytest.mark.parametrize(
    ("gpu_milli", "seconds", "price", "share_bp", "rounding", "fee_fen", "voucher_fen"),
    [
        (8_000, 3_600, 600, 10_000, 1, 4_800, 4_800),  # eight GPUs for an hour at CNY 6.00
        (8_000, 3_600, 600, 3_000, 1, 4_800, 1_440),
        (1_000, 5, 600, 10_000, 1, 0, 0),  # 0.83 fen
        (1_000, 6, 600, 10_000, 1, 1, 1),  # exactly 1 fen
        (1_000, 11, 600, 9_999, 1, 1, 0),  # 1.83 fen, then 0.9999
        (8_000, 3_600, 601, 10_000, 100, 4_800, 4_800),  # 4,808 fen cut to the yuan
        (8_000, 3_600, 600, 3_000, 100, 4_800, 1_400),  # 1,440 fen cut to the yuan
        (1, 1, 1, 10_000, 1, 0, 0),
        (10_000_000, 31_622_400, 10_000_000, 10_000, 1, 878_400_000_000_000, 878_400_000_000_000),
    ],
)
def test_fee_is_cut_twice(
    gpu_milli: int, seconds: int, price: int, share_bp: int, rounding: int, fee_fen: int, voucher_fen: int
) -> None:
    assert fee_fen == fee(gpu_milli, seconds, price, rounding)
    assert voucher_fen == covered(fee_fen, share_bp, rounding)


def test_times_and_days() -> None:
    assert START == 1_767_600_000 * SECOND
    assert instant_text(START + 1) == "2026-01-05T08:00:00.000001Z"
    assert day("2026-01-05") == 20_458 == START // DAY


@pytest.mark.parametrize(
    ("code", "right"),
    # The first is the example that python-stdnum's documentation gives; in the second one character differs.
    [("91110000600037341L", True), ("91110000600037342L", False)],
)
def test_social_credit_code(code: str, right: bool) -> None:
    assert uscc_check_character_is_right(code) is right


class Story:
    """A ledger with one of each, and commands in few words."""

    def __init__(self) -> None:
        self.ledger = NaiveLedger(ORIGIN)
        self.at = START
        self.refs = 0

    def does(self, party: str, kind: str, *extra_signers: str, **fields: Any) -> tuple[str, Any]:
        self.refs += 1
        head = {"kind": kind + "/1", "log": ORIGIN, "party": party, "ref": str(self.refs)}
        command = head | {"signed_at": instant_text(self.at)} | fields
        return self.ledger.submit(command, [*SIGNERS[party], *extra_signers], self.at)

    def line(self, job: str, seconds: int, **fields: Any) -> dict[str, Any]:
        start, end = instant_text(self.at - 100 * SECOND), instant_text(self.at - 100 * SECOND + seconds * SECOND)
        line: dict[str, Any] = {
            "reservation": "lab/r1",
            "job": job,
            "accelerator": "a100",
            "gpu_milli": 1_000,
            "seconds": seconds,
        }
        return line | {"from": start, "to": end} | fields

    def book(self) -> dict[str, int]:
        return self.ledger.book("city/p1", self.ledger.balances())


def key(name: str) -> str:
    return f"{name}+{name[-8:]}"


@pytest.fixture
def story() -> Story:
    """A voucher of 1,000 fen, of which 40 are reserved; a GPU-second costs one fen, and the voucher pays all of it."""
    told = Story()
    founding: dict[str, Any] = {"clock_skew_seconds": 0, "freshness_seconds": 60, "burn_window_seconds": 86_400}
    founding |= {"release_grace_seconds": 10, "utc_offset_seconds": 28_800, "root_quorum": 1, "currency": "CNY"}
    answers = [
        told.does("net", "network.found", name="Net", root_keys=[key("net/a+00000001")], **founding),
        told.does("net", "party.admit", admitted="city", role="treasury", name="C", keys=[key("city/a+00000002")]),
        told.does(
            "net", "party.admit", admitted="dc", role="provider", name="D",
            keys=[key("dc/a+00000003")], uscc="91110000600037341L",
        ),
        told.does(
            "city", "party.admit", admitted="lab", role="holder", name="L", keys=[key("lab/a+00000004")], maker=True,
        ),
        told.does("net", "accelerator.register", accelerator="a100", name="A", origin="foreign"),
        told.does(
            "dc", "tariff.publish", accelerator="a100", price_fen_per_gpu_hour=3_600, valid_from=instant_text(START),
        ),
        told.does(
            "city", "programme.open", programme="city/p1", name="P", voucher_kind="compute", fiscal_year=2026,
            envelope_fen=10_000, opens_at=instant_text(START), closes_at=instant_text(START + 300 * DAY),
            share_bp_domestic=10_000, share_bp_foreign=10_000, holder_floor_fen=10, holder_cap_fen=1_500,
            validity_days=30, accelerators=[], transfer="forbidden", payee="provider",
            officers_threshold_fen=5_000, officers_required=1, rounding_fen=1,
        ),
        told.does("city", "provider.accredit", programme="city/p1", provider="dc", valid_from=instant_text(START)),
        told.does(
            "city", "voucher.issue", voucher="city/v1", programme="city/p1", holder="lab", face_fen=1_000,
            valid_from=instant_text(START),
        ),
        told.does(
            "lab", "voucher.reserve", reservation="lab/r1", voucher="city/v1", provider="dc", amount_fen=40,
            until=instant_text(START + 2 * DAY),
        ),
    ]  # fmt: skip
    assert ["accepted"] * len(answers) == [answer for answer, _ in answers]
    told.at += 200 * SECOND
    return told


def test_a_voucher_from_issue_to_payment(story: Story) -> None:
    assert story.book() == {"unissued": 9_000, "available": 960, "reserved": 40, "burned": 0, "claimed": 0, "paid": 0}
    lines = [story.line("job-1", 30), story.line("job-1", 5), story.line("job-2", 11), story.line("job-2", 10)]
    answer = story.does("dc", "time.burn", holder="lab", lines=lines)
    refused = [[1, "job_time_already_burned"], [2, "exceeds_reservation"]]
    assert answer == (
        "accepted",
        {"fee_fen": [30, 0, 0, 10], "from_voucher_fen": [30, 0, 0, 10], "refused": refused},
    )
    period = {"programme": "city/p1", "first_day": "2026-01-05", "last_day": "2026-01-05"}
    assert story.does("dc", "redemption.claim", claim="dc/c1", **period) == ("refused", "claim_period_not_over")
    assert story.does("dc", "burn.reverse", statement="11", line=3, reason="wrong") == (
        "accepted",
        {"returned_fen": 10, "to": "reservation"},
    )
    story.at = instant("2026-01-05T16:00:00.000000Z")  # midnight at UTC+8
    assert story.does("dc", "redemption.claim", claim="dc/c1", **period) == ("accepted", {"amount_fen": 30})
    assert story.does("dc", "redemption.claim", claim="dc/c2", **period) == ("refused", "nothing_to_claim")
    assert story.does("dc", "burn.reverse", statement="11", line=0, reason="x") == ("refused", "line_already_claimed")
    assert story.does("city", "redemption.pay", claim="dc/c1", amount_fen=30, payment_reference="b") == ("accepted", {})
    assert story.book() == {"unissued": 9_000, "available": 960, "reserved": 10, "burned": 0, "claimed": 0, "paid": 30}


def test_drain_takes_what_is_left_and_no_less_than_one_fen(story: Story) -> None:
    drained = [story.line(f"job-{number}", 41, if_short="drain") for number in range(2)]
    free = story.line("job-3", 1, gpu_milli=1)
    assert story.does("dc", "time.burn", holder="lab", lines=[*drained, free]) == (
        "accepted",
        {"fee_fen": [41, 0, 0], "from_voucher_fen": [40, 0, 0], "refused": [[1, "exceeds_reservation"]]},
    )


def test_what_is_revoked_is_no_longer_granted(story: Story) -> None:
    second = {"voucher": "city/v2", "programme": "city/p1", "holder": "lab", "valid_from": instant_text(story.at)}
    assert story.does("city", "voucher.issue", face_fen=501, **second) == ("refused", "exceeds_holder_cap")
    assert story.does("city", "voucher.revoke", voucher="city/v1", reason="x") == ("accepted", {"returned_fen": 960})
    assert story.does("city", "voucher.issue", face_fen=1_461, **second) == ("refused", "exceeds_holder_cap")
    assert story.does("city", "voucher.issue", face_fen=1_460, **second)[0] == "accepted"
    assert story.does("dc", "reservation.release", reservation="lab/r1") == (
        "accepted",
        {"released_fen": 40, "to": "programme"},
    )
    assert story.book()["unissued"] == 10_000 - 1_460


def test_of_several_reasons_the_first_is_told(story: Story) -> None:
    wrong = {"voucher": "lab/v1", "programme": "city/p9", "holder": "dc", "face_fen": 1, "valid_from": "x"}
    stranger = "dc/a+00000003"
    assert story.does("city", "voucher.issue", stranger, "who+00000009", **wrong) == ("refused", "key_unknown")
    assert story.does("city", "voucher.issue", stranger, **wrong) == ("refused", "signer_not_involved")
    assert story.does("city", "voucher.issue", **wrong) == ("refused", "id_outside_own_namespace")
    assert story.does("city", "voucher.issue", **(wrong | {"voucher": "city/v2"})) == ("refused", "programme_unknown")
