"""Documentation is run: what README.md and docs/ show works, or the build fails.

Each document gets a folder of its own, and its blocks run there in reading order: ```python blocks share one namespace,
and ```sh blocks that follow each other are one script, run by `sh -eu` with `tallystick` and this Python on PATH.
README.md has to say itself how they get there: its blocks run in a copy of the project, with no `tallystick` on PATH.
A script that says $DATABASE gets the URL of an empty one, on a real server. A port that is shown (84xx) stands for one
that is free: two runs on one machine, and whatever else listens there, don't meet.
```sh no-run blocks must be listed in NOT_RUN with the reason. Other languages (text, json, ...) show, and aren't run;
but what a ```text block shows below commands is what they print, in 80 columns (support/sample_output.py).
Of `tallystick`, `make test` starts copies (support/started_ahead.py); `make test-all` starts the program itself.
"""

import functools
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import pytest

from support.fresh_clone import copy_of_the_project
from support.postgres import free_port, fresh_database
from support.sample_output import Sample, marked, missing_line, outputs_of, samples_of
from support.schedules import schedule
from support.started_ahead import StartedAhead

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
PAGES = sorted((ROOT / "docs").rglob("*.md"))
DOCUMENTS = [README, *PAGES]
RUN = ("python", "sh")
# Spellings of the two languages that would slip through unrun.
MISSPELT = {"", "bash", "console", "shell", "shell-session", "zsh", "py", "python3", "pycon"}
SHOWN_PORT = re.compile(r"\b84\d\d\b")
# (document, first line of the block) -> why it can't be run here.
NOT_RUN: dict[tuple[str, str], str] = {}
# Documents whose blocks run programs that Python and make don't bring: `make test-system` runs them.
OF_THE_SYSTEM = {f"docs/{name}.md" for name in ("curl", "explorer", "http", "keys", "operator", "sign-with-openssl")}
PROGRAMS = Path(sys.executable).parent
PATH = os.pathsep.join(folder for folder in os.environ["PATH"].split(os.pathsep) if Path(folder) != PROGRAMS)
# A machine is given so many times as long for a script as it takes to start the program once.
STARTS_A_SCRIPT_MAY_TAKE = 2_000

TAKING_TURNS = """\
```sh
word=tally
```
~~~sh
echo $word > first
~~~
```sh no-run
false
```
```text
false
```
- in a list
  ```python
  from pathlib import Path
  if True:
      first = Path("first").read_text()
  ```

```python
assert first == "tally\\n"
Path("second").write_text("stick")
```
```sh
test $(cat second) = stick
```
"""


def named(path: Path) -> str:
    """Return a document's name."""
    return str(path.relative_to(ROOT))


class Block(NamedTuple):
    """A fenced block: its language, what follows it on the fence, the line number of its first line, and its text."""

    language: str
    rest: str
    line: int
    text: str


def blocks_of(document: str) -> list[Block]:
    """Every fenced block of a document, in reading order; a fence that is never closed is an error."""
    blocks: list[Block] = []
    opened: re.Match[str] | None = None
    start = 0
    lines = document.splitlines()
    for number, line in enumerate(lines, start=1):
        if opened is None:
            opened = re.match(r"( *)(`{3,}|~{3,})([\w-]*) *(.*)$", line)
            start = number + 1
        elif re.fullmatch(rf" *{opened[2][0]}{{{len(opened[2])},}} *", line):
            indent = len(opened[1])
            text = "".join(
                body[min(indent, len(body) - len(body.lstrip())) :] + "\n" for body in lines[start - 1 : number - 1]
            )
            blocks.append(Block(opened[3], opened[4].strip(), start, text))
            opened = None
    assert opened is None, f"the fence opened before line {start} is never closed"
    return blocks


@functools.cache
def seconds_a_script_may_take() -> float:
    """A limit that a slow or busy machine doesn't meet: it is slow at starting the program too."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "tallystick", "--version"], check=True, capture_output=True)
    return STARTS_A_SCRIPT_MAY_TAKE * (time.perf_counter() - began)


def run_sh(blocks: list[Block], folder: Path, name: str, given: Mapping[str, str], samples: list[Sample]) -> None:
    """Run consecutive sh blocks as one script, whose output is shown when it fails, and compare what they print."""
    script = marked(blocks)
    usual = {"PATH": PATH, "HOME": str(folder), "LC_ALL": "C.UTF-8", "NO_COLOR": "1", "COLUMNS": "80"}
    environment = {**usual, **given}
    if "$DATABASE" in script:
        environment["DATABASE"] = fresh_database()
    run = subprocess.run(
        ["/bin/sh", "-euc", script],
        stdin=subprocess.DEVNULL,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=seconds_a_script_may_take(),
        check=False,
    )
    assert run.returncode == 0, f"{name}, line {blocks[0].line}: exit {run.returncode}\n{run.stdout}{run.stderr}"
    printed = dict(zip((block.line for block in blocks), outputs_of(run.stdout), strict=True))
    for sample in samples:
        if sample.block_line in printed:
            line = missing_line(sample.text, printed[sample.block_line])
            assert line is None, f"{name}, line {sample.line}: {line!r} isn't printed\n{printed[sample.block_line]}"


def run_python(blocks: list[Block], namespace: dict[str, object], name: str) -> None:
    """Run python blocks in the namespace; a traceback shows the document's own line numbers."""
    for block in blocks:
        exec(compile("\n" * (block.line - 1) + block.text, name, "exec"), namespace)


def run_document(document: str, folder: Path, name: str, given: Mapping[str, str]) -> int:
    """Run a document's blocks in `folder`, which is the current one, with what is given in the environment.

    Returns:
        How many blocks ran.
    """
    ports = {shown: str(free_port()) for shown in SHOWN_PORT.findall(document)}
    document = SHOWN_PORT.sub(lambda shown: ports[shown[0]], document)
    blocks = blocks_of(document)
    shorter = {block.line for block in blocks if block.text.startswith("make demo") and "DEMO_FLAGS" in given}
    samples = [sample for sample in samples_of(document, blocks) if sample.block_line not in shorter]
    runnable = [block for block in blocks if block.language in RUN and block.rest != "no-run"]
    namespace: dict[str, object] = {"__name__": "__main__"}
    for language, group in groupby(runnable, key=lambda block: block.language):
        if language == "sh":
            run_sh([*group], folder, name, given, samples)
        else:
            run_python([*group], namespace, name)
    return len(runnable)


def runs_whole(path: Path, folder: Path, given: Mapping[str, str]) -> bool:
    """Run a document in a folder, which is the current one, and say whether that was all of its blocks."""
    document = path.read_text("utf-8")
    shown = [block for block in blocks_of(document) if block.language in RUN]
    exempt = sum(block.rest == "no-run" for block in shown)
    return run_document(document, folder, path.name, given) == len(shown) - exempt


@pytest.fixture(scope="session")
def on_path() -> Iterator[dict[str, str]]:
    """An environment with the program and this Python on PATH."""
    with StartedAhead() as ahead:
        folders = schedule([ahead.folder, PROGRAMS], [PROGRAMS])
        yield {"PATH": os.pathsep.join(map(str, [*folders, PATH]))}


@pytest.mark.long
@pytest.mark.parametrize(
    "path",
    [pytest.param(path, marks=pytest.mark.system if named(path) in OF_THE_SYSTEM else ()) for path in PAGES],
    ids=named,
)
def test_what_a_document_shows_works(
    path: Path, tmp_path: Path, on_path: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every block of code runs to its end, in reading order."""
    monkeypatch.chdir(tmp_path)
    assert runs_whole(path, tmp_path, on_path)


@pytest.mark.long
def test_the_readme_works_in_a_clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With nothing on PATH that it doesn't put there; this environment is what `make` finds set up."""
    clone = copy_of_the_project(tmp_path / "clone")
    (clone / ".venv").mkdir()
    (clone / ".venv" / "bin").symlink_to(PROGRAMS)
    (clone / ".venv" / ".installed").touch()
    monkeypatch.chdir(clone)
    assert shutil.which("tallystick", path=PATH) is None
    assert runs_whole(README, clone, schedule({"DEMO_FLAGS": "--limit 60"}, {}))


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_no_block_slips_through_by_its_spelling(path: Path) -> None:
    """A fence says `python`, `sh`, or that it is something else; nothing but `no-run` follows."""
    blocks = blocks_of(path.read_text("utf-8"))
    odd = [
        block
        for block in blocks
        if block.language in MISSPELT or (block.language in RUN and block.rest not in ("", "no-run"))
    ]
    assert odd == []


def test_what_is_not_run_is_listed_with_its_reason() -> None:
    """No more and no less than NOT_RUN, and never Python."""
    marked = {
        (named(path), block.text.split("\n")[0]): block.language
        for path in DOCUMENTS
        for block in blocks_of(path.read_text("utf-8"))
        if block.rest == "no-run"
    }
    assert set(marked) == set(NOT_RUN)
    assert set(marked.values()) <= {"sh"}
    assert all(NOT_RUN.values())


@pytest.mark.parametrize(
    ("sample", "missing"),
    [
        ("one\ntwo 2\nthree", None),
        ("two 2\nthree", None),
        ("one\n…\nthree", None),
        ("two …\nth...", None),
        ("one\nthree", "three"),
        ("two\nthree", "two"),
        ("three\none", "one"),
        ("four", "four"),
    ],
)
def test_sample_output_is_compared(sample: str, missing: str | None) -> None:
    """Line by line, in order; what differs from run to run is left out."""
    assert missing_line(sample, "one\ntwo 2\nthree\n") == missing


def test_blocks_share_a_folder_and_a_namespace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Shell and Python take turns, and what is marked no-run is left alone."""
    monkeypatch.chdir(tmp_path)
    assert run_document(TAKING_TURNS, tmp_path, "sample.md", {}) == 5


@pytest.mark.parametrize(
    "block",
    [
        "```sh\nfalse\ntrue\n```\n",
        "```sh\necho $unset\n```\n",
        "```python\nassert False\n```\n",
        "```sh\necho one\n```\nprints\n```text\ntwo\n```\n",
        "```sh\nprintf 'one\\ntwo\\nthree\\n'\n```\n```text\none\nthree\n```\n",
    ],
)
def test_a_block_that_fails_is_seen(block: str, tmp_path: Path) -> None:
    """The check above can fail."""
    with pytest.raises(AssertionError):
        run_document(block, tmp_path, "sample.md", {})
