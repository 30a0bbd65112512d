"""A private key in a PKCS#11 token signs there, and never leaves it.

What is read out of the token is the key's label, which is its name, and its public half: together they are its vkey. It
is an Ed25519 key (PKCS#11 3.0: CKK_EC_EDWARDS, mechanism CKM_EDDSA).

A signature is verified before it is given away, so that a token that fails can't put a bad one under a checkpoint. A
session that broke off is opened once more with the PIN that was right before; a PIN that was refused is never tried
again, since tokens lock themselves.

The module, a library of the token's maker, runs inside this process and is trusted with all that it is.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tallystick.errors import KeyMalformedError, KeyTokenError, SignatureInvalidError
from tallystick.signing.algorithms import SIGNER
from tallystick.signing.keys import SigningKey, VerifierKey
from tallystick.token_uris import TokenUri

if TYPE_CHECKING:
    import pkcs11

MODULE_VARIABLE: Final = "TALLYSTICK_PKCS11_MODULE"
_POINT_SIZE: Final = SIGNER.key_size
_CURVE: Final = bytes.fromhex("06032b6570")  # DER of the object identifier 1.3.101.112, RFC 8410
_CURVE_BY_NAME: Final = bytes.fromhex("130c") + b"edwards25519"  # the other spelling of PKCS#11 3.0
_POINT_HEADS: Final = (b"", bytes.fromhex("0420"), bytes.fromhex("032100"))  # as it is, OCTET STRING, BIT STRING
_ID_SIZE: Final = 8

Pin = Callable[[str], bytes]
"""Returns the PIN of the token that it is asked for by name."""


def load(uri: TokenUri, pin: Pin) -> SigningKey:
    """Return the key in a token.

    Args:
        uri: names it.
        pin: asked once, and not at all if there is no such token or no such public key in view.

    Raises:
        KeyTokenError: no module, token or key, or several; the PIN is wrong or locked.
        KeyMalformedError: the key's label is no name of a key.
    """
    token = _Token(uri)
    secret = pin(token.name)
    with _faults(token):
        session = token.open(secret)
        try:
            signer = _TokenSigner(token, session, secret)
        except BaseException:
            session.close()  # or the process would stay logged in
            raise
    return SigningKey(signer.verifier, signer)


def show(uri: TokenUri, pin: Pin | None = None) -> VerifierKey:
    """Return the public half of a key in a token; the PIN is asked for only if it isn't in view without.

    Raises:
        KeyTokenError: as for `load`; or there is no such public key, and no PIN to look further.
        KeyMalformedError: the key's label is no name of a key.
    """
    token = _Token(uri)
    with _faults(token):
        session = token.open(None)
        try:
            return _verifier_in(session, uri)
        except KeyTokenError:
            if pin is None:
                raise
        finally:
            session.close()
    secret = pin(token.name)
    with _faults(token), token.open(secret) as session:
        return _verifier_in(session, uri)


def create(uri: TokenUri, name: str, pin: Pin) -> tuple[VerifierKey, TokenUri]:
    """Make a key in a token under a name, and return its public half and the URI of it.

    Args:
        uri: names the token, and no object.
        name: of the key, its label.
        pin: asked once.

    Raises:
        KeyTokenError: as for `load`; or the token has an object of that label, or makes no such keys.
        KeyMalformedError: an unfit name.
    """
    from pkcs11 import Attribute, KeyType, Mechanism  # noqa: PLC0415 - an extra

    if uri.object is not None or uri.id is not None:
        raise KeyTokenError(f"{uri} names an object: name the token alone, and give the key's name as NAME")
    token = _Token(uri)
    secret = pin(token.name)
    with _faults(token), token.open(secret, is_writing=True) as session:
        if next(iter(session.get_objects({Attribute.LABEL: name})), None) is not None:
            raise KeyTokenError(f"{token.name} has an object {name} already, and keys are never overwritten")
        curve = session.create_domain_parameters(KeyType.EC_EDWARDS, {Attribute.EC_PARAMS: _CURVE}, local=True)
        # Sensitive and not extractable is what python-pkcs11 asks for by itself; said here because all hangs on it.
        curve.generate_keypair(
            store=True,
            label=name,
            id=os.urandom(_ID_SIZE),
            mechanism=Mechanism.EC_EDWARDS_KEY_PAIR_GEN,
            private_template={Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False, Attribute.SIGN: True},
        )
        made = TokenUri(uri.token, uri.serial, uri.manufacturer, uri.model, name, None, uri.module_path)
        return _verifier_in(session, made), made


class _Token:
    """A token, through the module of its maker."""

    def __init__(self, uri: TokenUri) -> None:
        self.uri = uri
        self.name = f"the token {uri.token}" if uri.token is not None else f"the token of {uri}"
        self._module = _module_of(uri)
        self._library = _load_module(self._module)

    def open(self, pin: bytes | None, *, is_writing: bool = False) -> "pkcs11.Session":
        """Open a session, in which the user is logged in if there is a PIN.

        Raises:
            KeyTokenError: there is no such token, or the PIN is no text.
        """
        from pkcs11.exceptions import UserAlreadyLoggedIn  # noqa: PLC0415 - an extra

        try:
            text = None if pin is None else pin.decode()
        except UnicodeDecodeError:
            raise KeyTokenError(f"{self.name}: the PIN is not UTF-8") from None
        found = self._find()
        try:
            return found.open(rw=is_writing, user_pin=text)
        except UserAlreadyLoggedIn:  # a log's key and its next one in one token: a login is the whole process's
            return found.open(rw=is_writing)

    def reconnect(self) -> None:
        """Load the module's state anew: a token that was away is seen again only then."""
        self._library.reinitialize()

    def _find(self) -> "pkcs11.Token":
        """Return the token.

        Raises:
            KeyTokenError: there is none, or several.
        """
        uri = self.uri
        wanted = {"label": uri.token, "manufacturer_id": uri.manufacturer, "model": uri.model}
        serial = None if uri.serial is None else uri.serial.encode()
        found: list[pkcs11.Token] = [
            token
            for token in self._library.get_tokens(token_serial=serial)
            if all(value is None or getattr(token, name) == value for name, value in wanted.items())
        ]
        if len(found) != 1:
            how_many = "no token" if not found else f"{len(found)} tokens"
            labels = ", ".join(sorted(token.label for token in self._library.get_tokens() if token.label)) or "none"
            raise KeyTokenError(f"{how_many} of {self._module} fits {uri}; it has: {labels}")
        return found[0]


class _TokenSigner:
    """Signs with a key in a token, one signature at a time: a session is one thread's."""

    def __init__(self, token: _Token, session: "pkcs11.Session", pin: bytes) -> None:
        self._token = token
        self._pin: bytes | None = pin
        self._lock = threading.Lock()
        self.verifier = _verifier_in(session, token.uri)
        self._key = _private_key_in(session, token.uri)

    def __repr__(self) -> str:
        return f"<a key of {self._token.name}>"

    def __reduce__(self) -> str:
        raise TypeError("a key in a token can't be pickled")

    def sign(self, message: bytes, /) -> bytes:
        """Return the token's signature, verified.

        Raises:
            KeyTokenError: the token didn't sign, or not this.
        """
        with self._lock, _faults(self._token):
            signature = self._signature_of(message)
        try:
            self.verifier.verify(signature, message)
        except SignatureInvalidError:
            raise KeyTokenError(f"{self._token.name} made a signature that is not its key's: don't use it") from None
        return signature

    def _signature_of(self, message: bytes) -> bytes:
        from pkcs11 import Mechanism, PKCS11Error  # noqa: PLC0415 - an extra

        try:
            return bytes(self._key.sign(message, mechanism=Mechanism.EDDSA))
        except PKCS11Error:
            if self._pin is None:
                raise
        self._key = self._key_again(self._pin)
        return bytes(self._key.sign(message, mechanism=Mechanism.EDDSA))

    def _key_again(self, pin: bytes) -> Any:  # noqa: ANN401 - Cython's
        from pkcs11 import exceptions as said  # noqa: PLC0415 - an extra

        self._token.reconnect()
        try:
            session = self._token.open(pin)
        except (said.PinIncorrect, said.PinInvalid, said.PinLenRange, said.PinLocked, said.PinExpired):
            self._pin = None
            raise
        if _verifier_in(session, self._token.uri) != self.verifier:
            raise KeyTokenError(f"{self._token.name} has another key than before: {self._token.uri}")
        return _private_key_in(session, self._token.uri)


def _module_of(uri: TokenUri) -> Path:
    if uri.module_path is not None:
        return uri.module_path
    named = os.environ.get(MODULE_VARIABLE)
    if not named:
        raise KeyTokenError(f"which library reaches {uri}? add ?module-path=/… to it, or set {MODULE_VARIABLE}")
    return Path(named)


def _load_module(path: Path) -> Any:  # noqa: ANN401 - the library's type is Cython's
    import pkcs11  # noqa: PLC0415 - an extra

    try:
        return pkcs11.lib(str(path))
    except (pkcs11.PKCS11Error, RuntimeError, OSError) as error:
        why = "there is no such file" if not path.exists() else _words_of(error).rpartition(f"{path}: ")[2]
        raise KeyTokenError(f"{path} can't be used as a PKCS#11 module: {why}") from None


def _verifier_in(session: "pkcs11.Session", uri: TokenUri) -> VerifierKey:
    from pkcs11 import Attribute, ObjectClass  # noqa: PLC0415 - an extra

    key = _only(session, uri, ObjectClass.PUBLIC_KEY, "public")
    if bytes(key[Attribute.EC_PARAMS]) not in (_CURVE, _CURVE_BY_NAME):
        raise KeyTokenError(f"the key {uri} is not of Ed25519")
    point = bytes(key[Attribute.EC_POINT])
    head, public_key = point[:-_POINT_SIZE], point[-_POINT_SIZE:]
    if head not in _POINT_HEADS:
        raise KeyTokenError(f"the public key of {uri} has {len(point)} bytes, which is not Ed25519's form")
    label = str(key[Attribute.LABEL])
    try:
        return VerifierKey(label, SIGNER.type_byte, public_key)
    except KeyMalformedError as error:
        raise KeyMalformedError(f"{uri}: a key in a token is named by its label, and {error}") from None


def _private_key_in(session: "pkcs11.Session", uri: TokenUri) -> Any:  # noqa: ANN401 - Cython's
    from pkcs11 import ObjectClass  # noqa: PLC0415 - an extra

    return _only(session, uri, ObjectClass.PRIVATE_KEY, "private")


def _only(session: "pkcs11.Session", uri: TokenUri, kind: Any, word: str) -> Any:  # noqa: ANN401 - Cython's
    """Return the only Ed25519 key of a class that fits.

    Raises:
        KeyTokenError: there is none, or there are several.
    """
    from pkcs11 import Attribute, KeyType  # noqa: PLC0415 - an extra

    wanted: dict[Any, Any] = {Attribute.CLASS: kind, Attribute.KEY_TYPE: KeyType.EC_EDWARDS}
    if uri.object is not None:
        wanted[Attribute.LABEL] = uri.object
    if uri.id is not None:
        wanted[Attribute.ID] = uri.id
    found = [*session.get_objects(wanted)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise KeyTokenError(f"there is no {word} Ed25519 key {uri} in view")
    raise KeyTokenError(f"{len(found)} {word} keys fit {uri}: name one by object= or id=")


@contextmanager
def _faults(token: _Token) -> Iterator[None]:
    """Say what a token answered in one line."""
    from pkcs11 import PKCS11Error  # noqa: PLC0415 - an extra
    from pkcs11 import exceptions as said  # noqa: PLC0415 - an extra

    try:
        yield
    except PKCS11Error as error:
        match error:
            case said.PinIncorrect() | said.PinInvalid() | said.PinLenRange():
                why = "the PIN is wrong; too many wrong ones lock it"
            case said.PinLocked():
                why = "its PIN is locked after too many wrong ones: its security officer can unlock it"
            case said.UserPinNotInitialized() | said.PinExpired():
                why = "it has no PIN that is in force: its security officer sets one"
            case said.TokenNotPresent() | said.TokenNotRecognised() | said.DeviceRemoved():
                why = "it is gone: put it back and try again"
            case said.MechanismInvalid() | said.FunctionNotSupported():
                why = "it knows no Ed25519 keys"
            case _:
                why = f"it answered {_words_of(error)}"
        raise KeyTokenError(f"{token.name}: {why}") from None


def _words_of(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".strip().removesuffix(":").replace("\n", " ")
