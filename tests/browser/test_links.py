"""No page leads to nowhere: every address that a page of the demo names is one that the server answers."""

from collections import defaultdict
from html.parser import HTMLParser
from typing import Final
from urllib.parse import urldefrag, urljoin

import httpx2

from browser.examples import PATHS, Examples

LINKS_OF_ONE_KIND: Final = 3
"""Of pages with the same beginning so many are asked for."""


class Links(HTMLParser):
    """What a page links to, asks for, and sends its forms to by GET."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take down what an element names."""
        of = dict(attrs)
        if tag == "form" and of.get("method", "get") == "get":
            self.found.add(of.get("action") or "")
        for name in ("href", "src", "data-src"):
            if of.get(name):
                self.found.add(str(of[name]))


def test_every_link_leads_somewhere(explorer: str, examples: Examples) -> None:
    named: dict[str, str] = {}
    with httpx2.Client(base_url=explorer, timeout=60, follow_redirects=True) as http:
        for path in PATHS:
            for address in (examples.address(path), examples.address(path) + "?as_of=2000"):
                answer = http.get(address)
                for link in Links(answer.text).found:
                    whole = urldefrag(urljoin(explorer + address, link)).url
                    assert whole.startswith(f"{explorer}/"), f"{address} leads to {whole}"
                    named.setdefault(whole.removeprefix(explorer), address)
        by_kind: dict[str, list[str]] = defaultdict(list)
        for link in sorted(named):
            by_kind["/".join(link.partition("?")[0].split("/")[:2])].append(link)
        asked = [link for links in by_kind.values() for link in links[:: len(links) // LINKS_OF_ONE_KIND or 1]]
        statuses = {link: http.get(link).status_code for link in asked}
    dead = [f"{named[link]} leads to {link}: {status}" for link, status in statuses.items() if status >= 400]
    assert not dead, "\n".join(dead)
