"""What the pages bring that others wrote: `web/static/vendor/vendor.json`, and whether the files are what it says."""

import base64
import hashlib
import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[2] / "src/tallystick/web/static/vendor"


def packages() -> list[dict[str, Any]]:
    """The packages: name, version, licence, npm's integrity, and of each file its path there and its integrity."""
    listed: list[dict[str, Any]] = json.loads((FOLDER / "vendor.json").read_text("utf-8"))["packages"]
    return listed


def integrity(data: bytes) -> str:
    """SHA-512, as npm and browsers write it."""
    return "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()


def differences(package: dict[str, Any], folder: Path) -> Iterator[str]:
    """Yield how a package's folder differs from what is listed."""
    for name, said in package["files"].items():
        path = folder / name
        if not path.is_file():
            yield f"{name} is missing"
        elif integrity(path.read_bytes()) != said["integrity"]:
            yield f"{name} isn't the file that was taken"
    here = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    yield from (f"{name} isn't listed" for name in sorted(here - set(package["files"])))


def differences_from_package(package: dict[str, Any], packed: bytes) -> Iterator[str]:
    """Yield how what is listed differs from a package as npm hands it out."""
    if integrity(packed) != package["integrity"]:
        yield f"the package's integrity is {integrity(packed)}"
        return
    with tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as files:
        for name, said in package["files"].items():
            member = files.extractfile(f"package/{said['from']}")
            if member is None or integrity(member.read()) != said["integrity"]:
                yield f"{name} isn't the package's {said['from']}"
