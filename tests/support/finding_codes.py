"""Which codes of the one list an audit can find, and which the examination of a dossier, as their sources say."""

import re
from collections.abc import Iterable
from pathlib import Path

import tallystick
from tallystick.dossiers.replaying import MAY_BE_MISSING
from tallystick.findings import FindingCode, code_of
from tallystick.vouchers.refusals import Reason

SOURCES = Path(tallystick.__file__).parent


def _named_in(files: Iterable[Path]) -> set[FindingCode]:
    names = re.findall(r"\bFindingCode\.([A-Z_]+)\b", "".join(path.read_text("utf-8") for path in files))
    return {FindingCode[name] for name in names} | {FindingCode.FINDINGS_CUT}


AUDIT_CODES = _named_in((SOURCES / "audit").glob("*.py")) | {code_of(reason) for reason in Reason}
DOSSIER_CODES = _named_in((SOURCES / "dossiers").glob("*.py")) | {
    code_of(reason) for reason in Reason if reason not in MAY_BE_MISSING
}


def documented(page: str) -> list[tuple[str, str]]:
    """The (code, meaning) of each row about a finding in a page of docs/, in order."""
    text = (SOURCES.parents[1] / "docs" / page).read_text("utf-8").partition("| code | meaning |")[2]
    return re.findall(r"^\| `([a-z_]+)` \| ([^|]+?) \|", text.partition("\n\n")[0], flags=re.MULTILINE)


def in_order(codes: set[FindingCode]) -> list[tuple[str, str]]:
    """The (code, meaning) of each of them, in the order of the list."""
    return [(code.value, code.meaning) for code in FindingCode if code in codes]
