"""What happened to a thing, entry by entry: the event, what moved, and what else its command names, each as a link."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tallystick.errors import NotFoundError
from tallystick.web.pages.page import CellKind
from tallystick.web.pages.words import N_, Words
from tallystick.web.seen import Seen

_NAMED: Final[Mapping[str, CellKind]] = {
    "holder": "holder",
    "to": "holder",
    "provider": "provider",
    "contract": "contract",
    "application": "application",
    "programme": "programme",
    "reservation": "reservation",
    "voucher": "voucher",
    "into": "voucher",
    "statement": "text",
    "claim": "claim",
    "mandate": "mandate",
    "topic": "text",
    "verdict": "verdict",
    "until": "instant",
    "valid_until": "instant",
    "evidence_hash": "hash",
    "document_hash": "hash",
    "reason": "text",
}
"""Members of a command that are shown beside its event, in this order."""
_TOLD: Final = {*_NAMED, "party"}
_HEADINGS: Final[Mapping[str, str]] = {
    "to": N_("New holder"),
    "into": N_("As the voucher"),
    "statement": N_("Statement"),
}
"""Of members that no row of a table has."""
_TONES: Final[Mapping[str, str]] = {
    "voucher.issued/1": "is-good",
    "voucher.imported/1": "is-good",
    "application.filed/1": "is-wait",
    "application.withdrawn/1": "is-ended",
    "contract.signed/1": "is-good",
    "voucher.suspended/1": "is-warn",
    "voucher.resumed/1": "is-good",
    "voucher.revoked/1": "is-bad",
    "book.expired/1": "is-ended",
    "burn.reversed/1": "is-warn",
}


@dataclass(frozen=True, slots=True)
class Happened:
    """An entry as a page tells it.

    Attributes:
        index, at, kind, party: of the entry.
        tone: the class that marks it; empty of a usual one.
        amount_fen: what moved; 0 if nothing did.
        available_fen: what was available of a voucher just after; None of other things.
        names: what else its command names: the heading, how it is shown, its value.
    """

    index: int
    at: str
    kind: str
    party: str
    tone: str
    amount_fen: int
    available_fen: int | None
    names: tuple[tuple[str, CellKind, str], ...]


def happened(seen: Seen, lines: Iterable[Mapping[str, Any]], own: str, words: Words) -> list[Happened]:
    """Return entries as a page tells them.

    Args:
        seen: what the reader sees.
        lines: as they are in JSON, with `index`, `at`, `kind`, `party`, and what moved where that is known.
        own: the id of the thing whose page it is, which isn't named again.
        words: the reader's language.
    """
    return [_happened(line, _command(seen, line["index"]), own, words) for line in lines]


def _happened(line: Mapping[str, Any], command: Mapping[str, Any], own: str, words: Words) -> Happened:
    named = [(name, how, str(command[name])) for name, how in _NAMED.items() if command.get(name, own) != own]
    return Happened(
        line["index"],
        line["at"],
        line["kind"],
        command.get("party", line["party"]),
        _tone(line["kind"], command),
        line.get("amount_fen") or 0,
        line.get("available_fen"),
        tuple([(_heading(name, words), how, value) for name, how, value in named]),
    )


def _heading(name: str, words: Words) -> str:
    return words.gettext(_HEADINGS[name]) if name in _HEADINGS else words.member(name)


def _command(seen: Seen, index: int) -> dict[str, Any]:
    """Return the members of an entry's command that are told; none of one that its reader may not read as signed."""
    try:
        command = seen.entry(index).event.command
    except NotFoundError:
        return {}
    return command.model_dump(mode="json", exclude_none=True, include=_TOLD)  # and not every line of a statement


def _tone(kind: str, command: Mapping[str, Any]) -> str:
    if "verdict" in command:
        return "is-good" if command["verdict"] == "pass" else "is-bad"
    return _TONES.get(kind, "")
