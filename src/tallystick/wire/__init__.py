"""The one JSON shape of every answer, whatever brings it: `--json` now, and what serves or asks over HTTP later.

    answers.py      what became of a note: an entry, line by line of a statement, or a refusal
    entries.py      an entry in full
    events.py       an entry as an event that streams tell
    resources.py    balances, vouchers, holders, programmes, providers
    proven.py       what a proof proves: an entry, a tree that only grew, a sealed balance
    dossiers.py     what the examination of a dossier came to
    made.py         what was made for its owner: a ledger, a copy of one, a key, a witness, a cosigned checkpoint
    problems.py     an error
    note_lines.py   many notes in one body
    json_text.py    any of these as JSON text, on which no reader takes a number for another

Functions from values to JSON objects: nothing is read, printed or sent here. Amounts are whole fen, times RFC 3339 in
UTC, hashes base64. A member is added, never renamed or given another meaning; a reader passes over those that it
doesn't know. The audit's report is a format of its own (`audit/report.py`), whose bytes an auditor keeps.
"""

from dataclasses import Field
from typing import Any, ClassVar, Protocol, TypeAlias

JsonObject: TypeAlias = dict[str, Any]
"""JSON values by their names, in the order in which they are written."""


class DataclassValue(Protocol):
    """A value of any dataclass, whose fields are the members that are said."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]
