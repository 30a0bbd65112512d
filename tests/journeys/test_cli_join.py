"""A party joins by one command of its own, and one signature of its admitter."""

from pathlib import Path

import pytest

from support.actors import uscc_of
from support.command_line import done, failed
from tallystick import profile
from tallystick.publishing import read_ledger

NETWORK = "national-network"


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """A founded network's folder."""
    named = ("--origin", "tallystick.example/national", "--name", "National network", "--no-passphrase")
    done("network", "found", tmp_path / "network", *named)
    return tmp_path / "network"


def joining(network: Path, party: str, role: str, *more: object) -> tuple[object, ...]:
    """Return the words of a command by which a party joins."""
    folder = network.parent / party
    where = ("--source", network / "ledger", "--policy", network / "office" / "trust.policy")
    who = ("--party", party, "--role", role, "--name", party.title(), "--by", NETWORK)
    return ("join", folder, *where, *who, "--no-passphrase", *more)


def test_a_party_that_joined_can_command_once_its_admitter_has_signed(network: Path, tmp_path: Path) -> None:
    said = done(*joining(network, "shanghai-treasury", "treasury"))
    treasury = tmp_path / "shanghai-treasury"
    assert str(treasury / "admission.note") in said
    root = network / "office" / f"{NETWORK}-root-1.pem"
    done("sign", treasury / "admission.note", "--key", root, "-o", tmp_path / "signed.note")
    done("submit", network / "ledger", tmp_path / "signed.note")
    toml = treasury / "tallystick.toml"
    done("do", "party.amend", "--name", "Shanghai", "--profile", toml, "--yes")
    with read_ledger(network / "ledger") as reader:
        state = reader.state()
    assert state.parties["shanghai-treasury"].name == "Shanghai"
    found = profile.load(toml)
    assert (found.party, found.log, found.policy) == (
        "shanghai-treasury",
        "tallystick.example/national",
        str(treasury / "trust.policy"),
    )


def test_the_key_is_its_owners_alone_and_is_never_made_twice(network: Path, tmp_path: Path) -> None:
    command = joining(network, "guian-cluster", "provider", "--uscc", uscc_of("guian-cluster"))
    done(*command)
    key = tmp_path / "guian-cluster" / "guian-cluster-officer-1.pem"
    before = key.read_bytes()
    assert key.stat().st_mode & 0o077 == 0
    assert "not an empty folder" in failed(*command)
    assert key.read_bytes() == before


def test_a_rehearsals_time_is_the_networks(network: Path, tmp_path: Path) -> None:
    done(*joining(network, "shanghai-treasury", "treasury", "--log-time", "2026-01-05T16:00"))
    note = (tmp_path / "shanghai-treasury" / "admission.note").read_text()
    assert '"signed_at":"2026-01-05T08:00:00.000000Z"' in note


def test_a_party_joins_a_network_that_is_yet_to_be_founded(tmp_path: Path) -> None:
    """By the log's name alone; its policy is put there later, and is the network's word for everything else."""
    who = ("--party", "shanghai-treasury", "--role", "treasury", "--name", "Shanghai", "--by", NETWORK)
    words = ("join", tmp_path / "treasury", "--source", "http://127.0.0.1:8473", *who, "--no-passphrase")
    assert "give its --policy, or the --origin" in failed(*words)
    assert "give its --policy, or the --origin" in failed(*words, "--origin", "a.example", "--policy", tmp_path / "p")
    assert "log" in failed(*words, "--origin", "no origin")
    assert not (tmp_path / "treasury").exists()
    said = done(*words, "--origin", "tallystick.example/national")
    assert "trust.policy: put the network's trust policy there" in said
    found = profile.load(tmp_path / "treasury" / "tallystick.toml")
    assert (found.log, found.policy) == ("tallystick.example/national", str(tmp_path / "treasury" / "trust.policy"))
    assert "trust.policy" in failed("do", "party.amend", "--name", "S", "--profile", found.file, "--yes")


@pytest.mark.parametrize("option", ["--passphrase-file", "--passphrase-command"])
def test_the_profile_remembers_what_unlocks_the_key(option: str, network: Path, tmp_path: Path) -> None:
    """As `init` writes it: a file, or a program; the next command asks nobody."""
    secret = tmp_path / "secret"
    secret.write_text("a long one\n")
    secret.chmod(0o600)
    value = secret if option == "--passphrase-file" else f"cat {secret}"
    command = [word for word in joining(network, "shanghai-treasury", "treasury") if word != "--no-passphrase"]
    done(*command, option, value)
    found = profile.load(tmp_path / "shanghai-treasury" / "tallystick.toml")
    assert str(value) in (found.passphrase_file, found.passphrase_command)
    note = tmp_path / "shanghai-treasury" / "admission.note"
    done(
        "cosign", note, "--send", "--yes", "--profile", network / "office" / "tallystick.toml", "--source", _of(network)
    )
    done("do", "party.amend", "--name", "Shanghai", "--profile", found.file, "--yes")


def _of(network: Path) -> Path:
    return network / "ledger"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--role", "mayor"), "role"),
        (("--party", "Shanghai"), "must be a name of 1 to 63"),
        (("--uscc", "123"), "uscc"),
        (("--by", "No Body"), "party"),
        (("--zone", "east"), "zone"),
    ],
)
def test_what_an_admission_can_t_say_is_refused_and_nothing_is_made(
    more: tuple[str, ...], words: str, network: Path, tmp_path: Path
) -> None:
    assert words in failed(*joining(network, "shanghai-treasury", "treasury", *more))
    assert not (tmp_path / "shanghai-treasury").exists()


def test_a_ledger_that_is_named_from_here_is_found_from_anywhere(
    network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(network)
    words = [*joining(network, "shanghai-treasury", "treasury")]
    words[words.index(network / "ledger")] = "ledger"
    done(*words)
    found = profile.load(tmp_path / "shanghai-treasury" / "tallystick.toml")
    assert found.source == str(network / "ledger")
