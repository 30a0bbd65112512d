"""The page of an application: what is asked for, what reviewers said, which gates that passes, what was issued."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from tallystick.web.pages.cells import table_of
from tallystick.web.pages.page import Asked, CellKind, Column, Page, PageRoute, Table
from tallystick.web.pages.timelines import happened
from tallystick.web.pages.words import Words
from tallystick.web.seen import Seen

_STANDING: Final[Mapping[str, CellKind]] = {"standing": "status"}


def application(seen: Seen, asked: Asked) -> Page:
    """Return the page of an application."""
    id_, words = asked.owned_id, asked.words
    said = seen.one("application", id_)["application"]
    balance = said["balance"]
    gates = [_gate(gate, said["verdicts"]) for gate in said["gates"]]
    values = {
        "id": id_,
        "balance": balance,
        "gates_missing": sum(1 for gate in gates if gate["state"] != "passed"),
        "events": happened(seen, _way(said), id_, words),
    }
    return Page(id_, values, _tables(said, gates, words))


def _gate(gate: Mapping[str, Any], verdicts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return a gate with whom it waits for: its attesters without a verdict that stands, or those that fail it."""
    standing = {
        one["attester"]: one["verdict"]
        for one in verdicts
        if one["topic"] == gate["topic"] and one["standing"] == "stands"
    }
    failed = [one for one in gate["attesters"] if standing.get(one) == "fail"]
    silent = [one for one in gate["attesters"] if one not in standing]
    state = "passed" if gate["passed"] else "not_passed" if failed else "waiting"
    waits_for = "" if gate["passed"] else ", ".join(failed or silent)
    return {**gate, "attesters": ", ".join(gate["attesters"]), "state": state, "waits_for": waits_for}


def _way(said: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the entries of its way, newest first."""
    balance = said["balance"]
    filed = {"index": balance["filed_index"], "at": balance["filed_at"], "kind": "application.filed/1"}
    way = [{**filed, "party": balance["holder"], "amount_fen": balance["amount_fen"]}]
    way += [
        {"index": one["index"], "at": one["at"], "kind": "attestation.given/1", "party": one["attester"]}
        for one in said["verdicts"]
    ]
    treasury = balance["programme"].partition("/")[0]
    way += [
        {"index": one["index"], "at": one["at"], "kind": "voucher.issued/1", "amount_fen": one["face_fen"]}
        | {"party": treasury}
        for one in said["issued"]
    ]
    if balance["withdrawn_index"] is not None:
        withdrawn = {"index": balance["withdrawn_index"], "at": balance["withdrawn_at"]}
        way.append({**withdrawn, "kind": "application.withdrawn/1", "party": balance["holder"]})
    return sorted(way, key=lambda line: -int(line["index"]))


def _tables(said: Mapping[str, Any], gates: list[dict[str, Any]], words: Words) -> tuple[Table, ...]:
    gate_columns = (
        Column("topic", words.member("topic")),
        Column("subject", words.member("subject")),
        Column("state", words.member("standing"), "status"),
        Column("passes", words.gettext("Passed by"), "count"),
        Column("asked", words.gettext("Of those needed"), "count"),
        Column("attesters", words.member("attesters")),
        Column("waits_for", words.gettext("Waits for, or failed by")),
    )
    issued_columns = ("voucher", "face_fen", "at", "index")
    return (
        Table("gates", words.gettext("What must pass before a voucher is issued"), gate_columns, gates),
        verdicts_table(said["verdicts"], words.gettext("What reviewers said"), words),
        table_of("issued", words.gettext("What was issued for it"), said["issued"], words, columns=issued_columns),
    )


def verdicts_table(verdicts: Sequence[Mapping[str, Any]], caption: str, words: Words) -> Table:
    """Return verdicts on a thing as a table."""
    columns = ("topic", "attester", "verdict", "standing", "reason", "at", "valid_until", "index")
    return table_of("verdicts", caption, verdicts, words, columns=columns, kinds=_STANDING)


PAGES: Final = (PageRoute("/applications/{owner}/{number}", "application.html", application),)
