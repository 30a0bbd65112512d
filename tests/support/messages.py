"""The catalogue of the pages' texts against what code and templates say: `make messages` brings it up to date.

The order is that of the msgids and places are files without lines, so that a change shows what changed and no more.
"""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from tallystick.web.pages import closed_lists
from tallystick.web.pages.catalogue import CATALOGUE

SRC = Path(__file__).resolve().parents[2] / "src" / "tallystick"
_METHODS = [("**.py", "python"), ("**.html", "jinja2")]
_OPTIONS = {"**.html": {"silent": "false", "trimmed": "true", "newstyle_gettext": "true"}}
_HEADER = r"""# What the pages say in Chinese. `make messages` finds what is missing; docs/terms-zh.md has the terms.
msgid ""
msgstr ""
"Project-Id-Version: tallystick\n"
"Language: zh\n"
"MIME-Version: 1.0\n"
"Content-Type: text/plain; charset=utf-8\n"
"Content-Transfer-Encoding: 8bit\n"
"Plural-Forms: nplurals=1; plural=0;\n"

"""

Key = tuple[str, str | None]


def extracted() -> Catalog:
    """Return what code, templates and closed lists say."""
    catalogue = Catalog(locale="zh")
    for folder in (SRC / "forms", SRC / "web"):
        for file, _, message, _, context in extract_from_dir(folder, _METHODS, _OPTIONS):
            catalogue.add(message, locations=[(f"{folder.name}/{file}", 0)], context=context)
    for message, context in closed_lists.messages():
        catalogue.add(message, locations=[("web/pages/closed_lists.py", 0)], context=context)
    return catalogue


def kept() -> Catalog:
    """Return the catalogue as it is kept."""
    return read_po(BytesIO(CATALOGUE.read_bytes()), locale="zh", abort_invalid=True)


def messages(catalogue: Catalog) -> Iterator[tuple[Key, Message]]:
    """Yield the messages of a catalogue by msgid and context, without its header."""
    for message in catalogue:
        if message.id:
            yield key_of(message), message


def key_of(message: Message) -> Key:
    """Return what tells a message from others: its msgid, the first of two, and its context."""
    return (message.id if isinstance(message.id, str) else message.id[0]), message.context


def brought_up_to_date() -> bytes:
    """Return the catalogue with all that is said now, and nothing else; what is new has no translation yet."""
    translated = dict(messages(kept()))
    catalogue = extracted()
    for key, message in messages(catalogue):
        if key in translated:
            message.string = translated[key].string
            message.user_comments = translated[key].user_comments
    body = BytesIO()
    write_po(body, catalogue, width=0, omit_header=True, sort_output=True, include_lineno=False)
    return _HEADER.encode() + body.getvalue()


if __name__ == "__main__":
    CATALOGUE.write_bytes(brought_up_to_date())
    empty = sorted(key[0] for key, message in messages(kept()) if not message.string)
    print(f"{CATALOGUE.relative_to(Path.cwd())}: {len(empty)} to translate", *empty, sep="\n  ")
