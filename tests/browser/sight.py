"""A page as a browser has it: what is wrong with it is found here, and counted for the line that a run ends with.

console     an error or a warning in the console, an exception that nothing caught, a refusal by the page's policy
foreign     a request to anywhere but the page's own server
axe         what keeps people out, as axe-core finds it
form        status, headers, language, title; more width than a narrow screen has
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple
from urllib.parse import urlencode, urlsplit

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    FloatRect,
    Page,
    Request,
    Response,
    ViewportSize,
)

from support.schedules import schedule

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "content-type": "text/html; charset=utf-8",
}
AXE: Final = Path(__file__).parents[2] / "build/browser/axe.min.js"
WIDE: Final = (1_280, 900)
PHONES: Final = ((320, 640), (375, 700))
TALLEST: Final = schedule(WIDE[1], 3_000)
"""Of a picture, in pixels; what is below is left out."""
TAGS: Final = {"en": "en", "zh": "zh-CN"}
LOCAL: Final = frozenset({"data", "blob", "about"})
"""Schemes of what no server is asked for."""
SECONDS: Final = 30
RULES_IN_THE_DARK: Final = schedule(("color-contrast", "link-in-text-block"), ())
"""What axe-core may find in one theme and not in the other: all else is of what stands there. None is every rule."""
LEFT_OUT: Final = schedule(["tbody tr:nth-child(n+7)"], [])
"""What axe-core passes over: rows like those above them, most of its time goes into their colours."""
_HEARD: Final = frozenset({"error", "warning"})
_RUN_AXE: Final = """async ([exclude, options]) => {
  const found = await axe.run({include: [["html"]], exclude}, {resultTypes: ["violations"], ...options});
  return found.violations.map((one) => [one.id, one.help, one.nodes.length, one.nodes[0].target.join(" ")]);
}"""
_DOUBLED: Final = """() => {
  const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
  return ids.filter((id, place) => ids.indexOf(id) !== place);
}"""
_WIDER: Final = """() => {
  const root = document.documentElement, most = root.clientWidth;
  if (root.scrollWidth <= most) return null;
  const isScrolled = (one) => one !== root && one !== document.body && getComputedStyle(one).overflowX !== "visible";
  const isClipped = (one) => one !== null && (isScrolled(one) || isClipped(one.parentElement));
  const right = (one) => { const box = one.getBoundingClientRect();
    return Math.max(box.right, isScrolled(one) ? 0 : box.left + one.scrollWidth); };
  const isWide = (one) => right(one) > most + 1 && !isClipped(one.parentElement);
  const one = [...document.body.querySelectorAll("*")].findLast(isWide);
  return `${root.scrollWidth} px: ${one ? one.outerHTML.slice(0, 120) : "something"}`;
}"""


class Look(NamedTuple):
    """How a page is looked at."""

    language: Literal["en", "zh"] = "en"
    theme: Literal["light", "dark"] = "light"

    @property
    def name(self) -> str:
        """As files are called by it."""
        return f"{self.language}-{self.theme}"


LOOKS: Final[tuple[Look, ...]] = (
    (Look("en", "light"), Look("zh", "dark"))
    if os.environ.get("LOOKS") == "some"
    else (Look("en", "light"), Look("en", "dark"), Look("zh", "light"), Look("zh", "dark"))
)
"""Each language in each theme; with LOOKS=some each language and each theme once."""
LOOKS_ON_A_PHONE: Final = tuple({look.language: look for look in reversed(LOOKS)}.values())
"""One for each language."""


@dataclass
class Counted:
    """What was looked at, and what was found, one line each."""

    pages: set[str] = field(default_factory=set)
    axe: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def as_lists(self) -> dict[str, list[str]]:
        """Return all of it, as it goes from one process to another."""
        return {"pages": sorted(self.pages), "axe": self.axe, "console": self.console, "foreign": self.foreign}

    def add(self, more: Mapping[str, Sequence[str]]) -> None:
        """Count what another process has, too."""
        self.pages.update(more.get("pages", ()))
        self.axe += more.get("axe", ())
        self.console += more.get("console", ())
        self.foreign += more.get("foreign", ())

    def line(self) -> str:
        """Return what a run ends with."""
        return (
            f"pages {len(self.pages)}, axe {len(self.axe)}, console {len(self.console)}, "
            f"foreign requests {len(self.foreign)}"
        )

    @property
    def findings(self) -> list[str]:
        """All of them."""
        return [*self.axe, *self.console, *self.foreign]


class Eyes:
    """A browser's window: one page after another in one language and theme.

    Attributes:
        page: what it shows.
        url: of the server, without a slash at the end.
    """

    def __init__(self, context: BrowserContext, url: str, look: Look, counted: Counted) -> None:
        self.url = url
        self.look = look
        self.counted = counted
        self._expected: list[str] = []
        context.set_default_timeout(SECONDS * 1_000)
        context.on("request", self._requested)
        context.on("console", self._said)
        context.on("weberror", lambda error: self._found_in_console(f"uncaught: {error.error}"))
        self.page: Page = context.new_page()
        # Choosers are handed to tests from now on; the first one would open before a test's own listener counts.
        self.page.on("filechooser", lambda chooser: None)

    def visit(self, address: str, status: int = 200) -> Response:
        """Go to an address of the server, and see that the answer is a page as it should be.

        Args:
            address: from the root of the site on.
            status: that is expected; the console tells of other ones by itself.
        """
        self.expect(status)
        response = self.page.goto(self.url + address, wait_until="load")
        assert response is not None
        assert response.status == status, (address, response.status, response.text()[:500])
        headers = response.headers
        assert {name: headers.get(name) for name in HEADERS} == HEADERS, address
        self.counted.pages.add(urlsplit(address).path)
        return response

    def expect(self, status: int) -> None:
        """Let the console tell of answers that are none, if what comes next is one."""
        self._expected = [] if status < 400 else ["Failed to load resource"]

    def look_at(self, address: str, status: int = 200) -> Response:
        """Go to an address in this window's language, and see that what is shown is in it, and can be read by all."""
        response = self.visit(and_asked(address, lang=self.look.language), status)
        assert self.page.locator("html").get_attribute("lang") == TAGS[self.look.language], address
        assert self.page.locator("html").get_attribute("data-theme") == self.look.theme, address
        assert self.page.title().strip(), address
        assert self.page.locator("h1").count() == 1, address
        assert self.page.evaluate(_DOUBLED) == [], address
        self.check_with_axe(address, *(RULES_IN_THE_DARK if self.look.theme == "dark" else ()))
        return response

    def check_with_axe(self, what: str, *rules: str) -> None:
        """Look for what keeps people out, by all rules or by some."""
        if not self.page.evaluate("() => 'axe' in window"):
            self.page.evaluate(AXE.read_text(encoding="utf-8"))
        for rule, told, times, where in self.page.evaluate(
            _RUN_AXE, [LEFT_OUT, {"runOnly": list(rules)} if rules else {}]
        ):
            self.counted.axe.append(f"{what} ({self.look.name}): {rule}: {told}; {times} times, first {where}")

    def width_beyond(self, size: tuple[int, int], picture: Path | None = None) -> str | None:
        """Return what is wider than a screen of this size; None if nothing is."""
        self.page.set_viewport_size({"width": size[0], "height": size[1]})
        try:
            wider: str | None = self.page.evaluate(_WIDER)
            if picture is not None:
                self.take(picture)
        finally:
            self.page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
        return wider

    def take(self, picture: Path) -> None:
        """Take a picture of the page, of its beginning if it is long."""
        if WIDE[1] == TALLEST:
            self.page.screenshot(path=picture)
            return
        width, height = self.page.evaluate("() => [innerWidth, document.documentElement.scrollHeight]")
        box: FloatRect = {"x": 0, "y": 0, "width": width, "height": min(height, TALLEST)}
        self.page.screenshot(path=picture, full_page=True, clip=box)

    @property
    def _where(self) -> str:
        return f"{urlsplit(self.page.url).path} ({self.look.name})"

    def _requested(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in LOCAL and f"{parts.scheme}://{parts.netloc}" != self.url:
            self.counted.foreign.append(f"{self._where}: {request.method} {request.url[:200]}")

    def _said(self, message: ConsoleMessage) -> None:
        expected = any(message.text.startswith(one) for one in self._expected)
        if message.type in _HEARD and not expected:
            self._found_in_console(f"{message.type}: {message.text[:300]}")

    def _found_in_console(self, what: str) -> None:
        self.counted.console.append(f"{self._where}: {what}")


def and_asked(address: str, **query: str) -> str:
    """Return an address with more parameters."""
    return f"{address}{'&' if '?' in address else '?'}{urlencode(query)}"


@contextmanager
def window(browser: Browser, url: str, counted: Counted, look: Look = LOOKS[0], **options: Any) -> Iterator[Eyes]:
    """Open a window on a server; what is wrong in it is found in `counted`."""
    size: ViewportSize = {"width": WIDE[0], "height": WIDE[1]}
    context = browser.new_context(viewport=size, color_scheme=look.theme, reduced_motion="reduce", **options)
    try:
        if url.startswith("http"):
            context.add_cookies([{"name": "theme", "value": look.theme, "url": url}])
        eyes = Eyes(context, url, look, counted)
        yield eyes
        eyes.page.title()  # what it said until now has been heard
    finally:
        context.close()
