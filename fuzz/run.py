"""Every reader of bytes from strangers refuses with its own error or gives the same bytes again, whatever comes.

Readers of usage records give no bytes again: their counts add up. Of crafted signatures, all verifiers say the same.

    run.py [--seconds 60]             all readers of tests/support in turn, sharing the time
    run.py --only NAME [--seconds N]  one of them
    run.py --replay NAME FILE         what was kept of a failure, once more

Atheris (libFuzzer) changes good examples, led by which code they reach. Each reader runs in a process of its own; its
corpus stays in build/fuzz/corpus and is where the next run starts from. An input that breaks the rule, takes longer
than `INPUT_SECONDS_MAX` or too much memory is kept as build/fuzz/crash-*, and the run fails.
"""

import argparse
import hashlib
import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
BUILD: Final = ROOT / "build" / "fuzz"
WORDS: Final = ROOT / "fuzz" / "words.dict"

INPUT_SECONDS_MAX: Final = 5
INPUT_SIZE_MAX: Final = 4_096
MEMORY_MB_MAX: Final = 2_048


def main() -> int:
    """Return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=int, default=60, help="for all readers together, besides starting them")
    parser.add_argument("--only", metavar="NAME", help="one reader")
    parser.add_argument("--replay", nargs=2, metavar=("NAME", "FILE"), help="one input, without atheris")
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    sys.path.insert(0, str(ROOT / "tests"))
    if arguments.child:
        _fuzz(arguments.child[0], int(arguments.child[1]))
        return 0
    if arguments.replay:
        name, path = arguments.replay
        _readers_with(name).check(name, Path(path).read_bytes())
        return 0
    names = [arguments.only] if arguments.only else [name for readers in _all_readers() for name in readers.READERS]
    failed = [name for name in names if not _run(name, max(1, arguments.seconds // len(names)))]
    for name in failed:
        print(f"FAILED {name}: see {BUILD}/crash-{_slug(name)}-*, and run.py --replay", file=sys.stderr)
    return 1 if failed else 0


def _run(name: str, seconds: int) -> bool:
    """Fuzz one reader in a process of its own, and return whether all went well."""
    print(f"{name}: {seconds} s", flush=True)
    for crash in BUILD.glob(f"crash-{_slug(name)}-*"):
        print(f"  (kept from an earlier run: {crash})")
    command = [sys.executable, __file__, "--child", name, str(seconds)]
    # A process that goes wrong in a way that libFuzzer doesn't see must not hold up the others for ever.
    done = subprocess.run(  # noqa: S603 - ourselves
        command, capture_output=True, text=True, errors="replace", timeout=seconds * 3 + 120, check=False
    )
    if done.returncode == 0:
        said = [line for line in done.stderr.splitlines() if line.startswith("Done ")]
    else:  # the traceback is on the one, libFuzzer's summary on the other
        said = [*done.stdout.splitlines()[-20:], *done.stderr.splitlines()[-8:]]
    print("\n".join(["  " + line for line in said]), flush=True)
    return done.returncode == 0


def _fuzz(name: str, seconds: int) -> None:
    """Fuzz one reader in this process; it doesn't return."""
    atheris: Any = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["tallystick"]):
        readers = _readers_with(name)
    corpus, seeds = BUILD / "corpus" / _slug(name), BUILD / "seeds" / _slug(name)
    for folder in (corpus, seeds):
        folder.mkdir(parents=True, exist_ok=True)
    for seed in readers.READERS[name].seeds:
        (seeds / hashlib.sha256(seed).hexdigest()).write_bytes(seed)
    flags = [
        f"-max_total_time={seconds}",
        f"-timeout={INPUT_SECONDS_MAX}",
        f"-rss_limit_mb={MEMORY_MB_MAX}",
        f"-max_len={INPUT_SIZE_MAX}",
        f"-dict={WORDS}",
        f"-artifact_prefix={BUILD}/crash-{_slug(name)}-",
    ]
    atheris.Setup([sys.argv[0], *flags, str(corpus), str(seeds)], lambda data: readers.check(name, data))
    atheris.Fuzz()


def _all_readers() -> list[Any]:
    """Those that give the same bytes again, those of usage records, which count, and those that verify."""
    return [importlib.import_module(f"support.{name}") for name in ("readers", "usage_readers", "crafted_signatures")]


def _readers_with(name: str) -> Any:  # noqa: ANN401 - a module
    return next(readers for readers in _all_readers() if name in readers.READERS)


def _slug(name: str) -> str:
    return name.replace(" ", "-").lower()


if __name__ == "__main__":
    sys.exit(main())
