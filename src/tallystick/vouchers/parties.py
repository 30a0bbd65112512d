"""Who takes part: parties, their roles, their keys, and the network that they make up."""

from dataclasses import dataclass, field

from tallystick.vouchers.fields import Role


@dataclass(slots=True)
class Key:
    """A party's key: its vkey text, and the entries that added and revoked it."""

    party: str
    vkey: str
    added_index: int
    revoked_index: int | None = None


@dataclass(slots=True)
class Party:
    """A party as it stands.

    Attributes:
        admitter: the party that admitted it; itself, for the network.
        quorum: how many of its keys must sign what makes more keys or programmes; for the network, anything.
        keys: the labels of its keys, in order of addition.
    """

    role: Role
    name: str
    admitter: str
    uscc: str | None = None
    quorum: int = 1
    suspended: bool = False
    keys: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class NetworkParameters:
    """What entry 0 sets for the whole network, in seconds; docs/rules.md, `network.found/1`."""

    clock_skew_seconds: int
    freshness_seconds: int
    burn_window_seconds: int
    release_grace_seconds: int
    utc_offset_seconds: int


@dataclass(slots=True)
class Network:
    """The founding party, and what entry 0 set: the edition of the rules, and parameters."""

    party: str
    edition: int
    parameters: NetworkParameters
