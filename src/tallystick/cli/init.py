"""A profile is written by asking, and every answer is tried before it is believed.

    init                                        asks, on a terminal
    init --source URL --policy FILE --key FILE  asks nothing that is given

The service must answer and sign as the policy says, the key must open, and the log must know it as the party's.
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from tallystick.cli import drafting, output, streams
from tallystick.errors import TallystickError, UsageError

if TYPE_CHECKING:
    from tallystick.cli.places import Place
    from tallystick.profile import Profile

_TRIES: Final = 5
"""Of one question on a terminal."""


def add_commands(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(init)


def init(
    file: Annotated[
        Path | None, typer.Option("--profile", metavar="FILE", help="Where the profile goes; ./tallystick.toml.")
    ] = None,
    source: Annotated[
        str | None, typer.Option(metavar="SOURCE", help="A service's URL; or a ledger's folder or postgresql:// URL.")
    ] = None,
    policy: Annotated[
        str | None, typer.Option(metavar="FILE", help="The log's trust policy, obtained out of band.")
    ] = None,
    key: Annotated[str | None, typer.Option(metavar="KEY", help="Your key file, or a PKCS#11 URI.")] = None,
    party: Annotated[str | None, typer.Option(metavar="PARTY", help="Your party; else the key's name says it.")] = None,
    passphrase_file: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Whose first line unlocks the key; else it is asked for each time."),
    ] = None,
    passphrase_command: Annotated[
        str | None, typer.Option(metavar="COMMAND", help="Whose first line of output unlocks the key.")
    ] = None,
    zone: Annotated[
        str | None, typer.Option(metavar="OFFSET", help="The network's time zone; else the log says it.")
    ] = None,
    auditor: Annotated[
        list[str] | None, typer.Option(metavar="URL", help="An auditor that gets every receipt; once for each.")
    ] = None,
) -> None:
    """Write your profile: where commands go, and who signs them. Each answer is tried first."""
    from tallystick import profile as profiles

    place = file or Path(profiles.NAME)
    if place.exists():
        raise UsageError(f"{place} exists already: change it by hand, or name another with --profile")
    options = {"passphrase_file": passphrase_file, "passphrase_command": passphrase_command, "zone": zone}
    made = _Making(place, options | {"auditors": tuple(auditor or ())})
    made.answer("source", source, "Where do commands go: a service's URL, or a ledger's folder?")
    if made.profile.is_of_a_service:
        made.answer("policy", policy, "Which file is the log's trust policy?")
    made.answer("key", key, "Which key signs: a file, or a pkcs11: URI?")
    made.answer("party", party or made.party_of_key(), "For which party?")
    fields = made.tried()
    profiles.write(place, fields)
    output.line(f"{place}: {fields['party']} signs with {made.key_name} for the log {fields['log']}")


class _Making:
    """A profile in the making."""

    def __init__(self, place: Path, options: dict[str, object]) -> None:
        self.place = place
        self._given = dict(options)
        self.profile = self._loaded()
        self.key_name = ""

    def answer(self, name: str, given: str | None, question: str) -> None:
        """Take an answer that was given, or ask for one until it can be right.

        Raises:
            UsageError: it can't, or there is nobody to ask.
        """
        for _ in range(_TRIES):
            text = given if given is not None else _ask(question, f"--{name}")
            before = dict(self._given)
            self._given[name] = text
            try:
                self.profile = self._loaded()
                self._try(name)
            except (TallystickError, OSError) as error:
                self._given = before
                if given is not None or not sys.stdin.isatty():
                    raise
                streams.say(f"tallystick: {error}")
                continue
            return
        raise UsageError(f"no answer that is right; give --{name}")

    def party_of_key(self) -> str | None:
        """Return the party that the key's name begins with."""
        return self.key_name.partition("/")[0] or None

    def tried(self) -> dict[str, str | list[str]]:
        """Return the profile's fields, once the log knows the key as the party's.

        Raises:
            UsageError: it doesn't.
            ServerError: the service doesn't answer, or another log.
        """
        from tallystick.forms.amounts import offset

        with closing(self._place()) as place:
            _check_key(place, self.profile, self.key_name)
            said: dict[str, str | list[str]] = {
                name: str(self._given[name])
                for name in ("source", "policy", "key", "party", "passphrase_file", "passphrase_command")
                if self._given.get(name) is not None
            }
            said |= {"log": place.origin, "zone": self.profile.zone or offset(place.zone)}
        if self.profile.auditors:
            said["auditors"] = list(self.profile.auditors)
        return {name: self._relative(name, text) for name, text in said.items()}

    def _loaded(self) -> "Profile":
        from tallystick import profile as profiles

        return profiles.checked(self._given)

    def _try(self, name: str) -> None:
        match name:
            case "key":
                (opened,) = drafting.keys_of(self.profile, ())()
                self.key_name = opened.name
            case "source" if not self.profile.is_of_a_service:
                with closing(self._place()) as place:
                    _ = place.origin
            case "policy":
                with closing(self._place()) as place:
                    _ = place.zone

    def _place(self) -> "Place":
        from tallystick.cli.place_opening import open_place

        return open_place(self.profile, drafting.keys_of(self.profile, ()))

    def _relative(self, name: str, text: str | list[str]) -> str | list[str]:
        """Return a path as the profile has it: from its own folder, if it lies below."""
        if name not in ("source", "policy", "key", "passphrase_file") or not isinstance(text, str):
            return text
        resolved = getattr(self.profile, name)
        folder = self.place.absolute().parent
        is_below = resolved != text and Path(resolved).is_relative_to(folder)
        return str(Path(resolved).relative_to(folder)) if is_below else str(resolved)


def _check_key(place: "Place", profile: "Profile", key_name: str) -> None:
    """Refuse a key that the log doesn't know as the party's.

    Raises:
        UsageError: it doesn't know it.
        ServerError: no usable answer.
    """
    from tallystick.cli.remote_place import RemotePlace

    if isinstance(place, RemotePlace):
        place.login()
        return
    party = profile.party or ""
    known = [one.id for one in place.candidates("key", party)]
    (key,) = drafting.keys_of(profile, ())()
    label = key.verifier.label
    if label not in known:
        raise UsageError(f"the log {place.origin} doesn't know {key_name} as a key of {party} that counts")


def _ask(question: str, option: str) -> str:
    """Return what a person types.

    Raises:
        UsageError: there is no terminal, or nothing was typed.
    """
    if not sys.stdin.isatty():
        raise UsageError(f"no terminal to ask: give {option}")
    sys.stderr.write(f"{question} ")
    sys.stderr.flush()
    text = sys.stdin.readline().strip()
    if not text:
        raise UsageError(f"nothing was typed; give {option}")
    return text
