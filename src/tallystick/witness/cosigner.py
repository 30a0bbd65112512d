"""A witness is a folder: its key, the logs that it knows, and what it has cosigned; all three belong together.

    witness.pem    the key, of type 0x04 (tallystick.keyfiles)
    logs.policy    a `log <vkey>` line for each key of a log that it knows, and `quorum none` (C2SP tlog-policy)
    state.db       the newest tree cosigned, by origin (state.py)

A cosignature's time never lies before that of the one before: it says that no larger tree was known then.
"""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tallystick import keyfiles
from tallystick.errors import NotALedgerError, UsageError
from tallystick.signing.algorithms import COSIGNER
from tallystick.signing.keys import SigningKey, VerifierKey
from tallystick.transparency.cosignature import cosign
from tallystick.transparency.policy import NO_QUORUM, LogLine, Policy, QuorumLine
from tallystick.witness.deciding import COSIGNED, CosignedTree, SignedRequest, WitnessAnswer, open_request, refuse
from tallystick.witness.durable_state import DurableState
from tallystick.witness.state import WitnessState

KEY: Final = "witness.pem"
LOGS: Final = "logs.policy"
STATE: Final = "state.db"

Clock = Callable[[], int]
"""Returns the time in POSIX seconds."""


def create_witness(
    folder: Path, name: str, logs: Sequence[VerifierKey], passphrase: bytes | None, *, unencrypted: bool = False
) -> VerifierKey:
    """Make a witness that has cosigned nothing, and return its public key.

    Args:
        folder: made if it isn't there; must be empty.
        name: the witness's, which its cosignatures carry: a URL without the scheme, by custom.
        logs: the keys of the logs that it will know.
        passphrase: locks its key file; None only together with `unencrypted`.
        unencrypted: leave the key in the clear.

    Raises:
        UsageError: the folder isn't empty.
        KeyMalformedError, PolicyMalformedError: an unfit name, or keys that aren't logs'.
        KeyFileError, LedgerError, OSError: something can't be written.
    """

    def create(key_file: Path) -> VerifierKey:
        return keyfiles.create(key_file, name, passphrase, unencrypted=unencrypted, algorithm=COSIGNER)

    return make_folder(folder, KEY, create, logs, WitnessState)


def make_folder(
    folder: Path,
    key_name: str,
    create_key: Callable[[Path], VerifierKey],
    logs: Sequence[VerifierKey],
    state: type[DurableState],
) -> VerifierKey:
    """Make the folder of one who cosigns: the key, the logs that it knows, an empty state; or nothing.

    Raises:
        UsageError: the folder isn't empty.
        PolicyMalformedError: keys that aren't logs'.
        LedgerError, OSError: something can't be written; and what `create_key` raises.
    """
    policy = Policy((*[LogLine(vkey) for vkey in logs], QuorumLine(NO_QUORUM))).to_text()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise UsageError(f"{folder} is not empty: choose another folder")
    try:
        vkey = create_key(folder / key_name)
        (folder / LOGS).write_bytes(policy)
        state.create(folder / STATE, vkey.to_text())
    except BaseException:  # half of it is of no use, and in the next one's way
        for made in folder.iterdir():
            made.unlink()
        raise
    return vkey


def open_witness(folder: Path, key: SigningKey, clock: Clock) -> "Witness":
    """Open a witness with its key, as it is read from `KEY`.

    Raises:
        NotALedgerError: the folder holds none, or the state of another key.
        PolicyMalformedError: its list of logs can't be read.
    """
    logs = read_logs(folder, WitnessState)
    return Witness(key, logs, WitnessState.open(folder / STATE, key.verifier.to_text()), clock)


def read_logs(folder: Path, state: type[DurableState]) -> Policy:
    """Return the logs that a witness or a mirror knows.

    Raises:
        NotALedgerError: the folder holds none.
        PolicyMalformedError: its list of logs can't be read.
    """
    path = folder / LOGS
    if not path.is_file():
        owner = state.OWNER
        raise NotALedgerError(f"{folder} is no {owner}: it has no {LOGS}; `tallystick {owner} init` makes one")
    return Policy.from_text(path.read_bytes())


class Witness:
    """A witness at work; for any number of threads."""

    def __init__(self, key: SigningKey, logs: Policy, state: WitnessState, clock: Clock) -> None:
        self._key = key
        self._logs = logs
        self._state = state
        self._clock = clock
        self._by_hash = {origin_hash(line.vkey.name): line.vkey.name for line in logs.logs}

    def add_checkpoint(self, body: bytes) -> WitnessAnswer:
        """Answer a request: status 200 and a cosignature line, or why not.

        Raises:
            LedgerError: the state can't be read or kept now; nothing was cosigned.
        """
        request = open_request(body, self._logs)
        if isinstance(request, WitnessAnswer):
            return request
        lines = []

        def decide(latest: CosignedTree | None) -> CosignedTree | WitnessAnswer:
            refused = refuse(request, latest)
            if refused is not None:
                return refused
            tree, line = self._cosign(request, latest)
            lines.append(line)
            return tree

        decided = self._state.advance(request.checkpoint.origin, decide)
        # Durable by now: the signature must not leave before.
        return decided if isinstance(decided, WitnessAnswer) else WitnessAnswer(COSIGNED, lines[-1])

    def latest(self, origin: str) -> CosignedTree | None:
        """Return the newest tree that this witness cosigned for a log.

        Raises:
            LedgerError: the state can't be read now.
        """
        return self._state.latest(origin)

    def latest_note(self, hashed_origin: str) -> bytes | None:
        """Return the newest checkpoint cosigned for a log, with the log's and this witness's lines; None if none.

        Args:
            hashed_origin: as `origin_hash` gives it.

        Raises:
            LedgerError: the state can't be read now.
        """
        origin = self._by_hash.get(hashed_origin)
        latest = None if origin is None else self._state.latest(origin)
        return None if latest is None else latest.note

    def close(self) -> None:
        """Let go of the state."""
        self._state.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _cosign(self, request: SignedRequest, latest: CosignedTree | None) -> tuple[CosignedTree, bytes]:
        at_posix_s = max(self._clock(), 1, 0 if latest is None else latest.at_posix_s)
        line = cosign(request.note, self._key, at_posix_s)
        new = request.checkpoint
        return CosignedTree(new.size, new.root, at_posix_s, request.note + line), line


def origin_hash(origin: str) -> str:
    """Return what stands for a log in a witness's URLs: its origin's SHA-256 in lower-case hex."""
    return hashlib.sha256(origin.encode()).hexdigest()
