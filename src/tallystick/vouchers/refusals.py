"""Every reason to refuse is here, in order of precedence, with what it means and whether it is transient.

A command, or a line of a statement, is answered with the first reason of this list that applies to it. The same words
stand in code, tests, command line and docs (docs/rules.md, whose table is made from this list).
"""

from dataclasses import dataclass, field

from tallystick.coded_enum import CodedEnum
from tallystick.vouchers.quantities import format_instant


class Reason(CodedEnum):
    """Why something is refused; `transient` says that the same may be accepted another time."""

    transient: bool

    def __init__(self, code: str, transient: bool, meaning: str) -> None:
        super().__init__(code, meaning)
        self.transient = transient

    NOTE_TOO_LARGE = ("note_too_large", False, "the note is over 65,535 bytes")
    NOTE_MALFORMED = ("note_malformed", False, "the bytes are not a signed note")
    COMMAND_NOT_CANONICAL = (
        "command_not_canonical",
        False,
        "the note's text is not one line of canonical JSON and a newline",
    )
    COMMAND_MALFORMED = (
        "command_malformed",
        False,
        "the command is not one of the closed list, lacks a field, has one too many, or a value is out of bounds",
    )
    COMMAND_FOR_ANOTHER_LOG = ("command_for_another_log", False, "the command's `log` is another log's origin")
    NETWORK_NOT_FOUNDED = ("network_not_founded", True, "the log is empty, and this is not `network.found`")
    ALREADY_RECORDED = ("already_recorded", False, "the same party, `ref` and text are entry N: here is its receipt")
    REF_REUSED_FOR_OTHER_CONTENT = ("ref_reused_for_other_content", False, "the party used this `ref` for another text")
    NETWORK_ALREADY_FOUNDED = ("network_already_founded", False, "there is an entry 0")
    SIGNED_IN_THE_FUTURE = ("signed_in_the_future", True, "`signed_at` is more than `clock_skew_seconds` ahead of `at`")
    SIGNED_TOO_LONG_AGO = ("signed_too_long_ago", False, "`signed_at` is more than `freshness_seconds` behind `at`")
    PARTY_UNKNOWN = ("party_unknown", True, "`party` was never admitted")
    PARTY_SUSPENDED = ("party_suspended", True, "`party` is suspended, or the treasury whose mandate the command names")
    ROLE_MAY_NOT = ("role_may_not", False, "a party of this role can not give this command")
    KEY_UNKNOWN = ("key_unknown", True, "a signature line, or the key named, is of a key that the log does not know")
    SIGNATURE_INVALID = ("signature_invalid", False, "a signature is not that key's over this text")
    KEY_REVOKED = ("key_revoked", False, "a signature is by a key that was revoked")
    KEY_NOT_ACTIVE_YET = (
        "key_not_active_yet",
        True,
        "a signature is by a key that another party added less than `takeover_seconds` ago",
    )
    KEY_NOT_FOR_THIS_COMMAND = (
        "key_not_for_this_command",
        False,
        "a signature is by a key for something else: a `meter` key signs burns and reversals, a `read` key nothing",
    )
    SIGNER_NOT_INVOLVED = ("signer_not_involved", False, "a signature is of a party that is not asked to sign")
    SIGNATURES_MISSING = ("signatures_missing", False, "fewer signatures than needed")
    EDITION_NOT_LATER = ("edition_not_later", False, "the edition in force is that one, or a later one")
    LOG_KEY_DIFFERS = ("log_key_differs", False, "`old_vkey` is not the log's newest key")
    LOG_KEY_MISSING = ("log_key_missing", True, "the writer has not been given the log's next key")
    CHECKPOINT_INVALID = ("checkpoint_invalid", False, "no checkpoint of another log, signed by `log_vkey`")
    CHECKPOINT_SMALLER = ("checkpoint_smaller", False, "a larger checkpoint of that log was recorded")
    CHECKPOINT_CONTRADICTED = (
        "checkpoint_contradicted",
        False,
        "the checkpoint of that log and size that was recorded has another root",
    )
    SUBJECT_UNKNOWN = ("subject_unknown", True, "the party that the command is about was never admitted")
    SUBJECT_NOT_UNDER_PARTY = ("subject_not_under_party", False, "`party` neither is that party nor admitted it")
    SUBJECT_SUSPENDED = ("subject_suspended", True, "that party is suspended already")
    SUBJECT_NOT_SUSPENDED = ("subject_not_suspended", False, "that party is not suspended")
    PARTY_IN_USE = ("party_in_use", False, "an entry after its admission names the party")
    PARTY_ALREADY_ADMITTED = ("party_already_admitted", False, "a party of this id was admitted")
    ROLE_MAY_NOT_ADMIT = (
        "role_may_not_admit",
        False,
        "the network admits treasuries, providers, auditors, operators and attesters; treasuries admit holders",
    )
    USCC_MISSING = (
        "uscc_missing",
        False,
        "a provider needs a social credit code; a holder that or `maker`, and not both; nobody else `maker`",
    )
    USCC_INVALID = ("uscc_invalid", False, "the check character is wrong")
    USCC_ALREADY_ADMITTED = ("uscc_already_admitted", False, "the code belongs to another party")
    NAME_MISPLACED = (
        "name_misplaced",
        False,
        "a `maker` has a `profile_hash` and no `name`; any other party has a `name`",
    )
    KEY_NOT_OF_PARTY = ("key_not_of_party", False, "the key's name does not begin with the party's id")
    KEY_ALREADY_KNOWN = ("key_already_known", False, "the key, or its public key, was added before")
    TOO_MANY_KEYS = ("too_many_keys", True, "the party would have more than 16 active keys")
    REKEY_UNDER_WAY = ("rekey_under_way", True, "the overlap of the log's newest change of key is not over")
    KEY_ALREADY_REVOKED = ("key_already_revoked", False, "the key was revoked before")
    SINCE_MISPLACED = ("since_misplaced", False, "`since` is said of a `compromised` key, and of no other")
    SINCE_IN_THE_FUTURE = ("since_in_the_future", True, "`since` is after `at`")
    WOULD_LEAVE_TOO_FEW_KEYS = ("would_leave_too_few_keys", False, "the party could not sign any more")
    OFFICERS_INVALID = (
        "officers_invalid",
        False,
        "only a treasury has officers, and no more of them are required than its `quorum`",
    )
    MANDATE_MISPLACED = ("mandate_misplaced", False, "an operator gives the command by a `mandate`, a treasury by none")
    MANDATE_UNKNOWN = ("mandate_unknown", True, "no such mandate")
    NOT_OWN_MANDATE = ("not_own_mandate", False, "the mandate is of another treasury or operator")
    MANDATE_OVER = ("mandate_over", False, "it was ended, or its `until` is past")
    KIND_NOT_MANDATED = ("kind_not_mandated", False, "the mandate isn't for commands of this kind")
    PROGRAMME_NOT_MANDATED = ("programme_not_mandated", False, "the mandate is for another programme")
    EXCEEDS_MANDATE = ("exceeds_mandate", False, "more than is left of the mandate, or than one command may")
    ID_OUTSIDE_OWN_NAMESPACE = ("id_outside_own_namespace", False, "the new id does not begin with the party's own")
    ID_ALREADY_USED = ("id_already_used", False, "the id is taken")
    PROGRAMME_UNKNOWN = ("programme_unknown", True, "no such programme")
    NOT_OWN_PROGRAMME = ("not_own_programme", False, "the programme is another treasury's")
    PROGRAMME_CLOSED = ("programme_closed", False, "the programme's end is over")
    CONTRACT_UNKNOWN = ("contract_unknown", True, "no such contract")
    NOT_OWN_CONTRACT = ("not_own_contract", False, "the contract is of other parties")
    CONTRACT_ENDED = ("contract_ended", False, "the contract's last day is over")
    RESERVATION_UNKNOWN = ("reservation_unknown", True, "no such reservation")
    NOT_OWN_RESERVATION = ("not_own_reservation", False, "it is neither from nor for this party")
    RESERVATION_CLOSED = ("reservation_closed", False, "it was released, or nothing is left of it")
    RESERVATION_OVER = ("reservation_over", False, "its end is past: `book.expire` gives back what is left")
    RESERVATION_NOT_OVER = ("reservation_not_over", True, "its holder must wait until `until + release_grace_seconds`")
    WINDOW_INVALID = ("window_invalid", False, "an end that is not after its beginning, or lies in the past")
    DATE_IN_THE_PAST = ("date_in_the_past", False, "takes effect before `at`")
    DATE_TOO_FAR_AHEAD = (
        "date_too_far_ahead",
        True,
        "takes effect more than 366 days after `at`; of an attestation, ends more than 3,660",
    )
    CONTRACT_BEGAN_TOO_LONG_AGO = (
        "contract_began_too_long_ago",
        False,
        "`first_day` is more than 366 days before the day of `at`",
    )
    OUTSIDE_PROGRAMME_WINDOW = (
        "outside_programme_window",
        True,
        "`at` or `valid_from` lies outside `opens_at`–`closes_at`",
    )
    ISSUED_WITHIN_THE_LOG = (
        "issued_within_the_log",
        False,
        "`valid_from` isn't before entry 0: such a voucher is issued, not imported",
    )
    FLOOR_ABOVE_CAP = ("floor_above_cap", False, "the cap's `floor_fen` is more than its `holder_fen`")
    HOLDER_CLASS_NOT_REVIEWED = (
        "holder_class_not_reviewed",
        False,
        "a share names a `holder_class`, and no gate before issues is of the application",
    )
    SETTLE_GATE_MISSING = (
        "settle_gate_missing",
        False,
        "the programme takes invoices, so a gate must stand before it pays",
    )
    GATES_INVALID = (
        "gates_invalid",
        False,
        "a gate of a subject that its act doesn't have, of more passes than attesters, or before issues where "
        "transfers are `open`",
    )
    ATTESTER_UNKNOWN = ("attester_unknown", True, "no attester of this id was admitted")
    PROVIDER_UNKNOWN = ("provider_unknown", True, "no provider of this id was admitted")
    PROVIDER_ALREADY_ACCREDITED = ("provider_already_accredited", False, "it is accredited then already")
    TARIFF_NOT_LATER = ("tariff_not_later", False, "the provider's tariff before it is as late or later")
    NOTICE_TOO_SHORT = (
        "notice_too_short",
        False,
        "dearer than the tariff before it, sooner than `tariff_notice_seconds` after `at`",
    )
    CAPACITY_NOT_LATER = ("capacity_not_later", False, "the provider's declaration before it is as late or later")
    ITEM_UNIT_INVALID = ("item_unit_invalid", False, "what is counted needs `counted`, GPU-time has none")
    ITEM_UNKNOWN = ("item_unknown", True, "no such item")
    RULES_FIXED = (
        "rules_fixed",
        False,
        "payee, basis, rounding, rank and the cycle of claims are as the programme was opened with them",
    )
    ITEM_NOT_GPU_TIME = ("item_not_gpu_time", False, "only GPU-time is declared and burned; this item is counted")
    ITEM_NOT_COUNTED = ("item_not_counted", False, "a quantity is of a counted item; this one is GPU-time")
    RECORD_UNKNOWN = ("record_unknown", True, "no tariff, declaration or accreditation from that time on stands")
    RECORD_IN_FORCE = ("record_in_force", False, "it began at or before `at`")
    RECORD_NOT_NEWEST = ("record_not_newest", True, "a later one stands, which must be withdrawn first")
    OPERATOR_UNKNOWN = ("operator_unknown", True, "no operator of this id was admitted")
    HOLDER_UNKNOWN = ("holder_unknown", True, "no holder of this id was admitted")
    RECEIVER_SUSPENDED = ("receiver_suspended", True, "who would receive it is suspended")
    APPLICATION_UNKNOWN = ("application_unknown", True, "no such application")
    NOT_OWN_APPLICATION = ("not_own_application", False, "the application is another holder's")
    APPLICATION_WITHDRAWN = ("application_withdrawn", False, "the application was withdrawn")
    DOCUMENT_ALREADY_USED = ("document_already_used", False, "another contract or invoice has this document")
    BELOW_CHARGED = ("below_charged", False, "less than was charged under the contract")
    OTHER_SUPPORT_LOWERED = ("other_support_lowered", False, "other support can only be raised")
    APPLICATION_MISSING = ("application_missing", False, "a gate before issues is of the application; none is named")
    CONTRACT_MISSING = ("contract_missing", False, "a gate before issues is of the contract; none is named")
    APPLICATION_DIFFERS = (
        "application_differs",
        False,
        "the application is another holder's, or for another programme or contract",
    )
    BELOW_COMMITTED = ("below_committed", True, "less than was issued of the envelope")
    USED_ABOVE_FACE = ("used_above_face", False, "`used_fen` is more than `face_fen`")
    BELOW_HOLDER_FLOOR = ("below_holder_floor", False, "`face_fen` is less than the cap's `floor_fen`")
    EXCEEDS_ENVELOPE = ("exceeds_envelope", True, "more than is unissued")
    VOUCHER_UNKNOWN = ("voucher_unknown", True, "no such voucher")
    NOT_OWN_VOUCHER = ("not_own_voucher", False, "the voucher is another holder's")
    TRANSFER_FORBIDDEN = ("transfer_forbidden", False, "the programme forbids transfers")
    VOUCHER_BOUND_TO_CONTRACT = (
        "voucher_bound_to_contract",
        False,
        "the voucher is spent under one contract alone, and isn't transferred",
    )
    TRANSFER_TO_ONESELF = ("transfer_to_oneself", False, "the voucher is that holder's already")
    VOUCHER_SUSPENDED = ("voucher_suspended", True, "the voucher is suspended")
    VOUCHER_NOT_SUSPENDED = ("voucher_not_suspended", False, "the voucher is not suspended")
    VOUCHER_ENDED = ("voucher_ended", False, "it was revoked, has expired, or is past its validity")
    BASIS_DIFFERS = ("basis_differs", False, "the contract is metered, or invoiced, and this is for the other")
    RESERVATION_OUTLIVES_VOUCHER = (
        "reservation_outlives_voucher",
        False,
        "`until` is after the voucher's `valid_until`",
    )
    RESERVATION_OUTLIVES_CONTRACT = ("reservation_outlives_contract", False, "`until` is after the contract's last day")
    TOO_MANY_PROGRAMMES = ("too_many_programmes", True, "8 programmes pay for the contract already")
    TOO_MANY_RESERVATIONS = ("too_many_reservations", True, "the contract has 16 open reservations")
    EXCEEDS_HOLDER_CAP = (
        "exceeds_holder_cap",
        True,
        "the holder would be granted more than the cap's `holder_fen` in the fiscal year",
    )
    EXCEEDS_APPLICATION = (
        "exceeds_application",
        False,
        "all that is issued for the application would be more than its `amount_fen`",
    )
    EXCEEDS_AVAILABLE_BALANCE = ("exceeds_available_balance", True, "more than is available")
    SUM_TOO_LARGE = (
        "sum_too_large",
        True,
        "a treasury's envelopes, what a holder holds or what is promised to a provider would pass 2^53 − 1 fen",
    )
    ITEM_NOT_IN_CONTRACT = ("item_not_in_contract", False, "the contract has no price for the item at `from`")
    INTERVAL_INVALID = ("interval_invalid", False, "`to` is not after `from`, or `seconds` is more than lies between")
    JOB_TIME_IN_THE_FUTURE = ("job_time_in_the_future", True, "`to` is after `at`")
    JOB_TIME_TOO_LONG_AGO = ("job_time_too_long_ago", False, "`from` is more than `burn_window_seconds` before `at`")
    PERIOD_SEALED = (
        "period_sealed",
        False,
        "the day of `to` is sealed, and the line has neither `corrects` nor `prior_period`",
    )
    PERIOD_NOT_SEALED = ("period_not_sealed", False, "the line says `prior_period`, and the day of `to` isn't sealed")
    CORRECTION_UNFOUNDED = (
        "correction_unfounded",
        False,
        "`corrects` does not name a reversed line of the same holder around it, which no other line corrects",
    )
    OUTSIDE_CONTRACT = ("outside_contract", False, "the interval lies outside the contract's days")
    TARIFF_MISSING = ("tariff_missing", True, "the provider has no tariff for the item at `from`")
    JOB_TIME_ALREADY_BURNED = (
        "job_time_already_burned",
        False,
        "some of the interval was burned for this job on this item",
    )
    SERVICE_DAYS_ALREADY_BURNED = (
        "service_days_already_burned",
        False,
        "some of the days were burned for this item under the contract",
    )
    EXCEEDS_CONTRACT = ("exceeds_contract", False, "more would be charged than the contract's `amount_fen`")
    NOTHING_RESERVED = ("nothing_reserved", True, "the contract has no open reservation")
    OUTSIDE_PRORATION_WINDOW = (
        "outside_proration_window",
        False,
        "none of the invoice's days counts by the programme's proration",
    )
    PROVIDER_NOT_ACCREDITED = (
        "provider_not_accredited",
        True,
        "it is not accredited under the programme for the time and the item in question",
    )
    PRICE_ABOVE_LIMIT = ("price_above_limit", False, "a unit costs more than the accreditation's `price_limit_fen`")
    OUTSIDE_VOUCHER_VALIDITY = ("outside_voucher_validity", False, "`from` is before the voucher's `valid_from`")
    OUTSIDE_RESERVATION = ("outside_reservation", False, "`to` is after the reservation's `until`")
    ITEM_NOT_COVERED = ("item_not_covered", False, "no share of the programme is about the item")
    EXCEEDS_RESERVATION = ("exceeds_reservation", False, "a programme's part is more than its reservations hold")
    EXCEEDS_CORRECTED_LINE = (
        "exceeds_corrected_line",
        False,
        "a correction's GPU-time, fee or payments are more than those of the line that it corrects",
    )
    STATEMENT_UNKNOWN = ("statement_unknown", True, "the provider has no such statement within `burn_window_seconds`")
    LINE_UNKNOWN = ("line_unknown", False, "the statement has no such accepted line")
    LINE_ALREADY_REVERSED = ("line_already_reversed", False, "the line was taken back before")
    LINE_ALREADY_CLAIMED = (
        "line_already_claimed",
        True,
        "it is claimed; what is withheld of it in a settlement would set it free",
    )
    LATER_LINE_TOOK_MONEY = (
        "later_line_took_money",
        True,
        "the line absorbed other support, and a later line of the contract took money that stands",
    )
    NOT_THE_PAYEE = ("not_the_payee", False, "the programme pays the other side")
    CLAIM_PERIOD_INVALID = (
        "claim_period_invalid",
        False,
        "`last_day` is not the last of a period of the programme's claims",
    )
    CLAIM_PERIOD_NOT_OVER = ("claim_period_not_over", True, "`last_day` is not over")
    CLAIM_TOO_LATE = (
        "claim_too_late",
        False,
        "the programme's cut-off after `last_day` is past; a later period has the rest",
    )
    NOTHING_TO_CLAIM = ("nothing_to_claim", True, "nothing that was burned up to `last_day` can be claimed")
    CLAIM_UNKNOWN = ("claim_unknown", True, "no such claim")
    CLAIM_ALREADY_SETTLED = ("claim_already_settled", False, "it was settled")
    SETTLEMENT_DIFFERS_FROM_CLAIM = (
        "settlement_differs_from_claim",
        False,
        "the rows are not the claim's contracts, or a row not what is claimed under its contract",
    )
    EXCEEDS_WITHHELD = ("exceeds_withheld", True, "more than is withheld, or may be disallowed")
    EXCEEDS_PAID = (
        "exceeds_paid",
        True,
        "more than was paid to the payee under the programme and isn't asked back yet",
    )
    DEMAND_UNKNOWN = ("demand_unknown", True, "no such demand")
    DEMAND_ON_ANOTHER = ("demand_on_another", False, "the demand is another treasury's, or on another payee")
    EXCEEDS_RECEIVABLE = ("exceeds_receivable", True, "more than is left of the demand")
    PAYMENT_DIFFERS = ("payment_differs", False, "the payment is not what is paid, less what is set off")
    PAYMENT_IN_THE_FUTURE = ("payment_in_the_future", True, "the day of the payment is after that of `at`")
    PAYMENT_REFERENCE_USED = ("payment_reference_used", False, "the treasury used the payment's reference before")
    GATE_NOT_PASSED = (
        "gate_not_passed",
        True,
        "too few of a gate's attesters have a standing `pass`, or one has a standing `fail`",
    )
    NOTHING_DUE = (
        "nothing_due",
        True,
        "no reservation and no voucher is past its end, and nothing unclaimed past its cut-off",
    )
    SEAL_PERIOD_NOT_OVER = ("seal_period_not_over", True, "`last_day` is not over")
    SEAL_GRACE_NOT_OVER = ("seal_grace_not_over", True, "`last_day` ended less than `sealing_grace_seconds` ago")
    SEAL_NOT_LATER = ("seal_not_later", False, "a seal reaches as far or farther")
    ENTRY_TOO_LARGE = ("entry_too_large", False, "command and outcome don't fit into 65,535 bytes: split the statement")
    DECISION_FAILED = (
        "decision_failed",
        True,
        "deciding it failed for a reason that no rule gives: nothing was recorded, and the fault was logged under the "
        "note's SHA-256; report it",
    )


@dataclass(frozen=True, slots=True)
class Refusal:
    """The answer to a command that is not admitted: the reason, and what exactly is wrong in a few words.

    The detail is for people. What a program needs of it is a field of its own, which equality leaves out: two refusals
    are the same answer if they say the same.

    Attributes:
        reason: of the closed list.
        detail: what is wrong, in words; empty if the reason says it all.
        index: of the entry that the command's reference belongs to, if the reference was used before; or of the seal
            that something left with.
        key: the label of the key at fault, or that must sign as well.
        not_before: from when on (microseconds since 1970) time is no reason any more, if time is what is wrong.
        limit_fen: what the amount was held against: the most; of a floor the least; of a claim the only one.
    """

    reason: Reason
    detail: str = ""
    index: int | None = field(default=None, compare=False)
    key: str | None = field(default=None, compare=False)
    not_before: int | None = field(default=None, compare=False)
    limit_fen: int | None = field(default=None, compare=False)

    def fields(self) -> dict[str, int | str]:
        """Return what there is of index, key and so on by name, as JSON has it: times in the log's own form."""
        fields: dict[str, int | str | None] = {"index": self.index, "key": self.key, "limit_fen": self.limit_fen}
        fields["not_before"] = None if self.not_before is None else format_instant(self.not_before)
        return {name: value for name, value in fields.items() if value is not None}

    def __str__(self) -> str:
        """One line for a person."""
        return f"{self.reason.value}: {self.detail or self.reason.meaning}"
