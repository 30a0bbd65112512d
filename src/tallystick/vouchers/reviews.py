"""What holders apply for, and what reviewers say; docs/rules.md, "Applications and attestations"."""

from dataclasses import dataclass

from tallystick.vouchers.fields import GatedAct, SubjectType, Verdict


@dataclass(slots=True)
class Application:
    """What a holder asks for under a programme; it is withdrawn, and never amended.

    Attributes:
        amount_fen: what is asked for.
        holder_class: of the holder, which vouchers issued for it keep.
        contract: of the holder, if it asks for a contract; what is issued for it is spent under that.
        issued_fen: the faces of the vouchers that were issued for it, whatever became of them.
        past_issued_fen: of these, of the vouchers that have left the state.
    """

    programme: str
    holder: str
    amount_fen: int
    holder_class: str | None = None
    contract: str | None = None
    issued_fen: int = 0
    past_issued_fen: int = 0
    withdrawn: bool = False


@dataclass(slots=True)
class Attestation:
    """An attester's newest verdict on a subject and topic; it stands until before `valid_until`."""

    verdict: Verdict
    valid_until: int


@dataclass(frozen=True, slots=True)
class Gate:
    """What must be attested before an act under a programme.

    Attributes:
        before: the act.
        subject_type: what is reviewed: of an issue its application, contract or holder, of a claim its claimant, of a
            settlement its claim, each of its contracts, or the claimant.
        attesters: whose verdicts count, ascending; of a contract's other side, none.
        passes: how many of them must have given `pass`.
        other_side: whether it is the contract's other side whose verdict counts: other than the holder of an issue, and
            than the claimant of a settlement.
    """

    before: GatedAct
    subject_type: SubjectType
    topic: str
    attesters: tuple[str, ...]
    passes: int
    other_side: bool = False

    def asks_for(self, subject_type: SubjectType) -> bool:
        """Return whether an issue must name a subject of a type."""
        return self.before == "issue" and self.subject_type == subject_type
