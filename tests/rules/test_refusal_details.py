"""Beside its reason a refusal says what exactly stands in the way: the party, the amount, the time; in these words.

The tables are played, and each detail listed here must be the answer to a row of them. A reason without a detail
says it all.
"""

from typing import get_args

import pytest

from support.actors import vkey_of
from support.row_values import log_key_name
from support.scenario import REASONS, TABLES, Ledger, ledger_for, read_sentences
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.state import Leaving

NEW_LOG_KEY = vkey_of(log_key_name("log-2"))
DETAILS = """
note_too_large                       65536 bytes
note_malformed                       a note is a text, an empty line and signature lines
command_not_canonical                not JSON: unexpected content after document
command_malformed                    kind: no command of the closed list is called so
command_malformed                    surprise: is no field here
command_malformed                    groups.0.lines.0.5.corrects.line: must be less than 1,000, not 1000
command_malformed                    groups.0.lines.0.5: must say corrects or prior_period, not both
command_malformed                    must amend amount_fen, last_day, items or other_support_fen
command_malformed                    items: must be in ascending order, each once
command_for_another_log              it is for tallystick.example/elsewhere, this is tallystick.example/national
network_not_founded
already_recorded                     entry 39
ref_reused_for_other_content         order-1 is entry 39
network_already_founded
signed_in_the_future                 the log's time is 2026-02-01T00:00:00.000000Z
signed_too_long_ago                  the log's time is 2026-02-08T00:05:00.000001Z
party_unknown                        nobody
party_suspended                      guian
role_may_not                         bolt is a holder; tariff.publish/1 is not for it
key_unknown                          acme/officer-9+7f331a78
key_unknown                          network/root-9+4e667c7e
signature_invalid                    acme/officer-2+3baa362e
key_revoked                          cato/officer-1+6b7ea396
key_not_active_yet                   acme/officer-5+5d489d48, from 2026-02-08T00:00:00.000000Z on
key_not_for_this_command             guian/meter-1+32497baa is a meter key
signer_not_involved                  guizhou/officer-1+69d679b3
signatures_missing                   1 more by shanghai
signatures_missing                   2 more by delta
signatures_missing                   one by the new key acme/officer-4+a4f83671
edition_not_later                    edition 1 is in force
checkpoint_invalid                   no signature by any of world.example+5d35ec43
checkpoint_invalid                   it is of this log
checkpoint_smaller                   entry 39 has one of 100 entries
checkpoint_contradicted              entry 40 has another root of that size
command_malformed                    member_of: must be another log than this one
seal_grace_not_over                  2026-01-05 can be sealed from 2026-01-05T17:00:00.000000Z on
subject_unknown                      nobody
subject_not_under_party              acme was admitted by shanghai
subject_not_under_party              network is itself
subject_suspended                    acme
subject_not_suspended                acme
party_already_admitted               shanghai
role_may_not_admit                   a treasury does not admit a provider
uscc_missing                         delta
uscc_invalid                         91310000UPLJ9419T0
uscc_already_admitted                91310000724Y5MY81R is guian
name_misplaced                       delta is a maker
name_misplaced                       delta is no maker
key_not_of_party                     bolt/officer-3 must begin with delta/
key_not_of_party                     acme/officer-2+3baa362e is not of bolt
key_already_known                    delta/officer-1+7c9ba607
too_many_keys                        delta has 16
too_many_keys                        17 keys
key_already_revoked                  acme/officer-2+3baa362e, by entry 40
since_misplaced                      the cause is compromised
since_in_the_future                  since 2026-02-01T00:00:00.000001Z
would_leave_too_few_keys             cato
would_leave_too_few_keys             4 must sign, delta has 3
would_leave_too_few_keys             3 must sign, shanghai has 2
officers_invalid                     a provider has no officers
officers_invalid                     3 are required, and the quorum is 2
id_outside_own_namespace             guizhou/V9 must begin with shanghai/
id_outside_own_namespace             bolt/T1 must begin with acme/
id_outside_own_namespace             acme/R1 must begin with cato/
id_outside_own_namespace             guian/C1 must begin with acme/
id_already_used                      910b
id_already_used                      shanghai/S1
programme_unknown                    shanghai/S9
not_own_programme                    shanghai/S1 is of shanghai
programme_closed                     it ended at 2026-02-10T00:00:00.000000Z
contract_unknown                     shanghai/K9
not_own_contract                     acme/K1 is of acme and guian
not_own_contract                     it is of acme and guian
not_own_contract                     bolt/KB is of bolt
contract_ended                       its last day was 2026-02-02
window_invalid                       closes at 2026-02-10T00:00:00.000000Z
window_invalid                       until 2026-02-01T00:00:00.000000Z
date_in_the_past                     valid_from 2026-01-31T23:59:59.999999Z
date_too_far_ahead                   valid_from 9999-12-31T23:59:00.000000Z
date_in_the_past                     valid_until 2026-01-31T23:59:59.999999Z
window_invalid                       last_day 2026-02-28
window_invalid                       the proration's last_day is before its first_day
date_in_the_past                     last_day 2026-01-31
date_in_the_past                     items_from 2026-02-01
date_too_far_ahead                   first_day 2027-02-03
contract_began_too_long_ago          first_day 2025-01-30
outside_programme_window             valid_from 2027-01-05T08:00:00.000000Z
outside_programme_window             2026-01-05T07:59:00.000000Z
floor_above_cap
holder_class_not_reviewed            under_one_year
gates_invalid                        before issue, usage of claim: it is of application or contract or holder
gates_invalid                        before settle, usage of claim: 2 must pass, of 1
gates_invalid                        before issue, expert of application: transfers are open
attester_unknown                     acme
provider_unknown                     bolt
provider_already_accredited          wuhu
tariff_not_later                     the tariff before it is valid from 2026-02-04T00:00:00.000000Z
notice_too_short                     more than 600 fen from 2026-02-02T00:00:00.000000Z on
date_in_the_past                     first_day 2026-01-31
date_too_far_ahead                   first_day 2027-02-03
capacity_not_later                   the declaration before it is from 2026-02-01 on
command_malformed                    capacity: must be in ascending order, each once
record_unknown                       no capacity from 2026-02-05 on
record_in_force                      since 2026-02-01
record_not_newest                    another begins at 2026-02-04
item_unit_invalid                    tokens-1
record_unknown                       no tariff from 2027-02-02T00:00:00.000000Z on
record_unknown                       no accreditation from 2026-12-02T00:00:00.000000Z on
record_in_force                      since 2026-01-05T08:00:00.000000Z
record_not_newest                    another begins at 2027-02-02T00:00:00.000000Z
item_unknown                         zx-81
item_not_gpu_time                    tokens
holder_unknown                       nobody
receiver_suspended                   bolt
receiver_suspended                   guian
application_unknown                  shanghai/A9
not_own_application                  acme/A1 is of acme
application_withdrawn                acme/A1
document_already_used                it is acme/K9
below_charged                        10000 fen were charged
other_support_lowered                it is 1000 fen
application_missing                  shanghai/S9
application_differs                  acme/A1 is of acme for shanghai/S9
below_holder_floor                   the floor is 10000 fen
exceeds_envelope                     7990000 fen are unissued
voucher_unknown                      shanghai/V9
not_own_voucher                      shanghai/V2 is of acme
transfer_forbidden                   shanghai/S1
voucher_bound_to_contract            shanghai/V9 is spent under acme/K2
voucher_bound_to_contract            acme/K2
transfer_to_oneself                  acme
voucher_suspended                    shanghai/V2
voucher_not_suspended                shanghai/V2
voucher_ended                        shanghai/V2
basis_differs                        acme/K6 is invoiced
basis_differs                        acme/K8 is invoiced, shanghai/S9 metered
reservation_outlives_voucher         valid until 2026-04-05T08:00:00.000000Z
exceeds_holder_cap                   acme has room for 0 fen
exceeds_holder_cap                   acme has room for 2000000 fen
reservation_outlives_contract        its last day is 2026-02-28
too_many_programmes                  acme/K1
too_many_reservations                acme/K1
exceeds_application                  acme/A1 asks for 100000 fen more
exceeds_available_balance            599900 fen are available
reservation_unknown                  shanghai/R9
not_own_reservation                  acme/R1
reservation_closed                   acme/R1
reservation_not_over                 its holder may from 2026-02-20T00:00:00.000000Z
reservation_not_over                 its holder may from 2026-02-02T00:00:00.000000Z
interval_invalid                     line 1
job_time_already_burned              line 1
provider_not_accredited              wuhu
provider_not_accredited              wuhu under shanghai/S1
statement_unknown                    st-2
line_unknown                         3 of st-1
line_already_reversed                0 of st-1
line_already_claimed                 1 of st-1
later_line_took_money                after line 0 of st-1
not_the_payee                        shanghai/S3 pays the holder
claim_period_invalid                 no month ends on 2026-02-27
claim_period_invalid                 no quarter ends on 2026-02-28
claim_too_late                       it could be claimed before 2026-02-03T16:00:00.000000Z
claim_period_not_over                2026-02-03
nothing_to_claim                     90 fen are unclaimed
claim_unknown                        shanghai/C9
window_invalid                       valid_until 2026-02-01T00:00:00.000000Z
date_too_far_ahead                   valid_until 9999-12-31T00:00:00.000000Z
claim_already_settled                guian/C1 is settled
settlement_differs_from_claim        2400 fen are claimed under acme/K1
settlement_differs_from_claim        it is of acme/K1, acme/K8
exceeds_withheld                     1200 fen can be disallowed
exceeds_paid                         800 fen were paid to guian
demand_unknown                       shanghai/D9
demand_on_another                    shanghai/D1 is of shanghai
demand_on_another                    shanghai/D3 is on wuhu
exceeds_receivable                   600 fen are left of shanghai/D2
payment_differs                      2000 fen are to be paid
payment_differs                      1600 fen are set off of 1599 fen
payment_in_the_future                day 2026-02-04
payment_reference_used               for guian/C4
payment_reference_used               for shanghai/D1
gate_not_passed                      expert of application acme/A1: 0 of 1 passes
gate_not_passed                      expert of application acme/A1: fail by panel
seal_period_not_over                 2026-02-01
seal_not_later                       sealed up to 2026-01-31
log_key_differs                      it is {NEW_LOG_KEY}
party_in_use                         acme
rekey_under_way                      entry 39 changed it, with an overlap until 2026-02-08T00:00:00.000000Z
party_suspended                      shanghai/M1 is of a treasury that is suspended
mandate_misplaced                    an operator acts by a mandate, a treasury by none
mandate_unknown                      shanghai/M9
not_own_mandate                      shanghai/M1
mandate_over                         shanghai/M1
kind_not_mandated                    shanghai/M1 is for redemption.settle/1, voucher.issue/1, voucher.suspend/1
programme_not_mandated               shanghai/M1 is for shanghai/S1
exceeds_mandate                      50000 fen are left of it
reservation_over                     it ended at 2026-02-10T00:00:00.000000Z
window_invalid                       it ends at 2026-02-10T00:00:00.000000Z
issued_within_the_log                the log began at 2026-01-05T08:00:00.000000Z
settle_gate_missing                  its basis is invoiced
gates_invalid                        before settle, usage of claim: only a contract has another side
rules_fixed                          never changed: rounding_fen
item_not_counted                     910b
operator_unknown                     guian
contract_missing                     shanghai/S9
not_own_contract                     a holder gives verdicts on its own contracts alone
application_differs                  acme/A1 is of acme for shanghai/S1 under acme/K1
document_already_used                it is of guian st-1
below_committed                      700000 fen are issued
used_above_face                      the face is 100000 fen
sum_too_large                        bolt has room for 3007199243740991 fen
sum_too_large                        shanghai has room for 10000001 fen
item_not_in_contract                 2026-01-31 to 2026-02-02
job_time_in_the_future               2026-02-02 to 2026-02-03
job_time_too_long_ago                2025-12-20 to 2026-02-02
period_sealed                        2026-02-02 to 2026-02-02
period_not_sealed                    2026-02-03 to 2026-02-03
correction_unfounded                 2026-02-02 to 2026-02-28
outside_contract                     2026-12-31 to 2027-01-01
tariff_missing                       tokens under acme/K9
service_days_already_burned          tokens under acme/K9
exceeds_contract                     910b under acme/K8
nothing_reserved                     seats under acme/K9
outside_proration_window             910b under acme/K9
price_above_limit                    tokens under acme/K8
outside_voucher_validity             910b under acme/K9
outside_reservation                  tokens under acme/K9
item_not_covered                     model-b under acme/K9
exceeds_reservation                  910b under acme/K8
exceeds_corrected_line               images under acme/K8
nothing_due                          nothing is open
nothing_due                          the next is due at 2026-02-20T00:00:00.000000Z
entry_too_large                      it would be 76766 bytes; split the statement: of its 520 lines about 443 fit
"""
WITHOUT_DETAIL = {
    Reason.NETWORK_NOT_FOUNDED,
    Reason.NETWORK_ALREADY_FOUNDED,
    Reason.FLOOR_ABOVE_CAP,
}


def listed() -> set[Refusal]:
    """The refusals that are written out above."""
    rows = [line.partition(" ") for line in DETAILS.replace("{NEW_LOG_KEY}", NEW_LOG_KEY).strip().splitlines()]
    return {Refusal(REASONS[word], detail.strip()) for word, _, detail in rows}


@pytest.fixture(scope="module")
def given() -> set[Refusal]:
    """The refusals of all tables' rows."""
    refusals = set()

    class Listening(Ledger):
        def submit(self, note: bytes) -> Entry | Refusal:
            answer = super().submit(note)
            if isinstance(answer, Refusal):
                refusals.add(answer)
            return answer

    for table in sorted(TABLES.glob("*.txt")):
        for story in read_sentences(table.read_text("utf-8")):
            if table.stem != "standard":
                ledger = ledger_for(story)
                ledger.__class__, ledger.checked = Listening, False
                ledger.play(story)
    return refusals


def test_each_detail_is_an_answer_to_a_row_and_hardly_an_answer_has_none(given: set[Refusal]) -> None:
    """Word for word; and whatever row it answers, a refusal has a detail, unless its reason says it all."""
    assert listed() - given == set()
    assert {type(one.detail) for one in given} == {str}
    assert {one.reason for one in given if one.detail in ("", "None")} == WITHOUT_DETAIL


def test_each_reason_has_its_detail_listed(given: set[Refusal]) -> None:
    """But those that no rule gives: the writer does (tests/contracts and tests/faults have them)."""
    of_rules = set(Reason) - {Reason.DECISION_FAILED, Reason.LOG_KEY_MISSING}
    assert {one.reason for one in listed()} == {one.reason for one in given} == of_rules


def test_a_refusal_is_one_line_for_a_person() -> None:
    """With its detail, or else with what its reason means."""
    assert str(Refusal(Reason.PARTY_UNKNOWN, "nobody")) == "party_unknown: nobody"
    assert str(Refusal(Reason.PARTY_UNKNOWN)) == "party_unknown: `party` was never admitted"


def test_what_a_refusal_is_about_is_a_field(given: set[Refusal]) -> None:
    """The entry that came before, and the key at fault: no program reads a detail for them."""
    with_index = {one for one in given if one.index is not None}
    references = {Reason.ALREADY_RECORDED, Reason.REF_REUSED_FOR_OTHER_CONTENT}
    left = {one for one in given if one.detail.endswith(f"left the books with entry {one.index}")}
    assert {one.reason.value.removesuffix("_unknown") for one in left} == {*get_args(Leaving)}
    assert {one.reason for one in with_index - left} == references | {Reason.KEY_ALREADY_REVOKED}
    assert all(one.detail.endswith(f"entry {one.index}") for one in with_index)
    assert with_index - left == {one for one in given if one.reason in {other.reason for other in with_index - left}}
    named = {Reason.SIGNATURE_INVALID, Reason.KEY_REVOKED, Reason.SIGNER_NOT_INVOLVED, Reason.KEY_UNKNOWN}
    of_keys = named | {
        Reason.KEY_NOT_ACTIVE_YET,
        Reason.KEY_NOT_FOR_THIS_COMMAND,
        Reason.KEY_NOT_OF_PARTY,
        Reason.KEY_ALREADY_KNOWN,
        Reason.KEY_ALREADY_REVOKED,
    }
    with_key = {one for one in given if one.key is not None}
    assert {one.reason for one in with_key} == of_keys | {Reason.SIGNATURES_MISSING}
    assert {one for one in given if one.reason in of_keys} <= with_key
    for one in with_key:
        assert one.key is not None
        assert one.key.partition("+")[0] in one.detail
        assert one.detail == one.key or one.reason not in named
    unsigned = {one for one in given if one.reason is Reason.SIGNATURES_MISSING}
    assert {one for one in unsigned if one.detail.startswith("one by the ")} == unsigned & with_key
    # Of the keys that are unknown, one was to be revoked, and signs nothing.
    assert "acme/officer-9+7f331a78" in {one.key for one in with_key if one.reason is Reason.KEY_UNKNOWN}
    for one in given:
        assert one.fields().get("index") == one.index
        assert one.fields().get("key") == one.key
