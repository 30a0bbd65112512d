"""The verifier for a disk: one file with all of its modules, styles and words in it, which asks no server.

`python -m tallystick.web.verify_page` (`make verify-page`) writes, from `static/verify/`:

    static/verify/names.mjs   what the members of closed lists are called, in both languages
    static/verify.html        the page; the wheel, a service and every export have it

A module becomes a function that runs once, in an order in which each comes after those that it imports. Only the forms
of `import` and `export` that our modules use are known, and any other is an error. What may run is said by its hash.
"""

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Final

from tallystick.findings import FindingCode
from tallystick.vouchers.rulebook import EVENT_KINDS
from tallystick.web.pages.code_names import NAMES
from tallystick.web.pages.member_names import MEMBERS
from tallystick.web.pages.words import Words, words_in

STATIC: Final = Path(str(files("tallystick.web") / "static"))
MODULES: Final = STATIC / "verify"
NAMES_FILE: Final = MODULES / "names.mjs"
PAGE_FILE: Final = STATIC / "verify.html"

_REASONS: Final = (
    "canonical_json",
    "checkpoint_malformed",
    "edition_unknown",
    "entry_malformed",
    "key_malformed",
    "malformed",
    "note_malformed",
    "policy_malformed",
    "proof_invalid",
    "quorum_missing",
    "receipt_malformed",
    "signature_invalid",
    "signature_missing",
    "usage",
)
"""What a receipt or a balance proof is refused for, or can't be read for."""
_IMPORT: Final = re.compile(r"import (\{[^}]*\}|\* as \w+) from '\./(\w+)\.mjs'\n")
_EXPORT: Final = re.compile(r"^export ((?:async function|function|class|const) (\w+))", re.MULTILINE)
_NAMED: Final = re.compile(r"(\w+) as (\w+)")
_OTHER_FORM: Final = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)

_SHELL: Final = """\
<!doctype html>
<!-- Tallystick: verifies receipts, dossiers and balance proofs on this machine. Made by `make verify-page`. -->
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>Verify a receipt, a dossier or a balance proof</title>
<style>{styles}</style>
</head>
<body>
<main id="main">
<div id="verify" data-alone></div>
<noscript>
<p>This page verifies by a script in it, and scripts are switched off. <code>tallystick verify</code> does the same.</p>
<p lang="zh-CN">本页靠其中的脚本进行验证，而脚本已被停用。也可使用命令 <code>tallystick verify</code>。</p>
</noscript>
</main>
<script>{script}</script>
</body>
</html>
"""
_BEGIN: Final = "$page.startAlone(document.getElementById('verify'))\n"


def names() -> bytes:
    """Return the module of names, as the closed lists and the catalogue have them now."""
    lists: Mapping[str, tuple[Iterable[str], Callable[[Words, str], str]]] = {
        "kinds": (EVENT_KINDS.values(), Words.kind),
        "roles": (NAMES["role"], Words.role),
        "fields": (MEMBERS, Words.member),
        "findings": ([code.value for code in FindingCode], Words.finding),
        "reasons": (_REASONS, Words.reason),
    }
    said = {
        name: {code: [called(words_in("en"), code), called(words_in("zh"), code)] for code in sorted(codes)}
        for name, (codes, called) in lists.items()
    }
    values = json.dumps(said, indent=1, ensure_ascii=False)
    return f"// Made by `make verify-page`.\n\nexport const NAMES = {values}\n".encode()


def page() -> bytes:
    """Return the page, of the files as they are.

    Raises:
        ValueError: a module imports or exports in a form that isn't known here, or one that imports it.
    """
    script = _joined("page") + _BEGIN
    script = f"'use strict'\n{{\n{script}}}\n"
    styles = (MODULES / "verify.css").read_text("utf-8")
    if "</" in script or "</" in styles or "<!--" in script:
        raise ValueError("a script or style in a page can't hold what ends it")
    policy = (
        f"default-src 'none'; script-src '{_hash_of(script)}'; style-src '{_hash_of(styles)}'; connect-src 'none'; "
        "base-uri 'none'; form-action 'none'"
    )
    return _SHELL.format(policy=policy, styles=styles, script=script).encode()


def _hash_of(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _joined(start: str) -> str:
    """Return a module, and before it all that it imports, each as a constant `$<its name>`."""
    made: dict[str, str] = {}
    under_way: list[str] = []

    def add(name: str) -> None:
        if name in under_way:
            raise ValueError(f"modules import each other: {' '.join([*under_way, name])}")
        if name in made:
            return
        under_way.append(name)
        text = (MODULES / f"{name}.mjs").read_text("utf-8")
        for _, imported in _IMPORT.findall(text):
            add(imported)
        made[name] = _as_constant(name, text)
        under_way.pop()

    add(start)
    return "\n".join(made.values())


def _as_constant(name: str, text: str) -> str:
    """Return a module as an object of what it exports."""
    exported = [export for _, export in _EXPORT.findall(text)]
    text = _EXPORT.sub(r"\1", _IMPORT.sub(_as_destructured, text))
    other = _OTHER_FORM.search(text)
    if other is not None:
        raise ValueError(f"{name}.mjs: {other[0]!r} is no form that is known here")
    return f"const ${name} = (() => {{\n{text}return {{ {', '.join(exported)} }}\n}})()\n"


def _as_destructured(found: re.Match[str]) -> str:
    what, module = found[1], found[2]
    if what.startswith("*"):
        return f"const {what.removeprefix('* as ')} = ${module}\n"
    renamed = _NAMED.sub(r"\1: \2", what)
    return f"const {renamed} = ${module}\n"


def main() -> None:
    """Write both files."""
    NAMES_FILE.write_bytes(names())
    PAGE_FILE.write_bytes(page())


if __name__ == "__main__":
    main()
