"""The tree drawn in the docstring of `tallystick.errors` is the tree of its classes, in order and complete."""

import ast
import inspect
import re
from pathlib import Path

from tallystick import errors

PACKAGE = Path(errors.__file__).parent


def drawn_tree() -> list[tuple[str, str]]:
    """(class, parent) for each line of the drawing, in its order."""
    pairs: list[tuple[str, str]] = []
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.fullmatch(r"    ((?:│   |    )*)(├── |└── )?([A-Z]\w+)(?:  *\S.*)?", line)
        if found:
            depth = len(found[1]) // 4 + bool(found[2])
            path[depth:] = [found[3]]
            pairs.append((found[3], path[depth - 1] if depth else "Exception"))
    return pairs


def real_tree() -> list[tuple[str, str]]:
    """(class, parent) for each class of the module, in the order of definition."""
    classes = [
        value for value in vars(errors).values() if inspect.isclass(value) and value.__module__ == errors.__name__
    ]
    return [(cls.__name__, cls.__bases__[0].__name__) for cls in classes]


def test_the_drawing_is_the_tree() -> None:
    """Somebody who catches an error by the drawing catches it."""
    assert len(real_tree()) > 1
    assert drawn_tree() == real_tree()


def test_every_error_says_that_it_is_one() -> None:
    """Names end in Error."""
    assert [name for name, _ in real_tree() if not name.endswith("Error")] == []


def test_no_error_is_defined_elsewhere() -> None:
    """One tree, one file: whoever reads it has seen all of them."""
    strays = [
        (str(path.relative_to(PACKAGE)), node.name)
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.name != "errors.py"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ClassDef)
        and any(ast.unparse(parent).endswith(("Error", "Exception")) for parent in node.bases)
    ]
    assert strays == []
