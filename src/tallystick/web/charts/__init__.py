"""Charts as SVG that the server draws: they print, need no script, and are the same bytes each time.

    drawing.py       the drawing itself: classes, patterns, escaping, Markup; amounts to lengths, ticks
    burn_downs.py    what is left, day by day, against an even pace
    bars.py          amounts beside each other, shares of a whole, ages
    lives.py         what happened when, on a strip; a spark line
    proofs.py        an inclusion proof as a path from the leaf to the root

A chart stands beside a table of the same figures. Words, amounts and days are the caller's, in the reader's language.
"""

from markupsafe import Markup as Chart

from tallystick.web.charts.bars import Bar, ageing, bars, share_bar
from tallystick.web.charts.burn_downs import Layer, Pace, burn_down
from tallystick.web.charts.drawing import Mark, Part, Told
from tallystick.web.charts.lives import Event, life, spark
from tallystick.web.charts.proofs import Fold, ProofWords, proof_path

__all__ = [
    "Bar",
    "Chart",
    "Event",
    "Fold",
    "Layer",
    "Mark",
    "Pace",
    "Part",
    "ProofWords",
    "Told",
    "ageing",
    "bars",
    "burn_down",
    "life",
    "proof_path",
    "share_bar",
    "spark",
]
