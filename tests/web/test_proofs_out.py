"""Balance proofs and dossiers over HTTP are what the command line writes, and what a text leads to is found."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.actors import label_of, uscc_of, vkey_of
from support.command_line import done
from support.reading_app import Running, reading
from support.small_ledger import POLICY, write_small_ledger
from tallystick.dossiers.balance_proof import BalanceProof, verify_balance_proof
from tallystick.publishing import read_ledger
from tallystick.transparency.encoding import base64_to_text
from tallystick.transparency.merkle import leaf_hash
from tallystick.web import proofs_out


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger in which every command was given."""
    folder = tmp_path_factory.mktemp("proofs")
    write_small_ledger(folder)
    return folder


@pytest.fixture(scope="module")
def service(folder: Path) -> Iterator[Running]:
    """It, served."""
    with reading(folder) as running:
        yield running


@pytest.mark.parametrize(("kind", "id_"), [("holder", "maker-a"), ("voucher", "shanghai/v1"), ("provider", "guian")])
def test_a_balance_proof_is_the_command_lines(
    service: Running, folder: Path, tmp_path: Path, kind: str, id_: str
) -> None:
    """By the seal's id, by its entry, and by the newest."""
    for query, seal in (("?seal=registry/first", "registry/first"), ("?seal=63", "63"), ("", "registry/2026")):
        place = f"/v1/proofs/balances/{kind}/{id_}{query}"
        answer = service.get(place)
        file = tmp_path / "balance.proof"
        done("proof", "balance", folder, kind, id_, "--seal", seal, "-o", file, "--force")
        assert answer.content == file.read_bytes()
        proven = verify_balance_proof(BalanceProof.from_bytes(answer.content), POLICY)
        assert proven.leaf.account == f"{kind} {id_}"
        assert (
            service.get(f"/v1/proofs/balances/{kind}/{id_}{query}", if_none_match=answer.headers["etag"]).status_code
            == 304
        )


@pytest.mark.parametrize(
    ("place", "status"),
    [("holder/nobody", 404), ("holder/maker-a?seal=62", 422), ("holder/maker-a?seal=none", 404), ("party/guian", 422)],
)
def test_what_can_not_be_proved_is_told(service: Running, place: str, status: int) -> None:
    """No such account, no such seal, no account at all."""
    assert service.get(f"/v1/proofs/balances/{place}").status_code == status


@pytest.mark.parametrize(
    ("kind", "id_"),
    [("holder", "maker-a"), ("contract", "maker-a/k1"), ("claim", "guian/c1"), ("voucher", "shanghai/v1")],
)
def test_a_dossier_is_the_command_lines(service: Running, folder: Path, tmp_path: Path, kind: str, id_: str) -> None:
    """Byte by byte, and it verifies."""
    answer = service.get(f"/v1/dossiers/{kind}/{id_}")
    file = tmp_path / "one.dossier"
    done("dossier", folder, kind, id_, "-o", file)
    assert answer.content == file.read_bytes()
    (tmp_path / "trust.policy").write_bytes(POLICY.to_text())
    assert "proven: " in done("verify", file, "--trust", tmp_path / "trust.policy")


def test_a_dossier_has_bounds(service: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its stretch is as asked for; one that is too large, or one too many, is told."""
    whole, part = service.get("/v1/dossiers/holder/maker-a"), service.get("/v1/dossiers/holder/maker-a?from=64")
    assert len(part.content) < len(whole.content)
    assert service.get("/v1/dossiers/holder/nobody").status_code == 404
    assert service.get("/v1/dossiers/claim/guian/c1?from=64").status_code == 422
    assert service.get("/v1/dossiers/holder/maker-a?from=soon").status_code == 422
    monkeypatch.setattr(proofs_out, "DOSSIER_BYTES_MAX", 1_000)
    assert service.get("/v1/dossiers/holder/maker-a").status_code == 422
    monkeypatch.setattr(proofs_out, "DOSSIERS_AT_ONCE_MAX", 0)
    answer = service.get("/v1/dossiers/holder/maker-a")
    assert (answer.status_code, answer.json()["reason"]) == (503, "service_busy")


def test_a_text_leads_to_what_it_may_be(service: Running, folder: Path) -> None:
    """An id, an index, a reference, a name, a code, a key, a hash, a job; exact ones before beginnings."""
    with read_ledger(folder) as reader:
        written = list(reader.entries())
    burns = [(index, entry) for index, entry in enumerate(written) if b'"kind":"time.burn/1"' in entry]
    command = json.loads(burns[-1][1].split(b"\n")[1])
    job = command["groups"][0]["lines"][0][0]
    leaf = leaf_hash(written[17])
    for text, hit in (
        ("shanghai/v1", ("voucher", "shanghai/v1", "id")),
        ("17", ("entry", "17", "index")),
        (command["ref"], ("entry", str(burns[-1][0]), "ref")),
        ("Treasury of Shanghai", ("party", "shanghai", "name")),
        ("treasury of sh", ("party", "shanghai", "name")),
        (uscc_of("guian"), ("party", "guian", "uscc")),
        (label_of("guian/meter-3"), ("key", label_of("guian/meter-3"), "id")),
        (vkey_of("guian/meter-3"), ("key", label_of("guian/meter-3"), "key")),
        (leaf.hex(), ("entry", "17", "hash")),
        (base64_to_text(leaf).decode(), ("entry", "17", "hash")),
        ("maker-a/k", ("contract", "maker-a/k1", "beginning")),
        (job, ("entry", str(burns[-1][0]), "job")),
    ):
        said = service.client.get("/v1/search", params={"q": text}).json()
        assert said["q"] == text
        found = [(one["kind"], one["id"], one["by"]) for one in said["hits"]]
        assert hit in found, (text, found)
        assert len(found) <= 20
    assert service.get("/v1/search?q=nothing-of-the-sort").json()["hits"] == []
    assert service.get("/v1/search?q=").status_code == 422
    assert service.get("/v1/search?q=%20").json()["hits"] == []
