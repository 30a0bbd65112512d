"""An inclusion proof drawn as a path: from the leaf up to the root, each sibling on its side."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from markupsafe import Markup

from tallystick.web.charts.drawing import ROW, WIDTH, Drawing, Told, shortened

_PITCH: Final = 46
_BOX_WIDTH, _BOX_HEIGHT = 152, 26
_MIDDLE: Final = WIDTH // 2
_SHORT: Final = 10
"""How many characters of a hash are drawn; the table beside has all of them."""


@dataclass(frozen=True, slots=True)
class Fold:
    """A step up: the sibling's hash (hex), on which side of the node it stands, and the hash of both (hex)."""

    sibling: str
    side: Literal["left", "right"]
    result: str


@dataclass(frozen=True, slots=True)
class ProofWords:
    """What the parts are called: `entry 1,234`, `root of 5,000 entries`."""

    leaf: str
    root: str


def proof_path(told: Told, *, leaf: str, folds: Sequence[Fold], root: str, words: ProofWords) -> Markup:
    """Draw the leaf's hash at the bottom; above it the hash of it and its sibling, each on its side, up to the root.

    The last hash is the root's own: that the folds lead to it is for those to check who draw them.
    """
    height = (len(folds) + 1) * _PITCH + 2 * ROW
    drawing = Drawing("proof", told, height)
    hashes = [leaf, *(fold.result for fold in folds[:-1]), *([root] if folds else [])]
    for number, fold in enumerate(folds):
        _join(drawing, height, number, fold)
    for number, hash_ in enumerate(hashes):
        kind = "root" if number == len(folds) else "leaf" if number == 0 else "node"
        _box(drawing, _MIDDLE, _centre(height, number), hash_, kind)
    drawing.write(shortened(words.leaf, 40), _MIDDLE, height - 6, "at-middle", whole=words.leaf)
    drawing.write(shortened(words.root, 40), _MIDDLE, 16, "at-middle", whole=words.root)
    return drawing.markup()


def _centre(height: int, level: int) -> int:
    return height - ROW - _PITCH // 2 - level * _PITCH


def _join(drawing: Drawing, height: int, level: int, fold: Fold) -> None:
    """Draw a sibling, and how it and the node beside it become the node above."""
    y = _centre(height, level)
    x = _BOX_WIDTH // 2 + 1 if fold.side == "left" else WIDTH - _BOX_WIDTH // 2 - 1
    drawing.add("path", class_="line side", d=f"M{x} {y}V{y - _PITCH // 2}H{_MIDDLE}")
    drawing.add("path", class_="line path", d=f"M{_MIDDLE} {y}V{y - _PITCH}")
    _box(drawing, x, y, fold.sibling, "sibling")


def _box(drawing: Drawing, x: int, y: int, hash_: str, kind: str) -> None:
    left, top = x - _BOX_WIDTH // 2, y - _BOX_HEIGHT // 2
    drawing.add("rect", class_=f"box {kind}", x=left, y=top, width=_BOX_WIDTH, height=_BOX_HEIGHT)
    shown = hash_[:_SHORT] + ("…" if len(hash_) > _SHORT else "")
    drawing.write(shown, x, y + 5, "hash at-middle", whole=hash_)
