"""All that answers GET, in a list: what an application includes to read."""

from typing import Final

from fastapi import APIRouter

from tallystick.web import entries_out, figures, following, proofs_out, resources, tiles

READING: Final[tuple[APIRouter, ...]] = (
    tiles.router,
    entries_out.router,
    resources.router,
    figures.router,
    proofs_out.router,
    following.router,
)
