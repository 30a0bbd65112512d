"""The pages, and the files that they load, in a list: what an application includes to be an explorer."""

from typing import Final

from starlette.routing import BaseRoute, Route

from tallystick.web.pages import (
    application_pages,
    checkpoint_pages,
    claim_pages,
    contract_pages,
    entry_pages,
    finding_pages,
    holder_pages,
    list_pages,
    log_pages,
    network_pages,
    own_pages,
    programme_pages,
    provider_pages,
    search_pages,
    signing,
    thing_pages,
    treasury_pages,
    verify_pages,
    voucher_pages,
)
from tallystick.web.pages.answering import route_of
from tallystick.web.pages.page import PageRoute
from tallystick.web.pages.static_files import PATH, static_file

_GENERAL: Final = (*list_pages.PAGES, *thing_pages.PAGES)
_OWN: Final = (
    *network_pages.PAGES,
    *treasury_pages.PAGES,
    *programme_pages.PAGES,
    *application_pages.PAGES,
    *contract_pages.PAGES,
    *voucher_pages.PAGES,
    *holder_pages.PAGES,
    *provider_pages.PAGES,
    *own_pages.PAGES,
    *claim_pages.PAGES,
    *entry_pages.PAGES,
    *log_pages.PAGES,
    *checkpoint_pages.PAGES,
    *finding_pages.PAGES,
    *search_pages.PAGES,
    *signing.PAGES,
    *verify_pages.PAGES,
)
"""Pages of kinds that have one of their own; each takes the place of the general one of its address."""
PAGES: Final[tuple[PageRoute, ...]] = tuple({page.path: page for page in (*_GENERAL, *_OWN)}.values())
"""Every page."""
ROUTES: Final[tuple[BaseRoute, ...]] = (
    *[route_of(page) for page in PAGES],
    Route(PATH + "/{path:path}", static_file, name="static"),
)
