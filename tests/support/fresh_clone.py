"""The project as a fresh clone has it: what git knows, and nothing that was made here."""

import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MADE_HERE = (".git", ".venv*", "build", "dist", "mutants", "__pycache__", ".hypothesis", ".*_cache")


def copy_of_the_project(folder: Path) -> Path:
    """Copy it into a folder that isn't there yet, and return that."""
    return Path(shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*MADE_HERE)))
