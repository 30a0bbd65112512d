"""Write the corpus of edition 1 anew, into tests/vectors/editions/1: `make vectors`.

    NAME/checkpoint, NAME/tile/…   the export of a log (C2SP tlog-tiles)
    NAME/trust.policy              whom an audit of it trusts
    NAME/expected.json             the report that an audit of it comes to, byte for byte
    standard/refused/TABLE.jsonl   commands that are refused, with the log before each (corpus/refused.py)
    README.md                      what each is

The same script writes the same bytes. A difference is a decision with a record (editions/1/README.md).
"""

import hashlib
import shutil
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "editions" / "1"
if __name__ == "__main__":  # as a test it is pytest that knows where to find these
    sys.path[:0] = [str(FOLDER.parents[2]), str(FOLDER.parents[3] / "src")]

from tallystick.audit import audit  # noqa: E402
from tallystick.audit.report import Report  # noqa: E402
from tallystick.transparency.policy import Policy  # noqa: E402
from vectors.corpus import refused  # noqa: E402
from vectors.corpus.examples import EXAMPLES  # noqa: E402
from vectors.corpus.falsified import FALSIFIED, sound  # noqa: E402
from vectors.corpus.findings import DAMAGED, ELSEWHERE, RECORDED, name_of, recorded_although_refused  # noqa: E402
from vectors.corpus.folders import POLICY, Files  # noqa: E402
from vectors.corpus.year import demo_year  # noqa: E402

EXPECTED = "expected.json"
README = "README.md"
Made = tuple[str, Callable[[], Files]]
"""What a log is, and how its folder is made."""


def _of(*functions: Callable[[], Files]) -> dict[str, Made]:
    return {one.__name__.replace("_", "-"): (" ".join((one.__doc__ or "").split()), one) for one in functions}


LOGS: dict[str, Made] = {
    **_of(sound, refused.standard),
    **{one.name: (one.what, one.files) for one in EXAMPLES},
    **_of(demo_year, *FALSIFIED),
    **{
        name_of(reason): (f"recorded although {reason.meaning}", partial(recorded_although_refused, reason))
        for reason in RECORDED
    },
    **_of(*DAMAGED),
}
"""By name of folder."""


def report_of(folder: Path) -> Report:
    """What an audit of a log's folder comes to, by the policy that lies there."""
    return audit(folder, Policy.from_text((folder / POLICY).read_bytes()), processes=0)


def write_log(folder: Path, name: str) -> None:
    """Write a log with its policy, and what is expected of it."""
    _, make = LOGS[name]
    _write(folder / name, make())
    (folder / name / EXPECTED).write_bytes(report_of(folder / name).to_bytes())


def write_refused(folder: Path) -> None:
    """Write the refused commands."""
    _write(folder, refused.files())


def write(folder: Path) -> None:
    """Write all of it over what is there, but for what the README says beside its tables."""
    for name in LOGS:
        write_log(folder, name)
    write_refused(folder)


def tables(folder: Path) -> str:
    """The README's tables: of the logs with what is found in each, and of what no log shows."""
    rows = ["| log | what it is | findings |", "|---|---|---|"]
    for name, (what, _) in LOGS.items():
        codes = dict.fromkeys(Report.from_bytes((folder / name / EXPECTED).read_bytes()).codes())
        rows.append(f"| `{name}` | {what} | {', '.join(f'`{code.value}`' for code in codes) or 'none'} |")
    rows += [
        "",
        "What no folder shows by itself:",
        "",
        "| finding | what it takes, and where it is tried |",
        "|---|---|",
    ]
    rows += [f"| `{code.value}` | {why} |" for code, why in ELSEWHERE.items()]
    return "\n".join(rows)


def with_tables(readme: str, folder: Path) -> str:
    """The README with its tables as they are to be."""
    before, begin, rest = readme.partition("<!-- made: logs -->\n")
    _, end, after = rest.partition("<!-- end -->\n")
    return f"{before}{begin}{tables(folder)}\n{end}{after}"


def files_in(folder: Path) -> Files:
    """All files of a corpus by path, but the README, which is read by people alone."""
    paths = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return {path: (folder / path).read_bytes() for path in paths if path != README}


def digest(files: Files) -> str:
    """What a decision record names a corpus by: SHA-256 over a line for each file, its SHA-256 in hex and its path."""
    lines = [f"{hashlib.sha256(files[path]).hexdigest()}  {path}\n" for path in sorted(files)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _write(folder: Path, files: Files) -> None:
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)


if __name__ == "__main__":
    for path in FOLDER.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
    write(FOLDER)
    readme = FOLDER / README
    readme.write_text(with_tables(readme.read_text("utf-8"), FOLDER), "utf-8")
    print(f"Corpus of edition 1: sha256:{digest(files_in(FOLDER))}")
