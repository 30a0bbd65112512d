"""What happens in a year beside jobs: amendments, a mandate, services, a voucher from before the log, and expiries."""

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from rich.console import Console

from tallystick.demo import narrative, run_demo, treasuries
from tallystick.publishing import read_ledger
from tallystick.signing import canonical_json
from tallystick.signing.note import Note
from tallystick.vouchers.entry import Header, split_entry

STARTUPS = 11
"""So many that each city that an act needs has one."""
HEADER = "timestamp,duration,num_gpus,gpu_time,cluster\n"


class Entry(NamedTuple):
    """What was commanded, and what came of it."""

    command: dict[str, Any]
    outcome: Any


class Played(NamedTuple):
    """A demo of one job a start-up: its entries, and what it showed and left."""

    good: bool
    entries: tuple[Entry, ...]
    shown: str
    policy: bytes

    def of(self, kind: str) -> list[Entry]:
        """Return the entries of a kind."""
        return [one for one in self.entries if one.command["kind"] == kind]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """The demo of a recorded workload, played once."""
    folder = tmp_path_factory.mktemp("demo")
    rows = [f"2017-10-09 07:01:{number:02d},3600,8,28800,c{number:02d}\n" for number in range(STARTUPS)]
    (folder / "jobs.csv").write_text(HEADER + "".join(rows), encoding="utf-8")
    shown = io.StringIO()
    good = run_demo(folder / "year", jobs=folder / "jobs.csv", console=Console(file=shown, width=120))
    return Played(
        good, tuple(_entries(folder / "year")), shown.getvalue(), (folder / "year" / "trust.policy").read_bytes()
    )


def _entries(folder: Path) -> Iterator[Entry]:
    with read_ledger(folder) as reader:
        for data in reader.entries():
            header, note = split_entry(data)
            command: Any = canonical_json.decode(Note.from_bytes(note).text[:-1])
            yield Entry(command, Header.from_bytes(header).outcome)


def refused(played: Played, reason: str) -> int:
    """Return how many commands were refused for a reason."""
    table = played.shown.split("Refused, by reason", 1)[1].split("\n\n", maxsplit=1)[0]
    return sum(int(line.split()[2]) for line in table.splitlines() if line.split()[:1] == [reason])


def test_every_row_is_one_line(played: Played) -> None:
    """And what they burned adds up; services are no lines."""
    assert played.good
    rows = [row for one in played.of("time.burn/1") for group in one.command["groups"] for row in group["lines"]]
    assert sorted(row[0] for row in rows) == sorted(f"row-{number}" for number in range(1, STARTUPS + 1))
    assert sum(gpu_milli * seconds for _, gpu_milli, _, _, seconds, *_ in rows) == STARTUPS * 8_000 * 3_600
    assert f"{STARTUPS} burn lines" in played.shown


def test_a_programme_is_amended_from_a_day_on(played: Played) -> None:
    """More money, and a larger share of what is issued later; neither back in time nor below what is issued."""
    amended, ended = [one.command for one in played.of("programme.amend/1")]
    (opened,) = [
        one.command for one in played.of("programme.open/1") if one.command["programme"] == amended["programme"]
    ]
    assert amended["envelope_fen"] == opened["envelope_fen"] + treasuries.RAISED_BY_FEN
    shares = [[row["share_bp"] for row in one["rules"]["shares"]] for one in (opened, amended)]
    assert shares[1] == [share_bp + 1_000 for share_bp in shares[0]]
    (late,) = [one.command for one in played.of("voucher.issue/1") if one.command["voucher"].endswith("/late")]
    assert late["programme"] == amended["programme"]
    assert late["signed_at"][:10] > amended["rules_from"]
    assert refused(played, "date_in_the_past") == refused(played, "below_committed") == 1
    assert ended["closes_at"] > ended["signed_at"]


def test_a_platform_issues_within_its_mandate(played: Played) -> None:
    """What is above it, and what comes after its end, is refused."""
    issued = [one.command for one in played.of("voucher.issue/1") if "mandate" in one.command]
    assert [one["face_fen"] for one in issued] == [treasuries.SMALL_FEN]
    assert refused(played, "exceeds_mandate") == refused(played, "mandate_over") == 1


def test_a_voucher_from_before_the_log_is_used_up(played: Played) -> None:
    """Its holder reserves of it as of others."""
    (brought,) = [one.command for one in played.of("voucher.import/1")]
    assert any(one.command["voucher"] == brought["voucher"] for one in played.of("voucher.reserve/1"))
    assert "paid before the log" in played.shown


def test_services_are_burned_by_count_and_by_invoice(played: Played) -> None:
    """Of 200,000 yuan for 90 days, 58 of 89 days count, whole yuan; 30 % of that, whole yuan."""
    counted = [one for one in played.of("service.burn/1") if "quantity" in one.command]
    invoiced = [one for one in played.of("service.burn/1") if "quantity" not in one.command]
    assert [one.outcome["fee_fen"] for one in counted] == [[9_000 * 1_800]] * 2
    assert [one.outcome["paid"][0][1] for one in counted] == [[9_000 * 1_800 * 30 // 100]] * 2
    paid_fen = {one.command["item"]: one.outcome["paid"][0][1] for one in invoiced}
    base_fen = 200_000_00 * 58 // 89 // 100 * 100
    assert paid_fen == {"ascend-910b": [base_fen * 30 // 100 // 100 * 100], "corpus-tb-month": [600_000]}
    assert refused(played, "service_days_already_burned") == refused(played, "document_already_used") == 1


def test_what_invoices_came_to_is_paid_once_others_looked_at_them(played: Played) -> None:
    """The start-up at what the cluster delivered, the bureau at each claim of a start-up."""
    attested = {(one.command["subject_type"], one.command["party"]) for one in played.of("attestation.give/1")}
    startup = "startup-c00"
    reviewers = ("district-bureau", "expert-panel", "city-bureau")
    assert attested == {
        *[("application", reviewer) for reviewer in reviewers],
        ("claim", "district-bureau"),
        ("contract", startup),
    }
    assert refused(played, "gate_not_passed") == 0
    claims = [one.command["claim"] for one in played.of("redemption.claim/1")]
    assert sorted(one.command["claim"] for one in played.of("redemption.settle/1")) == sorted(claims)


def test_applications_are_reviewed_by_district_experts_and_bureau(played: Played) -> None:
    """Each issue names one that all three passed before; of one the experts had doubts first."""
    issued = [one.command for one in played.of("voucher.issue/1") if "application" in one.command]
    assert issued
    for one in issued:
        verdicts = [
            (verdict.command["party"], verdict.command["verdict"])
            for verdict in played.of("attestation.give/1")
            if verdict.command["subject_id"] == one["application"]
        ]
        passed = [party for party, verdict in verdicts if verdict == "pass"]
        assert passed == ["district-bureau", "expert-panel", "city-bureau"]
    doubts = [one.command for one in played.of("attestation.give/1") if one.command["verdict"] == "fail"]
    assert [one["party"] for one in doubts] == ["expert-panel"]


def test_what_was_played_is_told(played: Played) -> None:
    """Each item, with how often it happened, how much it was, and an entry that is of it."""
    told = narrative_of(played)
    assert list(told) == [what.value for what in narrative.Played]
    silent = {"lines that a city and a district paid together", "vouchers expired", "quarters sealed"}
    silent |= {"lines on domestic chips", "lines on foreign chips"}
    assert [what for what, (times, *_) in told.items() if not times and what not in silent] == []
    kinds = {what: played.entries[index].command["kind"] for what, (_, _, index) in told.items() if index is not None}
    assert kinds["applications filed"] == "application.file/1"
    assert kinds["verdicts of the expert panel"] == "attestation.give/1"
    assert kinds["contracts ended early"] == "contract.amend/1"
    assert kinds["of them with a part withheld"] == kinds["of them set off in a later settlement"]
    withheld_fen = sum(
        row.get("withheld_fen", 0) for one in played.of("redemption.settle/1") for row in one.command["rows"]
    )
    assert told["of them with a part withheld"][:2] == (2, withheld_fen)
    (received,) = [one.command["payment"]["amount_fen"] for one in played.of("recovery.receive/1")]
    assert told["of them come back by bank"][:2] == (1, received)
    assert told["claims of a quarter"][0] == told["claims settled"][0] == len(played.of("redemption.claim/1"))


def narrative_of(played: Played) -> dict[str, tuple[int, int, int | None]]:
    """Return what the demo says that it played: how often, how much (fen), and the first entry."""
    table = played.shown.split("What was played, in yuan", 1)[1].split("\n\n", maxsplit=1)[0]
    told: dict[str, tuple[int, int, int | None]] = {}
    for line in table.splitlines()[3:]:
        what, *rest = [cell.strip() for cell in re.split(r"  +", line.strip())]
        amount = next((one for one in rest if "." in one), "0.00").replace(",", "").replace(".", "")
        counts = [one for one in rest if "." not in one]
        told[what] = int(counts[0].replace(",", "")), int(amount), int(counts[1]) if len(counts) > 1 else None
    return told


def test_what_is_withheld_is_claimed_again_or_disallowed(played: Played) -> None:
    """Contract by contract, with a reason; a payment of another amount than is due is refused."""
    claimed = {one.command["claim"]: one for one in played.of("redemption.claim/1")}
    settled = {one.command["claim"]: one.command for one in played.of("redemption.settle/1")}
    for claim, one in claimed.items():
        rows = settled[claim]["rows"]
        assert one.outcome["rows"] == [[row["contract"], row["paid_fen"] + row.get("withheld_fen", 0)] for row in rows]
    withheld = {
        (claimed[claim].command["programme"], row["contract"]): row["withheld_fen"]
        for claim, one in settled.items()
        for row in one["rows"]
        if "withheld_fen" in row
    }
    (disallowed,) = [one.command for one in played.of("redemption.disallow/1")]
    kept = disallowed["programme"], disallowed["contract"]
    assert withheld.pop(kept) == disallowed["amount_fen"]
    ((programme, contract),) = withheld
    claims = [one for one in claimed.values() if one.command["programme"] == programme]
    of_contract = [dict(one.outcome["rows"])[contract] for one in claims if contract in dict(one.outcome["rows"])]
    assert of_contract[1] >= withheld[programme, contract] > 0
    assert refused(played, "payment_differs") == 1


def test_what_was_paid_without_right_comes_back(played: Played) -> None:
    """One payee's is set off in a later settlement, and another's comes by bank but for what is given up."""
    demands = {one.command["demand"]: one.command for one in played.of("recovery.demand/1")}
    offsets = [one for settled in played.of("redemption.settle/1") for one in settled.command.get("offsets", ())]
    (received,) = [one.command for one in played.of("recovery.receive/1")]
    (cancelled,) = [one.command for one in played.of("recovery.cancel/1")]
    assert {one["demand"] for one in offsets} | {received["demand"]} == set(demands)
    assert len(demands) == 2
    come_fen = {received["demand"]: received["payment"]["amount_fen"] + cancelled["amount_fen"]}
    for one in offsets:
        come_fen[one["demand"]] = come_fen.get(one["demand"], 0) + one["amount_fen"]
    assert come_fen == {name: one["amount_fen"] for name, one in demands.items()}


def test_the_logs_key_is_changed(played: Played) -> None:
    """And the policy that is left trusts the first for what it signed, and the second."""
    (rekeyed,) = [one.command for one in played.of("log.rekey/1")]
    assert played.policy.decode().split()[1::2] == [rekeyed["old_vkey"], "none", rekeyed["new_vkey"]]


def test_what_time_ended_is_booked_by_the_operator(played: Played) -> None:
    """Vouchers once their year is over, and reservations, among them those of a contract that ended early."""
    rows = [row for one in played.of("book.expire/1") for row in one.outcome["rows"]]
    assert {kind for kind, *_ in rows} == {"reservation", "voucher"}
    assert {one.command["party"] for one in played.of("book.expire/1")} == {"log-operator"}
    (contract,) = [one.command["contract"] for one in played.of("contract.amend/1") if "last_day" in one.command]
    reserved = {
        one.command["reservation"] for one in played.of("voucher.reserve/1") if one.command["contract"] == contract
    }
    released = {one.command["reservation"] for one in played.of("reservation.release/1")}
    assert reserved & ({name for _, name, _, _ in rows} | released)


def test_a_reservation_is_extended(played: Played) -> None:
    """By more, and to a later end."""
    (extended,) = [one.command for one in played.of("reservation.extend/1")]
    (reserved,) = [
        one.command for one in played.of("voucher.reserve/1") if one.command["reservation"] == extended["reservation"]
    ]
    assert extended["until"] > reserved["until"]
    assert extended["amount_fen"] > 0


def test_recorded_commands_are_counted(played: Played) -> None:
    """All entries, by the commands that made them."""
    table = played.shown.split("Recorded, by command", 1)[1].split("\n\n", maxsplit=1)[0]
    counts = {first: int(rest.replace(",", "")) for first, rest in map(str.split, table.splitlines()[3:])}
    assert counts.pop("all") == sum(counts.values()) == len(played.entries)
    assert counts == {kind: len(played.of(kind)) for kind in counts}
