"""The pages, and the files that they load, in a list: what an application includes to be an explorer."""

from typing import Final

from starlette.routing import BaseRoute, Route

from tallystick.web.pages import list_pages, thing_pages
from tallystick.web.pages.answering import route_of
from tallystick.web.pages.page import PageRoute
from tallystick.web.pages.static_files import PATH, static_file

PAGES: Final[tuple[PageRoute, ...]] = (*list_pages.PAGES, *thing_pages.PAGES)
"""Every page."""
ROUTES: Final[tuple[BaseRoute, ...]] = (
    *[route_of(page) for page in PAGES],
    Route(PATH + "/{path:path}", static_file, name="static"),
)
