"""verify.html in Debian's Chromium, from a disk: its verdicts are the command line's, and no server is asked."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from browser.sight import AXE
from support.command_line import done, run
from tallystick.publishing import read_ledger
from tallystick.publishing.verify_page import verify_page
from tallystick.signing.keys import COSIGNATURE_ED25519, SigningKey
from tallystick.transparency.cosignature import cosign

WITNESSES = [SigningKey.from_seed(f"witness.example/{n}", bytes([n]) * 32, COSIGNATURE_ED25519) for n in range(1, 4)]
SECONDS = 1_767_600_000
VECTORS = Path(__file__).parents[1] / "vectors" / "ed25519_cctv.json"
ASK = """async ([isOwn, rows]) => {
  if (isOwn) SubtleCrypto.prototype.importKey = async () => { throw new DOMException("no", "NotSupportedError") };
  const verifier = await import(`/static/verify/ed25519.mjs?${isOwn}`);
  const { fromHex, fromText } = await import("/static/verify/encoding.mjs");
  const answers = [];
  for (const [key, signature, message] of rows) {
    answers.push(await verifier.signatureFits(fromHex(key), fromText(message), fromHex(signature)));
  }
  return [await verifier.usesOwnArithmetic(), answers];
}"""


@pytest.fixture(scope="module")
def folder(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page, and a receipt, a balance proof and a dossier of the demo."""
    folder = tmp_path_factory.mktemp("verify")
    (folder / "verify.html").write_bytes(verify_page())
    done("receipt", demo, 45, "-o", folder / "45.tlog-proof")
    done("dossier", demo, "provider", "guian-cluster", "-o", folder / "guian.dossier")
    with read_ledger(demo) as reader:
        seal = next(
            index
            for index in range(reader.size - 1, 0, -1)
            if b'"book.sealed/1"' in next(reader.entries(index, index + 1))
        )
    seals = ("--seal", re.findall(r'"seal":"([^"]+)"', _entry(demo, seal))[0])
    done("proof", "balance", demo, "provider", "guian-cluster", *seals, "-o", folder / "guian.proof")
    return folder


def _entry(demo: Path, index: int) -> str:
    with read_ledger(demo) as reader:
        return next(reader.entries(index, index + 1)).decode()


@pytest.fixture
def page(chromium: Browser, folder: Path) -> Iterator[Page]:
    """The page, opened from the disk; it may say nothing in the console, and ask for nothing."""
    context = chromium.new_context(locale="en-US")
    said: list[str] = []
    asked: list[str] = []
    context.on("console", lambda message: said.append(message.text))
    context.on("weberror", lambda error: said.append(str(error.error)))
    context.on("request", lambda request: asked.append(request.url))
    page = context.new_page()
    page.goto((folder / "verify.html").as_uri())
    yield page
    assert said == []
    assert asked == [(folder / "verify.html").as_uri()]
    context.close()


def verdict(page: Page, evidence: Path, policy: Path) -> tuple[str, str | None]:
    """What the page says of a file under a policy: the verdict's word and its code."""
    page.get_by_role("button", name=re.compile("Start again|重新开始")).click()
    page.locator("#verify-evidence").set_input_files(evidence)
    page.locator("#verify-policy").set_input_files(policy)
    page.get_by_role("button", name=re.compile("^(Verify|验证)$")).click()
    told = page.locator("[data-verdict]")
    told.wait_for()
    return told.get_attribute("data-verdict") or "", told.get_attribute("data-code")


STATUS = {"proven": 0, "checked": 0, "refused": 1, "unreadable": 2, "unsupported": 2}


def test_its_verdicts_are_the_command_lines(page: Page, folder: Path, demo: Path) -> None:
    """Of what is good, of a flipped bit, another log, a policy with a quorum that is reached and one that isn't."""
    trust = (demo / "trust.policy").read_text()
    good = (folder / "45.tlog-proof").read_bytes()
    with read_ledger(demo) as reader:
        note = reader.checkpoint_note()
    lines = b"".join(cosign(note, witness, SECONDS) for witness in WITNESSES[:2])
    witnesses = "".join(f"witness w{n} {key.verifier.to_text()}\n" for n, key in enumerate(WITNESSES))
    quorum = trust.replace("quorum none", f"{witnesses}group ws 2 w0 w1 w2\nquorum ws")
    stranger = SigningKey.from_seed("other.example/log", bytes(32)).verifier.to_text()
    files = {
        "good": (good, trust, "proven", None),
        "flipped": (good.replace(b"index 45", b"index 44"), trust, "refused", "proof_invalid"),
        "other": (good, f"log {stranger}\nquorum none\n", "refused", "signature_missing"),
        "cosigned": (good + lines, quorum, "proven", None),
        "uncosigned": (good, quorum, "refused", "quorum_missing"),
        "cut": (good[:100], trust, "unreadable", "receipt_malformed"),
        "policy": (good, trust[:-1], "unreadable", "policy_malformed"),
        "dossier": ((folder / "guian.dossier").read_bytes(), trust, "checked", None),
        "balance": ((folder / "guian.proof").read_bytes(), trust, "proven", None),
    }
    for name, (evidence, policy, word, code) in files.items():
        evidence_file, policy_file = folder / f"{name}.evidence", folder / f"{name}.policy"
        evidence_file.write_bytes(evidence)
        policy_file.write_text(policy)
        assert verdict(page, evidence_file, policy_file) == (word, code), name
        assert run("verify", evidence_file, "--trust", policy_file).status == STATUS[word], name


def test_it_says_what_it_proved_and_what_it_did_not(page: Page, folder: Path, demo: Path) -> None:
    """The log, the entry, who signed it, the tree; and of a dossier that the rules were not applied."""
    policy = demo / "trust.policy"
    assert verdict(page, folder / "45.tlog-proof", policy) == ("proven", None)
    text = page.locator("main").inner_text()
    header = _entry(demo, 45)
    assert re.findall(r'"kind":"([^"]+)"', header)[0] in text
    assert re.findall(r"— (\S+) ", header)[0] in text
    with read_ledger(demo) as reader:
        assert f"{reader.size:,}" in text
        assert reader.origin in text
    assert verdict(page, folder / "guian.dossier", policy) == ("checked", None)
    said = page.get_by_role("status").inner_text()
    assert "Whether they were decided by the rules was not checked here" in said
    assert "Proved" not in said
    page.get_by_role("button", name="中文").click()
    page.locator("[data-verdict]").wait_for()
    assert page.locator("html").get_attribute("lang") == "zh-CN"
    assert "没有核查" in page.get_by_role("status").inner_text()


def test_files_are_dropped_and_a_policy_is_pasted(page: Page, folder: Path, demo: Path) -> None:
    """A file goes where it belongs, wherever it was dropped; what is pasted needs no newline at its end."""
    receipt = (folder / "45.tlog-proof").read_text()
    page.evaluate(
        """([name, text]) => {
          const data = new DataTransfer();
          data.items.add(new File([text], name));
          document.body.dispatchEvent(new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true}));
        }""",
        ["45.tlog-proof", receipt],
    )
    page.get_by_text("Chosen: 45.tlog-proof").wait_for()
    page.get_by_label("Or paste the text").fill((demo / "trust.policy").read_text().rstrip("\n"))
    page.get_by_role("button", name="Verify").click()
    page.locator("[data-verdict=proven]").wait_for()
    page.locator("#verify-evidence").set_input_files(demo / "trust.policy")
    page.get_by_text("Chosen: trust.policy").wait_for()
    page.locator("[data-verdict=proven]").wait_for()


def test_everybody_can_use_it(page: Page, folder: Path, demo: Path) -> None:
    """By keyboard alone; axe finds nothing in either language or theme, before and after a verdict; on a phone too."""
    for language, theme in (("en", "light"), ("zh", "dark")):
        page.emulate_media(color_scheme="light" if theme == "light" else "dark")
        _axe(page, language)
        verdict(page, folder / "guian.proof", demo / "trust.policy")
        _axe(page, language)
        page.set_viewport_size({"width": 320, "height": 640})
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        page.set_viewport_size({"width": 1_280, "height": 900})
        page.screenshot(path=_screens() / f"verify-alone-{language}-{theme}.png", full_page=True)
        page.get_by_role("button", name="中文" if language == "en" else "English").press("Enter")
    page.get_by_role("button", name="Start again").press("Enter")
    assert page.evaluate("document.activeElement.id") == "verify-evidence"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "verify-policy"


def _axe(page: Page, language: str) -> None:
    """Run as an extension would be: the page's policy allows no script but its own."""
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate(
        "async () => (await axe.run(document)).violations.map((one) => [one.id, one.nodes[0].target.join(' ')])"
    )
    assert found == [], language


def _screens() -> Path:
    folder = Path(__file__).parents[2] / "build/screens"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def test_a_browser_without_cryptography_says_what_to_do(chromium: Browser, folder: Path, demo: Path) -> None:
    """As over http from another machine; and one that lacks Ed25519 alone verifies by the page's own arithmetic."""
    context = chromium.new_context()
    context.add_init_script("Object.defineProperty(globalThis.crypto, 'subtle', { value: undefined })")
    page = context.new_page()
    page.goto((folder / "verify.html").as_uri())
    assert "Save verify.html to disk" in page.get_by_role("status").inner_text()
    assert verdict(page, folder / "45.tlog-proof", demo / "trust.policy") == ("unsupported", "unsupported")
    context.close()
    context = chromium.new_context()
    context.add_init_script(
        "SubtleCrypto.prototype.importKey = async () => { throw new DOMException('no', 'NotSupportedError') }"
    )
    page = context.new_page()
    page.goto((folder / "verify.html").as_uri())
    assert verdict(page, folder / "45.tlog-proof", demo / "trust.policy") == ("proven", None)
    assert "no Ed25519 of its own" in page.get_by_role("status").inner_text()
    context.close()


def test_a_service_gives_the_receipt_and_its_page_verifies_it(explorer: str, chromium: Browser, demo: Path) -> None:
    """By /verify?entry=45, under the site's own policy."""
    context = chromium.new_context(locale="zh-CN")
    said: list[str] = []
    context.on("console", lambda message: said.append(message.text))
    page = context.new_page()
    page.goto(f"{explorer}/verify?entry=45")
    page.get_by_text("已从本服务器取得第 45 号条目的回执").wait_for()
    page.locator("#verify-policy").set_input_files(demo / "trust.policy")
    page.locator("[data-verdict=proven]").wait_for()
    page.goto(f"{explorer}/verify?entry=999999999")
    page.get_by_text("未能取得第 999999999 号条目的回执").wait_for()
    assert [text for text in said if "404" not in text] == []
    context.close()


def test_the_accept_set_is_the_published_one_here_too(explorer: str, chromium: Browser) -> None:
    """Of all published signatures: with this browser's cryptography, and by the page's own arithmetic without it."""
    published = json.loads(VECTORS.read_text("ascii"))["vectors"]
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{explorer}/verify")
    for is_own in (False, True):
        answers = page.evaluate(ASK, [is_own, [[row[1], row[2], row[3]] for row in published]])
        assert answers == [is_own, [row[5] for row in published]]
    context.close()
