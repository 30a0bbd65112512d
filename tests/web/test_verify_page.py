"""verify.html is made from the modules that are there now, asks no server, and says everything in both languages."""

import base64
import hashlib
import re
import shutil
from pathlib import Path

import pytest

from support.command_line import Desk, done
from tallystick.findings import FindingCode
from tallystick.publishing.verify_page import read_page, verify_page
from tallystick.vouchers.rulebook import RULES
from tallystick.web import verify_page as builder
from tallystick.web.pages.words import words_in

PAGE = builder.PAGE_FILE.read_text("utf-8")
MODULES = {path.name: path.read_text("utf-8") for path in builder.MODULES.glob("*.mjs")}
OUTSIDE = {"service.mjs"}
"""Of a service alone."""


def test_the_page_is_what_the_modules_make() -> None:
    """`make verify-page` was run after the newest change of them, and of the names that it has."""
    assert builder.NAMES_FILE.read_bytes() == builder.names(), "run `make verify-page`"
    assert builder.PAGE_FILE.read_bytes() == builder.page(), "run `make verify-page`"
    assert verify_page() == builder.PAGE_FILE.read_bytes()


def test_the_page_may_run_its_own_script_alone_and_ask_nothing() -> None:
    """Its policy names what stands in it by hash, and there is no address, handler or style beside."""
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', PAGE)
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert directives.pop("default-src") == directives.pop("connect-src") == "'none'"
    assert directives.pop("base-uri") == directives.pop("form-action") == "'none'"
    for tag in ("script", "style"):
        (text,) = re.findall(f"<{tag}>(.*?)</{tag}>", PAGE, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert directives.pop(f"{tag}-src") == f"'sha256-{digest}'"
    assert directives == {}
    assert not re.search(r"https?://|\b(?:src|href|style|on\w+)=|\bfetch\(|XMLHttpRequest|\bimport\s*\(|\beval\(", PAGE)


def test_every_module_is_in_the_page() -> None:
    """But what is of a service alone; and no two have one name there."""
    for name, text in MODULES.items():
        assert (f"const ${name.removesuffix('.mjs')} = (" in PAGE) == (name not in OUTSIDE), name
        assert ("innerHTML" in text, "document.write" in text) == (False, False), name


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("import x from './encoding.mjs'\n", "import x from './encoding.mjs'"),
        ("import { fs } from 'node:fs'\n", "import { fs } from 'node:fs'"),
        ("export default 1\n", "export default 1"),
        ("import { start } from './page.mjs'\n", "import each other: page words page"),
    ],
)
def test_a_module_of_another_form_is_refused(
    text: str, complaint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rather than left out of the page."""
    folder = tmp_path / "verify"
    shutil.copytree(builder.MODULES, folder)
    (folder / "words.mjs").write_text(text)
    monkeypatch.setattr(builder, "MODULES", folder)
    with pytest.raises(ValueError, match=re.escape(complaint)):
        builder.page()


def test_a_script_that_would_end_early_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A browser ends a script at its end tag, wherever that stands."""
    folder = tmp_path / "verify"
    shutil.copytree(builder.MODULES, folder)
    with (folder / "words.mjs").open("a") as words:
        words.write("// </script>\n")
    monkeypatch.setattr(builder, "MODULES", folder)
    with pytest.raises(ValueError, match="can't hold what ends it"):
        builder.page()


def rows_of(table: str) -> dict[str, tuple[str, str]]:
    """A table of words.mjs: by key the English and the Chinese text."""
    (body,) = re.findall(rf"export const {table} = \{{\n(.*?)\n\}}\n", MODULES["words.mjs"], re.DOTALL)
    quoted = r"""(?:'([^']*)'|"([^"]*)")"""
    rows = re.findall(rf"^  (\w+): \[\s*{quoted},\s*{quoted},?\s*\],$", body, re.MULTILINE)
    assert len(rows) == len(re.findall(r"^  \w+: \[", body, re.MULTILINE))
    return {key: (one or other, third or fourth) for key, one, other, third, fourth in rows}


def test_words_are_complete_in_both_languages() -> None:
    """Each is used, what is used is there, both have the same values, and the Chinese is Chinese."""
    words = rows_of("WORDS")
    assert len(words) > 80
    for key, (english, chinese) in words.items():
        assert english, key
        assert re.search(r"[\u4e00-\u9fff]", chinese + english), key
        assert sorted(re.findall(r"\{\w+\}", english)) == sorted(re.findall(r"\{\w+\}", chinese)), key
        assert english.count("`") == chinese.count("`"), key
    code = MODULES["page.mjs"] + MODULES["service.mjs"]
    used = {key for key in words if re.search(rf"'{key}'", code)}
    made = {"evidence_hint", "policy_hint", *[key for key in words if key.startswith("looks_")]}
    verdicts = {"proven", "checked", "refused", "unreadable", "unsupported"}
    assert set(words) - used <= made | verdicts | {"policy"}
    assert set(re.findall(r"say\('(\w+)'", code)) <= set(words)


def test_every_field_of_a_command_has_a_name_in_both_languages() -> None:
    """On this page or on all."""
    own = rows_of("FIELDS")
    fields = {field.alias or name for rule in RULES for name, field in rule.model_fields.items()}
    for name in fields - {"kind", "log", "party", "ref"}:
        named = own.get(name) or (words_in("en").member(name), words_in("zh").member(name))
        assert re.search(r"[\u4e00-\u9fff]", named[1]), name
    for code in FindingCode:
        assert re.search(r"[\u4e00-\u9fff]", words_in("zh").finding(code.value)), code


def test_an_export_carries_the_page(tmp_path: Path) -> None:
    """Beside the checkpoint, and it is this version's."""
    desk = Desk(tmp_path)
    desk.found()
    done("export", desk.ledger, tmp_path / "public")
    assert (tmp_path / "public" / "verify.html").read_bytes() == verify_page()
    assert read_page(tmp_path / "public") == verify_page()
    assert "0 of them new" in done("export", desk.ledger, tmp_path / "public")
    done("audit", tmp_path / "public", "--trust", desk.policy)
