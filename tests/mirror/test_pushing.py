"""A log is pushed to a mirror behind another administration, which has all of it then and says so."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from support.mirrors import EntryLog, make_mirror, policy_with, reopened, serving
from support.small_ledger import LOG_KEY as REAL_LOG_KEY
from support.small_ledger import write_small_ledger
from support.witnesses import CLOCK_S, ORIGIN
from tallystick import keyfiles
from tallystick.audit import audit
from tallystick.errors import LedgerError, ProofInvalidError, SignatureMissingError
from tallystick.mirror.mirror import KEY, Mirror, create_mirror, open_mirror
from tallystick.mirror.pushing import Pushed, push
from tallystick.publishing.proving import prove_consistency
from tallystick.publishing.reader import read_ledger
from tallystick.signing.keys import SigningKey
from tallystick.static.web import WebFiles
from tallystick.transparency.merkle import leaf_hash
from tallystick.transparency.policy import LogLine, Policy, QuorumLine, WitnessLine
from tallystick.transparency.proofs import inclusion_proof, verify_inclusion
from tallystick.transparency.tiles import bundle_from_bytes, bundle_path, tile_path, tiles_of
from tallystick.witness.asking import OldTree, SignedCheckpoint
from tallystick.witness.cosigner import origin_hash

LOG = EntryLog(1_300)


class Town(NamedTuple):
    """A mirror that is served."""

    mirror: Mirror
    url: str
    key: SigningKey
    folder: Path

    def push(self, log: EntryLog, size: int, policy: Policy | None = None) -> Pushed:
        """Push a log's checkpoint."""
        web = WebFiles(self.url, pause=lambda seconds: None)
        try:
            return push(web, log.signed(size), policy or policy_with(self.key), log, log.prove(size))
        finally:
            web.close()

    def check_copy(self, log: EntryLog, size: int) -> None:
        """Assert that what the mirror serves is the log up to a size, read as anybody would."""
        web = WebFiles(f"{self.url}/{origin_hash(ORIGIN)}")
        try:
            note = web.read("checkpoint", 65_535)
            assert note is not None
            assert policy_with(self.key).open_checkpoint(note).size == size

            def read_tile(level: int, n: int, width: int) -> bytes:
                tile = web.read(tile_path(level, n, width), width * 32)
                assert tile == log.read_tile(level, n, width)
                return tile

            for tile in tiles_of(size):
                read_tile(*tile)
                if tile.level == 0:
                    bundle = web.read(bundle_path(tile.n, tile.width), 2**24)
                    assert bundle is not None
                    first = 256 * tile.n
                    assert bundle_from_bytes(bundle, tile.width) == log.all[first : first + tile.width]
            for index in {0, size // 2, size - 1}:
                proof = inclusion_proof(index, size, read_tile)
                verify_inclusion(index, size, leaf_hash(log.all[index]), proof, log.roots[size])
        finally:
            web.close()


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    key = make_mirror(tmp_path / "m")
    with reopened(tmp_path / "m") as mirror, serving(mirror) as url:
        yield Town(mirror, url, key, tmp_path / "m")


@pytest.mark.parametrize("sizes", [(1,), (255, 256, 257), (5, 9, 300, 700), (256, 512, 1_300), (1_300, 1_300)])
def test_a_mirror_has_what_was_pushed(sizes: tuple[int, ...], town: Town) -> None:
    """Whole, whatever the steps were; each push sends what is new and nothing else."""
    had = 0
    for size in sizes:
        pushed = town.push(LOG, size)
        assert [line.name for line in pushed.signatures] == [town.key.verifier.name]
        assert pushed.sent == size - had
        had = size
        town.check_copy(LOG, size)


def test_a_policy_that_does_not_name_the_mirror_counts_nothing(town: Town) -> None:
    """The entries are there all the same."""
    own = Policy((LogLine(policy_with(town.key).logs[0].vkey), QuorumLine("none")))
    with pytest.raises(SignatureMissingError, match=r"signs as mirror\.example/m1"):
        town.push(LOG, 300, own)
    town.check_copy(LOG, 300)


def test_another_history_is_seen(town: Town) -> None:
    """By the log's own signatures; the mirror keeps what it has."""
    fork = EntryLog(600, forked_at=200)
    town.push(LOG, 300)
    with pytest.raises(ProofInvalidError, match=r"history_rewritten: the log signed a tree of 300 entries"):
        town.push(fork, 600)
    town.check_copy(LOG, 300)


def test_a_smaller_tree_is_seen(town: Town) -> None:
    """An older copy, or a log that was cut back."""
    town.push(LOG, 300)
    with pytest.raises(ProofInvalidError, match="an older copy, or the log was cut back"):
        town.push(LOG, 299)


def test_a_push_goes_on_where_it_was_broken_off(town: Town) -> None:
    """Packages that the mirror has are not sent again."""
    assert town.mirror.add_checkpoint(LOG.pending(0, 1_300)).status == 200
    assert town.mirror.add_entries(LOG.upload(0, 1_300, packages=2)).status == 202
    assert town.push(LOG, 1_300).sent == 1_300 - 512
    town.check_copy(LOG, 1_300)


def test_a_push_in_many_requests_is_one_copy(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """As of a log that is larger than a request."""
    monkeypatch.setattr("tallystick.mirror.pushing.UPLOAD_BYTES", 1)
    assert town.push(LOG, 1_300).sent == 1_300
    town.check_copy(LOG, 1_300)


def test_two_who_push_at_once_make_one_copy(town: Town) -> None:
    """Whoever comes first: both get the mirror's word, or are told that the mirror is further."""
    outcomes: list[object] = []

    def run(sizes: list[int]) -> None:
        for size in sizes:
            try:
                outcomes.append(town.push(LOG, size))
            except (ProofInvalidError, LedgerError) as error:
                outcomes.append(error)

    threads = [threading.Thread(target=run, args=(list(range(step, 1_300, step)),)) for step in (97, 131, 256, 300)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(outcome, Pushed) for outcome in outcomes) >= 5
    troubles = [str(outcome) for outcome in outcomes if not isinstance(outcome, Pushed)]
    assert [trouble for trouble in troubles if "older copy" not in trouble and "push the newest" not in trouble] == []
    town.push(LOG, 1_300)
    town.check_copy(LOG, 1_300)


def test_a_real_log_is_audited_from_its_mirror(town: Town, tmp_path: Path) -> None:
    """Nothing of the ledger is needed for it but the trust policy."""
    write_small_ledger(tmp_path / "ledger")
    with read_ledger(tmp_path / "ledger") as reader:
        create_mirror(tmp_path / "m2", "mirror.example/m2", [REAL_LOG_KEY.verifier], None, unencrypted=True)
        key = keyfiles.load(tmp_path / "m2" / KEY, None)
        policy = Policy((LogLine(REAL_LOG_KEY.verifier), WitnessLine("m2", key.verifier), QuorumLine("m2")))
        signed = SignedCheckpoint.from_note(reader.checkpoint_note(), policy)

        def prove(old_size: int) -> OldTree:
            proved = prove_consistency(reader, old_size)
            return OldTree(proved.old_root, proved.proof)

        with open_mirror(tmp_path / "m2", key, lambda: CLOCK_S) as mirror, serving(mirror) as url:
            web = WebFiles(url)
            assert push(web, signed, policy, reader, prove).sent == reader.size
            web.close()
            over_http = audit(f"{url}/{origin_hash(reader.origin)}", policy)
            in_its_folder = audit(tmp_path / "m2" / "logs" / origin_hash(reader.origin), policy)
    for report in (over_http, in_its_folder):
        assert (report.verdict, report.entries) == ("clean", signed.checkpoint.size)
