"""An application's way from its filing to its vouchers, a programme's rules version by version, a contract's terms."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from support.actors import Actor, label_of, vkey_of
from support.terms import prices_of, rules_of
from support.voucher_year import ACME, CITY, DC, NETWORK, Story
from tallystick.errors import UsageError
from tallystick.views import GateStanding, Views
from tallystick.vouchers.quantities import DAY_US, format_instant

DISTRICT, EXPERT = Actor("district"), Actor("expert")
GATES = [
    {"attesters": ["district"], "before": "issue", "passes": 1, "subject_type": "application", "topic": "authenticity"},
    {
        "attesters": ["district", "expert"],
        "before": "issue",
        "passes": 2,
        "subject_type": "application",
        "topic": "merit",
    },
    {"before": "issue", "other_side": True, "passes": 1, "subject_type": "contract", "topic": "signed"},
]
ASKED: dict[str, Any] = {
    "application": "acme/a1",
    "programme": "city/g",
    "amount_fen": 5_000,
    "holder_class": "young",
    "contract": "acme/k1",
    "declarations": {"related_party": False, "other_support_fen": 700},
    "evidence_hash": f"sha256:{'ab' * 32}",
}


class Reviewed(Story):
    """Two attesters, a programme whose issues they review, and an application."""

    def begin(self) -> None:
        super().begin()
        for one in (DISTRICT, EXPERT):
            fields = {"admitted": one.party, "role": "attester", "name": one.party, "keys": one.vkeys}
            self.do(NETWORK, "party.admit", **fields)
        self.open_programme("city/g", "dc", transfer="forbidden", gates=GATES)
        self.do(ACME, "application.file", **ASKED)

    def attest(
        self, attester: Actor, topic: str, verdict: str = "pass", subject: str = "acme/a1", days: int = 30
    ) -> int:
        kind = "contract" if subject == "acme/k1" else "application"
        fields = {"subject_type": kind, "subject_id": subject, "topic": topic, "verdict": verdict, "reason": "seen"}
        until = format_instant(self.at + days * DAY_US)
        return self.do(attester, "attestation.give", **fields, evidence_hash=f"sha256:{'cd' * 32}", valid_until=until)


@pytest.fixture
def story(tmp_path: Path) -> Reviewed:
    story = Reviewed(tmp_path / "ledger")
    story.begin()
    return story


def told(story: Story) -> Views:
    views = Views.open(story.folder)
    views.follow()
    return views


def missing(gates: tuple[GateStanding, ...]) -> list[tuple[str, int, str]]:
    return [(gate.topic, gate.passes, gate.missing) for gate in gates]


def test_an_applications_way(story: Reviewed) -> None:
    """What is missing at each step, until it is issued; by whom each verdict was given, and why."""
    with told(story) as views:
        way = views.application("acme/a1")
        assert missing(way.gates) == [
            ("authenticity", 0, "1 more of district"),
            ("merit", 0, "2 more of district, expert"),
            ("signed", 0, "1 more of dc"),
        ]
        assert (way.balance.status, way.balance.left_fen, way.balance.other_support_fen) == ("open", 5_000, 700)
        assert (way.balance.contract, way.balance.holder_class) == ("acme/k1", "young")
        first = story.attest(DISTRICT, "authenticity", "fail")
        story.attest(DISTRICT, "authenticity")
        story.attest(DISTRICT, "merit")
        views.follow()
        assert missing(views.application("acme/a1").gates)[:2] == [
            ("authenticity", 1, ""),
            ("merit", 1, "1 more of expert"),
        ]
        story.attest(EXPERT, "merit")
        story.attest(DC, "signed", subject="acme/k1")
        story.issue("city/v1", "acme", 4_000, "city/g", application="acme/a1", contract="acme/k1")
        story.issue("city/v2", "acme", 1_000, "city/g", application="acme/a1", contract="acme/k1")
        views.follow()
        way = views.application("acme/a1")
        assert [gate.passed for gate in way.gates] == [True, True, True]
        assert [(one.topic, one.attester, one.verdict, one.standing) for one in way.verdicts] == [
            ("authenticity", "district", "fail", "replaced"),
            ("authenticity", "district", "pass", "stands"),
            ("merit", "district", "pass", "stands"),
            ("merit", "expert", "pass", "stands"),
        ]
        assert (way.verdicts[0].index, way.verdicts[0].reason) == (first, "seen")
        assert [(one.voucher, one.face_fen) for one in way.issued] == [("city/v1", 4_000), ("city/v2", 1_000)]
        assert (way.balance.status, way.balance.issued_fen, way.balance.left_fen) == ("issued", 5_000, 0)
        assert views.balances("application") == [way.balance] == [*views.programme("city/g").applications]
    with Views.as_of(story.folder, index=first) as then:
        assert missing(then.application("acme/a1").gates)[0] == ("authenticity", 0, "failed by district")


def test_a_verdict_stops_standing(story: Reviewed) -> None:
    """It is over, its attester is suspended, the contract is amended, or the application withdrawn."""
    story.attest(DISTRICT, "authenticity", days=1)
    story.attest(EXPERT, "merit")
    story.attest(DC, "signed", subject="acme/k1")
    story.do(ACME, "contract.amend", "dc/officer-1", contract="acme/k1", last_day="2026-05-31")
    with told(story) as views:
        assert [one.standing for one in views.contract("acme/k1").verdicts] == ["stands"]  # an early end voids none
        story.do(ACME, "contract.amend", "dc/officer-1", contract="acme/k1", other_support_fen=10)
        story.do(NETWORK, "party.suspend", subject="expert", reason="a complaint")
        story.at += 2 * DAY_US
        story.do(CITY, "programme.amend", programme="city/p", envelope_fen=1_500_000, reason="more")
        views.follow()
        assert [one.standing for one in views.contract("acme/k1").verdicts] == ["ended"]
        way = views.application("acme/a1")
        assert [one.standing for one in way.verdicts] == ["over", "suspended"]
        assert [gate.passes for gate in way.gates] == [0, 0, 0]
        story.do(NETWORK, "party.reinstate", subject="expert", reason="unfounded")
        story.do(ACME, "application.withdraw", application="acme/a1")
        views.follow()
        way = views.application("acme/a1")
        assert (way.balance.status, way.balance.left_fen) == ("withdrawn", 0)
        assert [one.standing for one in way.verdicts] == ["ended", "ended"]
    with pytest.raises(UsageError, match="there is no application acme/a2"), told(story) as views:
        views.application("acme/a2")


def test_an_application_without_its_contract_is_told_so(story: Reviewed) -> None:
    """A gate whose subject nothing names isn't passed."""
    asked = {name: said for name, said in ASKED.items() if name != "contract"}
    story.do(ACME, "application.file", **asked | {"application": "acme/a2"})
    with told(story) as views:
        gate = views.application("acme/a2").gates[-1]
    assert not gate.passed
    assert gate.missing == (
        "no contract is named: before an issue, the contract's other side must pass the contract on signed"
    )


def test_rules_in_words_version_by_version(story: Reviewed) -> None:
    """What is replaced before it came into force isn't told; what is in force says the newest begun."""
    first: Any = rules_of(
        shares=[{"origin": "domestic", "share_bp": 3_000, "ceiling_bp": 4_050}, {"filed": True, "share_bp": 2_000}],
        proration={
            "first_day": "2026-01-01",
            "last_day": "2026-12-31",
            "day_count": "inclusive",
            "truncate_fen": 100,
        },
    )
    terms = {"transfer": "forbidden", "shares": first["shares"], "proration": first["proration"]}
    story.open_programme("city/w", **terms, claims={"cycle": "quarter", "cut_off_days": 60})
    for day, floor_fen in (("2026-02-01", 1_000), ("2026-03-01", 2_000), ("2026-02-01", 3_000)):
        cap = {"group": "all", "holder_fen": 500_000, "floor_fen": floor_fen}
        rules = rules_of(
            shares=first["shares"],
            claims={"cycle": "quarter", "cut_off_days": 30},
            cap=cap,
            **{"transfer": "forbidden"},
        )
        story.do(
            CITY, "programme.amend", programme="city/w", rules=rules, rules_from=day, reason="a council decided it"
        )
    with told(story) as views:
        opened, amended = views.programme("city/w").versions
    assert opened.in_words == (
        "it pays 30 % of the fee of items of domestic origin, with all other support at most 40.50 %",
        "else it pays 20 % of the fee of filed models, with all other support at most 70 %",
        "of several programmes it pays as rank 1, the lowest first",
        "a holder is granted at most 5,000.00 yuan a fiscal year in the group all",
        "a voucher is valid for 30 days",
        "vouchers can't be transferred",
        "it pays the provider, for lines of use",
        "of an invoice the days from 2026-01-01 to 2026-12-31 count (both days counted), truncated to 1.00 yuan",
        "it is claimed up to the end of a quarter, within 60 days after it",
        "a claim is exact to the fen",
    )
    assert (opened.first_day, opened.reason) == ("2026-01-05", "")
    assert opened.rules["proration"] == first["proration"]
    assert (amended.first_day, amended.reason) == ("2026-02-01", "a council decided it")
    assert "a voucher is of 30.00 yuan or more" in amended.in_words
    assert amended.rules["cap"]["floor_fen"] == 3_000
    with told(story) as views:
        (reviewed,) = views.programme("city/g").versions
    assert reviewed.in_words[-2:] == (
        "before an issue, 2 of district, expert must pass the application on merit",
        "before an issue, the contract's other side must pass the contract on signed",
    )


def test_a_contracts_terms_and_prices_over_time(story: Reviewed) -> None:
    """A price takes the place of those from later days; other terms stand as each entry left them."""
    amend: dict[str, Any] = {"contract": "acme/k1"}
    for day, price_fen in (("2026-02-01", 3_000), ("2026-04-01", 2_000), ("2026-03-01", 2_500)):
        fields = {"items": prices_of(**{"910b": price_fen}), "items_from": day}
        story.do(ACME, "contract.amend", "dc/officer-1", **amend, **fields)
    story.do(ACME, "contract.amend", "dc/officer-1", **amend, amount_fen=900_000, last_day="2026-03-31")
    with told(story) as views:
        found = views.contract("acme/k1")
    assert [(one.item, one.first_day, one.price_fen) for one in found.prices] == [
        ("910b", "2026-01-05", 3_600),
        ("910b", "2026-02-01", 3_000),
        ("910b", "2026-03-01", 2_500),
    ]
    assert [(one.amount_fen, one.last_day) for one in found.terms] == [(10**14, "2026-06-30")] * 4 + [
        (900_000, "2026-03-31")
    ]
    assert (found.balance.amount_fen, found.balance.last_day) == (900_000, "2026-03-31")


def test_a_party_its_keys_and_what_it_commanded(story: Reviewed) -> None:
    """Also of one that was suspended, and a key that was revoked."""
    label = label_of("dc/meter-9")
    story.do(DC, "key.add", subject="dc", purpose="meter", vkey=vkey_of("dc/meter-9"))
    revoked = story.do(DC, "key.revoke", subject="dc", key=label, cause="ceased", reason="sold")
    story.do(NETWORK, "party.suspend", subject="dc", reason="a complaint")
    with told(story) as views:
        found = views.party("dc")
        network, city = views.party("network"), views.party("city")
    said = asdict(found.balance)
    assert [said[name] for name in ("party", "role", "admitter", "status", "quorum")] == [
        *("dc", "provider", "network", "suspended"),
        1,
    ]
    keys = {key.key: (key.purpose, key.status, key.revoked_index) for key in found.keys}
    assert keys[label] == ("meter", "revoked", revoked)
    assert sorted(status for _, status, _ in keys.values()) == ["active", "revoked"]
    assert {(act.kind, act.entries) for act in found.acts} >= {("key.add/1", 1), ("key.revoke/1", 1)}
    assert (network.balance.role, network.balance.admitted_index) == ("network", 0)
    assert (city.balance.status, city.balance.threshold_fen) == ("active", None)
    with pytest.raises(UsageError, match="there is no party dd"), told(story) as views:
        views.party("dd")
