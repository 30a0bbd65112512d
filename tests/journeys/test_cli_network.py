"""A network is founded by one command: a log that audits clean, and an office that can sign for it."""

from pathlib import Path

import pytest

from support.command_line import done, failed
from tallystick import profile
from tallystick.keyfiles import load
from tallystick.publishing import read_ledger
from tallystick.vouchers.quantities import format_instant
from tallystick.vouchers.rules.network import NetworkFound

ORIGIN = "tallystick.example/national"
NAMED = ("--origin", ORIGIN, "--name", "National network")


def test_a_founded_network_audits_clean_and_its_office_can_sign(tmp_path: Path) -> None:
    network = tmp_path / "network"
    said = done("network", "found", network, *NAMED, "--no-passphrase")
    assert str(network / "ledger") in said
    assert "clean" in done("audit", network / "ledger", "--trust", network / "office" / "trust.policy")
    office = profile.load(network / "office" / "tallystick.toml")
    with read_ledger(network / "ledger") as reader:
        founding = reader.parsed_entry(0).event.command
    assert isinstance(founding, NetworkFound)
    assert (founding.log, founding.party, founding.name) == (office.log, office.party, "National network")
    assert office.key is not None
    assert founding.root_keys == (load(Path(office.key), None).verifier.to_text(),)
    assert (office.zone_seconds, founding.utc_offset_seconds) == (28_800, 28_800)


def test_a_rehearsal_is_founded_at_its_own_time(tmp_path: Path) -> None:
    done("network", "found", tmp_path / "network", *NAMED, "--no-passphrase", "--log-time", "2026-01-05T16:00")
    with read_ledger(tmp_path / "network" / "ledger") as reader:
        entry = reader.parsed_entry(0)
    assert format_instant(entry.event.at) == "2026-01-05T08:00:00.000000Z"
    assert entry.event.command.signed_at == entry.event.at


def test_the_ledger_says_where_its_key_and_passphrase_are(tmp_path: Path) -> None:
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("a long one\n")
    passphrase.chmod(0o600)
    locked = ("--passphrase-file", passphrase, "--log-passphrase-file", passphrase)
    done("network", "found", tmp_path / "network", *NAMED, *locked)
    ledger = tmp_path / "network" / "ledger"
    for options in ((), ("--log-key", ledger / "keys" / "log.pem")):
        assert "recorded before" in done("submit", ledger, "-", *options, stdin=_genesis(ledger))


def test_passphrases_may_come_from_programs(tmp_path: Path) -> None:
    """Both are remembered: the root key's by the office's profile, the log's by the ledger's settings."""
    words = ("--passphrase-command", "echo one", "--log-passphrase-command", "echo two")
    done("network", "found", tmp_path / "network", *NAMED, *words)
    office, ledger = tmp_path / "network" / "office", tmp_path / "network" / "ledger"
    assert profile.load(office / "tallystick.toml").passphrase_command == "echo one"
    assert load(office / "national-network-root-1.pem", b"one").name == "national-network/root-1"
    assert load(ledger / "keys" / "log.pem", b"two").name == ORIGIN
    assert "recorded before" in done("submit", ledger, "-", stdin=_genesis(ledger))
    both = ("--passphrase-command", "echo one", "--no-passphrase")
    assert "exclude each other" in failed("network", "found", tmp_path / "b", *NAMED, *both)


def test_a_quorum_of_root_keys_leaves_entry_0_to_be_signed_by_the_others(tmp_path: Path) -> None:
    vkey = done("key", "new", "national-network/root-2", "-o", tmp_path / "root-2.pem", "--no-passphrase").strip()
    network = tmp_path / "network"
    said = done("network", "found", network, *NAMED, "--no-passphrase", "--root-vkey", vkey, "--root-quorum", "2")
    genesis = network / "office" / "genesis.note"
    assert "to be signed by 1 of the other root keys" in said
    signed = tmp_path / "signed.note"
    done("sign", genesis, "--key", tmp_path / "root-2.pem", "-o", signed)
    log_key = network / "ledger" / "keys" / "log.pem"
    done("ledger", "create", network / "ledger", "--genesis", signed, "--log-key", log_key)
    assert "clean" in done("audit", network / "ledger", "--trust", network / "office" / "trust.policy")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--party", "National/Network"), "party: must be a name"),
        (("--zone", "8"), "--zone must be an offset from UTC like +08:00"),
        (("--root-quorum", "2"), "1 root keys can't make a quorum of 2"),
        (("--root-vkey", "nonsense"), "root_keys.1"),
        (("--name", ""), "name"),
    ],
)
def test_what_entry_0_can_t_say_is_refused_and_nothing_is_made(
    options: tuple[str, ...], words: str, tmp_path: Path
) -> None:
    assert words in failed("network", "found", tmp_path / "network", *NAMED, "--no-passphrase", *options)
    assert not (tmp_path / "network").exists()


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    assert "not an empty folder" in failed("network", "found", tmp_path, *NAMED, "--no-passphrase")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def _genesis(ledger: Path) -> bytes:
    with read_ledger(ledger) as reader:
        return reader.entry(0).partition(b"\n")[2]
