"""The page on which a browser verifies a receipt, a dossier or a balance proof: by scripts of its own, asking nothing.

`?entry=45` has the script take that entry's receipt, which the reader may have or not, from the service.
"""

from typing import Final

from tallystick.web.pages.page import Asked, Page, PageRoute
from tallystick.web.pages.words import N_
from tallystick.web.seen_log import SeenLog

_TITLE: Final = N_("Verify a receipt, a dossier or a balance proof")


def verify(seen: SeenLog, asked: Asked) -> Page:
    """Return the page, which is the same for every reader."""
    return Page(asked.words.gettext(_TITLE))


PAGES: Final = (PageRoute("/verify", "verify.html", verify, "y", is_log_alone=True),)
