"""What to do about each problem that a service, or `--json`, gives a reason for; its meaning is in the closed lists.

    advice("exceeds_reservation")      {"reason", "title", "advice", "again", "status", "transient"}

A reason that isn't advised on fails a test: the table below is total over refusals, HTTP's own reasons and errors.
"""

import inspect
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final

from tallystick import errors
from tallystick.vouchers.refusals import Reason
from tallystick.wire import JsonObject
from tallystick.wire.problems import code_of, http_problem, title_of
from tallystick.wire.statuses import UNAVAILABLE, HttpReason, status_of_error, status_of_refusal

_AGAIN: Final = {
    True: "The same may be accepted another time: send the same bytes again, and sign no other note meanwhile.",
    False: "The same won't be accepted: mend it, and sign it anew. Nothing was recorded, so its `ref` is free.",
}
_ASK_AGAIN: Final = {
    True: "The same may be asked again; `Retry-After` says when, where it is given.",
    False: "The same request gets the same answer.",
}

_OF_REASONS: Final[Mapping[str, str]] = {
    "Make the note with `tallystick do` or `tallystick sign`, and send its bytes as they are: one line of canonical "
    "JSON, an empty line, the signatures.": "note_malformed command_not_canonical",
    "Split it: a statement of many lines into several, a list into several commands.": "note_too_large entry_too_large",
    "Compare the command with docs/rules.md; `tallystick do KIND -h` shows the fields of a kind and their bounds.": (
        "command_malformed name_misplaced uscc_missing since_misplaced mandate_misplaced"
    ),
    "Give it to the service of that log, or sign it for this one: `/v1/info` says which this is.": (
        "command_for_another_log"
    ),
    "The log begins with `network.found`, once: `tallystick network found` makes it.": (
        "network_not_founded network_already_founded"
    ),
    "Nothing: it is recorded. Keep the receipt.": "already_recorded",
    "Give this command a `ref` of its own; `GET /v1/refs/{party}/{ref}` leads to the entry that has this one.": (
        "ref_reused_for_other_content"
    ),
    "Compare your machine's clock with the log's time, and set it right.": "signed_in_the_future",
    "Sign it anew, and send it soon: a note that lay about is not taken.": "signed_too_long_ago",
    "Look at the party (`tallystick show SOURCE party ID`): it must be admitted, and not suspended; its admitter, or "
    "the network, does both.": (
        "party_unknown party_suspended subject_unknown subject_suspended subject_not_suspended holder_unknown "
        "provider_unknown operator_unknown attester_unknown receiver_suspended"
    ),
    "Have a party of the right role give it: docs/rules.md says which of each kind.": (
        "role_may_not role_may_not_admit officers_invalid"
    ),
    "Look at which keys the log knows (`tallystick list SOURCE keys --where party=ID`), and sign with one that is "
    "active and of the right purpose.": (
        "key_unknown key_revoked key_not_active_yet key_not_for_this_command key_not_of_party key_already_known "
        "key_already_revoked too_many_keys would_leave_too_few_keys"
    ),
    "Sign the very text with the key that the line names: something was changed after it was signed.": (
        "signature_invalid"
    ),
    "Leave that signature out: who must sign a command is in docs/rules.md.": "signer_not_involved",
    "Have the others sign too: `tallystick do … --prepare` leaves the note, `inbox` and `cosign` add signatures.": (
        "signatures_missing"
    ),
    "Nothing: the log is there already.": "edition_not_later",
    "Follow `tallystick ledger rekey`, which says the next step.": ("log_key_differs log_key_missing rekey_under_way"),
    "Get the checkpoint anew from that log, and compare. Two that contradict each other are evidence: keep both, and "
    "tell the auditors.": "checkpoint_invalid checkpoint_smaller checkpoint_contradicted",
    "Look for the id that is meant: `tallystick list SOURCE …` shows those that you may name. What isn't recorded yet "
    "may be soon.": (
        "mandate_unknown programme_unknown contract_unknown reservation_unknown item_unknown record_unknown "
        "application_unknown voucher_unknown statement_unknown line_unknown claim_unknown demand_unknown"
    ),
    "It is another party's: look for the id that is meant among your own.": (
        "subject_not_under_party not_own_mandate not_own_programme not_own_contract not_own_reservation "
        "not_own_application not_own_voucher application_differs demand_on_another not_the_payee"
    ),
    "Take another id: one of your own, `<your party>/…`, that nothing has.": (
        "id_outside_own_namespace id_already_used party_already_admitted"
    ),
    "Ask its admitter: another party has this code, or a digit of it is wrong.": "uscc_invalid uscc_already_admitted",
    "Look at what became of it (`tallystick show`): it is done, over or in use, and what follows from that can't be "
    "undone by this.": (
        "party_in_use mandate_over programme_closed contract_ended reservation_closed reservation_over "
        "application_withdrawn voucher_ended voucher_not_suspended line_already_reversed line_already_claimed "
        "later_line_took_money claim_already_settled provider_already_accredited document_already_used "
        "payment_reference_used record_in_force record_not_newest rules_fixed"
    ),
    "Ask who suspended it (`tallystick show SOURCE voucher ID` has the entry), and wait until that has ended.": (
        "voucher_suspended"
    ),
    "Ask the treasury for a mandate that covers it (`tallystick show SOURCE mandate ID` says what this one does).": (
        "kind_not_mandated programme_not_mandated exceeds_mandate"
    ),
    "Compare the days and times with those of what is named (`tallystick show`), and with the log's time.": (
        "since_in_the_future window_invalid date_in_the_past date_too_far_ahead contract_began_too_long_ago "
        "outside_programme_window issued_within_the_log reservation_not_over reservation_outlives_voucher "
        "reservation_outlives_contract interval_invalid job_time_in_the_future job_time_too_long_ago outside_contract "
        "outside_voucher_validity outside_reservation outside_proration_window payment_in_the_future"
    ),
    "Give it a later time: what begins is said before, and with the notice that the network asks for.": (
        "tariff_not_later notice_too_short capacity_not_later"
    ),
    "Look at the programme's rules in words (`tallystick show SOURCE programme ID`), and command within them.": (
        "floor_above_cap holder_class_not_reviewed settle_gate_missing gates_invalid basis_differs transfer_forbidden "
        "voucher_bound_to_contract transfer_to_oneself below_holder_floor item_not_covered claim_period_invalid "
        "claim_too_late application_missing contract_missing"
    ),
    "Look at the item (`tallystick show SOURCE item ID`): GPU-time is burned by jobs, what is counted by quantity.": (
        "item_unit_invalid item_not_gpu_time item_not_counted"
    ),
    "Look at the contract (`tallystick show SOURCE contract ID`): its prices, its amount, and what was charged.": (
        "below_charged other_support_lowered item_not_in_contract exceeds_contract too_many_programmes "
        "too_many_reservations"
    ),
    "Look at what is left (`tallystick show`, `tallystick balances`), and ask for no more; or have more issued, "
    "reserved or freed first.": (
        "below_committed used_above_face exceeds_envelope exceeds_holder_cap exceeds_application "
        "exceeds_available_balance sum_too_large exceeds_reservation exceeds_withheld exceeds_paid exceeds_receivable "
        "nothing_reserved"
    ),
    "Wait until it is over, or its grace.": (
        "claim_period_not_over seal_period_not_over seal_grace_not_over seal_not_later"
    ),
    "Nothing: there is nothing of the sort at the moment.": "nothing_to_claim nothing_due",
    "Ask the treasury for the accreditation, or publish the tariff, that was in force at the time in question.": (
        "tariff_missing provider_not_accredited price_above_limit"
    ),
    "Compare it with what was burned before (`tallystick show SOURCE contract ID`): time and days count once, and a "
    "correction stands for one line that was taken back.": (
        "job_time_already_burned service_days_already_burned correction_unfounded exceeds_corrected_line"
    ),
    "Say `prior-period` of a line whose day is sealed, and of no other.": "period_sealed period_not_sealed",
    "Compare with the claim (`tallystick show SOURCE claim ID`): each contract has one row, and the payment is what is "
    "paid, less what is set off.": "settlement_differs_from_claim payment_differs",
    "Ask the attesters whose verdict is missing; `tallystick show` says whose.": "gate_not_passed",
    "Tell the operator the note's SHA-256: the fault is in the log's software, and was logged.": "decision_failed",
}

_OF_REQUESTS: Final[Mapping[str, str]] = {
    "Compare the request with docs/http.md, or use `tallystick.client`.": (
        "bad_request parameter_invalid method_not_allowed not_acceptable request_malformed length_required "
        "unsupported_media_type target_too_long expectation_unknown head_too_large method_unknown version_unknown"
    ),
    "Log in: `POST /v1/sessions`, or `--key` with a key of your party. A session ends with its time, or its key.": (
        "login_required"
    ),
    "Open the service's own page at its own address, and send the form from there.": "cross_site",
    "Read what is your own, or ask the network for the rest; docs/privacy.md says who reads what.": (
        "may_not_read access_denied"
    ),
    "Look at the address, and at whether it is yours to see: what you may not read is answered as what isn't there.": (
        "not_found"
    ),
    "Send all of it, at once: the connection broke off, or was too slow.": "body_incomplete request_too_slow",
    "Send less at once: `/v1/info` says what is taken.": "body_too_large",
    "Ask less often.": "too_many_requests",
    "Tell the operator, with the answer's `Request-Id`.": "internal_fault tallystick",
    "Ask again a little later, or the service's other address.": (
        "service_busy draining not_writing behind ledger_busy writer_fenced store_failed source_unreadable too_busy "
        "views_unusable views_damaged clock_jump ledger not_a_ledger unreachable server problem request_refused"
    ),
    "See that the URL, the certificate and the trust policy belong together.": "untrusted_server answer_malformed",
    "Get the file anew from where it comes: it isn't whole, or something else.": (
        "malformed canonical_json note_malformed key_malformed checkpoint_malformed tile_malformed receipt_malformed "
        "policy_malformed entry_malformed"
    ),
    "Don't rely on it, and keep it: what doesn't prove what it should is evidence. Ask an auditor.": (
        "verification signature_invalid signature_missing proof_invalid quorum_missing history_rewritten export_differs"
    ),
    "See to the file, or the token, that is named.": "key_file key_token not_a_file usage_file",
    "Take a newer version of Tallystick.": "edition_unknown",
    "Mend what the detail names.": "usage",
}


@cache
def all_advice() -> Mapping[str, JsonObject]:
    """Return what is said of every reason, by reason.

    Raises:
        KeyError: one isn't advised on.
    """
    requests = dict(_by_reason(_OF_REQUESTS))
    said: dict[str, JsonObject] = {}
    for kind in _kinds_of_error():
        code, status = code_of(kind), status_of_error(kind)
        is_transient = status == UNAVAILABLE
        said[code] = _said(code, title_of(kind), requests[code], status, is_transient, _ASK_AGAIN[is_transient])
    for http in HttpReason:
        title = str(http_problem(http)["title"])
        said[http.value] = _said(
            http.value, title, requests[http.value], http.status, http.transient, _ASK_AGAIN[http.transient]
        )
    refusals = dict(_by_reason(_OF_REASONS))
    for reason in Reason:
        again = "" if reason is Reason.ALREADY_RECORDED else _AGAIN[reason.transient]
        status = status_of_refusal(reason)
        said[reason.value] = _said(
            reason.value, reason.meaning, refusals[reason.value], status, reason.transient, again
        )
    return said


def advice(reason: str) -> JsonObject | None:
    """Return what a reason means and what to do about it; None if there is no such reason."""
    return all_advice().get(reason)


def _said(reason: str, title: str, what: str, status: int, is_transient: bool, again: str) -> JsonObject:
    return {
        "reason": reason,
        "title": title,
        "advice": what,
        "again": again,
        "status": status,
        "transient": is_transient,
    }


def _kinds_of_error() -> Iterator[type[errors.TallystickError]]:
    for value in vars(errors).values():
        if inspect.isclass(value) and issubclass(value, errors.TallystickError):
            yield value


def _by_reason(table: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for what, reasons in table.items():
        for reason in reasons.split():
            yield reason, what
