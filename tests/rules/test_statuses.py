"""Every reason has a status of HTTP, every error too, and HTTP's own reasons are no reasons of the rules."""

import inspect
from collections import Counter

from tallystick import errors
from tallystick.errors import NotALedgerError, TallystickError, WriterFencedError
from tallystick.serving.refused import Refused
from tallystick.vouchers.refusals import Reason
from tallystick.wire.problems import code_of
from tallystick.wire.statuses import HttpReason, status_of_error, status_of_refusal

KINDS = [value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, TallystickError)]
OTHERS = {
    400: {"note_malformed", "command_not_canonical", "command_malformed", "command_for_another_log"},
    403: {
        *("party_unknown", "party_suspended", "role_may_not", "key_unknown", "signature_invalid", "key_revoked"),
        *("key_not_active_yet", "key_not_for_this_command", "signer_not_involved", "signatures_missing"),
    },
    413: {"note_too_large", "entry_too_large"},
    422: {"ref_reused_for_other_content"},
    500: {"decision_failed"},
    503: {"log_key_missing"},
}


def test_every_reason_has_a_status() -> None:
    """409, a decision against the log's state, but for those that are listed."""
    statuses = {reason.value: status_of_refusal(reason) for reason in Reason}
    assert {reason: status for reason, status in statuses.items() if status != 409} == {
        reason: status for status, reasons in OTHERS.items() for reason in reasons
    }


def test_every_error_has_a_status() -> None:
    assert {status_of_error(kind) for kind in KINDS} <= {400, 404, 422, 500, 503}
    assert (status_of_error(WriterFencedError), status_of_error(NotALedgerError)) == (503, 500)


def test_a_code_names_one_thing() -> None:
    """HTTP's own reasons are neither refusals nor, but for those that are the same fact, errors."""
    https = {reason.value for reason in HttpReason}
    assert not https & {reason.value for reason in Reason}
    assert https & {code_of(kind) for kind in KINDS} <= {"not_found", "service_busy"}
    assert [code for code, count in Counter(reason.value for reason in HttpReason).items() if count > 1] == []


def test_what_the_server_itself_refuses_is_in_the_list() -> None:
    known = {reason.value: (reason.status, reason.transient) for reason in HttpReason}
    told = {refused.reason: (refused.status, refused.transient) for refused in Refused}
    assert {reason: known.get(reason) for reason in told} == told
