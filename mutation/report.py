"""What became of the mutants: how many each module has and lost, and whether docs/mutants.md explains all the rest.

    report.py            a row for each module; exit status 1 if a mutant survived that isn't explained
    report.py --all      the survivors that are explained too

mutmut leaves results and mutated sources in mutants/. It numbers mutants, and the numbers change with any line above
them; so a mutant is known by its function, the lines that it takes away and those that it puts there. docs/mutants.md
says so in ```diff blocks, from which this reads:

    @@ transparency.encoding.decimal_from_text @@ any negative number will do
    -number = int(text) if _DECIMAL.fullmatch(text) else -1
    +number = int(text) if _DECIMAL.fullmatch(text) else -2
"""

import argparse
import ast
import difflib
import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parents[1]
MUTANTS: Final = ROOT / "mutants" / "src" / "tallystick"
EXPLAINED: Final = ROOT / "docs" / "mutants.md"

SURVIVED, NO_TESTS = 0, 33
TIMEOUTS: Final = frozenset({24, 36, 152, 255, -24})
COLUMNS: Final = ("killed", "timeout", "survived", "no tests", "not run")


class Mutant(NamedTuple):
    """A change of a function: its place, `transparency.receipt.Receipt.from_bytes`, and its lines with - or +."""

    place: str
    lines: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join([f"@@ {self.place} @@", *self.lines])


def status(exit_code: int | None) -> str:
    """Return the column that the exit code of a mutant's tests belongs in; what isn't 0 has failed somehow."""
    if exit_code is None:
        return "not run"
    if exit_code in TIMEOUTS:
        return "timeout"
    return {SURVIVED: "survived", NO_TESTS: "no tests"}.get(exit_code, "killed")


def results() -> Iterator[tuple[str, dict[str, int | None]]]:
    """Yield each mutated module, `vouchers.burns`, with the exit code by mutant."""
    for path in sorted(MUTANTS.rglob("*.py.meta")):
        codes = json.loads(path.read_bytes())["exit_code_by_key"]
        if codes:
            yield ".".join(path.relative_to(MUTANTS).with_suffix("").with_suffix("").parts), codes


@cache
def functions(module: str) -> Mapping[str, list[str]]:
    """Return the mutated and the original functions of a module, by mutmut's name, as stripped lines."""
    source = (MUTANTS / module.replace(".", "/")).with_suffix(".py").read_text("utf-8")
    lines = source.splitlines()
    return {
        node.name: [line.strip() for line in lines[node.lineno - 1 : node.end_lineno]]
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef) and "__mutmut_" in node.name
    }


def mutant(module: str, key: str) -> Mutant:
    """Return what mutmut calls `tallystick.vouchers.burns.x_overlaps__mutmut_1`."""
    name = key.rpartition(".")[2]
    mangled = re.sub(r"\d+$", "", name)
    here = functions(module)
    # The first line is the `def`, which differs by the mutant's own name.
    before, after = (
        [re.sub(rf"\b{mangled}\w+", "f", lines[0]), *lines[1:]] for lines in (here[f"{mangled}orig"], here[name])
    )
    changed = [line[0] + line[2:].strip() for line in difflib.ndiff(before, after) if line[:1] in "-+"]
    function = mangled.removesuffix("__mutmut_").removeprefix("x").strip("ǁ").replace("ǁ", ".")
    return Mutant(f"{module}.{function.removeprefix('_')}", tuple(changed))


def explained(document: str) -> Counter[Mutant]:
    """Return the mutants that a document names in its diff blocks."""
    found: Counter[Mutant] = Counter()
    for block in re.findall(r"^```diff\n(.*?)^```$", document, re.MULTILINE | re.DOTALL):
        for part in re.split(r"^@@ ", block, flags=re.MULTILINE)[1:]:
            head, *lines = part.splitlines()
            found[Mutant(head.split(" @@")[0], tuple([line[0] + line[1:].strip() for line in lines if line]))] += 1
    return found


def table(rows: Iterable[tuple[str, Counter[str]]]) -> str:
    """Return rows of counts as a Markdown table."""
    head = "| module | mutants | " + " | ".join(COLUMNS) + " |"
    lines = [head, "|---" + "|--:" * (len(COLUMNS) + 1) + "|"]
    for name, counts in rows:
        lines.append(f"| {name} | {counts.total():,} | " + " | ".join(f"{counts[one]:,}" for one in COLUMNS) + " |")
    return "\n".join(lines)


def main() -> int:
    """Return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--all", action="store_true", help="show the survivors that are explained too")
    show_all = parser.parse_args().all
    known = explained(EXPLAINED.read_text("utf-8")) if EXPLAINED.is_file() else Counter()
    rows: list[tuple[str, Counter[str]]] = []
    alive: list[Mutant] = []
    for module, codes in results():
        rows.append((module, Counter(status(code) for code in codes.values())))
        alive += [mutant(module, key) for key, code in codes.items() if status(code) in ("survived", "no tests")]
    total = sum((counts for _, counts in rows), Counter[str]())
    print(table([*rows, ("all", total)]))
    unexplained = list((Counter(alive) - known).elements())
    for one in alive if show_all else unexplained:
        print(one)
    share = len(alive) / max(1, total.total())
    print(f"{len(alive)} of {total.total()} mutants live ({share:.1%}); {len(unexplained)} of them are not explained")
    if gone := list((known - Counter(alive)).elements()):
        print(f"{len(gone)} that docs/mutants.md explains are not among them:", *gone, sep="\n")
    return 1 if unexplained or not rows or total["not run"] else 0


if __name__ == "__main__":
    sys.exit(main())
