"""What is in an extra may be missing: a command that needs it says so in one line, and all others work."""

import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from support.command_line import finish, start, the_line
from tallystick.cli import EXTRA_OF
from tallystick.signing.keys import SigningKey
from tallystick.transparency.policy import Policy

PYPROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"
EXTRAS = tomllib.loads(PYPROJECT.read_text())["project"]["optional-dependencies"]


def without(*modules: str) -> tuple[str, ...]:
    """The program where these modules aren't installed."""
    gone = "".join(f"sys.modules[{module!r}] = None; " for module in modules)
    return ("-c", f"import sys; {gone}from tallystick.cli import main; sys.exit(main())")


def test_every_package_of_an_extra_is_known_by_its_modules() -> None:
    known = {
        (extra, canonicalize_name(owner))
        for module, owners in metadata.packages_distributions().items()
        for owner in owners
        for _, extra in [EXTRA_OF.get(module, ("", ""))]
    }
    asked = {(extra, canonicalize_name(Requirement(text).name)) for extra in EXTRAS for text in EXTRAS[extra]}
    assert len(asked) > 5
    assert asked <= known


@pytest.mark.parametrize(
    ("words", "module", "extra"),
    [
        (["serve", "{ledger}", "--port", "0"], "uvicorn", "serve"),
        (["serve", "{ledger}", "--port", "0"], "fastapi", "serve"),
        (["audit", "postgresql://h/db", "--trust", "{ledger}/trust.policy"], "psycopg", "postgres"),
        (["papers", "{ledger}", "-o", "{ledger}/papers", "--seed", "x", "--xlsx"], "xlsxwriter", "books"),
        (["statement", "{ledger}", "holder", "maker-a", "-o", "-"], "typst", "books"),
        (["statement", "{ledger}", "holder", "maker-a", "-o", "-"], "pylopdf_fonts_zh_cn", "books"),
        (["journal", "{ledger}", "--format", "parquet", "-o", "{ledger}/j"], "duckdb", "books"),
        (["journal", "{ledger}", "--format", "xlsx", "-o", "{ledger}/j"], "xlsxwriter", "books"),
        (
            ["audit", "{ledger}", "--trust", "{ledger}/trust.policy", "--segments", "--dask", "tcp://h:1"],
            "distributed",
            "dask",
        ),
        (["key", "show", "pkcs11:token=a?module-path=/a.so"], "pkcs11", "pkcs11"),
    ],
)
def test_a_command_that_needs_it_says_so(words: list[str], module: str, extra: str, tmp_path: Path) -> None:
    verifier = SigningKey.from_seed("log.example/a", bytes(32)).verifier
    (tmp_path / "trust.policy").write_bytes(Policy.for_log(verifier).to_text())
    given = [word.format(ledger=tmp_path) for word in words]
    ran = finish(start(*given, program=without(module)))
    assert (ran.status, ran.out) == (2, "")
    assert the_line(ran.err).endswith(f"needs {module}, which isn't installed: pip install 'tallystick[{extra}]'")


def test_without_any_of_them_all_else_works(tmp_path: Path) -> None:
    """A key is made, and every command has its help."""
    program = without(*EXTRA_OF)
    key = finish(start("key", "new", "a/b", "-o", tmp_path / "k", "--no-passphrase", program=program))
    assert (key.status, key.err) == (0, "")
    assert finish(start("--help", program=program)).status == 0
