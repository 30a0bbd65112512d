"""The oracle on its own: worked figures by hand, so that it isn't only right where the package is right too."""

import hashlib
import json
from typing import Any

import pytest

from properties.naive_ledger import (
    PROGRAMME_SUMS,
    NaiveLedger,
    day,
    fee,
    instant,
    instant_text,
    merkle_root,
    part,
    running_hash,
    second,
    second_text,
    uscc_check_character_is_right,
    vkey_label,
)
from support.terms import contract_of, rules_of

ORIGIN = "tallystick.example/national"
START = instant("2026-01-05T08:00:00.000000Z")
SECOND = 1_000_000
DAY = 86_400 * SECOND
Answers = list[tuple[str, Any]]
SIGNERS = {"net": ["net/a+00000001"], "city": ["city/a+00000002"], "dc": ["dc/a+00000003"], "lab": ["lab/a+00000004"]}
SIGNERS |= {"books": ["books/a+00000005"], "district": ["district/a+00000006"], "third": ["third/a+00000007"]}


@pytest.mark.parametrize(
    ("gpu_milli", "seconds", "price", "share_bp", "fee_fen", "share_fen"),
    [
        (8_000, 3_600, 600, 10_000, 4_800, 4_800),  # eight GPUs for an hour at CNY 6.00
        (8_000, 3_600, 600, 3_000, 4_800, 1_440),
        (1_000, 5, 600, 10_000, 0, 0),  # 0.83 fen
        (1_000, 6, 600, 10_000, 1, 1),  # exactly 1 fen
        (1_000, 11, 600, 9_999, 1, 0),  # 1.83 fen, then 0.9999
        (8_000, 3_600, 601, 3_000, 4_808, 1_442),
        (1, 1, 1, 10_000, 0, 0),
        (10_000_000, 31_622_400, 10_000_000, 10_000, 878_400_000_000_000, 878_400_000_000_000),
    ],
)
def test_fee_is_cut_twice(
    gpu_milli: int, seconds: int, price: int, share_bp: int, fee_fen: int, share_fen: int
) -> None:
    assert fee_fen == fee(gpu_milli * seconds, price)
    assert share_fen == part(fee_fen, share_bp)


def test_times_and_days() -> None:
    assert START == 1_767_600_000 * SECOND
    assert instant_text(START + 1) == "2026-01-05T08:00:00.000001Z"
    assert second_text(START + 1) == "2026-01-05T08:00:00Z"
    assert second("2026-01-05T08:00:00Z") == START
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
        signers = [*SIGNERS[party], *extra_signers, *new_keys]
        return self.ledger.submit(command, signers, self.at)

    def line(self, job: str, seconds: int, gpu_milli: int = 1_000, **says: Any) -> list[Any]:
        """A row of a job that began 100 seconds ago, or as many as it took."""
        start = self.at - max(100, seconds) * SECOND
        row = [job, gpu_milli, second_text(start), second_text(start + seconds * SECOND), seconds]
        return row + ([says] if says else [])

    def burns(self, *lines: list[Any], contract: str = "lab/k1", **fields: Any) -> tuple[str, Any]:
        groups = [{"item": "a100", "lines": list(lines)}]
        return self.does("dc", "time.burn", contract=contract, groups=groups, **fields)

    def paid(self, *lines: list[Any], contract: str = "lab/k1") -> dict[str, list[int]]:
        """What each reservation pays for the lines of a statement, of which none is refused."""
        answer, outcome = self.burns(*lines, contract=contract)
        assert (answer, outcome["refused"]) == ("accepted", [])
        return dict(outcome["paid"])

    def claims(self, claim: str, programme: str = "city/p1", party: str = "dc") -> tuple[str, Any]:
        """All that was burned up to yesterday."""
        last_day = instant_text(self.at - 16 * 3_600 * SECOND)[:10]
        return self.does(party, "redemption.claim", claim=claim, programme=programme, last_day=last_day)

    def pays(self, claim: str, **paid_fen: int) -> tuple[str, Any]:
        """Of what is claimed under each contract so much; the rest is withheld. All are of the lab."""
        rows: list[dict[str, Any]] = []
        for contract, claimed_fen in self.ledger.claims[claim]["rows"]:
            paid = paid_fen.get(contract.partition("/")[2], 0)
            left = {"withheld_fen": claimed_fen - paid, "reason": "no evidence"} if claimed_fen > paid else {}
            rows.append({"contract": contract, "paid_fen": paid} | left)
        total_fen = sum(row["paid_fen"] for row in rows)
        payment = {"amount_fen": total_fen, "day": instant_text(self.at)[:10], "reference": f"transfer {self.refs}"}
        fields = {"payment": payment} if total_fen else {}
        return self.does("city", "redemption.settle", claim=claim, rows=rows, **fields)

    def book(self) -> dict[str, int]:
        return self.ledger.book("city/p1", self.ledger.balances())

    def opens(self, treasury: str, name: str, envelope_fen: int = 10_000, **rules: Any) -> Answers:
        """A programme under which the provider is accredited."""
        programme: dict[str, Any] = {"programme": f"{treasury}/{name}", "name": "P", "envelope_fen": envelope_fen}
        programme |= {"voucher_kind": "compute", "fiscal_year": 2026, "opens_at": instant_text(START)}
        cap = {"group": "compute", "holder_fen": 1_500, "floor_fen": 10}
        usual = {"shares": [{"share_bp": 10_000}], "ceiling_bp": 10_000, "validity_days": 30, "cap": cap}
        usual["claims"] = {"cycle": "any", "cut_off_days": 30}
        items = [{"item": "a100", "price_limit_fen": 3_600}]
        place = {"programme": f"{treasury}/{name}", "provider": "dc", "valid_from": instant_text(START)}
        return [
            self.does(
                treasury, "programme.open", closes_at=instant_text(START + 300 * DAY),
                rules=rules_of(**(usual | rules)), **programme,
            ),
            self.does(treasury, "provider.accredit", items=items, **place),
        ]  # fmt: skip

    def signs(self, contract: str, price_fen: int = 3_600, **fields: Any) -> tuple[str, Any]:
        prices = [{"item": "a100", "price_fen": price_fen}]
        terms = contract_of(contract, "lab", "dc", "2026-01-05", "2026-02-05", items=prices, **fields)
        return self.does("lab", "contract.sign", *SIGNERS["dc"], **terms)

    def promises(self, voucher: str, programme: str, reservation: str, contract: str, fen: int) -> Answers:
        """A voucher of which all is reserved under a contract."""
        treasury = programme.partition("/")[0]
        issue = {"programme": programme, "holder": "lab", "valid_from": instant_text(START)}
        until = instant_text(START + 20 * DAY)
        place = {"voucher": voucher, "contract": contract, "reservation": reservation}
        return [
            self.does(treasury, "voucher.issue", voucher=voucher, face_fen=fen, **issue),
            self.does("lab", "voucher.reserve", amount_fen=fen, until=until, **place),
        ]


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
        "takeover_seconds": 0,
        "sealing_grace_seconds": 0,
    }
    founding |= {
        "release_grace_seconds": 10,
        "tariff_notice_seconds": 0,
        "takeover_seconds": 0,
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
            "city", "party.admit", admitted="lab", role="holder", keys=[key("lab/a+00000004")], maker=True,
            profile_hash="sha256:" + 64 * "0",
        ),
        told.does("net", "item.register", item="a100", unit="gpu_time", name="A", origin="foreign"),
        told.does("dc", "tariff.publish", item="a100", price_fen=3_600, valid_from=instant_text(START)),
        *told.opens("city", "p1"),
        told.signs("lab/k1"),
        told.does(
            "city", "voucher.issue", voucher="city/v1", programme="city/p1", holder="lab", face_fen=1_000,
            valid_from=instant_text(START),
        ),
        told.does(
            "lab", "voucher.reserve", reservation="lab/r1", voucher="city/v1", contract="lab/k1", amount_fen=40,
            until=instant_text(START + 2 * DAY),
        ),
    ]  # fmt: skip
    assert ["accepted"] * len(answers) == [answer for answer, _ in answers]
    told.at += 200 * SECOND
    return told


NOTHING = dict.fromkeys(PROGRAMME_SUMS, 0)


def test_a_voucher_from_issue_to_payment(story: Story) -> None:
    assert story.book() == NOTHING | {"unissued": 9_000, "available": 960, "reserved": 40}
    lines = [story.line("job-1", 30), story.line("job-1", 5), story.line("job-2", 11), story.line("job-2", 10)]
    assert story.burns(*lines) == (
        "accepted",
        {
            "absorbed": [],
            "fee_fen": [30, 0, 0, 10],
            "paid": [["lab/r1", [30, 0, 0, 10]]],
            "refused": [[1, "job_time_already_burned"], [2, "exceeds_reservation"]],
        },
    )
    period = {"programme": "city/p1", "last_day": "2026-01-05"}
    assert story.does("dc", "redemption.claim", claim="dc/c1", **period) == ("refused", "claim_period_not_over")
    assert story.does("dc", "burn.reverse", statement="12", line=3, reason="wrong") == (
        "accepted",
        {"returned": [["lab/r1", 10, "voucher"]]},  # the reservation closed itself
    )
    story.at = instant("2026-01-05T16:00:00.000000Z")  # midnight at UTC+8
    assert story.does("dc", "redemption.claim", claim="dc/c1", **period) == (
        "accepted",
        {"amount_fen": 30, "more": False, "rows": [["lab/k1", 30]]},
    )
    assert story.does("dc", "redemption.claim", claim="dc/c2", **period) == ("refused", "nothing_to_claim")
    assert story.does("dc", "burn.reverse", statement="12", line=0, reason="x") == ("refused", "line_already_claimed")
    assert story.pays("dc/c1", k1=30) == ("accepted", {})
    assert story.book() == NOTHING | {"unissued": 9_000, "available": 970, "paid": 30}


def test_what_is_withheld_is_claimed_again_reversed_or_disallowed(story: Story) -> None:
    """30 fen of one job and 10 of another: 8 are paid, 32 withheld."""
    story.burns(story.line("job-1", 30), story.line("job-2", 10))
    story.at = instant("2026-01-05T16:00:00.000000Z")
    assert story.claims("dc/c1")[1]["amount_fen"] == 40
    assert story.pays("dc/c1", k1=8) == ("accepted", {})
    assert story.book() == NOTHING | {"unissued": 9_000, "available": 960, "withheld": 32, "paid": 8}
    assert story.does("dc", "burn.reverse", statement="12", line=1, reason="x") == (
        "accepted",
        {"returned": [["lab/r1", 10, "voucher"]]},
    )
    assert story.does("dc", "burn.reverse", statement="12", line=0, reason="x") == ("refused", "line_already_claimed")
    disallow = {"programme": "city/p1", "contract": "lab/k1", "reason": "no evidence"}
    assert story.does("city", "redemption.disallow", amount_fen=23, **disallow) == ("refused", "exceeds_withheld")
    assert story.does("city", "redemption.disallow", amount_fen=3, **disallow) == ("accepted", {})
    assert story.claims("dc/c2")[1] == {"amount_fen": 19, "more": False, "rows": [["lab/k1", 19]]}
    assert story.book() == NOTHING | {"unissued": 9_003, "available": 970, "claimed": 19, "paid": 8}
    issue = {"voucher": "city/v2", "programme": "city/p1", "holder": "lab", "valid_from": instant_text(story.at)}
    assert story.does("city", "voucher.issue", face_fen=501, **issue) == ("refused", "exceeds_holder_cap")


def test_what_was_paid_without_right_is_asked_back(story: Story) -> None:
    """30 fen are paid and 25 asked back: 5 are cancelled, 9 received, 10 set off; 1 is left."""
    story.burns(story.line("job-1", 30), story.line("job-2", 10))
    story.at = instant("2026-01-05T16:00:00.000000Z")
    story.claims("dc/c1")
    story.pays("dc/c1", k1=30)
    asks = {"programme": "city/p1", "payee": "dc", "reason": "paid twice", "evidence_hash": f"sha256:{'e' * 64}"}
    assert story.does("city", "recovery.demand", demand="city/d1", amount_fen=31, **asks) == ("refused", "exceeds_paid")
    assert story.does("city", "recovery.demand", demand="city/d1", amount_fen=25, **asks) == ("accepted", {})
    cancel = {"demand": "city/d1", "amount_fen": 5, "reason": "it was due"}
    assert story.does("city", "recovery.cancel", **cancel) == ("accepted", {})
    payment = {"amount_fen": 9, "day": "2026-01-06", "reference": "back 1"}
    assert story.does("city", "recovery.receive", demand="city/d1", payment=payment) == ("accepted", {})
    again = story.does("city", "recovery.receive", demand="city/d1", payment=payment | {"amount_fen": 1})
    assert again == ("refused", "payment_reference_used")
    assert story.book() == NOTHING | {
        "unissued": 9_009, "available": 960, "withheld": 10, "paid": 10, "receivable": 11,
    }  # fmt: skip
    assert story.claims("dc/c2")[1]["amount_fen"] == 10
    settle: dict[str, Any] = {"claim": "dc/c2", "rows": [{"contract": "lab/k1", "paid_fen": 10}]}
    settle["offsets"] = [{"demand": "city/d1", "amount_fen": 10}]
    paid = {"payment": payment | {"amount_fen": 10}}
    assert story.does("city", "redemption.settle", **settle, **paid) == ("refused", "payment_differs")
    assert story.does("city", "redemption.settle", **settle) == ("accepted", {})
    assert story.book() == NOTHING | {"unissued": 9_019, "available": 960, "paid": 20, "receivable": 1}


def test_what_is_past_its_cut_off_goes_back(story: Story) -> None:
    """30 days of validity, one in which lines are burned, and 30 in which they are claimed: 61 after its beginning."""
    story.burns(story.line("job-1", 30))
    story.at = START + 61 * DAY - 1
    rows = story.does("city", "book.expire")[1]["rows"]
    assert rows == [["reservation", "lab/r1", 10, "voucher"], ["voucher", "city/v1", 970, "programme"]]
    assert story.does("city", "book.expire") == ("refused", "nothing_due")
    story.at += 1
    assert story.claims("dc/c1") == ("refused", "nothing_to_claim")
    row = ["lot", "city/v1 lab/k1", 30, "programme"]
    assert story.does("city", "book.expire") == ("accepted", {"more": False, "rows": [row]})
    assert story.book() == NOTHING | {"unissued": 10_000}
    issue = {"voucher": "city/v2", "programme": "city/p1", "holder": "lab", "valid_from": instant_text(story.at)}
    assert story.does("city", "voucher.issue", face_fen=1_471, **issue) == ("refused", "exceeds_holder_cap")
    assert story.does("city", "voucher.issue", face_fen=1_470, **issue)[0] == "accepted"


def test_what_is_available_is_paid_and_what_is_empty_is_passed_over(story: Story) -> None:
    drained = [story.line(f"job-{number}", 41, pay_available=True) for number in range(2)]
    free = story.line("job-3", 1, gpu_milli=1)
    assert story.burns(*drained, free) == (
        "accepted",
        {
            "absorbed": [],
            "fee_fen": [41, 0, 0],
            "paid": [["lab/r1", [40, 0, 0]]],
            "refused": [[1, "nothing_reserved"], [2, "nothing_reserved"]],
        },
    )


def test_all_or_nothing_leaves_nothing_of_a_refused_statement(story: Story) -> None:
    before = story.book()
    lines = story.line("job-1", 30), story.line("job-2", 11)
    assert story.burns(*lines, all_or_nothing=True) == ("refused", "exceeds_reservation")
    assert story.book() == before
    assert story.paid(lines[0]) == {"lab/r1": [30]}


def test_what_went_back_is_no_longer_granted(story: Story) -> None:
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


def test_programmes_of_a_group_have_one_cap_between_them(story: Story) -> None:
    story.opens("city", "p2")
    story.opens("city", "p3", cap={"group": "other", "holder_fen": 1_500, "floor_fen": 0})
    issue = {"holder": "lab", "valid_from": instant_text(START), "face_fen": 501}
    assert story.does("city", "voucher.issue", voucher="city/v2", programme="city/p2", **issue)[1] == (
        "exceeds_holder_cap"
    )
    assert story.does("city", "voucher.issue", voucher="city/v3", programme="city/p3", **issue)[0] == "accepted"


WIDE = {"group": "wide", "holder_fen": 10**9, "floor_fen": 0}


def three_cities(story: Story, order: str, other_support_fen: int = 0) -> Story:
    """C pays 30 % up to 50 %, D 20 % up to 50 %, T 10 % up to 80 %, in this order; a GPU-hour costs 900 fen."""
    terms = {"city": (3_000, 5_000), "district": (2_000, 5_000), "third": (1_000, 8_000)}
    for treasury in ("district", "third"):
        keys = [key(SIGNERS[treasury][0])]
        story.does("net", "party.admit", admitted=treasury, role="treasury", name="T", keys=keys)
    answers = [story.signs("lab/k2", 900, other_support_fen=other_support_fen)]
    for rank, treasury in enumerate(["city" if one == "C" else "district" if one == "D" else "third" for one in order]):
        share_bp, ceiling_bp = terms[treasury]
        rules = {"shares": [{"share_bp": share_bp}], "ceiling_bp": ceiling_bp, "rank": rank, "cap": WIDE}
        answers += story.opens(treasury, "p9", 10**6, **rules)
        answers += story.promises(f"{treasury}/v9", f"{treasury}/p9", f"lab/{treasury}", "lab/k2", 100_000)
    assert ["accepted"] * len(answers) == [answer for answer, _ in answers]
    story.at = START + 40_000 * SECOND
    return story


@pytest.mark.parametrize(
    ("order", "other_support_fen", "paid", "absorbed"),
    [
        ("CDT", 0, {"city": [6_000, 7_407, 92], "district": [4_000, 4_938, 61], "third": [0, 0, 1]}, []),
        ("TCD", 0, {"third": [2_000, 2_469, 30], "city": [6_000, 7_407, 92], "district": [2_000, 2_469, 32]}, []),
        ("CD", 15_000, {"city": [0, 7_345, 92], "district": [0, 0, 61]}, [[0, 10_000], [1, 5_000]]),
    ],
)
def test_who_pays_under_the_strictest_ceiling(
    story: Story, order: str, other_support_fen: int, paid: dict[str, list[int]], absorbed: list[list[int]]
) -> None:
    """Fees of 20,000, 24,690 and 308 fen; of half of it: 10,000, 12,345 and 154."""
    three_cities(story, order, other_support_fen)
    jobs = ((8_000, 10_000), (8_000, 12_345), (1_000, 1_234))
    lines = [story.line(f"job-{seconds}", seconds, gpu_milli) for gpu_milli, seconds in jobs]
    answer, outcome = story.burns(*lines, contract="lab/k2")
    assert (answer, outcome["fee_fen"], outcome["refused"]) == ("accepted", [20_000, 24_690, 308], [])
    assert outcome["absorbed"] == absorbed
    assert dict(outcome["paid"]) == {f"lab/{treasury}": amounts for treasury, amounts in paid.items()}


def test_what_absorbed_support_is_not_taken_back_before_what_came_later(story: Story) -> None:
    three_cities(story, "CD", 15_000)
    lines = [story.line(f"job-{seconds}", seconds, 8_000) for seconds in (10_000, 12_345)]
    story.burns(*lines, contract="lab/k2", ref="s")
    first, later = ({"statement": "s", "line": line, "reason": "wrong"} for line in (0, 1))
    assert story.does("dc", "burn.reverse", **first) == ("refused", "later_line_took_money")
    assert story.does("dc", "burn.reverse", **later) == (
        "accepted",
        {"returned": [["lab/city", 7_345, "reservation"]]},
    )
    assert story.does("dc", "burn.reverse", **first) == ("accepted", {"returned": []})
    assert (story.ledger.charged("lab/k2"), story.ledger.absorbed("lab/k2")) == (0, 0)


def test_an_exhausted_programme_blocks_no_other(story: Story) -> None:
    """The third has 2,000 fen left for the second line, which are not enough; then nothing, and it is passed over."""
    three_cities(story, "TC")
    story.does("third", "voucher.issue", voucher="third/v8", programme="third/p9", holder="lab", face_fen=1,
               valid_from=instant_text(START))  # fmt: skip
    story.does("dc", "reservation.release", reservation="lab/third")
    until = instant_text(START + 20 * DAY)
    place = {"voucher": "third/v9", "contract": "lab/k2", "until": until}
    story.does("lab", "voucher.reserve", reservation="lab/third-2", amount_fen=2_500, **place)
    assert story.paid(story.line("job-1", 10_000, 8_000), contract="lab/k2") == {
        "lab/third-2": [2_000],
        "lab/city": [6_000],
    }
    job = "job-2", 12_345, 8_000
    assert story.burns(story.line(*job), contract="lab/k2")[1]["refused"] == [[0, "exceeds_reservation"]]
    assert story.paid(story.line(*job, pay_available=True), contract="lab/k2") == {
        "lab/third-2": [500],
        "lab/city": [7_407],
    }
    assert story.paid(story.line("job-3", 1_234), contract="lab/k2") == {"lab/city": [92]}


def test_a_claim_is_rounded_once_and_the_rest_stays_with_the_last(story: Story) -> None:
    """Jobs of 45 fen, 61 under one contract and 40 under another, of a programme that rounds to the yuan."""
    rules: dict[str, Any] = {
        "shares": [{"share_bp": 3_000}],
        "ceiling_bp": 5_000,
        "cap": WIDE,
        "rounding_fen": 100,
        "rank": 0,
    }
    answers = [*story.opens("city", "p9", **rules), story.signs("lab/k1b", 900), story.signs("lab/k2b", 900)]
    for number in (1, 2):
        answers += story.promises(f"city/w{number}", "city/p9", f"lab/w{number}", f"lab/k{number}b", 5_000)
    assert ["accepted"] * len(answers) == [answer for answer, _ in answers]
    story.at += 1_000 * SECOND
    for contract, jobs in (("lab/k1b", 61), ("lab/k2b", 40)):
        story.burns(*[story.line(f"{contract}-{job}", 600) for job in range(jobs)], contract=contract)
    story.at = START + 23 * 3_600 * SECOND
    rows = [["lab/k1b", 2_745], ["lab/k2b", 1_755]]
    assert story.claims("dc/c1", "city/p9") == ("accepted", {"amount_fen": 4_500, "more": False, "rows": rows})
    lots = {account[2:]: fen for account, fen in story.ledger.balances().items() if account[0] == "claimed"}
    booked = day("2026-01-05")
    assert lots == {("city/w1", "lab/k1b"): 2_745, ("city/w2", "lab/k2b"): 1_755}
    assert story.ledger.balance("burned", "city/w2", "lab/k2b", booked) == 45
    assert story.claims("dc/c2", "city/p9") == ("refused", "nothing_to_claim")


def test_the_first_that_claims_is_the_claimant(story: Story) -> None:
    answers = [*story.opens("city", "p9", cap=WIDE, payee="contract"), story.signs("lab/k2", claimant="either")]
    answers += story.promises("city/w1", "city/p9", "lab/w1", "lab/k2", 100)
    assert ["accepted"] * len(answers) == [answer for answer, _ in answers]
    story.paid(story.line("job-1", 10), contract="lab/k2")
    story.at = START + 9 * 3_600 * SECOND
    all_of_it = ("accepted", {"amount_fen": 10, "more": False, "rows": [["lab/k2", 10]]})
    assert story.claims("lab/c1", "city/p9", "lab") == all_of_it
    assert story.pays("lab/c1") == ("accepted", {})
    assert story.claims("dc/c1", "city/p9") == ("refused", "nothing_to_claim")
    assert story.claims("lab/c2", "city/p9", "lab") == all_of_it


def test_whose_provider_is_delisted_may_be_released_at_once(story: Story) -> None:
    release = {"reservation": "lab/r1"}
    assert story.does("lab", "reservation.release", **release) == ("refused", "reservation_not_over")
    assert story.does("city", "reservation.release", **release) == ("refused", "not_own_reservation")
    end = {"programme": "city/p1", "provider": "dc", "valid_until": instant_text(story.at), "reason": "x"}
    assert story.does("city", "provider.delist", **end) == ("accepted", {})
    assert story.does("city", "reservation.release", **release) == ("accepted", {"released_fen": 40, "to": "voucher"})


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
    assert running_hash([]) == f"sha256:{'00' * 32}"
    first = sha256(bytes(32), b"\0\0\0\0\0\0\0\x03")
    assert running_hash([3]) == f"sha256:{first.hex()}"
    second = sha256(first, b"\0\0\0\0\0\0\x01\x02")
    assert running_hash([3, 258]) == f"sha256:{second.hex()}"


def seal(story: Story, last_day: str) -> tuple[str, Any]:
    return story.does("books", "book.seal", seal="books/s1", last_day=last_day)


def test_a_seal_is_the_root_of_leaves_written_by_hand(story: Story) -> None:
    story.burns(story.line("job-1", 30), story.line("job-1", 30))  # entry 11
    story.at = instant("2026-01-05T16:00:00.000000Z")
    assert story.claims("dc/c1")[0] == "accepted"
    story.does("net", "party.admit", admitted="books", role="operator", name="B", keys=[key("books/a+00000005")])
    touched = ([8, 11, 12], [3, 8, 9, 10, 11], [6, 7, 9, 10, 11, 12], [2, 5, 7, 8, 10, 11, 12])
    voucher = [9, 10, 11]
    running = [running_hash(one) for one in (*touched, voucher)]
    book = (
        '"available_fen":960,"burned_fen":0,"claimed_fen":30,"envelope_fen":10000,"paid_fen":0,"receivable_fen":0,'
        '"reserved_fen":10,"unissued_fen":9000,"withheld_fen":0'
    )
    leaves = [
        '{"account":"contract lab/k1","balances":{"absorbed_fen":0,"amount_fen":100000000000000,"charged_fen":30,'
        '"claimed_fen":30,"forfeited_fen":0,"other_support_fen":0,"settled_fen":0,"unclaimed_fen":0,"withheld_fen":0},'
        f'"entries":3,"running_hash":"{running[0]}"}}',
        '{"account":"holder lab","balances":{"available_fen":960,"burned_fen":30,"claimed_fen":0,"paid_fen":0,'
        f'"receivable_fen":0,"reserved_fen":10,"unclaimed_fen":0,"withheld_fen":0}},"entries":5,'
        f'"running_hash":"{running[1]}"}}',
        f'{{"account":"programme city/p1","balances":{{{book}}},"entries":6,"running_hash":"{running[2]}"}}',
        '{"account":"provider dc","balances":{"claimed_fen":30,"paid_fen":0,"receivable_fen":0,"unclaimed_fen":0,'
        f'"withheld_fen":0}},"entries":7,"running_hash":"{running[3]}"}}',
        f'{{"account":"treasury city","balances":{{{book}}},"entries":6,"running_hash":"{running[2]}"}}',
        '{"account":"voucher city/v1","balances":{"available_fen":960,"burned_fen":30,"face_fen":1000,'
        f'"reserved_fen":10,"returned_fen":0,"transferred_fen":0}},"entries":3,"running_hash":"{running[4]}"}}',
    ]
    assert story.ledger.leaves() == leaves
    hashes = [sha256(b"\0", leaf.encode()) for leaf in leaves]
    pairs = [sha256(b"\1", *hashes[number : number + 2]) for number in (0, 2, 4)]
    root = sha256(b"\1", sha256(b"\1", *pairs[:2]), pairs[2])
    assert seal(story, "2026-01-06") == ("refused", "seal_period_not_over")
    assert seal(story, "2026-01-05") == ("accepted", {"accounts": 6, "root": f"sha256:{root.hex()}"})
    assert story.ledger.leaves() == leaves
    assert story.does("city", "voucher.revoke", voucher="city/v1", reason="x")[0] == "accepted"
    assert story.does("dc", "reservation.release", reservation="lab/r1")[0] == "accepted"
    assert [json.loads(leaf)["account"] for leaf in story.ledger.leaves()][-1] == "voucher city/v1"
    story.at += DAY
    assert story.does("books", "book.seal", seal="books/s2", last_day="2026-01-06")[0] == "accepted"
    assert "voucher city/v1" not in [json.loads(leaf)["account"] for leaf in story.ledger.leaves()]


def test_refused_lines_touch_no_voucher(story: Story) -> None:
    story.burns(story.line("job-1", 41))
    assert story.ledger.touched(11) == {"contract lab/k1", "provider dc", "holder lab"}
    story.burns(story.line("job-1", 41), story.line("job-1", 40))
    everything = {
        "contract lab/k1",
        "provider dc",
        "holder lab",
        "voucher city/v1",
        "programme city/p1",
        "treasury city",
    }
    assert story.ledger.touched(12) == everything
    story.does("dc", "burn.reverse", statement="13", line=1, reason="wrong")
    assert story.ledger.touched(13) == everything


def test_a_sealed_day_takes_linked_corrections_and_late_usage_alone(story: Story) -> None:
    line, late = story.line("job-1", 30), story.line("job-2", 1)
    story.burns(line)
    story.does("net", "party.admit", admitted="books", role="operator", name="B", keys=[key("books/a+00000005")])
    story.at = instant("2026-01-05T16:00:00.000000Z")
    assert seal(story, "2026-01-05")[0] == "accepted"
    says = {"corrects": {"statement": "12", "line": 0}}
    refused = [[0, "period_sealed"], [1, "correction_unfounded"], [2, "correction_unfounded"]]
    assert story.burns(late, [*line, says], [*late, says])[1]["refused"] == refused
    story.does("dc", "burn.reverse", statement="12", line=0, reason="wrong")
    more = [line[0], 1_001, *line[2:], says]
    _, outcome = story.burns(late, more, [*line[:4], 29, says], [*line, says], [*late, {"prior_period": True}])
    assert outcome["paid"] == [["lab/r1", [0, 0, 29, 0, 1]]]
    assert outcome["refused"] == [[0, "period_sealed"], [1, "exceeds_corrected_line"], [3, "correction_unfounded"]]
    assert [entry["day"] for entry in story.ledger.lines] == [day("2026-01-05"), *[day("2026-01-06")] * 2]


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
