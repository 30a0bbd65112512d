"""Attestations: a reviewer's verdict on an application, a claim, a contract, a provider or a holder."""

from typing import Final, Literal

from tallystick.vouchers.fields import SubjectType, Verdict
from tallystick.vouchers.outcomes import Nothing
from tallystick.vouchers.quantities import (
    ATTESTED_MAX_US,
    Hash,
    Instant,
    SubjectId,
    Text,
    Word,
    format_instant,
)
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.reviews import Attestation
from tallystick.vouchers.rules.checks import (
    check_application,
    check_holder,
    check_own_contract,
    check_provider,
    unknown,
)
from tallystick.vouchers.rules.rule import (
    ATTESTER,
    HOLDER,
    PROVIDER,
    Accounts,
    Event,
    History,
    Names,
    Postings,
    Rule,
    Signers,
    own_party,
    party_account,
)
from tallystick.vouchers.state import State


class AttestationGive(Rule):
    """A verdict on a topic; it takes the place of the party's older one on the same subject and topic."""

    kind: Literal["attestation.give/1"]
    subject_type: SubjectType
    subject_id: SubjectId
    topic: Word
    verdict: Verdict
    reason: Text
    evidence_hash: Hash
    valid_until: Instant

    event_kind = "attestation.given/1"
    outcome = Nothing
    about = ("subject_id",)
    roles = ATTESTER | HOLDER | PROVIDER
    refusals = (
        Reason.CONTRACT_UNKNOWN,
        Reason.NOT_OWN_CONTRACT,
        Reason.WINDOW_INVALID,
        Reason.DATE_TOO_FAR_AHEAD,
        Reason.PROVIDER_UNKNOWN,
        Reason.HOLDER_UNKNOWN,
        Reason.APPLICATION_UNKNOWN,
        Reason.APPLICATION_WITHDRAWN,
        Reason.CLAIM_UNKNOWN,
    )

    def parties_named(self) -> Names:
        """Return the party, and the provider or holder that the verdict is on."""
        return [self.party, *([self.subject_id] if self.subject_type in ("provider", "holder") else [])]

    def signers(self, state: State, at: int) -> Signers:
        """One signature of the party, of the network its quorum."""
        return own_party(self, state)

    def decide(self, state: State, at: int) -> Nothing | Refusal:
        """On something that is there, until a day that isn't too far away; by a contract's side on that alone."""
        refusal = self._check_contract(state)
        if refusal:
            return refusal
        end = f"valid_until {format_instant(self.valid_until)}"
        if self.valid_until <= at:
            return Refusal(Reason.WINDOW_INVALID, end)
        if self.valid_until > at + ATTESTED_MAX_US:
            return Refusal(Reason.DATE_TOO_FAR_AHEAD, end)
        return _check_subject(state, self.subject_type, self.subject_id) or Nothing()

    def _check_contract(self, state: State) -> Refusal | None:
        """Refuse a contract that isn't there, and whoever is neither an attester nor one of its sides."""
        role = state.parties[self.party].role
        if self.subject_type == "contract":
            if self.subject_id not in state.contracts:
                return unknown(state, Reason.CONTRACT_UNKNOWN, "contract", self.subject_id)
            return None if role == "attester" else check_own_contract(state, self.subject_id, self.party)
        if role == "attester":
            return None
        return Refusal(Reason.NOT_OWN_CONTRACT, f"a {role} gives verdicts on its own contracts alone")

    @property
    def subject(self) -> str:
        """The subject's type and id, as the state and the index of entries call it."""
        return f"{self.subject_type} {self.subject_id}"

    def evolve(self, state: State, event: Event) -> Postings:
        """The state keeps the newest alone."""
        by_attester = state.attestations.setdefault(self.subject, {}).setdefault(self.topic, {})
        by_attester[self.party] = Attestation(self.verdict, self.valid_until)
        return ()

    def touches(self, state: State, event: Event) -> Accounts:
        """The subject, of a contract its sides too; of an application or claim its programme and who gave it."""
        if self.subject_type == "application":
            application = state.applications[self.subject_id]
            return {f"programme {application.programme}", f"holder {application.holder}"}
        if self.subject_type == "claim":
            claim = state.claims[self.subject_id]
            return {f"programme {claim.programme}"} | party_account(state, claim.claimant)
        if self.subject_type == "contract":
            contract = state.contracts[self.subject_id]
            return {self.subject, f"holder {contract.holder}", f"provider {contract.provider}"}
        return {self.subject}

    def concerns(self, state: State, event: Event) -> Names:
        """The verdicts on the subject."""
        return [f"attestations {self.subject}"]

    def follows(self) -> Names:
        """The party, which may be suspended later, and the application, claim or contract."""
        if self.subject_type in ("provider", "holder"):
            return [f"party {self.party}"]
        subject = f"life {self.subject_id}" if self.subject_type == "contract" else self.subject
        return [f"party {self.party}", subject]

    def asks(self, event: Event, history: History) -> Names:
        """The provider or holder."""
        return [f"party {self.subject_id}"] if self.subject_type in ("provider", "holder") else ()


def _check_subject(state: State, subject_type: SubjectType, subject_id: str) -> Refusal | None:
    """Refuse what isn't there; contracts were looked for."""
    if subject_type == "provider":
        return check_provider(state, subject_id)
    if subject_type == "holder":
        return check_holder(state, subject_id)
    if subject_type == "application":
        return check_application(state, subject_id)
    if subject_type == "contract":
        return None
    return None if subject_id in state.claims else unknown(state, Reason.CLAIM_UNKNOWN, "claim", subject_id)


RULES: Final = (AttestationGive,)
