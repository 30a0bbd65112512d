"""Applications, claims and demands have dossiers, too: what was filed, said and decided of them, entry by entry.

They are no accounts: a seal has no leaf of them. So their dossiers begin with the log, every entry in them is proved
and decided anew, and nothing in them proves that there aren't more; a dossier of the holder, the provider or the
programme does that.
"""

from typing import Final

from tallystick.vouchers.rules.rule import Event, touched
from tallystick.vouchers.state import State

KINDS: Final = ("application", "claim", "demand")


def is_thing(subject: str) -> bool:
    """Return whether a dossier's subject (`<kind> <id>`) is no account, so that no seal has a leaf of it."""
    return subject.partition(" ")[0] in KINDS


def names_of(subject: str) -> tuple[str, ...]:
    """Return the names that a subject's entries concern, as the index has them: of a thing verdicts on it, too."""
    return (subject, f"attestations {subject}") if is_thing(subject) else (subject,)


def is_of(subject: str, state: State, event: Event) -> bool:
    """Return whether an entry is the subject's; `state` is the one just after it."""
    if is_thing(subject):
        return not set(names_of(subject)).isdisjoint(event.command.concerns(state, event))
    return subject in touched(state, event)
