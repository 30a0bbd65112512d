"""The log itself: its size, its root, who signed for it, its tree; and that it grew from an earlier size.

Made of hashes and checkpoints alone, which are for everybody: also on an export without entries, and where the log is
damaged.
"""

from collections.abc import Iterator
from typing import Any, Final

from tallystick.errors import LedgerError, MalformedError, NotFoundError, TallystickError, VerificationError
from tallystick.forms.times import index_of
from tallystick.transparency.merkle import TILE_WIDTH
from tallystick.transparency.tiles import bundle_path, tile_path
from tallystick.web.pages.checkpoint_lines import SignedCheckpoint, policy_of, read_checkpoint, signatures_table
from tallystick.web.pages.page import Asked, Column, Page, PageRoute, Table
from tallystick.web.pages.words import Words
from tallystick.web.seen_log import SeenGrowth, SeenLog


def _log(seen: SeenLog, asked: Asked) -> Page:
    words = asked.words
    signed, fault = signed_checkpoint(seen, asked)
    grown, growth_fault = _growth(seen, asked.query.get("from", "").strip())
    tables = [_levels(seen.size, words)]
    if signed is not None:
        tables.append(signatures_table(signed, words))
    if grown is not None and grown.proof:
        tables.append(_consistency(grown, words))
    values: dict[str, Any] = {
        "size": seen.size,
        "root": seen.root,
        "signed": signed,
        "faults": [one for one in (fault, _fault_of_tiles(seen)) if one],
        "has_policy": asked.place.policy is not None,
        "grown": grown,
        "growth_fault": growth_fault,
        "paths": _paths(seen.size),
        "entries_missing": _entries_missing(seen),
        "asked_from": asked.query.get("from", ""),
    }
    return Page(words.gettext("Log"), values, tables)


def signed_checkpoint(seen: SeenLog, asked: Asked) -> tuple[SignedCheckpoint | None, str]:
    """Return the newest checkpoint and who signed it, or what is wrong with it; neither where none is known."""
    try:
        return read_checkpoint(seen.checkpoint_note, policy_of(asked.place.policy), asked.words), ""
    except NotFoundError:  # an export has its newest alone
        return None, ""
    except TallystickError as error:
        return None, str(error)


def _fault_of_tiles(seen: SeenLog) -> str:
    """Return what is wrong between the tiles and the checkpoint, if anything is."""
    try:
        root = seen.root_of_tiles
    except (MalformedError, LedgerError) as error:
        return str(error)
    if root == seen.root:
        return ""
    return f"the tiles lead to the root {root.hex()}, and the checkpoint says {seen.root.hex()}"


def _entries_missing(seen: SeenLog) -> str:
    """Return why the newest entry can't be read, if it can't."""
    try:
        seen.read_newest_entry()
    except (LedgerError, MalformedError) as error:
        return str(error)
    return ""


# -- the tree ---------------------------------------------------------------------------------------------------------


def _levels(size: int, words: Words) -> Table:
    columns = (
        Column("level", words.gettext("Level")),
        Column("leaves", words.gettext("Entries under each hash"), "count"),
        Column("hashes", words.gettext("Hashes"), "count"),
        Column("full_tiles", words.gettext("Full tiles"), "count"),
        Column("partial_tile", words.gettext("Hashes in the partial tile"), "count"),
        Column("path", words.gettext("Path of its last tile")),
    )
    return Table("tiles", words.gettext("Tiles of the tree, level by level"), columns, [*_rows_of_levels(size)])


def _rows_of_levels(size: int) -> Iterator[dict[str, Any]]:
    level, hashes = 0, size
    while hashes:
        full, width = divmod(hashes, TILE_WIDTH)
        yield {
            "level": level,
            "leaves": TILE_WIDTH**level,
            "hashes": hashes,
            "full_tiles": full,
            "partial_tile": width,
            "path": tile_path(level, full, width) if width else tile_path(level, full - 1, TILE_WIDTH),
        }
        level, hashes = level + 1, full


def _paths(size: int) -> dict[str, str]:
    """Return where the parts of the log are, from the root of the site on."""
    last, width = divmod(size, TILE_WIDTH)
    if not width:
        last, width = last - 1, TILE_WIDTH
    return {"tile": f"/{tile_path(0, last, width)}", "bundle": f"/{bundle_path(last, width)}"} if size else {}


# -- how it grew ------------------------------------------------------------------------------------------------------


def _growth(seen: SeenLog, text: str) -> tuple[SeenGrowth | None, str]:
    if not text:
        return None, ""
    try:
        size = index_of(text)
        if size is None:
            raise NotFoundError(f"{text!a:.40} is no number of entries")
        return seen.growth(size), ""
    except (NotFoundError, LedgerError, MalformedError, VerificationError) as error:
        return None, str(error)


def _consistency(grown: SeenGrowth, words: Words) -> Table:
    rows = [{"step": step, "hash": one.hex()} for step, one in enumerate(grown.proof, start=1)]
    columns = (Column("step", words.gettext("Step")), Column("hash", words.gettext("Hash"), "hash"))
    return Table("consistency", words.gettext("The proof, hash by hash"), columns, rows)


PAGES: Final = (PageRoute("/log", "log.html", _log, "l", is_log_alone=True),)
