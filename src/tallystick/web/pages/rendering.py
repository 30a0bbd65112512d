"""Pages as HTML: templates that come with the program, one environment for each language; what is shown is escaped.

A template may show what isn't text of ours in two ways: escaped, or as a chart, which escapes for itself
(`web/charts`). `|safe` and `Markup` stand nowhere else, and a test says so.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from tallystick.web.pages import words
from tallystick.web.pages.addresses import PLURALS
from tallystick.web.pages.cells import kind_of
from tallystick.web.pages.static_files import STATIC
from tallystick.web.pages.words import Language, Words, words_in


class Renderer:
    """The templates, in each language."""

    def __init__(self, zone: Callable[[], int | None]) -> None:
        """Take what says by how many seconds the network's time is ahead of UTC, once there is a network."""
        self._zone = zone
        self._environments: dict[Language, Environment] = {}

    def render(self, template: str, said: Words, values: Mapping[str, Any]) -> str:
        """Return a page."""
        return self._environment(said).get_template(template).render(values)

    def _environment(self, said: Words) -> Environment:
        known = self._environments.get(said.language)
        if known is None:
            known = self._environments[said.language] = environment_of(said, self._zone)
        return known


def environment_of(said: Words, zone: Callable[[], int | None]) -> Environment:
    """Return templates' environment in one language."""
    made = Environment(
        loader=PackageLoader("tallystick.web"),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    words.install(made, said, zone)
    made.globals |= {
        "static": STATIC.address,
        "things": PLURALS,
        "kind_of": kind_of,
        "languages": _LANGUAGES,
    }
    return made


_LANGUAGES: Final = (words_in("en"), words_in("zh"))
