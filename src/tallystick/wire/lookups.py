"""What a field of a command may name."""

from collections.abc import Iterable

from tallystick.wire import JsonObject


def candidates(kind: str, found: Iterable[tuple[str, str]]) -> JsonObject:
    """Return the things of a kind that a field may name, each with a few words about it."""
    return {kind: [{"id": id_, "words": words} for id_, words in found]}
