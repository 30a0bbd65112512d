#!/usr/bin/env python3
"""Download again what was vendored, with npm, and compare: the packages' integrity, and every file."""

import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support import vendored


def main() -> int:
    """Say what differs; 1 if something does."""
    status = 0
    for package in vendored.packages():
        name = f"{package['name']}@{package['version']}"
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["npm", "pack", "--silent", "--pack-destination", folder, name], check=True, stdout=-3)
            (packed,) = Path(folder).iterdir()
            found = [*vendored.differences_from_package(package, packed.read_bytes())]
        found += vendored.differences(package, vendored.FOLDER / f"{package['name']}-{package['version']}")
        for difference in found:
            print(f"{name}: {difference}", file=sys.stderr)
        status |= bool(found)
        print(f"{name}: {len(package['files'])} files {'differ' if found else 'are the same'}")
    return status


if __name__ == "__main__":
    sys.exit(main())
