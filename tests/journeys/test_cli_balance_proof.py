"""A balance is proved on the command line, and verified by somebody who has the file and the policy alone."""

from pathlib import Path

import pytest

from support.actors import uscc_of
from support.command_line import done, failed, run
from support.small_ledger import export_small_ledger, write_small_ledger

SIZE = 100
"""How many entries the small ledger has."""
ACCOUNTS = [
    ("voucher", "shanghai/v1"),
    ("holder", "maker-a"),
    ("provider", "guian"),
    ("programme", "shanghai/compute-2026"),
    ("contract", "maker-a/k1"),
    ("treasury", "shanghai"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a ledger and its export; not to be changed."""
    folder = tmp_path_factory.mktemp("sealed")
    assert write_small_ledger(folder / "ledger") == SIZE
    export_small_ledger(folder / "ledger", folder / "tiles")
    return folder


@pytest.mark.parametrize("source", ["ledger", "tiles"])
@pytest.mark.parametrize(("what", "id_"), ACCOUNTS)
def test_a_balance_is_proved_and_verified(folder: Path, tmp_path: Path, source: str, what: str, id_: str) -> None:
    """In words and in JSON; the file is enough."""
    file, policy = tmp_path / "balance.proof", folder / "ledger" / "trust.policy"
    said = done("proof", "balance", folder / source, what, id_, "--seal", "registry/first", "-o", file)
    assert said.startswith(f"{file}: the balance of {what} {id_} as entry 63 sealed it")
    words = done("verify", file, "--trust", policy)
    assert words.startswith(f"proven: {what} {id_} of tallystick.example/national, as it stood at entry 63\n")
    told = run("verify", file, "--trust", policy, "--json").json
    assert told["proven"] is True
    assert told["account"] == f"{what} {id_}"
    assert told["seal"] == {
        "seal": "registry/first",
        "index": 63,
        "at": told["seal"]["at"],
        "last_day": "2026-01-06",
    }
    assert told["checkpoint"]["size"] == SIZE
    party = id_.partition("/")[0]
    assert told["party"]["party"] == party
    assert told["party"]["name"] == ("Treasury of Shanghai" if party == "shanghai" else party)
    assert told["party"]["name"] in words
    if party != "shanghai":
        assert told["party"]["uscc"] == uscc_of(party)
        assert uscc_of(party) in words
    from_stdin = run("verify", "-", "--trust", policy, "--json", stdin=file.read_bytes()).json
    assert from_stdin == told


@pytest.mark.parametrize("source", ["ledger", "tiles"])
def test_what_had_ended_is_proved_by_the_last_seal_that_has_it(folder: Path, tmp_path: Path, source: str) -> None:
    """A voucher that was revoked before the first seal is in no later one; nothing has touched it since."""
    file, policy = tmp_path / "balance.proof", folder / "ledger" / "trust.policy"
    said = done("proof", "balance", folder / source, "voucher", "shanghai/v4", "--seal", "registry/2026", "-o", file)
    first, second = said.splitlines()
    assert first.startswith(f"{file}: the balance of voucher shanghai/v4 as entry 63 sealed it")
    assert second.startswith("it had ended: no entry has touched it since, up to the seal of entry ")
    told = run("verify", file, "--trust", policy, "--json").json
    assert (told["seal"]["seal"], told["balances"]["returned_fen"]) == ("registry/first", 20_000_000)


def test_it_is_the_balance_that_the_ledger_shows(folder: Path, tmp_path: Path) -> None:
    """As of the entry before the seal; named by its index."""
    file, policy = tmp_path / "balance.proof", folder / "ledger" / "trust.policy"
    for by, what, id_ in (("voucher", "voucher", "shanghai/v1"), ("provider", "provider", "guian")):
        done("proof", "balance", folder / "tiles", what, id_, "--seal", 63, "-o", file)
        balances = run("verify", file, "--trust", policy, "--json").json["balances"]
        rows = run("balances", folder / "ledger", "--by", by, "--as-of", 62, "--json").json["balances"]
        (row,) = [row for row in rows if row[what] == id_]
        assert {name: row[name] for name in balances} == balances


@pytest.mark.parametrize(
    ("what", "id_", "seal", "complaint"),
    [
        ("voucher", "shanghai/v9", "registry/first", "there was no voucher shanghai/v9 when the books were sealed"),
        ("voucher", "shanghai/v1", "registry/none", "there is no seal registry/none"),
        ("voucher", "shanghai/v1", "62", "entry 62 is no seal: it is party.admitted/1"),
        ("voucher", "shanghai/v1", f"{SIZE}", f"there is no entry {SIZE}: the log has {SIZE}, counted from 0"),
        ("voucher", "shanghai/v1", "-1", "there is no seal -1"),
        ("voucher", "shanghai/v1", "\u0665\u0665", "there is no seal"),
        ("voucher", "shanghai/v1", "9" * 5_000, "there is no seal"),
        ("party", "maker-a", "59", "'party' is not one of"),
    ],
)
def test_what_can_not_be_proved_is_said(
    folder: Path, tmp_path: Path, what: str, id_: str, seal: str, complaint: str
) -> None:
    """In one line, and no file is left."""
    file = tmp_path / "balance.proof"
    assert complaint in failed("proof", "balance", folder / "ledger", what, id_, f"--seal={seal}", "-o", file)
    assert list(tmp_path.iterdir()) == []


def test_a_changed_proof_is_refused(folder: Path, tmp_path: Path) -> None:
    """Status 1 where it proves nothing, 2 where it can't be read."""
    file, policy = tmp_path / "balance.proof", folder / "ledger" / "trust.policy"
    done("proof", "balance", folder / "ledger", "voucher", "shanghai/v1", "--seal", 63, "-o", file)
    data = file.read_bytes()
    file.write_bytes(data.replace(b'\\"available_fen\\":', b'\\"available_fen\\":9'))
    assert "isn't under the seal's root" in failed("verify", file, "--trust", policy, status=1)
    file.write_bytes(data[:-1])
    assert "ends in a newline" in failed("verify", file, "--trust", policy)
    file.write_bytes(data.replace(b'"position"', b' "position"'))
    assert "not canonical JSON" in failed("verify", file, "--trust", policy)
