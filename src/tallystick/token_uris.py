"""A key's place is a file, or a PKCS#11 URI (RFC 7512) that names a key in a token; neither holds a secret.

    pkcs11:token=officers;object=shanghai-treasury%2Fofficer-1?module-path=/usr/lib/softhsm/libsofthsm2.so

Before the question mark stands which token and which object: `token`, `serial`, `manufacturer`, `model`, `object` (the
object's label, which is the key's name), `id` and `type=private`. Behind it `module-path`, the library of the token's
maker. A slash in a label is written `%2F`, and taken as it is too. A PIN in the URI is refused: arguments and settings
are read by others. A file whose name begins with `pkcs11:` is given as `./pkcs11:…`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias
from urllib.parse import quote, unquote_to_bytes

from tallystick.errors import UsageError

SCHEME: Final = "pkcs11:"
URI_LENGTH_MAX: Final = 4_096
_TEXTS: Final = ("token", "serial", "manufacturer", "model", "object")
_SECRETS: Final = {
    "pin-value": "a PIN doesn't belong into a URI, which others can read",
    "pin-source": "say where the PIN comes from outside the URI",
}
_PIN_HINT: Final = "give --passphrase-file or --passphrase-command, or type it when asked"
_PLAIN: Final = "-_.~:[]@!$'()*+,="  # what RFC 7512 leaves unescaped in an attribute besides letters and digits
_PLAIN_IN_PATH: Final = _PLAIN.replace("+", "").replace("=", "") + "/"


@dataclass(frozen=True, slots=True)
class TokenUri:
    """Which key in which token.

    Attributes:
        token: the token's label; None where another attribute tells it.
        serial: the token's serial number.
        manufacturer: of the token.
        model: of the token.
        object: the label of the key's objects.
        id: the id of the key's objects.
        module_path: the library through which the token is reached; None for the one that the environment names.
    """

    token: str | None = None
    serial: str | None = None
    manufacturer: str | None = None
    model: str | None = None
    object: str | None = None
    id: bytes | None = None
    module_path: Path | None = None

    @classmethod
    def from_text(cls, text: str) -> "TokenUri":
        """Return what a URI names.

        Raises:
            UsageError: not such a URI, one with a PIN, or one that names neither a token nor a key.
        """
        if not text.startswith(SCHEME) or len(text) > URI_LENGTH_MAX:
            raise UsageError(f"a key in a token is named by {SCHEME}token=…;object=…, in {URI_LENGTH_MAX} characters")
        path, _, query = text.removeprefix(SCHEME).partition("?")
        found: dict[str, Any] = {}  # each field's type is as _read gives it
        for name, value in _attributes(path, ";") + _attributes(query, "&"):
            if name in _SECRETS:
                raise UsageError(f"a PKCS#11 URI has {name} in it: {_SECRETS[name]}; {_PIN_HINT}")
            field = "module_path" if name == "module-path" else name
            if field in found:
                raise UsageError(f"the PKCS#11 URI says {name} twice")
            if name == "type" and value == b"private":
                continue
            found[field] = _read(name, value)
        if not found.keys() - {"module_path"}:
            raise UsageError(f"the PKCS#11 URI names no token: {SCHEME}token=…;object=…")
        return cls(**found)

    def to_text(self) -> str:
        """Return the URI in the spelling of RFC 7512."""
        texts = [(name, getattr(self, name)) for name in _TEXTS]
        parts = [f"{name}={quote(value, safe=_PLAIN)}" for name, value in texts if value is not None]
        if self.id is not None:
            parts.append("id=" + "".join(f"%{byte:02x}" for byte in self.id))
        module = "" if self.module_path is None else f"?module-path={quote(str(self.module_path), safe=_PLAIN_IN_PATH)}"
        return SCHEME + ";".join(parts) + module

    def __str__(self) -> str:
        return self.to_text()


KeyPlace: TypeAlias = Path | TokenUri
"""Where a private key is."""


def key_place(text: str) -> KeyPlace:
    """Return the place that a text names: a token's key for a PKCS#11 URI, a file for all else.

    Raises:
        UsageError: a PKCS#11 URI that can't be read.
    """
    return TokenUri.from_text(text) if text.startswith(SCHEME) else Path(text)


def _attributes(text: str, separator: str) -> list[tuple[str, bytes]]:
    """Return the attributes of one part of a URI, in order, decoded."""
    found = []
    for part in text.split(separator) if text else []:
        name, equals, value = part.partition("=")
        if not equals or not name or not value:
            raise UsageError(f"the PKCS#11 URI has {name[:40]!a} where an attribute name=value belongs")
        found.append((name, unquote_to_bytes(value)))
    return found


def _read(name: str, value: bytes) -> str | bytes | Path:
    if name == "id":
        return value
    try:
        text = value.decode()
    except UnicodeDecodeError:
        raise UsageError(f"{name} in the PKCS#11 URI isn't UTF-8") from None
    if not text.isprintable():
        raise UsageError(f"{name} in the PKCS#11 URI has a control character")
    if name == "module-path":
        if not text.startswith("/"):
            raise UsageError(f"module-path in the PKCS#11 URI is {text!a:.80}, and no path from / on")
        return Path(text)
    if name in _TEXTS:
        return text
    if name == "type":
        raise UsageError(f"the PKCS#11 URI asks for an object of type {text!a:.40}: a private key signs")
    known = ", ".join((*_TEXTS, "id", "type", "module-path"))
    raise UsageError(f"the PKCS#11 URI has {name!a:.40}, and known are {known}")
