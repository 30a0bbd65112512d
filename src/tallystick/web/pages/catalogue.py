"""What the pages say in Chinese: the catalogue that translators edit, read once and compiled in memory.

English needs none: a msgid is the English text. docs/development.md says how a text gets into the catalogue.
"""

import gettext
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

CATALOGUE: Final = Path(__file__).parent.parent / "locale" / "zh" / "LC_MESSAGES" / "tallystick.po"


@cache
def chinese() -> gettext.GNUTranslations:
    """Return the translations into Chinese.

    Raises:
        babel.messages.pofile.PoFileError: the catalogue, a part of the program, is damaged.
    """
    with CATALOGUE.open("rb") as file:
        catalogue = read_po(file, locale="zh", abort_invalid=True)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
