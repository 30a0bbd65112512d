"""Working papers of an audit of the books: tables that add up to the balances, and a sample that anybody can draw.

papers SOURCE -o FOLDER --seed TEXT
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from tallystick.cli import output, over_http, parameters
from tallystick.cli.statuses import AS_ASKED, REFUSED
from tallystick.errors import UsageError

SAMPLE_USUAL = 25


def add_commands(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(papers)


def papers(
    source: parameters.ReadSource,
    folder: Annotated[Path, parameters.out("The folder that is made for them.")],
    seed: Annotated[str, typer.Option(help="The sample is drawn by it; agree on it with others before.")],
    sample: Annotated[int, typer.Option(min=0, max=100_000, help="How many entries, of each stratum.")] = SAMPLE_USUAL,
    stratum: Annotated[
        list[str] | None,
        typer.Option(metavar="YUAN", help="A stratum begins with this amount; several, in ascending order."),
    ] = None,
    xlsx: Annotated[bool, typer.Option("--xlsx", help="All of it as one spreadsheet, too.")] = False,
    as_of: parameters.AsOf = None,
    fresh: parameters.Fresh = False,
    key: parameters.LoginKey = None,
    passphrase_file: parameters.LoginPassphrase = None,
    passphrase_command: parameters.PassphraseCommand = None,
) -> None:
    """Write postings, entries, quarters, what is owed by age, and a sample, each tied to balances, as CSV."""
    from tallystick.accounting.log_place import place_in
    from tallystick.accounting.working_papers import PapersFolder, SampleTerms
    from tallystick.cli.views import open_views

    if xlsx:
        import tallystick.accounting.spreadsheet  # noqa: F401 - what is missing is said before anything is read

    terms = SampleTerms(seed, sample, _bounds(stratum or []))
    source = over_http.logged_in(source, over_http.Login(key, passphrase_file, passphrase_command))
    with new_folder(folder) as made, open_views(source, as_of, is_fresh=fresh) as asked:
        place = place_in(asked.reader(), asked.views.size)
        written = PapersFolder(made, place, has_spreadsheet=xlsx)
        with output.progress("Reading the log") as progress:
            ties = written.write(asked.reader(), asked.views, terms, progress)
        asked.say_when()
    wrong = [tie for tie in ties if not tie.ties]
    output.line(f"{folder}: working papers as of entry {place.index:,}, root {place.root_text}")
    if wrong:
        output.line(f"{len(wrong):,} of {len(ties):,} sums don't tie: ties.csv has them")
        raise typer.Exit(REFUSED)
    output.line(f"all {len(ties):,} sums tie to the balances")
    raise typer.Exit(AS_ASKED)


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Give an empty folder that gets a name at the end, and is gone if anything goes wrong before.

    Raises:
        UsageError: there is something already.
        OSError: it can't be made.
    """
    there = folder.absolute()
    if there.is_symlink() or (there.exists() and not (there.is_dir() and not any(there.iterdir()))):
        raise UsageError(f"{folder} is there already: give the name of a new folder")
    if not there.parent.is_dir():
        raise UsageError(f"there is no folder {folder.parent}")
    made = Path(tempfile.mkdtemp(prefix=f".{there.name[:40]}.", dir=there.parent))
    try:
        yield made
        made.chmod(0o755)
        made.rename(there)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise


def _bounds(texts: list[str]) -> tuple[int, ...]:
    from tallystick.forms.amounts import read_yuan

    try:
        bounds = tuple(map(read_yuan, texts))
    except ValueError as error:
        raise UsageError(f"--stratum {error}") from None
    if list(bounds) != sorted({*bounds}):
        raise UsageError("--stratum: amounts must ascend")
    return bounds
