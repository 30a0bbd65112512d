"""Verified in the browser, by the page on a disk, without any server: the same verdict as the command line's."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import pytest
from playwright.sync_api import Browser

import tallystick.web
from browser.keyboard import choose, press
from browser.sight import LOOKS, PHONES, Counted, Eyes, Look, window
from support.command_line import done, run
from tallystick.errors import TallystickError, VerificationError
from tallystick.publishing import read_ledger
from tallystick.signing.keys import COSIGNATURE_ED25519, SigningKey
from tallystick.wire.problems import code_of

PAGE: Final = Path(tallystick.web.__file__).parent / "static/verify.html"
EVIDENCE: Final = "#verify-evidence"
POLICY: Final = "#verify-policy"
STATUSES: Final = {"proven": 0, "checked": 0, "refused": 1, "unreadable": 2, "unsupported": 2}
INDEX: Final = 1_000
WITNESS: Final = SigningKey.from_seed("witness.example/1", bytes(32), COSIGNATURE_ED25519)


class Verdict(NamedTuple):
    """The command line's status, and the code of what is wrong."""

    status: int
    code: str | None


def by_command(evidence: Path, policy: Path, monkeypatch: pytest.MonkeyPatch) -> Verdict:
    """What `tallystick verify` says."""
    monkeypatch.setenv("TALLYSTICK_TRACEBACK", "1")
    try:
        ran = run("verify", evidence, "--trust", policy, "--json")
    except TallystickError as error:
        return Verdict(1 if isinstance(error, VerificationError) else 2, code_of(type(error)))
    findings = ran.json.get("findings", [])
    return Verdict(ran.status, findings[0]["code"] if findings else None)


def by_page(eyes: Eyes, evidence: Path, policy: Path) -> Verdict:
    """What the page says."""
    eyes.page.reload()
    eyes.page.set_input_files(POLICY, policy)
    eyes.page.set_input_files(EVIDENCE, evidence)
    told = eyes.page.locator("[data-verdict]")
    told.wait_for()
    return Verdict(STATUSES[str(told.get_attribute("data-verdict"))], told.get_attribute("data-code"))


@pytest.fixture
def alone(chromium: Browser, counted: Counted) -> Iterator[Eyes]:
    """The page on a disk, in a browser without a network."""
    with window(chromium, "file://", counted, LOOKS[0], offline=True) as eyes:
        eyes.page.goto(PAGE.as_uri())
        yield eyes


@pytest.fixture(scope="module")
def receipt(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A receipt of the demo's."""
    path = tmp_path_factory.mktemp("evidence") / "one.tlog-proof"
    done("receipt", demo, INDEX, "-o", path)
    return path


@pytest.fixture(scope="module")
def policy(demo: Path) -> Path:
    return demo / "trust.policy"


def tampered(receipt: bytes) -> Iterator[bytes]:
    """The receipt with one character of every line changed, which stays readable."""
    lines = receipt.splitlines(keepends=True)
    for number, line in enumerate(lines):
        place = len(line) // 2
        other = b"B" if line[place : place + 1] != b"B" else b"C"
        if len(line) > 1:
            yield b"".join([*lines[:number], line[:place] + other + line[place + 1 :], *lines[number + 1 :]])
    yield receipt[: len(receipt) // 2]
    yield b""


def test_a_receipt_is_proved_and_a_tampered_one_is_refused(
    alone: Eyes, receipt: Path, policy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert by_page(alone, receipt, policy) == by_command(receipt, policy, monkeypatch) == Verdict(0, None)
    assert f"{INDEX:,}" in alone.page.get_by_role("status").inner_text()
    bad = tmp_path / "bad.tlog-proof"
    for data in tampered(receipt.read_bytes()):
        bad.write_bytes(data)
        said = by_page(alone, bad, policy)
        assert said == by_command(bad, policy, monkeypatch), data.decode()
        assert said.status != 0


def test_another_log_and_a_quorum_are_told(
    alone: Eyes, receipt: Path, policy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = [line for line in policy.read_text().splitlines() if line.startswith("log ")]
    other = SigningKey.from_seed("tallystick.example/demo", bytes(32)).verifier.to_text()
    quorum = f"witness w {WITNESS.verifier.to_text()}\nquorum w\n"
    for text in (f"log {other}\nquorum none\n", "\n".join([*log, quorum]), "quorum none\n", "nonsense\n", ""):
        made = tmp_path / "made.policy"
        made.write_text(text)
        said = by_page(alone, receipt, made)
        assert said == by_command(receipt, made, monkeypatch), text
        assert said.status != 0


def test_a_balance_and_a_dossier_are_verified_too(
    alone: Eyes, demo: Path, policy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with read_ledger(demo) as reader:
        seals = list(reader.state().seals)
    balance, dossier = tmp_path / "one.balance", tmp_path / "one.dossier"
    done("proof", "balance", demo, "holder", "cedar-voice", "--seal", seals[-1], "-o", balance)
    done("dossier", demo, "holder", "cedar-voice", "-o", dossier)
    for path in (balance, dossier):
        assert by_page(alone, path, policy) == by_command(path, policy, monkeypatch) == Verdict(0, None)
        path.write_bytes(path.read_bytes().replace(b"cedar-voice", b"cedar-voise", 3))
        said = by_page(alone, path, policy)
        assert said == by_command(path, policy, monkeypatch)
        assert said.status != 0


@pytest.mark.parametrize("look", LOOKS)
def test_a_person_verifies_it_by_keyboard(
    chromium: Browser, counted: Counted, receipt: Path, policy: Path, look: Look
) -> None:
    with window(chromium, "file://", counted, look, offline=True) as eyes:
        page = eyes.page
        page.goto(PAGE.as_uri())
        if look.language == "zh":
            press(page, page.locator("button[lang='zh-CN']"))
        choose(page, page.locator(EVIDENCE), receipt)
        choose(page, page.locator(POLICY), policy)
        page.locator("[data-verdict=proven]").wait_for()
        assert page.locator("html").get_attribute("lang") == {"en": "en", "zh": "zh-CN"}[look.language]
        eyes.check_with_axe("verify.html")
        assert [eyes.width_beyond(size) for size in PHONES] == [None, None]
