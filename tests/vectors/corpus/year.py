"""A year of the demo, small: some of its start-ups and jobs, with keys that are always the same."""

import hashlib
import tempfile
from contextlib import closing
from pathlib import Path

from tallystick.demo import cast
from tallystick.demo.founding import Founding
from tallystick.demo.keyring import Keyring
from tallystick.demo.stage import Stage
from tallystick.demo.story import Story
from tallystick.demo.workload import invent_jobs
from tallystick.demo.year import Year, instant
from tallystick.publishing import read_ledger
from tallystick.publishing.export import export_tiles
from tallystick.signing.keys import SigningKey
from tallystick.transparency.policy import LogLine, Policy, QuorumLine
from vectors.corpus.folders import POLICY, Files

SEED = 1
STARTUPS = 3
JOBS = 80


class NamedKeyring(Keyring):
    """Keys whose seed is the SHA-256 of their file's name and their own, in memory alone."""

    def retire_first_log_key(self) -> None:
        """Nothing to rename: there are no files."""

    def _create(self, path: Path, name: str) -> SigningKey:
        return SigningKey.from_seed(name, hashlib.sha256(f"{path.stem} {name}".encode()).digest())


def demo_year() -> Files:
    """a year of the demo with some of its start-ups and jobs"""
    with tempfile.TemporaryDirectory(prefix="tallystick-") as name:
        folder = Path(name)
        keys = NamedKeyring(folder / "keys")
        _play(folder, keys)
        with read_ledger(folder) as reader:
            export_tiles(reader, folder / "tiles")
        tiles = folder / "tiles"
        files = {
            path.relative_to(tiles).as_posix(): path.read_bytes()
            for path in tiles.rglob("*")
            if path.is_file() and not path.relative_to(tiles).parts[0].startswith(("states", "."))
        }
    log_keys = (keys.log_key, keys.next_log_key)
    policy = Policy((*[LogLine(key.verifier) for key in log_keys], QuorumLine("none")))
    return files | {POLICY: policy.to_text()}


def _play(folder: Path, keys: Keyring) -> None:
    """Play the year into a ledger."""
    startups = list(cast.STARTUPS[:STARTUPS])
    year = Year.of_story()
    first = instant(year.first_day)
    jobs = invent_jobs(startups, first, year.end_day - year.first_day, SEED, JOBS, year.seals)
    with closing(Stage(cast.ORIGIN, folder, keys, first)) as stage:
        network = Founding(stage, year, SEED).play(startups)
        Story(stage, year, network, jobs, SEED).play(lambda *_: None)
