"""Who takes part: parties, their roles, their keys, and the network that they make up."""

from dataclasses import dataclass, field

from tallystick.vouchers.fields import KeyPurpose, Role


@dataclass(slots=True)
class Key:
    """A party's key.

    Attributes:
        vkey: its text.
        purpose: what it is for.
        added_index: the entry that brought it.
        active_from: the time (microseconds) from which on it counts: that entry's, or later if another party added it.
        revoked_index: the entry that revoked it.
        compromised_since: the time (microseconds) from which on others may have signed with it, if that was said.
        compromised_index: the entry that said so: the one that revoked it, or a later one.
    """

    party: str
    vkey: str
    purpose: KeyPurpose
    added_index: int
    active_from: int
    revoked_index: int | None = None
    compromised_since: int | None = None
    compromised_index: int | None = None

    @property
    def is_active(self) -> bool:
        """Whether what it signs counts."""
        return self.revoked_index is None


@dataclass(frozen=True, slots=True)
class Officers:
    """A treasury's rule of dual control; docs/rules.md, "Parties".

    Attributes:
        threshold_fen: what fewer than `required` of its keys sign within any `window_days` stays at or below it.
        required: signatures above it.
        window_days: days of the network's calendar, today's among them.
    """

    threshold_fen: int
    required: int
    window_days: int


@dataclass(slots=True)
class Party:
    """A party as it stands.

    Attributes:
        admitter: the party that admitted it; itself, for the network.
        name: None of a maker, about whom the log says nothing that a person could be known by.
        profile_hash: commits to a document about it that is kept outside the log.
        quorum: how many of its keys must sign what makes others able to act or to be paid; for the network, anything.
        officers: of a treasury, how many must sign what lets money leave; None: one.
        keys: the labels of its keys, in order of addition.
        is_named: whether an entry after its admission names it, so that it can't be withdrawn any more.
        withdrawn: whether it was admitted by mistake; it is suspended for good, and its keys are revoked.
    """

    role: Role
    admitter: str
    name: str | None = None
    uscc: str | None = None
    profile_hash: str | None = None
    quorum: int = 1
    officers: Officers | None = None
    suspended: bool = False
    keys: list[str] = field(default_factory=list)
    is_named: bool = False
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class NetworkParameters:
    """What entry 0 sets for the whole network, in seconds; docs/rules.md, `network.found/1`."""

    clock_skew_seconds: int
    freshness_seconds: int
    burn_window_seconds: int
    release_grace_seconds: int
    tariff_notice_seconds: int
    takeover_seconds: int
    sealing_grace_seconds: int
    utc_offset_seconds: int


@dataclass(slots=True)
class Network:
    """The founding party, the edition of the rules in force, and what entry 0 set.

    Attributes:
        founded_at: when the log began (microseconds).
        member_of: the origin of the log that this one is a member of, if it is of one.
    """

    party: str
    founded_at: int
    edition: int
    parameters: NetworkParameters
    member_of: str | None = None


@dataclass(frozen=True, slots=True)
class RecordedCheckpoint:
    """The newest checkpoint of another log: the entry that recorded it, its size, its root (hex)."""

    index: int
    size: int
    root: str
