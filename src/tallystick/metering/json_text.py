"""JSON files of sources: bounded, whole or not at all, with each name once in an object."""

import json
from collections.abc import Iterable
from typing import Any, Final

from tallystick.errors import UsageFileError
from tallystick.metering.reasons import FileFault

JSON_BYTES_MAX: Final = 256 * 1024 * 1024


def read_json(chunks: Iterable[bytes]) -> Any:  # noqa: ANN401 - whatever the file holds; its reader looks
    """Return what a file of JSON holds; a number that JSON can't write (NaN) is None.

    Raises:
        UsageFileError: it is too large, not UTF-8, not JSON, ends early, or says a name twice in one object.
    """
    data = joined(chunks, JSON_BYTES_MAX, "ask for a shorter time")
    try:
        return json.loads(data.decode("utf-8-sig"), object_pairs_hook=_each_once, parse_constant=lambda _: None)
    except UnicodeDecodeError as error:
        raise UsageFileError(FileFault.ENCODING_UNKNOWN, f"byte {error.start + 1} isn't UTF-8") from None
    except json.JSONDecodeError as error:
        what = "it ends early" if error.pos >= len(data.rstrip()) - 1 else error.msg
        where = f"line {error.lineno}, column {error.colno}"
        raise UsageFileError(FileFault.NOT_PARSABLE_OUTPUT, f"not JSON: {what} ({where})") from None
    except RecursionError:
        raise UsageFileError(FileFault.NOT_PARSABLE_OUTPUT, "not JSON that is read: nested too deeply") from None
    except ValueError as error:
        raise UsageFileError(FileFault.NOT_PARSABLE_OUTPUT, f"not JSON that is read: {error}") from None


def joined(chunks: Iterable[bytes], bytes_max: int, advice: str) -> bytes:
    """Return the bytes of a file that is read as a whole.

    Raises:
        UsageFileError: there are more of them than `bytes_max`.
    """
    parts = list[bytes]()
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > bytes_max:
            raise UsageFileError(FileFault.TOO_LARGE, f"more than {bytes_max:,} bytes; {advice}")
        parts.append(chunk)
    return b"".join(parts)


def mapping_of(value: object) -> dict[str, Any]:
    """Return an object of JSON; an empty one where something else stands."""
    return value if isinstance(value, dict) else {}


def text_of(value: object) -> str:
    """Return a text of JSON; an empty one where something else stands."""
    return value if isinstance(value, str) else ""


def canonical(value: object) -> bytes:
    """Return a record as bytes that are the same for the same record, whatever the order of its names."""
    return json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode("ascii")


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"an object says {twice[:80]!a} twice")
    return values
