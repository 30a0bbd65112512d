"""Commands through a service by forms alone: from the founding to a payment, with logins as each party has them."""

import json
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from support.command_line import ORIGIN, Desk, Ran, done, failed, run
from support.losing_relay import losing_answers
from support.serving import Running, service_in_thread
from tallystick import keyfiles, profile
from tallystick.cli import remote_place
from tallystick.transparency.policy import Policy

CHINA = timezone(timedelta(hours=8))
NETWORK = "national"
TREASURY, PROVIDER, HOLDER = "shanghai-treasury", "guian-cluster", "acme-ai"
PROGRAMME = f"{TREASURY}/compute"


def now_us() -> int:
    return time.time_ns() // 1_000


class Offices:
    """A folder for each party, with its profile: the service, its key, the policy."""

    def __init__(self, folder: Path) -> None:
        self.desk = Desk(folder, at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
        self.desk.found()
        self.today = datetime.now(CHINA).date()

    def open(self, service: Running) -> None:
        """Write every party's profile."""
        for party in (NETWORK, TREASURY, PROVIDER, HOLDER):
            folder = self.folder(party)
            folder.mkdir()
            name = f"{party}/root-1" if party == NETWORK else f"{party}/desk"
            said = {"source": service.url, "log": ORIGIN, "party": party, "key": str(self.desk.key(name))}
            said |= {"policy": str(self.desk.policy), "zone": "+08:00"}
            text = "".join(f"{field} = {json.dumps(value)}\n" for field, value in said.items())
            (folder / "tallystick.toml").write_text(text)

    def folder(self, party: str) -> Path:
        return self.desk.folder / "offices" / party

    def day(self, days: int = 0) -> str:
        return str(self.today + timedelta(days=days))

    def ran(self, party: str, kind: str, *words: object) -> Ran:
        return run("do", kind, *words, "--profile", self.folder(party) / "tallystick.toml")

    def did(self, party: str, kind: str, *words: object) -> str:
        """Do a command that must be recorded."""
        ran = self.ran(party, kind, *words, "--yes")
        assert (ran.status, ran.err) == (0, ""), ran
        return ran.out


@pytest.fixture(scope="module")
def offices(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Offices]:
    made = Offices(tmp_path_factory.mktemp("desk"))
    (made.desk.folder / "offices").mkdir()
    log_key = keyfiles.load(made.desk.key(ORIGIN), None)
    with service_in_thread(made.desk.ledger, log_key, clock=now_us, reading="own") as service:
        made.open(service)
        begin(made)
        yield made


def begin(offices: Offices) -> None:
    """Open a programme, accredit, publish, sign a contract, issue and reserve: each by a form."""
    roots = ("--sign-with", offices.desk.key("national/root-1"), "--sign-with", offices.desk.key("national/root-2"))
    offices.did(NETWORK, "item.register", "--item", "h100", "--name", "H100", "--unit", "gpu_time", *roots)
    offices.did(
        TREASURY,
        "programme.open",
        *("--programme", PROGRAMME, "--name", "Compute", "--voucher-kind", "compute", "--fiscal-year", "2026"),
        *("--envelope", "1,000,000.00", "--opens-at", offices.day(-1), "--closes-at", offices.day(200)),
        *("--share", "share=50%", "--ceiling", "60%", "--rank", "1", "--cap", "group=all,holder=500,000.00,floor=0.00"),
        *("--validity-days", "100", "--transfer", "forbidden", "--payee", "provider", "--basis", "metered"),
        *("--rounding", "0.01", "--claims", "cycle=any,cut-off-days=90"),
    )
    accredited = ("--programme", PROGRAMME, "--provider", PROVIDER, "--valid-from", offices.day())
    offices.did(TREASURY, "provider.accredit", *accredited, "--item", "item=h100,price-limit=30.00")
    soon = (datetime.now(CHINA) + timedelta(seconds=30)).strftime("%Y-%m-%dT%H:%M:%S")
    offices.did(PROVIDER, "tariff.publish", "--item", "h100", "--price", "20.00", "--valid-from", soon)


def test_a_party_gives_a_command_and_keeps_its_receipt(offices: Offices) -> None:
    """The service's names are shown, the receipt is verified by the policy before it is kept."""
    words = ("--voucher", f"{TREASURY}/v-1", "--programme", PROGRAMME, "--holder", HOLDER, "--face", "10,000.00")
    out = offices.did(TREASURY, "voucher.issue", *words, "--valid-from", offices.day())
    sentence, *_, receipt = out.splitlines()
    assert f"issues voucher {TREASURY}/v-1 of 10,000.00 yuan to {HOLDER} ({HOLDER})" in sentence
    assert f"under programme Compute ({PROGRAMME})" in sentence
    path = Path(receipt.removeprefix("receipt: "))
    assert path.parent == offices.folder(TREASURY) / "receipts"
    assert done("verify", path, "--trust", offices.desk.policy)
    assert (offices.folder(TREASURY) / "checkpoint").is_file()


def test_a_command_whose_answer_is_lost_is_kept_and_never_signed_twice(
    offices: Offices, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is recorded; what is kept is the very note, which the log answers with its entry."""
    monkeypatch.setattr(remote_place, "PATIENCE_SECONDS", 0.5)
    folder = offices.folder(TREASURY)
    source = json.loads((folder / "tallystick.toml").read_text().splitlines()[0].partition(" = ")[2])
    words = ("--voucher", f"{TREASURY}/v-lost", "--programme", PROGRAMME, "--holder", HOLDER, "--face", "100.00")
    with losing_answers(source) as url:
        ran = offices.ran(TREASURY, "voucher.issue", *words, "--valid-from", offices.day(), "--source", url, "--yes")
    assert ran.status == 2
    [kept] = (folder / "unanswered").iterdir()
    assert f"it is kept, give `tallystick submit {url} {kept}` until it is answered" in ran.err
    again = run("submit", source, kept, "--trust", offices.desk.policy, "--json")
    assert (again.status, again.json["notes"][0]["is_new"]) == (0, False), again
    offices.did(TREASURY, "voucher.suspend", "--voucher", f"{TREASURY}/v-lost", "--reason", "a test")
    assert [*(folder / "unanswered").iterdir()] == [kept]


def test_a_field_lists_what_the_party_may_see(offices: Offices) -> None:
    """By what the service lists to it."""
    ran = offices.ran(TREASURY, "voucher.issue", "--list", "programme")
    assert (ran.status, PROGRAMME in ran.out) == (0, True), ran
    ran = offices.ran(TREASURY, "voucher.issue", "--list", "holder")
    assert (ran.status, HOLDER in ran.out) == (0, True), ran


def test_a_refusal_is_told_with_what_is_nearest(offices: Offices) -> None:
    """What a party may not see is as if it weren't there, so a wrong id isn't refused before the log says so."""
    words = ("--voucher", f"{TREASURY}/v-2", "--programme", f"{TREASURY}/compute-1", "--holder", HOLDER, "--face", "1")
    ran = offices.ran(TREASURY, "voucher.issue", *words, "--valid-from", offices.day(), "--yes")
    assert ran.status == 1
    assert "refused: programme_unknown" in ran.out
    assert f"did you mean {PROGRAMME}, as far as you may see?" in ran.err


def test_a_check_records_nothing(offices: Offices) -> None:
    """It says what would be decided."""
    size = offices.desk.size
    words = (
        "--voucher",
        f"{TREASURY}/v-3",
        "--programme",
        PROGRAMME,
        "--holder",
        HOLDER,
        "--valid-from",
        offices.day(),
    )
    assert "would be entry" in offices.ran(TREASURY, "voucher.issue", *words, "--face", "1.00", "--check").out
    refused = offices.ran(TREASURY, "voucher.issue", *words, "--face", "9,000,000.00", "--check")
    assert (refused.status, "would be refused: exceeds_envelope" in refused.out) == (1, True), refused
    assert offices.desk.size == size


def test_a_sheet_goes_through_the_service_once(offices: Offices) -> None:
    """Row by row, with a receipt each; a second time nothing is sent."""
    sheet = offices.folder(TREASURY) / "issues.csv"
    rows = [f"{TREASURY}/s-{number},{PROGRAMME},{HOLDER},1.00,{offices.day()}" for number in range(5)]
    sheet.write_text("\n".join(["voucher,programme,holder,face,valid-from", *rows]))
    out = offices.did(TREASURY, "voucher.issue", "--from", sheet)
    assert "5 would be recorded; 0 would be refused; face in all 5.00 yuan" in out
    assert "5 of 5 rows are recorded; 0 were refused" in out
    size = offices.desk.size
    assert "5 of 5 rows are recorded already" in offices.did(TREASURY, "voucher.issue", "--from", sheet)
    assert offices.desk.size == size


def test_officers_sign_what_waits_for_them(offices: Offices) -> None:
    """One side prepares a contract, the other finds it in its inbox, reads it, signs it, and it is sent."""
    paper = offices.folder(HOLDER) / "contract.pdf"
    paper.write_bytes(b"a contract")
    words: tuple[object, ...] = (
        "--contract",
        f"{HOLDER}/k-1",
        "--holder",
        HOLDER,
        "--provider",
        PROVIDER,
        "--document",
        paper,
    )
    words = (*words, "--amount", "5,000.00", "--first-day", offices.day(), "--last-day", offices.day(100))
    words = (*words, "--item", "item=h100,price=20.00", "--basis", "metered", "--claimant", "provider")
    out = offices.did(HOLDER, "contract.sign", *words, "--related-party", "no", "--other-support", "0", "--prepare")
    assert f"missing 1 of {PROVIDER}" in out.splitlines()[-1]
    profile = ("--profile", offices.folder(PROVIDER) / "tallystick.toml")
    listed = done("inbox", *profile)
    id_, _, sentence = listed.splitlines()[0].partition(": ")
    assert f"signs contract {HOLDER}/k-1 between {HOLDER}" in sentence
    assert "of at most 5,000.00 yuan" in sentence
    assert f"signed by {HOLDER}/desk+" in listed
    assert run("inbox", "--json", *profile).json["pending"][0]["id"].startswith(id_)
    size = offices.desk.size
    out = done("inbox", "sign", id_, "--yes", *profile)
    assert f"recorded as entry {size}" in out
    assert done("inbox", *profile) == "nothing waits for your signature\n"
    gone = run("inbox", "sign", id_, "--yes", *profile)
    assert (gone.status, "nothing that waits" in gone.err) == (2, True), gone


def test_init_writes_the_profile_of_a_service(
    offices: Offices, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every answer is tried: the service answers and is the policy's, and it lets the key log in for the party."""
    monkeypatch.chdir(tmp_path)
    url = json.loads((offices.folder(TREASURY) / "tallystick.toml").read_text().splitlines()[0].partition(" = ")[2])
    key, policy = offices.desk.key(f"{TREASURY}/desk"), offices.desk.policy
    assert "give --policy" in failed("init", "--source", url, "--key", key)
    strange = tmp_path / "strange.pem"
    keyfiles.create(strange, f"{TREASURY}/strange", None, unencrypted=True)
    assert "key_unknown" in failed("init", "--source", url, "--policy", policy, "--key", strange)
    other = tmp_path / "other.policy"
    other.write_bytes(Policy.for_log(keyfiles.load(strange, None).verifier).to_text())
    assert "belong together" in failed("init", "--source", url, "--policy", other, "--key", key)
    monkeypatch.setattr(remote_place, "PATIENCE_SECONDS", 0.2)
    assert "127.0.0.1:9" in failed("init", "--source", "http://127.0.0.1:9", "--policy", policy, "--key", key)
    assert not (tmp_path / "tallystick.toml").exists()
    said = done("init", "--source", url, "--policy", policy, "--key", key)
    assert said.startswith(f"tallystick.toml: {TREASURY} signs with {TREASURY}/desk for the log {ORIGIN}")
    assert PROGRAMME in done("list", url, "programmes")
    assert done("inbox") == "nothing waits for your signature\n"
    found = profile.load(tmp_path / "tallystick.toml")
    assert (found.party, found.log, found.zone, found.policy) == (TREASURY, ORIGIN, "+08:00", str(policy))


def test_the_inbox_of_a_rehearsal_is_opened_at_its_time(offices: Offices) -> None:
    """A login is of a moment, and the service's clock is another than this machine's."""
    later = datetime.now(CHINA) + timedelta(days=3)
    words: tuple[object, ...] = ("--contract", f"{HOLDER}/k-late", "--holder", HOLDER, "--provider", PROVIDER)
    words = (
        *words,
        "--amount",
        "5,000.00",
        "--document",
        f"sha256:{'1' * 64}",
        "--item",
        "item=h100,price=20.00",
        "--basis",
        "metered",
    )
    days = ("--first-day", offices.day(4), "--last-day", offices.day(100), "--claimant", "provider")
    at = ("--log-time", later.strftime("%Y-%m-%dT%H:%M:%S"))
    log_key = keyfiles.load(offices.desk.key(ORIGIN), None)
    place = shutil.copytree(offices.desk.ledger, offices.desk.folder / "rehearsal")
    with service_in_thread(place, log_key, clock=lambda: int(later.timestamp() * 1e6), reading="own") as service:
        more = ("--related-party", "no", "--other-support", "0", "--prepare", "--ref", "late", "--source", service.url)
        offices.did(HOLDER, "contract.sign", *words, *days, *more, *at)
        profile = offices.folder(PROVIDER) / "rehearsal.toml"
        lines = (offices.folder(PROVIDER) / "tallystick.toml").read_text().splitlines()
        profile.write_text("\n".join([f'source = "{service.url}"', *lines[1:]]))
        now = run("inbox", "--profile", profile)
        assert (now.status, now.out) == (2, ""), now
        assert f"signs contract {HOLDER}/k-late between" in done("inbox", "--profile", profile, *at)
        out = done("inbox", "sign", f"{HOLDER}/late", "--yes", "--profile", profile, *at)
    assert "recorded as entry" in out


def test_both_sides_of_a_contract_sign_it_by_their_sheets(offices: Offices) -> None:
    """One leaves it, the other names it by party and document number; whatever is given again is done once."""
    left, taken = offices.folder(PROVIDER) / "left.csv", offices.folder(HOLDER) / "taken.csv"
    left.write_text(
        "do,prepare,ref,contract,holder,provider,document,amount,first-day,last-day,item,basis,claimant,related-party,"
        f"other-support\ncontract.sign,yes,both,{PROVIDER}/k-both,{HOLDER},{PROVIDER},sha256:{'2' * 64},5.00,"
        f'{offices.day()},{offices.day(9)},"item=h100,price=20.00",metered,provider,no,0.00\n'
    )
    taken.write_text(f"do,note\ninbox sign,{PROVIDER}/both\n")
    leave = ("do", "--from", left, "--profile", offices.folder(PROVIDER) / "tallystick.toml", "--yes")
    take = ("do", "--from", taken, "--profile", offices.folder(HOLDER) / "tallystick.toml", "--yes")
    assert "line 2: nothing that waits for your signature has" in failed(*take)
    answers = offices.folder(PROVIDER) / "outbox" / PROVIDER / "answers.jsonl"
    for _ in range(2):  # as a kill leaves it after the note was left, and before that was kept
        assert f"missing 1 of {HOLDER}" in done(*leave)
        answers.unlink()
    size = offices.desk.size
    out = done(*take)
    assert f"signs contract {PROVIDER}/k-both between" in out
    assert f"line 2: recorded as entry {size}" in out
    assert f"line 2: recorded as entry {size}" in done(*leave), "left anew, and signed meanwhile"
    assert "1 of 1 rows are recorded already" in done(*leave)
    assert "1 of 1 rows are recorded already" in done(*take)
    assert offices.desk.size == size + 1


def test_a_service_without_a_policy_is_not_believed(offices: Offices) -> None:
    """Whose receipts would prove nothing."""
    profile = offices.folder(TREASURY) / "tallystick.toml"
    bare = profile.with_name("bare.toml")
    bare.write_text("".join(line for line in profile.read_text().splitlines(keepends=True) if "policy" not in line))
    ran = run("do", "party.suspend", "--subject", HOLDER, "--reason", "r", "--yes", "--profile", bare)
    assert (ran.status, "give --policy FILE" in ran.err) == (2, True), ran
