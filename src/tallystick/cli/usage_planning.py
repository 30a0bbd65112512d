"""A plan is made and previewed: usage is read, the log is asked what stands and what it would say."""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tallystick.cli import drafting, output
from tallystick.cycle_collection import paused_collection
from tallystick.errors import UsageError

if TYPE_CHECKING:
    from tallystick.cli.places import Place
    from tallystick.cli.usage_inputs import Usage
    from tallystick.profile import Profile
    from tallystick.signing.keys import SigningKey
    from tallystick.usage.planning import Plan, Reversal
    from tallystick.usage.preview import Preview
    from tallystick.usage.splitting import Every
    from tallystick.usage.standing import Standing
    from tallystick.usage.statements import PlannedStatement
    from tallystick.wire import JsonObject

EVIDENCE_KEY: Final = "evidence.key"
"""In the profile's folder: of it the salts of evidence are made."""


@dataclass(slots=True)
class Signer:
    """Who signs commands at a place.

    Attributes:
        keys: opens the keys.
        evidence_key: of which salts are made; None: statements have no evidence.
    """

    profile: "Profile"
    place: "Place"
    keys: "Callable[[], Sequence[SigningKey]]"
    evidence_key: bytes | None = None

    @property
    def party(self) -> str:
        """For which is signed."""
        return self.profile.party or ""

    def common(self) -> dict[str, str]:
        """Return what every command says, but for its reference."""
        said = drafting.common_fields(self.profile, self.place, "none", self.place.clock())
        del said["ref"]
        return said

    def sign(self, fields: Mapping[str, Any]) -> bytes:
        """Return a command's note."""
        from tallystick.signing.note import sign_text
        from tallystick.vouchers.rulebook import command_text

        return sign_text(command_text(dict(fields)), *self.keys())

    def signed(self, statements: "Sequence[PlannedStatement]") -> list[bytes]:
        """Return the notes of statements."""
        common = self.common()
        return [self.sign(statement.fields(common, self.evidence_key)) for statement in statements]


@dataclass(slots=True)
class PreviewedPlan:
    """A plan, and what the log would say to it.

    Attributes:
        preview: None if it wasn't asked.
        reversal_answers: what the log would say to each reversal that is proposed; empty if it wasn't asked.
        awaiting: what it would say to the lines that await reversals.
    """

    usage: "Usage"
    standing: "Standing"
    plan: "Plan"
    preview: "Preview | None" = None
    reversal_answers: "list[JsonObject]" = field(default_factory=list)
    awaiting: "Preview | None" = None

    @property
    def is_open(self) -> bool:
        """Whether a person has to look at something: a refusal, or a line that shouldn't stand."""
        return bool(self.plan.reversals or (self.preview is not None and self.preview.refused))


def planned(usage: "Usage", signer: Signer, every: "Every | None", *, is_previewed: bool) -> PreviewedPlan:
    """Return the plan of usage against the log of a place.

    Args:
        usage: what was read.
        signer: for whom; nothing that it signs here is kept or sent.
        every: whether lines are cut by day or month.
        is_previewed: whether the log is asked what it would say.

    Raises:
        UsageError: nobody says for which party.
        LedgerError, ServerError: the log can't be read.
    """
    from tallystick.usage.planning import by_spell, plan
    from tallystick.usage.preview import previewed
    from tallystick.usage.splitting import Cuts
    from tallystick.usage.standing import standing_of

    signer.common()
    spells = by_spell(usage.lines)
    with output.progress("Reading the log") as progress, paused_collection():
        entries = signer.place.provider_log().entries(signer.party, progress)
        standing = standing_of(entries, signer.party, {job for job, _ in spells})
        made = plan(spells, standing, Cuts(standing.utc_offset_us, every))
    found = PreviewedPlan(usage, standing, made)
    if not is_previewed:
        return found

    def check(statements: "Sequence[PlannedStatement]") -> "list[JsonObject]":
        return signer.place.check(signer.signed(statements)) if statements else []

    found.preview = previewed(found.plan.burns, standing.contracts, check)
    if found.plan.reversals:
        before = signer.signed(found.preview.statements)
        before += [signer.sign(fields) for fields in reversal_commands(found.plan.reversals, signer)]
        start = len(before) - len(found.plan.reversals)

        def check_after(statements: "Sequence[PlannedStatement]") -> "list[JsonObject]":
            answers = signer.place.check([*before, *signer.signed(statements)])
            found.reversal_answers = answers[start : len(before)]
            return answers[len(before) :]

        found.awaiting = previewed(found.plan.awaiting, standing.contracts, check_after)
    return found


def reversal_commands(reversals: "Sequence[Reversal]", signer: Signer) -> list[dict[str, Any]]:
    """Return the commands that take lines back."""
    from tallystick.usage.statements import reversal_fields

    common = signer.common()
    return [reversal_fields(reversal, common) for reversal in reversals]


def evidence_key_of(profile: "Profile") -> bytes:
    """Return the key of evidence that lies in a profile's folder, which is made if it isn't there.

    Raises:
        UsageError: what lies there is no such key.
        OSError: it can't be read or made.
    """
    import os
    import secrets

    from tallystick.durable_files import create_private, sync_folder
    from tallystick.usage.evidence import KEY_SIZE

    path = profile.folder / EVIDENCE_KEY
    try:
        opened = create_private(path, 0o600)
    except FileExistsError:
        key = path.read_bytes()
        if len(key) != KEY_SIZE:
            raise UsageError(f"{path} is no key of evidence: it has {len(key)} bytes, and not {KEY_SIZE}") from None
        return key
    key = secrets.token_bytes(KEY_SIZE)
    with os.fdopen(opened, "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)
    return key
