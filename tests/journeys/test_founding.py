"""docs/founding.md as a test: a network is founded, and its parties reach it over HTTP alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from support.actors import uscc_of
from support.command_line import done, run
from support.serving import ServingProcess

NETWORK, TREASURY, PROVIDER, HOLDER = "national-network", "shanghai-treasury", "guian-cluster", "acme-ai"
PROGRAMME, VOUCHER, CONTRACT = f"{TREASURY}/compute", f"{TREASURY}/v-1", f"{HOLDER}/k-1"
CLAIM = f"{PROVIDER}/c-1"
FIRST, LAST = 2, 300  # days from today on: the contract's


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
        self.url = ""

    @property
    def policy(self) -> Path:
        return self.network / "office" / "trust.policy"

    def folder(self, party: str) -> Path:
        return self.network / "office" if party == NETWORK else self.desks / party

    def day(self, days: int) -> date:
        return self.today + timedelta(days=days)

    def does(self, party: str, *words: object) -> str:
        """Give one of a party's commands, which must do as asked."""
        self.count[party] += 1
        return done(*words)

    def at_the_service(self, party: str, *words: object) -> str:
        """Give a command by a party's profile."""
        profile = ("--profile", self.folder(party) / "tallystick.toml", "--source", self.url)
        return self.does(party, *words, "--yes", *profile, *self.ahead)

    def join(self, party: str, role: str, by: str, *more: object) -> None:
        who = ("--party", party, "--role", role, "--name", party.title(), "--by", by, "--no-passphrase")
        self.does(party, "join", self.folder(party), "--source", self.url, "--policy", self.policy, *who, *more)

    def admit(self, by: str, *parties: str) -> None:
        self.at_the_service(by, "cosign", *(self.folder(party) / "admission.note" for party in parties), "--send")


def founded(story: Story) -> None:
    """All that comes before the first job."""
    story.join(TREASURY, "treasury", NETWORK)
    story.join(PROVIDER, "provider", NETWORK, "--uscc", uscc_of(PROVIDER))
    story.join(HOLDER, "holder", TREASURY, "--uscc", uscc_of(HOLDER))
    story.admit(NETWORK, TREASURY, PROVIDER)
    story.admit(TREASURY, HOLDER)
    item = ("--item", "ascend-910b", "--name", "Ascend 910B", "--unit", "gpu_time", "--origin", "domestic")
    story.at_the_service(NETWORK, "do", "item.register", *item)
    story.at_the_service(
        *(TREASURY, "do", "programme.open", "--programme", PROGRAMME, "--name", "Compute", "--voucher-kind", "compute"),
        *("--fiscal-year", story.today.year, "--envelope", "5,000,000.00", "--opens-at", story.day(0)),
        *("--closes-at", story.day(LAST), "--share", "share=50%", "--ceiling", "50%", "--rank", "1"),
        *("--cap", "group=compute,holder=2,000,000.00,floor=0.00", "--validity-days", "365", "--transfer", "forbidden"),
        *("--payee", "provider", "--basis", "metered", "--rounding", "0.01", "--claims", "cycle=any,cut-off-days=60"),
    )
    accredited = ("--programme", PROGRAMME, "--provider", PROVIDER, "--valid-from", story.day(0))
    story.at_the_service(
        TREASURY, "do", "provider.accredit", *accredited, "--item", "item=ascend-910b,price-limit=8.00"
    )
    issued = ("--voucher", VOUCHER, "--programme", PROGRAMME, "--holder", HOLDER, "--face", "1,500,000.00")
    story.at_the_service(TREASURY, "do", "voucher.issue", *issued, "--valid-from", story.day(0))


def contracted(story: Story) -> None:
    """A price, a contract that both sides sign, and a reservation."""
    price = ("--item", "ascend-910b", "--price", "6.00", "--valid-from", story.day(FIRST))
    story.at_the_service(PROVIDER, "do", "tariff.publish", *price)
    document = story.folder(HOLDER) / "contract.pdf"
    document.write_text("The contract")
    story.at_the_service(
        *(HOLDER, "do", "contract.sign", "--contract", CONTRACT, "--holder", HOLDER, "--provider", PROVIDER),
        *("--document", document, "--amount", "3,000,000.00", "--first-day", story.day(FIRST), "--last-day"),
        *(story.day(LAST), "--item", "item=ascend-910b,price=6.00", "--basis", "metered", "--claimant", "provider"),
        *("--related-party", "no", "--other-support", "0.00", "--prepare"),
    )
    profile = ("--profile", story.folder(PROVIDER) / "tallystick.toml")
    waiting = story.does(PROVIDER, "inbox", *profile)
    assert "signs contract acme-ai/k-1 between" in waiting
    story.does(PROVIDER, "inbox", "sign", waiting[:12], "--yes", *profile)
    reserved = ("--reservation", f"{HOLDER}/r-1", "--voucher", VOUCHER, "--contract", CONTRACT)
    story.at_the_service(
        HOLDER, "do", "voucher.reserve", *reserved, "--amount", "10,000.00", "--until", story.day(LAST)
    )


def paid(story: Story) -> None:
    """After the contract's first day: what was burned, claimed and paid."""
    line = f"item=ascend-910b,job=job-1,gpus=8,from={story.day(FIRST)}T09:00,to={story.day(FIRST)}T17:00,duration=8h"
    out = story.at_the_service(PROVIDER, "do", "time.burn", "--contract", CONTRACT, "--line", line)
    assert "1 of 1 lines burned, for 384.00 yuan" in out
    claim = ("--claim", CLAIM, "--programme", PROGRAMME, "--last-day", story.day(FIRST))
    assert "amount 192.00" in story.at_the_service(PROVIDER, "do", "redemption.claim", *claim)
    payment = f"amount=192.00,day={story.day(FIRST + 1)},reference=ICBC 1"
    settled = ("--claim", CLAIM, "--row", f"contract={CONTRACT},paid=192.00", "--payment", payment)
    story.at_the_service(TREASURY, "do", "redemption.settle", *settled)


@pytest.mark.long
def test_from_nothing_to_a_provider_that_was_paid(tmp_path: Path) -> None:
    """In as many commands as the page says, and every fen is where it says."""
    story = Story(tmp_path)
    named = ("--origin", "vouchers.example/national", "--name", "National compute vouchers", "--no-passphrase")
    story.does(NETWORK, "network", "found", story.network, *named)
    ledger = story.network / "ledger"
    story.count[NETWORK] += 1  # serve
    with serving(ledger) as story.url:
        founded(story)
        contracted(story)
    story.ahead = ("--log-time", f"{story.day(FIRST + 1)}T09:00")
    with serving(ledger, *story.ahead) as story.url:
        paid(story)
    assert story.count == {NETWORK: 4, TREASURY: 6, PROVIDER: 6, HOLDER: 3}
    assert done("audit", ledger, "--trust", story.policy).splitlines()[0] == "verdict: clean"
    claim = run("show", ledger, "claim", CLAIM, "--json").json["claim"]["balance"]
    assert (claim["status"], claim["amount_fen"], claim["paid_fen"]) == ("settled", 19_200, 19_200)
    (row,) = run("balances", ledger, "--json").json["balances"]
    assert (row["envelope_fen"], row["unissued_fen"]) == (500_000_000, 350_000_000)
    assert (row["available_fen"], row["reserved_fen"], row["paid_fen"]) == (149_000_000, 980_800, 19_200)
