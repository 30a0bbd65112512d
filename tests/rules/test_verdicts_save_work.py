"""What was found of a signature ahead of the decision is believed, and the signature isn't verified once more.

That is the price of verifying in other processes: whoever fills in `SignedCommand.verdicts` decides what is valid.
"""

from dataclasses import replace

import pytest

from support.actors import ORIGIN, key_of
from support.scenario import ledger_for, read_table
from tallystick.vouchers.admit import SignedCommand, admit, read_note
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.refusals import Reason, Refusal

(STORY,) = read_table("shanghai suspend-voucher V1 by=shanghai/officer-1 -> suspended")


@pytest.mark.parametrize("forged", [False, True], ids=["good", "forged"])
def test_a_verdict_is_believed(*, forged: bool) -> None:
    """Whichever it is; without one, and with one about another signature, the line is verified."""
    ledger = ledger_for(STORY)
    (row,) = STORY.rows
    if forged:
        row = replace(row, arguments=f"{row.arguments} forged=shanghai/officer-1")
    _, data = ledger.note(row)
    signed = read_note(data, ORIGIN)
    assert isinstance(signed, SignedCommand)
    (line,) = signed.note.signatures
    public_key = key_of("shanghai/officer-1").verifier.public_key

    def answer(verdicts: dict[bytes, bool]) -> Entry | Refusal:
        return admit(ledger.state, replace(signed, verdicts=verdicts), ledger.at)

    refused = Refusal(Reason.SIGNATURE_INVALID, line.label)
    assert answer({public_key + line.blob: False}) == refused
    assert isinstance(answer({public_key + line.blob: True}), Entry)
    for verdicts in ({}, {public_key: forged}, {line.blob: forged}, {public_key + bytes(64): forged}):
        assert (answer(verdicts) == refused) is forged
