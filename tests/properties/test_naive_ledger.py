"""The oracle on its own: worked figures by hand, so that it isn't only right where the package is right too."""

import hashlib
from typing import Any

import pytest

from properties.naive_ledger import (
    NaiveLedger,
    covered,
    day,
    fee,
    instant,
    instant_text,
    merkle_root,
    running_sha256,
    uscc_check_character_is_right,
    vkey_label,
)

ORIGIN = "tallystick.example/national"
START = instant("2026-01-05T08:00:00.000000Z")
SECOND = 1_000_000
DAY = 86_400 * SECOND
SIGNERS = {"net": ["net/a+00000001"], "city": ["city/a+00000002"], "dc": ["dc/a+00000003"], "lab": ["lab/a+00000004"]}
SIGNERS["books"] = ["books/a+00000005"]


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
        new_keys = [vkey_label(vkey) for vkey in fields.get("keys", [])]
        return self.ledger.submit(command, [*SIGNERS[party], *extra_signers, *new_keys], self.at)

    def line(self, job: str, seconds: int, **fields: Any) -> dict[str, Any]:
        start, end = instant_text(self.at - 100 * SECOND), instant_text(self.at - 100 * SECOND + seconds * SECOND)
        line: dict[str, Any] = {
            "reservation": "lab/r1",
            "job": job,
            "item": "a100",
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
    founding: dict[str, Any] = {
        "clock_skew_seconds": 0,
        "freshness_seconds": 60,
        "burn_window_seconds": 86_400,
        "tariff_notice_seconds": 0,
        "sealing_grace_seconds": 0,
    }
    founding |= {
        "release_grace_seconds": 10,
        "tariff_notice_seconds": 0,
        "utc_offset_seconds": 28_800,
        "root_quorum": 1,
        "currency": "CNY",
    }
    answers = [
        told.does("net", "network.found", edition=1, name="Net", root_keys=[key("net/a+00000001")], **founding),
        told.does("net", "party.admit", admitted="city", role="treasury", name="C", keys=[key("city/a+00000002")]),
        told.does(
            "net", "party.admit", admitted="dc", role="provider", name="D",
            keys=[key("dc/a+00000003")], uscc="91110000600037341L",
        ),
        told.does(
            "city", "party.admit", admitted="lab", role="holder", name="L", keys=[key("lab/a+00000004")], maker=True,
        ),
        told.does("net", "item.register", item="a100", unit="gpu_time", name="A", origin="foreign"),
        told.does(
            "dc", "tariff.publish", item="a100", price_fen_per_gpu_hour=3_600, valid_from=instant_text(START),
        ),
        told.does(
            "city", "programme.open", programme="city/p1", name="P", voucher_kind="compute", fiscal_year=2026,
            envelope_fen=10_000, opens_at=instant_text(START), closes_at=instant_text(START + 300 * DAY),
            share_bp_domestic=10_000, share_bp_foreign=10_000, holder_floor_fen=10, holder_cap_fen=1_500,
            validity_days=30, items=[], transfer="forbidden", payee="provider",
            rounding_fen=1,
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


# PROVENANCE: leaves and roots of the reference tree of the Certificate Transparency project (sizes 0, 1, 3, 5 and 8).
REFERENCE_LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]


@pytest.mark.parametrize(
    ("size", "root"),
    [
        (0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
        (3, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
        (5, "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"),
        (8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"),
    ],
)
def test_merkle_root_is_that_of_the_reference_tree(size: int, root: str) -> None:
    assert merkle_root([bytes.fromhex(leaf) for leaf in REFERENCE_LEAVES[:size]]).hex() == root


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def test_running_hash_takes_each_index_in_turn() -> None:
    assert running_sha256([]) == "00" * 32
    first = sha256(bytes(32), b"\0\0\0\0\0\0\0\x03")
    assert running_sha256([3]) == first.hex()
    assert running_sha256([3, 258]) == sha256(first, b"\0\0\0\0\0\0\x01\x02").hex()


def seal(story: Story, last_day: str) -> tuple[str, Any]:
    return story.does("books", "book.seal", seal="books/s1", last_day=last_day)


def test_a_seal_is_the_root_of_leaves_written_by_hand(story: Story) -> None:
    story.does("dc", "time.burn", holder="lab", lines=[story.line("job-1", 30), story.line("job-1", 30)])  # entry 10
    story.at = instant("2026-01-05T16:00:00.000000Z")
    period = {"programme": "city/p1", "first_day": "2026-01-05", "last_day": "2026-01-05"}
    story.does("dc", "redemption.claim", claim="dc/c1", **period)
    story.does("net", "party.admit", admitted="books", role="operator", name="B", keys=[key("books/a+00000005")])
    running = [running_sha256(one) for one in ([3, 8, 9, 10], [6, 7, 8, 9, 10, 11], [2, 5, 7, 9, 10, 11], [8, 9, 10])]
    leaves = [
        '{"account":"holder lab","balances":{"available_fen":960,"burned_fen":30,"claimed_fen":0,"paid_fen":0,'
        f'"reserved_fen":10,"unclaimed_fen":0}},"entries":4,"running_sha256":"{running[0]}"}}',
        '{"account":"programme city/p1","balances":{"available_fen":960,"burned_fen":0,"claimed_fen":30,'
        '"envelope_fen":10000,"paid_fen":0,"reserved_fen":10,"unissued_fen":9000},"entries":6,'
        f'"running_sha256":"{running[1]}"}}',
        '{"account":"provider dc","balances":{"claimed_fen":30,"paid_fen":0,"unclaimed_fen":0},"entries":6,'
        f'"running_sha256":"{running[2]}"}}',
        '{"account":"voucher city/v1","balances":{"available_fen":960,"burned_fen":30,"face_fen":1000,'
        f'"reserved_fen":10}},"entries":3,"running_sha256":"{running[3]}"}}',
    ]
    assert story.ledger.leaves() == leaves
    hashes = [sha256(b"\0", leaf.encode()) for leaf in leaves]
    root = sha256(b"\1", sha256(b"\1", *hashes[:2]), sha256(b"\1", *hashes[2:]))
    assert seal(story, "2026-01-06") == ("refused", "seal_period_not_over")
    assert seal(story, "2026-01-05") == ("accepted", {"accounts": 4, "root": root.hex()})
    assert story.ledger.leaves() == leaves


def test_refused_lines_touch_no_voucher(story: Story) -> None:
    story.does("dc", "time.burn", holder="lab", lines=[story.line("job-1", 41)])
    assert story.ledger.touched(10) == {"provider dc", "holder lab"}
    story.does("dc", "time.burn", holder="lab", lines=[story.line("job-1", 41), story.line("job-1", 40)])
    everything = {"provider dc", "holder lab", "voucher city/v1", "programme city/p1"}
    assert story.ledger.touched(11) == everything
    story.does("dc", "burn.reverse", statement="12", line=1, reason="wrong")
    assert story.ledger.touched(12) == everything


def test_a_sealed_day_takes_linked_corrections_alone(story: Story) -> None:
    line, late = story.line("job-1", 30), story.line("job-2", 1)
    story.does("dc", "time.burn", holder="lab", lines=[line])
    story.does("net", "party.admit", admitted="books", role="operator", name="B", keys=[key("books/a+00000005")])
    story.at = instant("2026-01-05T16:00:00.000000Z")
    assert seal(story, "2026-01-05")[0] == "accepted"
    linked = line | {"corrects": {"statement": "11", "line": 0}}
    lines = [late, linked, late | {"corrects": {"statement": "11", "line": 0}}]
    refused = [[0, "period_sealed"], [1, "correction_unfounded"], [2, "correction_unfounded"]]
    assert story.does("dc", "time.burn", holder="lab", lines=lines)[1]["refused"] == refused
    story.does("dc", "burn.reverse", statement="11", line=0, reason="wrong")
    answer = story.does("dc", "time.burn", holder="lab", lines=[late, linked | {"seconds": 29}])
    assert answer[1]["from_voucher_fen"] == [0, 29]
    assert answer[1]["refused"] == [[0, "period_sealed"]]


def test_a_network_is_founded_by_the_edition_that_the_rules_are_of() -> None:
    """Another is no command of theirs, whatever else is wrong with it."""
    told = Story()
    answers = [
        told.does(
            "net", "network.found", edition=edition, name="Net", root_keys=[], root_quorum=1, currency="CNY",
            clock_skew_seconds=0, freshness_seconds=60,
        )
        for edition in (0, 2)
    ]  # fmt: skip
    assert answers == [("refused", "command_malformed")] * 2
