"""docs/founding.md as a test: a network is founded, and its parties reach it over HTTP alone, by sheets."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from support.actors import uscc_of
from support.command_line import done, failed, run
from support.serving import ServingProcess

NETWORK, TREASURY, PROVIDER, HOLDER = "national-network", "shanghai-treasury", "guian-cluster", "acme-ai"
ORIGIN = "vouchers.example/national"
PROGRAMME, VOUCHER, CONTRACT = f"{TREASURY}/compute", f"{TREASURY}/v-1", f"{PROVIDER}/k-1"
CLAIM = f"{PROVIDER}/c-1"
FIRST, LAST = 2, 300  # days from today on: the contract's
PAGE = Path(__file__).resolve().parents[2] / "docs" / "founding.md"
ITEM = "do,item,name,unit,origin\nitem.register,ascend-910b,Ascend 910B,gpu_time,domestic"
NAMED = ("--origin", ORIGIN, "--name", "National compute vouchers", "--no-passphrase")


@contextmanager
def serving(ledger: Path, *options: object) -> Iterator[str]:
    """Serve the log until the block ends, which it does in order."""
    service = ServingProcess(ledger, *options)
    try:
        service.wait_for("writing")
        yield service.url
        assert service.end() == 0
    finally:
        service.close()


class Story:
    """Two machines: one has the network's folder, the other the parties'; `count` is how many commands each gave."""

    def __init__(self, folder: Path) -> None:
        self.network = folder / "a" / "network"
        self.desks = folder / "b"
        self.desks.mkdir(parents=True)
        self.count = dict.fromkeys((NETWORK, TREASURY, PROVIDER, HOLDER), 0)
        self.today = datetime.now(UTC).astimezone(timezone(timedelta(hours=8))).date()
        self.ahead: tuple[object, ...] = ()
        self.url = "http://127.0.0.1:8473"

    @property
    def policy(self) -> Path:
        return self.network / "office" / "trust.policy"

    def folder(self, party: str) -> Path:
        return self.desks / party

    def day(self, days: int) -> date:
        return self.today + timedelta(days=days)

    def does(self, party: str, *words: object) -> str:
        """Give one of a party's commands, which must do as asked."""
        self.count[party] += 1
        return done(*words)

    def at_the_service(self, party: str, *words: object) -> str:
        """Give a command by a party's profile."""
        profile = ("--profile", self.folder(party) / "tallystick.toml", "--source", self.url)
        return self.does(party, "do", *words, "--yes", *profile, *self.ahead)

    def sheet(self, party: str, *lines: str) -> Path:
        """Write a party's sheet."""
        path = self.folder(party) / f"sheet-{self.count[party]}.csv"
        path.write_text("\n".join(lines) + "\n")
        return path

    def does_sheet(self, party: str, *lines: str) -> str:
        """Do a sheet at the service, as its party."""
        return self.at_the_service(party, "--from", self.sheet(party, *lines))

    def join(self, party: str, role: str, by: str, *more: object) -> None:
        who = ("--party", party, "--role", role, "--name", party.title(), "--by", by, "--no-passphrase")
        self.does(party, "join", self.folder(party), "--source", self.url, "--origin", ORIGIN, *who, *more)


def founded(story: Story) -> None:
    """The parties join, and the network is founded with the first two of them."""
    story.join(TREASURY, "treasury", NETWORK)
    story.join(PROVIDER, "provider", NETWORK, "--uscc", uscc_of(PROVIDER))
    story.join(HOLDER, "holder", TREASURY, "--uscc", uscc_of(HOLDER))
    admissions = [f"cosign,{story.folder(party) / 'admission.note'}" for party in (TREASURY, PROVIDER)]
    sheet = story.desks / "network.csv"
    sheet.write_text("\n".join(["do,note", *admissions, ITEM]))
    out = story.does(NETWORK, "network", "found", story.network, *NAMED, "--from", sheet, "--yes")
    assert "admits guian-cluster, called Guian-Cluster, as provider" in out.replace('"', "")
    assert "3 of 3 rows are recorded; 0 were refused" in out
    for party in (TREASURY, PROVIDER, HOLDER):
        (story.folder(party) / "trust.policy").write_bytes(story.policy.read_bytes())


def contracted(story: Story) -> None:
    """A programme and a voucher, a price, a contract that both sides sign, and a reservation."""
    story.does_sheet(
        TREASURY,
        "do,note",
        f"cosign,{story.folder(HOLDER) / 'admission.note'}",
        "do,programme,name,voucher-kind,fiscal-year,envelope,opens-at,closes-at,share,ceiling,rank,cap,validity-days,"
        "transfer,payee,basis,rounding,claims",
        f'programme.open,{PROGRAMME},Compute,compute,{story.today.year},"5,000,000.00",{story.day(0)},{story.day(LAST)},'
        'share=50%,50%,1,"group=compute,holder=2,000,000.00,floor=0.00",365,forbidden,provider,metered,0.01,'
        '"cycle=any,cut-off-days=60"',
        "do,programme,provider,valid-from,item",
        f'provider.accredit,{PROGRAMME},{PROVIDER},{story.day(0)},"item=ascend-910b,price-limit=8.00"',
        "do,voucher,programme,holder,face,valid-from",
        f'voucher.issue,{VOUCHER},{PROGRAMME},{HOLDER},"1,500,000.00",{story.day(0)}',
    )
    document = story.folder(PROVIDER) / "contract.pdf"
    document.write_text("The contract")
    left = story.does_sheet(
        PROVIDER,
        "do,item,price,valid-from",
        f"tariff.publish,ascend-910b,6.00,{story.day(FIRST)}",
        "do,prepare,ref,contract,holder,provider,document,amount,first-day,last-day,item,basis,claimant,related-party,"
        "other-support",
        f'contract.sign,yes,contract-1,{CONTRACT},{HOLDER},{PROVIDER},{document},"3,000,000.00",{story.day(FIRST)},'
        f'{story.day(LAST)},"item=ascend-910b,price=6.00",metered,provider,no,0.00',
    )
    assert f"missing 1 of {HOLDER}; the others see it in `tallystick inbox`" in left
    signed = story.does_sheet(
        HOLDER,
        "do,note",
        f"inbox sign,{PROVIDER}/contract-1",
        "do,reservation,voucher,contract,amount,until",
        f'voucher.reserve,{HOLDER}/r-1,{VOUCHER},{CONTRACT},"10,000.00",{story.day(LAST)}',
    )
    assert f"signs contract {CONTRACT} between" in signed
    assert f"signed by {PROVIDER}/officer-1" in signed


def paid(story: Story) -> None:
    """After the contract's first day: what was burned, claimed and paid."""
    first = story.day(FIRST)
    out = story.does_sheet(
        PROVIDER,
        "do,contract,line",
        f'time.burn,{CONTRACT},"item=ascend-910b,job=job-1,gpus=8,from={first}T09:00,to={first}T17:00,duration=8h"',
        "do,claim,programme,last-day",
        f"redemption.claim,{CLAIM},{PROGRAMME},{first}",
    )
    assert "1 of 1 lines burned, for 384.00 yuan" in out
    assert "amount 192.00" in out
    payment = f"amount=192.00,day={story.day(FIRST + 1)},reference=ICBC 1"
    settled = ("--claim", CLAIM, "--row", f"contract={CONTRACT},paid=192.00", "--payment", payment)
    story.at_the_service(TREASURY, "redemption.settle", *settled)


@pytest.mark.long
def test_from_nothing_to_a_provider_that_was_paid(tmp_path: Path) -> None:
    """In as many commands as the page says, and every fen is where it says."""
    story = Story(tmp_path)
    founded(story)
    ledger = story.network / "ledger"
    with serving(ledger) as story.url:
        contracted(story)
    story.ahead = ("--log-time", f"{story.day(FIRST + 1)}T09:00")
    with serving(ledger, *story.ahead) as story.url:
        paid(story)
    assert story.count == {NETWORK: 1, TREASURY: 3, PROVIDER: 3, HOLDER: 2}
    assert done("audit", ledger, "--trust", story.policy).splitlines()[0] == "verdict: clean"
    claim = run("show", ledger, "claim", CLAIM, "--json").json["claim"]["balance"]
    assert (claim["status"], claim["amount_fen"], claim["paid_fen"]) == ("settled", 19_200, 19_200)
    (row,) = run("balances", ledger, "--json").json["balances"]
    assert (row["envelope_fen"], row["unissued_fen"]) == (500_000_000, 350_000_000)
    assert (row["available_fen"], row["reserved_fen"], row["paid_fen"]) == (149_000_000, 980_800, 19_200)


def test_the_page_takes_as_many_commands_as_it_says_and_fewer_than_ten() -> None:
    """Counted in its blocks; what the rehearsal adds (a later clock) and what checks it all afterwards don't count."""
    page = PAGE.read_text()
    script = "".join(re.findall(r"```sh\n(.*?)```", page.partition("## Anybody: check")[0], re.DOTALL))
    rehearsal = page.partition("For the rehearsal the service ends")[2].partition("```sh\n")[2].partition("```")[0]
    given = [line for line in script.splitlines() if line.startswith("tallystick ")]
    assert [line for line in rehearsal.splitlines() if line in given] == [
        'tallystick serve a/net/ledger --port 8473 --log-time "$later" > a/url 2> a/service.log &'
    ]
    counted = len(given) - 1
    said = [int(number) for number in re.findall(r"^\| (?:a|the) [\w -]+ \| (\d+) \|", page, re.MULTILINE)]
    assert counted == sum(said) == 9
    assert "That is nine commands" in page
    assert "{" not in re.sub(r"\$\{\w+(%%-\*)?\}", "", script), "no JSON"


def test_a_network_whose_first_commands_are_no_sheet_is_not_founded(tmp_path: Path) -> None:
    """Nothing is left behind, so that the same command can be given again."""
    sheet = tmp_path / "network.csv"
    sheet.write_text("do,item\nitem.regster,a\n")
    words = ("network", "found", tmp_path / "net", *NAMED, "--from", sheet)
    assert "line 2, do: there is no kind of command 'item.regster'; nothing was signed" in failed(*words, "--yes")
    assert [*(tmp_path / "net").iterdir()] == []
    sheet.write_text(ITEM)
    unasked = run(*words)
    assert "give --yes" in unasked.err
    assert [*(tmp_path / "net").iterdir()] == []
    quorum = ("--root-vkey", "a", "--root-quorum", "2")
    assert "need a log" in failed(*words, *quorum)
    assert "3 of 3" not in done(*words, "--yes")
    assert {path.name for path in (tmp_path / "net").iterdir()} == {"ledger", "office"}


def test_a_network_of_which_all_is_refused_is_not_founded(tmp_path: Path) -> None:
    """Status 1, as of any command that the log refuses."""
    sheet = tmp_path / "network.csv"
    sheet.write_text("do,subject,reason\nparty.suspend,none-such,a test\n")
    ran = run("network", "found", tmp_path / "net", *NAMED, "--from", sheet, "--yes")
    assert (ran.status, ran.err) == (1, "tallystick: nothing was founded\n")
    assert "line 2: refused: subject_unknown" in ran.out
    assert [*(tmp_path / "net").iterdir()] == []
