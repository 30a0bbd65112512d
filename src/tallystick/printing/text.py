r"""A stranger's text is shown in one line, without anything that isn't printed; amounts are shown with their units.

A log holds names and reasons that strangers wrote; file names and arguments may hold any bytes. What a terminal could
obey (control characters, bidirectional overrides) and what an encoding lacks is shown as `\uXXXX`, beyond U+FFFF as
`\UXXXXXXXX`.
"""

import codecs

ESCAPE_ERRORS = "tallystick_escape"
"""A codec's error handler that writes what the encoding lacks as `escaped` does."""


def escaped(text: str, encoding: str = "utf-8") -> str:
    r"""Return a text with what isn't printed, or what an encoding lacks, as `\uXXXX`."""
    if text.isprintable() and _is_in(text, encoding):
        return text
    return "".join(one if one.isprintable() and _is_in(one, encoding) else _code(one) for one in text)


def one_line(text: str, encoding: str = "utf-8") -> str:
    """Return a text as one line, each run of blanks as one, without anything that isn't printed."""
    return escaped(" ".join(text.split()), encoding)


def gpu_hours(gpu_milliseconds: int) -> str:
    """Return GPU-milliseconds as GPU-hours, truncated to three decimals."""
    thousandths = gpu_milliseconds // 3_600
    return f"{thousandths // 1_000:,}.{thousandths % 1_000:03d}"


def _is_in(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _code(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _escape(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_code, error.object[error.start : error.end])), error.end


codecs.register_error(ESCAPE_ERRORS, _escape)
