"""A form counts only if a page of this very service sent it; a page of another site could have any browser send one.

Sec-Fetch-Site   said by every browser of today to a secure address: `same-origin`, or it is refused
Origin           where that isn't said: this host's, or one that the operator says parties call the service

A program that sends a form of its own says Origin too. Notes need none of this: their signature is the authorisation.
"""

from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request

from tallystick.web.problems import HttpProblem
from tallystick.wire.statuses import HttpReason

_SCHEMES: Final = ("https", "http")


def check_same_origin(request: Request, urls: Collection[str]) -> None:
    """Refuse a request that a page of another site caused, or that doesn't say which page did.

    Args:
        request: one that changes something.
        urls: what parties call the service.

    Raises:
        HttpProblem: it isn't this service's page.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin", "")
    if site is None and origin in ("", "null"):
        raise HttpProblem(HttpReason.CROSS_SITE, "the request doesn't say of which page it is (Origin)")
    ours = {*(f"{scheme}://{request.headers.get('host', '')}" for scheme in _SCHEMES), *map(_origin_of, urls)}
    if site != "same-origin" if site is not None else origin not in ours:
        raise HttpProblem(HttpReason.CROSS_SITE, "the form was sent from another site")


def _origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()
