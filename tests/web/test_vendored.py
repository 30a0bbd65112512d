"""What others wrote and the pages bring is what was taken from npm, with its licence, and nothing else."""

import io
import re
import tarfile
from pathlib import Path
from typing import Any

import pytest

from support import vendored

TEMPLATES = vendored.FOLDER.parents[1] / "templates"


def folder_of(package: dict[str, Any]) -> Path:
    return vendored.FOLDER / f"{package['name']}-{package['version']}"


def test_every_file_is_listed_with_its_integrity_and_is_that_file() -> None:
    assert {path.name for path in vendored.FOLDER.iterdir()} == {
        "vendor.json",
        *(folder_of(package).name for package in vendored.packages()),
    }
    assert {
        package["name"]: [*vendored.differences(package, folder_of(package))] for package in vendored.packages()
    } == {package["name"]: [] for package in vendored.packages()}


def test_every_package_has_a_version_a_licence_and_its_text() -> None:
    for package in vendored.packages():
        assert re.fullmatch(r"\d+\.\d+\.\d+", package["version"])
        assert package["licence"] in {"0BSD", "MIT"}
        assert "LICENSE" in package["files"]


def test_a_page_says_the_integrity_of_a_vendored_script() -> None:
    """The browser runs no other bytes."""
    scripts = re.findall(
        r"<script[^>]*static\('vendor/([^']+)'\)[^>]*>", said := (TEMPLATES / "base.html").read_text("utf-8")
    )
    integrities = {
        f"{folder_of(package).name}/{name}": file["integrity"]
        for package in vendored.packages()
        for name, file in package["files"].items()
        if name.endswith(".js")
    }
    assert set(scripts) == set(integrities)
    assert re.findall(r'integrity="([^"]+)"', said) == [integrities[script] for script in scripts]


def test_a_page_that_takes_a_key_file_loads_nothing_that_others_wrote() -> None:
    """What handles keys is all ours."""
    taking = {path.name: path.read_text("utf-8") for path in TEMPLATES.glob("*.html")}
    signing = {name: text for name, text in taking.items() if "static('sign/" in text}
    assert {"login.html", "sign.html"} <= set(signing)
    assert {name for name, text in signing.items() if "{% block enhanced %}{% endblock %}" not in text} == set()


def a_package(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "a.js").write_bytes(b"1")
    return {"files": {"a.js": {"from": "dist/a.js", "integrity": vendored.integrity(b"1")}}}


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.js", b"1", []),
        ("a.js", b"2", ["a.js isn't the file that was taken"]),
        ("b.js", b"1", ["b.js isn't listed"]),
    ],
)
def test_a_changed_or_added_file_is_seen(tmp_path: Path, name: str, data: bytes, said: list[str]) -> None:
    package = a_package(tmp_path)
    (tmp_path / name).write_bytes(data)
    assert [*vendored.differences(package, tmp_path)] == said


def test_a_missing_file_is_seen(tmp_path: Path) -> None:
    package = a_package(tmp_path)
    (tmp_path / "a.js").unlink()
    assert [*vendored.differences(package, tmp_path)] == ["a.js is missing"]


def packed(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as files:
        member = tarfile.TarInfo("package/dist/a.js")
        member.size = len(data)
        files.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def test_another_package_and_another_file_in_it_are_seen(tmp_path: Path) -> None:
    one, other = packed(b"1"), packed(b"2")
    package = a_package(tmp_path)
    assert [*vendored.differences_from_package(package | {"integrity": vendored.integrity(one)}, one)] == []
    assert [*vendored.differences_from_package(package | {"integrity": vendored.integrity(other)}, other)] == [
        "a.js isn't the package's dist/a.js"
    ]
    assert [*vendored.differences_from_package(package | {"integrity": vendored.integrity(one)}, other)] == [
        f"the package's integrity is {vendored.integrity(other)}"
    ]
