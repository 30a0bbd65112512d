"""Programmes: opened, and amended from a day on."""

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, model_validator

from tallystick.vouchers.book import Posting
from tallystick.vouchers.fields import VoucherKind, before_3000
from tallystick.vouchers.outcomes import Nothing
from tallystick.vouchers.programmes import DatedRules, Programme
from tallystick.vouchers.quantities import (
    AHEAD_MAX_US,
    DAY_US,
    Day,
    Fen,
    Instant,
    OwnedId,
    Text,
    format_day,
    format_instant,
)
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rules.checks import check_new_id, check_own_programme, check_sum
from tallystick.vouchers.rules.programme_rules import RulesFields, check_rules
from tallystick.vouchers.rules.rule import (
    EVERY_PARTY,
    TREASURY,
    Accounts,
    Event,
    History,
    Names,
    Postings,
    Rule,
    Signers,
    quorum,
)
from tallystick.vouchers.state import State

FIXED: Final = ("payee", "basis", "rounding_fen", "rank")
"""Rules that no amendment changes, like the cycle of claims; kind and year are no rules."""


class ProgrammeOpen(Rule):
    """A treasury's programme: its envelope and its rules, as data."""

    kind: Literal["programme.open/1"]
    programme: OwnedId
    name: Text
    voucher_kind: VoucherKind
    fiscal_year: Annotated[int, Field(ge=2000, le=2999)]
    envelope_fen: Fen
    opens_at: Instant
    closes_at: Annotated[Instant, AfterValidator(before_3000)]
    rules: RulesFields

    event_kind = "programme.opened/1"
    outcome = Nothing
    about = (EVERY_PARTY,)
    roles = TREASURY
    refusals = (
        Reason.ID_OUTSIDE_OWN_NAMESPACE,
        Reason.ID_ALREADY_USED,
        Reason.WINDOW_INVALID,
        Reason.FLOOR_ABOVE_CAP,
        Reason.HOLDER_CLASS_NOT_REVIEWED,
        Reason.SETTLE_GATE_MISSING,
        Reason.GATES_INVALID,
        Reason.ATTESTER_UNKNOWN,
        Reason.ITEM_UNKNOWN,
        Reason.SUM_TOO_LARGE,
    )

    def parties_named(self) -> Names:
        """Return the party, and the attesters of its gates."""
        return [self.party, *self.rules.attesters()]

    def signers(self, state: State, at: int) -> Signers:
        """The party's quorum."""
        return quorum(self, state)

    def decide(self, state: State, at: int) -> Nothing | Refusal:
        """A programme whose rules make sense."""
        refusal = check_new_id(self.programme, self.party, state.programmes)
        if refusal:
            return refusal
        if self.closes_at <= self.opens_at or self.closes_at <= at:
            return Refusal(Reason.WINDOW_INVALID, f"closes at {format_instant(self.closes_at)}")
        return (
            check_rules(state, self.rules)
            or check_sum(state, "appropriated", self.party, self.envelope_fen)
            or Nothing()
        )

    def evolve(self, state: State, event: Event) -> Postings:
        """The whole envelope is unissued."""
        state.programmes[self.programme] = Programme(
            treasury=self.party,
            name=self.name,
            voucher_kind=self.voucher_kind,
            fiscal_year=self.fiscal_year,
            envelope_fen=self.envelope_fen,
            opens_at=self.opens_at,
            closes_at=self.closes_at,
            versions=[DatedRules(self.opens_at, self.rules.rules())],
        )
        envelope = Posting(self.programme, "envelope", self.programme, "unissued", self.programme, self.envelope_fen)
        return (envelope,)

    def touches(self, state: State, event: Event) -> Accounts:
        """The programme."""
        return {f"programme {self.programme}"}

    def concerns(self, state: State, event: Event) -> Names:
        """The programme."""
        return [f"rules {self.programme}"]

    def follows(self) -> Names:
        """Nothing."""
        return ()

    def asks(self, event: Event, history: History) -> Names:
        """The items of its shares, and the attesters of its gates."""
        items, attesters = self.rules.items(), self.rules.attesters()
        return [*[f"item {item}" for item in items], *[f"party {name}" for name in attesters]]


class ProgrammeAmend(Rule):
    """A programme gets another envelope, an earlier end, or other rules from a day on; nothing reaches back."""

    kind: Literal["programme.amend/1"]
    programme: OwnedId
    reason: Text
    envelope_fen: Fen | None = None
    closes_at: Annotated[Instant, AfterValidator(before_3000)] | None = None
    rules: RulesFields | None = None
    rules_from: Day | None = None

    event_kind = "programme.amended/1"
    outcome = Nothing
    about = (EVERY_PARTY,)
    roles = TREASURY
    refusals = (
        Reason.PROGRAMME_UNKNOWN,
        Reason.NOT_OWN_PROGRAMME,
        Reason.PROGRAMME_CLOSED,
        Reason.WINDOW_INVALID,
        Reason.DATE_IN_THE_PAST,
        Reason.DATE_TOO_FAR_AHEAD,
        Reason.FLOOR_ABOVE_CAP,
        Reason.HOLDER_CLASS_NOT_REVIEWED,
        Reason.SETTLE_GATE_MISSING,
        Reason.GATES_INVALID,
        Reason.ATTESTER_UNKNOWN,
        Reason.ITEM_UNKNOWN,
        Reason.RULES_FIXED,
        Reason.BELOW_COMMITTED,
        Reason.SUM_TOO_LARGE,
    )

    @model_validator(mode="after")
    def _says_something(self) -> "ProgrammeAmend":
        if (self.rules is None) != (self.rules_from is None):
            raise ValueError("rules and rules_from go together")
        if all(one is None for one in (self.envelope_fen, self.closes_at, self.rules)):
            raise ValueError("must amend something")
        return self

    def parties_named(self) -> Names:
        """Return the party, and the attesters of its gates."""
        return [self.party, *(self.rules.attesters() if self.rules is not None else ())]

    def signers(self, state: State, at: int) -> Signers:
        """The party's quorum."""
        return quorum(self, state)

    def decide(self, state: State, at: int) -> Nothing | Refusal:
        """Before its end; never below what was issued, never back in time, and not the rules that never change."""
        refusal = check_own_programme(state, self.programme, self.party)
        if refusal:
            return refusal
        programme = state.programmes[self.programme]
        if programme.closes_at <= at:
            return Refusal(Reason.PROGRAMME_CLOSED, f"it ended at {format_instant(programme.closes_at)}")
        return (
            self._check_end(programme, at)
            or self._check_rules(state, programme, at)
            or self._check_envelope(state, programme)
            or Nothing()
        )

    def _check_envelope(self, state: State, programme: Programme) -> Refusal | None:
        if self.envelope_fen is None:
            return None
        committed_fen = programme.envelope_fen - state.book["unissued", self.programme]
        if self.envelope_fen < committed_fen:
            return Refusal(Reason.BELOW_COMMITTED, f"{committed_fen} fen are issued", limit_fen=committed_fen)
        return check_sum(state, "appropriated", self.party, self.envelope_fen, programme.envelope_fen)

    def _check_end(self, programme: Programme, at: int) -> Refusal | None:
        if self.closes_at is None:
            return None
        if not programme.opens_at < self.closes_at < programme.closes_at:
            return Refusal(Reason.WINDOW_INVALID, f"closes at {format_instant(self.closes_at)}")
        return Refusal(Reason.DATE_IN_THE_PAST, format_instant(self.closes_at)) if self.closes_at < at else None

    def _check_rules(self, state: State, programme: Programme, at: int) -> Refusal | None:
        if self.rules is None or self.rules_from is None:
            return None
        today = state.day_of(at)
        if self.rules_from <= today:
            return Refusal(Reason.DATE_IN_THE_PAST, f"rules_from {format_day(self.rules_from)}")
        if self.rules_from > today + AHEAD_MAX_US // DAY_US:
            return Refusal(Reason.DATE_TOO_FAR_AHEAD, f"rules_from {format_day(self.rules_from)}")
        before, after = programme.rules, self.rules.rules()
        refusal = check_rules(state, self.rules)
        if refusal:
            return refusal
        changed = [name for name in FIXED if getattr(before, name) != getattr(after, name)]
        if before.claims.cycle != after.claims.cycle:
            changed.append("cycle")
        return Refusal(Reason.RULES_FIXED, f"never changed: {', '.join(changed)}") if changed else None

    def evolve(self, state: State, event: Event) -> Postings:
        """What it says anew; the envelope is raised or lowered by what is unissued."""
        programme = state.programmes[self.programme]
        if self.closes_at is not None:
            programme.closes_at = self.closes_at
        if self.rules is not None and self.rules_from is not None:
            valid_from = state.start_of(self.rules_from)
            earlier = [one for one in programme.versions if one.valid_from < valid_from]
            programme.versions = [*earlier, DatedRules(valid_from, self.rules.rules())]
        more_fen = 0 if self.envelope_fen is None else self.envelope_fen - programme.envelope_fen
        programme.envelope_fen += more_fen
        if more_fen > 0:
            return (Posting(self.programme, "envelope", self.programme, "unissued", self.programme, more_fen),)
        if more_fen < 0:
            return (Posting(self.programme, "unissued", self.programme, "envelope", self.programme, -more_fen),)
        return ()

    def touches(self, state: State, event: Event) -> Accounts:
        """The programme."""
        return {f"programme {self.programme}"}

    def concerns(self, state: State, event: Event) -> Names:
        """The programme."""
        return [f"rules {self.programme}"]

    def follows(self) -> Names:
        """The programme."""
        return [f"rules {self.programme}"]

    def asks(self, event: Event, history: History) -> Names:
        """The items and attesters that its rules name, and all that was issued."""
        if self.rules is not None:
            yield from (f"item {item}" for item in self.rules.items())
            yield from (f"party {name}" for name in self.rules.attesters())
        if self.envelope_fen is not None:
            yield f"programme {self.programme}"


RULES: Final = (ProgrammeOpen, ProgrammeAmend)
