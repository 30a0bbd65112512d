"""JSON for other programs is UTF-8 that a person can read, and no reader takes a number of it for another.

What isn't printed (control characters, bidirectional overrides, lone surrogates of file names) is escaped, so that it
steers no terminal either. An integer beyond ±(2^53 - 1) is the text of its digits: many readers keep 53 bits.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from tallystick.vouchers.quantities import json_sum


def json_text(value: object, *, indent: int | None = 2) -> str:
    """Return a value as JSON, without a final newline; in one line if `indent` is None."""
    return escaped_json(json.dumps(exact_json(value), ensure_ascii=False, indent=indent))


def escaped_json(text: str) -> str:
    r"""Return JSON text with what isn't printed in its strings as `\uXXXX`."""
    if text.replace("\n", "").isprintable():
        return text
    return re.sub(r"[^\n]", lambda found: _code(found[0]), text)


def exact_json(value: object) -> Any:  # noqa: ANN401 - JSON values
    """Return JSON values in which an integer beyond ±(2^53 - 1) is the text of its digits."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return json_sum(value)
    if isinstance(value, Mapping):
        return {name: exact_json(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [exact_json(inner) for inner in value]
    return value


def _code(character: str) -> str:
    return character if character.isprintable() else json.dumps(character)[1:-1]
