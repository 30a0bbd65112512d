"""What somebody can do who writes one file of a ledger's folder, or an auditor's own: as docs/threat-model.md says."""

import hashlib
import json
from pathlib import Path

import pytest

from support.actors import ORIGIN, label_of, vkey_of
from support.burning import LOG_KEY, NOW, Clock, burn_note, founding_notes
from tallystick import keyfiles
from tallystick.audit import audit
from tallystick.errors import NotALedgerError, ProofInvalidError, VerificationError
from tallystick.ledger import create_ledger, open_ledger
from tallystick.ledger.settings import load_settings, write_settings
from tallystick.publishing import read_ledger
from tallystick.signing.keys import COSIGNATURE_ED25519, SigningKey
from tallystick.transparency.checkpoint import Checkpoint, sign_checkpoint
from tallystick.transparency.cosignature import cosign
from tallystick.transparency.policy import Policy

STRANGER = SigningKey.from_seed(ORIGIN, bytes(32))
WITNESS = SigningKey.from_seed("witness.example/w", hashlib.sha256(b"w").digest(), COSIGNATURE_ED25519)
STRANGERS_WITNESS = SigningKey.from_seed("witness.example/w", hashlib.sha256(b"x").digest(), COSIGNATURE_ED25519)
WITNESSED = Policy.from_text(
    f"log {LOG_KEY.verifier.to_text()}\nwitness w {WITNESS.verifier.to_text()}\nquorum w\n".encode()
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    genesis, *rest = founding_notes()
    with create_ledger(tmp_path / "ledger", genesis, LOG_KEY, clock=Clock()) as ledger:
        ledger.submit(rest)
    return tmp_path / "ledger"


@pytest.mark.parametrize(("size", "why"), [(12, "it has 11"), (11, "are not those that witnesses")])
def test_a_false_cosigned_checkpoint_stops_the_writer_until_it_is_deleted(folder: Path, size: int, why: str) -> None:
    """Nobody signed it: the writer stops rather than fork what a witness might have seen."""
    file = folder / "checkpoint.cosigned"
    file.write_bytes(sign_checkpoint(Checkpoint(ORIGIN, size, bytes(32)), STRANGER))
    with pytest.raises(NotALedgerError, match=f"history_rewritten.*{why}"):
        open_ledger(folder, LOG_KEY, clock=Clock())
    with read_ledger(folder) as reader, pytest.raises(ProofInvalidError, match="history_rewritten"):
        reader.receipt(3)
    file.unlink()
    open_ledger(folder, LOG_KEY, clock=Clock()).close()
    with read_ledger(folder) as reader:
        assert reader.receipt(3).index == 3


def test_a_false_cosigned_checkpoint_meets_no_quorum(folder: Path) -> None:
    """The cosignature is by a key of the witness's name, and not the witness's."""
    with read_ledger(folder) as reader:
        note = reader.checkpoint_note()
    (folder / "checkpoint.cosigned").write_bytes(note + cosign(note, STRANGERS_WITNESS, 1_800_000_000))
    with read_ledger(folder) as reader, pytest.raises(VerificationError):
        WITNESSED.open_checkpoint(reader.receipt(3).checkpoint_note)
    (folder / "checkpoint.cosigned").write_bytes(note + cosign(note, WITNESS, 1_800_000_000))
    with read_ledger(folder) as reader:
        assert WITNESSED.open_checkpoint(reader.receipt(3).checkpoint_note).size == 11


def test_a_ledger_is_not_opened_under_a_key_that_its_settings_were_changed_to(folder: Path, tmp_path: Path) -> None:
    """A key of the log's own name, even."""
    keyfiles.create(tmp_path / "strange.pem", ORIGIN, None, unencrypted=True, seed=bytes(32))
    write_settings(folder, ORIGIN, tmp_path / "strange.pem", None)
    log_key = load_settings(folder).log_key
    assert isinstance(log_key, Path)
    strange = keyfiles.load(log_key, None)
    with pytest.raises(NotALedgerError, match="is not one of"):
        open_ledger(folder, strange, clock=Clock())
    (folder / "trust.policy").write_bytes(Policy.for_log(STRANGER.verifier).to_text())
    assert audit(folder, Policy.for_log(LOG_KEY.verifier), processes=1).is_clean


def test_an_earlier_report_is_believed_with_its_state(folder: Path, tmp_path: Path) -> None:
    """They are the auditor's own, and nobody else writes there: who changes both misleads the audit that goes on."""
    since, policy = tmp_path / "report.json", Policy.for_log(LOG_KEY.verifier)
    assert audit(folder, policy, processes=1, report_file=since).is_clean
    state = since.with_suffix(".state")
    strange = state.read_bytes().replace(vkey_of("provider/officer-1").encode(), vkey_of("provider/strange").encode())
    strange = strange.replace(label_of("provider/officer-1").encode(), label_of("provider/strange").encode())
    assert strange != state.read_bytes()
    header, _, data = strange.partition(b"\n\n")
    said = header.rpartition(b" ")[2]
    strange = strange.replace(said, hashlib.sha256(data).hexdigest().encode())
    state.write_bytes(strange)
    report = json.loads(since.read_bytes())
    report["state"]["sha256"] = hashlib.sha256(strange).hexdigest()
    since.write_text(json.dumps(report, indent=2) + "\n", "utf-8")
    with open_ledger(folder, LOG_KEY, clock=Clock(NOW)) as ledger:
        ledger.submit([burn_note("s-1")])
    misled = audit(folder, policy, processes=1, since=since)
    assert (misled.findings[0].code, misled.findings[0].index) == ("key_unknown", 11)
    assert audit(folder, policy, processes=1).is_clean
