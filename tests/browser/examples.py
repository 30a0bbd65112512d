"""An address for every page that the application has: those that vary are filled in by what the log has."""

from typing import Any, Final

import httpx2

from tallystick.web.pages.every_page import PAGES

PATHS: Final = tuple(sorted({page.path for page in PAGES}))
"""Of every page, as its route has it."""
_IDS: Final = frozenset({"owner", "number", "id", "party", "label"})
"""What varies in the address of a thing; together they are its id."""


class Examples:
    """What a log has of everything, asked of its server."""

    def __init__(self, url: str) -> None:
        self._http = httpx2.Client(base_url=url, timeout=30)
        self._known: dict[str, str] = {}

    def address(self, path: str) -> str:
        """Return the address of an example of a page.

        Raises:
            LookupError: none is known: say here how to come by one.
        """
        if path not in self._known:
            self._known[path] = self._made(path)
        return self._known[path]

    def rows(self, plural: str) -> list[dict[str, Any]]:
        """Return all things of a kind.

        Raises:
            LookupError: the log has none.
        """
        rows: list[dict[str, Any]] = self._json(f"/v1/{plural}", limit="1000")["rows"]
        if not rows:
            raise LookupError(f"the log has no {plural}")
        return rows

    def row(self, plural: str, id_: str) -> dict[str, Any]:
        """Return one thing of a kind."""
        return next(row for row in self.rows(plural) if next(iter(row.values())) == id_)

    def thing(self, plural: str) -> str:
        """Return the id of the thing of a kind that has most to say.

        Raises:
            LookupError: the log has none.
        """
        row = max(self.rows(plural), key=lambda one: len(str(one)))
        return str(next(iter(row.values())))

    def entry(self, kind: str) -> int:
        """Return the index of the newest entry of a kind.

        Raises:
            LookupError: the log has none.
        """
        rows = self._json("/v1/recorded", kind=kind, limit="1")["recorded"]
        if not rows:
            raise LookupError(f"the log has no entry {kind}")
        return int(rows[0]["index"])

    def close(self) -> None:
        """Hang up."""
        self._http.close()

    def _made(self, path: str) -> str:
        varying = frozenset(part.strip("{}") for part in path.split("/") if part.startswith("{"))
        if not varying:
            return f"{path}?q={self.thing('vouchers')}" if path == "/search" else path
        if path == "/entries/{index}":
            return f"/entries/{self.entry('time.burned/1')}"
        plural = path.split("/")[1]
        if not varying <= _IDS or path.count("/") > 3:
            raise LookupError(f"no example is known of {path}: say in {__file__} how to come by one")
        return f"/{plural}/{self.thing(plural)}"

    def _json(self, path: str, **query: str) -> Any:
        answer = self._http.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()
