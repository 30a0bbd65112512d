"""A command is added to the rulebook, as its author would: every part of the system knows it, or says what is missing.

The command is a real one, `voucher.extend/1`: a treasury lets a voucher be valid for longer. Nothing but its rule and
its place in the list is made known to anything.
"""

import dataclasses
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest

from documentation import test_formats
from rules import test_documentation
from support.actors import Actor, note_of
from support.burning import BEGIN, LOG_KEY, NOW, Clock, burn_note, founding_notes
from tallystick.audit import audit
from tallystick.dossiers.examining import examine_dossier
from tallystick.dossiers.writing import write_dossier
from tallystick.errors import MalformedError
from tallystick.ledger import Admitted, Ledger, create_ledger
from tallystick.transparency.policy import Policy
from tallystick.views.follow import Views
from tallystick.vouchers import rulebook
from tallystick.vouchers.outcomes import Nothing
from tallystick.vouchers.quantities import DAY_US, Instant, OwnedId, Text, format_day, format_instant
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rulebook import RULEBOOK, RULES, Rulebook, kind_of
from tallystick.vouchers.rules.endings import VoucherRevoke
from tallystick.vouchers.rules.mandates import check_treasurys_voucher
from tallystick.vouchers.rules.rule import (
    DECLARED,
    TREASURY,
    Accounts,
    Event,
    History,
    Names,
    Postings,
    Rule,
    Signers,
    own_party,
    voucher_accounts,
)
from tallystick.vouchers.rules.vouchers import VoucherSuspend
from tallystick.vouchers.saved_state import MEANING, SCHEMA_SHA256, version_of
from tallystick.vouchers.state import Due, State

VOUCHER = "treasury/v1"
UNTIL = BEGIN + 500 * DAY_US


class VoucherExtend(Rule):
    """A treasury lets a voucher be valid for longer."""

    kind: Literal["voucher.extend/1"]
    voucher: OwnedId
    valid_until: Instant
    reason: Text

    event_kind = "voucher.extended/1"
    outcome = Nothing
    about = ("voucher",)
    roles = TREASURY
    refusals = (*VoucherRevoke.refusals, Reason.WINDOW_INVALID)

    def signers(self, state: State, at: int) -> Signers:
        return own_party(self, state)

    def decide(self, state: State, at: int) -> Nothing | Refusal:
        refusal = check_treasurys_voucher(state, self, self.voucher, None, at)
        if refusal:
            return refusal
        voucher = state.vouchers[self.voucher]
        if voucher.is_spent_time(at):
            return Refusal(Reason.VOUCHER_ENDED, self.voucher)
        return Nothing() if self.valid_until > voucher.valid_until else Refusal(Reason.WINDOW_INVALID)

    def evolve(self, state: State, event: Event) -> Postings:
        voucher = state.vouchers[self.voucher]
        is_owed = self.voucher in state.unclaimed.open_places
        state.remove_due(Due(voucher.valid_until, self.voucher, "voucher"))
        state.remove_due(state.lots_due(self.voucher))
        voucher.valid_until = self.valid_until
        state.add_due(Due(voucher.valid_until, self.voucher, "voucher"))
        if is_owed:
            state.add_due(state.lots_due(self.voucher))
        return ()

    def touches(self, state: State, event: Event) -> Accounts:
        return voucher_accounts(state, self.voucher)

    def concerns(self, state: State, event: Event) -> Names:
        return [f"terms {self.voucher}"]

    def follows(self) -> Names:
        return [f"terms {self.voucher}"]

    def asks(self, event: Event, history: History) -> Names:
        return ()


def extend(party: str = "treasury", until: int = UNTIL) -> bytes:
    fields = {"voucher": VOUCHER, "valid_until": format_instant(until), "reason": "works late"}
    return Actor(party).note("voucher.extend", NOW, ref=f"extends until {until}".replace(" ", "-"), **fields)


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> Rulebook:
    """The rulebook with one rule more."""
    more = Rulebook((*RULES, VoucherExtend))
    monkeypatch.setattr(rulebook, "RULEBOOK", more)
    return more


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "ledger"


@pytest.fixture
def ledger(known: Rulebook, folder: Path) -> Iterator[Ledger]:
    """A network in which a voucher was reserved and burned of, and an operator seals."""
    clock = Clock()
    with create_ledger(folder, founding_notes()[0], LOG_KEY, clock=clock) as ledger:
        operator = Actor("operator")
        admit = Actor("network").note(
            "party.admit",
            BEGIN,
            ref="admits",
            admitted="operator",
            role="operator",
            name="Operator",
            keys=operator.vkeys,
        )
        assert all(isinstance(one, Admitted) for one in ledger.submit([*founding_notes()[1:], admit]))
        clock.at = NOW
        assert all(isinstance(one, Admitted) for one in ledger.submit([burn_note("s-1")]))
        yield ledger


def submit(ledger: Ledger, note: bytes) -> int:
    answer = ledger.submit([note])[0]
    assert isinstance(answer, Admitted), answer
    return answer.index


def seal(ledger: Ledger) -> int:
    return submit(
        ledger, Actor("operator").note("book.seal", NOW, seal="operator/s1", last_day=format_day(NOW // DAY_US - 2))
    )


def state_of(ledger: Ledger) -> State:
    return ledger._tail.state


@pytest.mark.parametrize("forgotten", DECLARED)
def test_a_rule_that_leaves_something_out_can_not_be_defined(forgotten: str) -> None:
    """Nor does it take what it leaves out from a rule that it is made of."""
    body = {name: value for name, value in vars(VoucherSuspend).items() if name in DECLARED and name != forgotten}
    notes: dict[str, Any] = {"voucher": OwnedId, "reason": Text}
    if forgotten != "kind":
        notes["kind"] = Literal["voucher.freeze/1"]
    body |= {"__annotations__": notes, "__module__": __name__}
    with pytest.raises(TypeError, match=rf"the rule Freeze does not declare {forgotten}$"):
        type("Freeze", (VoucherSuspend,), body)


def test_no_two_rules_have_the_same_kind() -> None:
    with pytest.raises(ValueError, match="the same kind"):
        Rulebook((*RULES, VoucherSuspend))


def test_the_kinds_are_those_of_the_list() -> None:
    assert list(RULEBOOK.rules) == [kind_of(rule) for rule in RULES]
    assert RULEBOOK.event_kinds == {kind_of(rule): rule.event_kind for rule in RULES}


def test_a_command_that_is_not_in_the_rulebook_is_malformed() -> None:
    text = extend().partition(b"\n\n")[0] + b"\n"
    with pytest.raises(MalformedError, match="no command of the closed list"):
        rulebook.parse_command(text)


def test_form_and_signers(ledger: Ledger) -> None:
    """The form is closed; another role may not give it; the party has to sign, and it alone."""
    command = Actor("treasury").command("voucher.extend", NOW, ref="x", voucher=VOUCHER, reason="works late")
    whole = command | {"valid_until": format_instant(UNTIL)}
    notes = [
        note_of(command, "treasury/officer-1"),
        extend("holder"),
        note_of(whole, "holder/officer-1"),
        note_of(whole, "treasury/officer-1", "holder/officer-1"),
        extend(until=BEGIN),
    ]
    assert [one.reason for one in ledger.submit(notes) if isinstance(one, Refusal)] == [
        Reason.COMMAND_MALFORMED,
        Reason.ROLE_MAY_NOT,
        Reason.SIGNER_NOT_INVOLVED,
        Reason.SIGNER_NOT_INVOLVED,
        Reason.WINDOW_INVALID,
    ]


def test_touches_and_seals(ledger: Ledger, folder: Path) -> None:
    """The next seal commits to the entry, as one of the voucher, its holder and its programme."""
    accounts = (f"voucher {VOUCHER}", "holder holder", "programme treasury/2026")
    before = {name: state_of(ledger).touches[name].pending[-1] for name in accounts}
    index = submit(ledger, extend())
    assert {name: state_of(ledger).touches[name].pending[-1] for name in accounts} == dict.fromkeys(accounts, index)
    assert index not in before.values()
    sealed = seal(ledger)
    assert [one.folded for one in map(state_of(ledger).touches.get, accounts) if one] == [4, 6, 6]
    with Views.open(folder) as views:
        views.follow()
        leaf = json.loads(dict(views.seal_leaves(sealed))[f"voucher {VOUCHER}"])
    assert leaf["entries"] == 4


def test_saved_state(ledger: Ledger) -> None:
    """What the command changed is in the bytes, and comes back."""
    before = state_of(ledger).to_bytes()
    submit(ledger, extend())
    data = state_of(ledger).to_bytes()
    assert data != before
    again = State.from_bytes(data)
    assert again == state_of(ledger)
    assert again.vouchers[VOUCHER].valid_until == UNTIL


def test_saved_states_of_a_state_with_a_field_for_it() -> None:
    """They have another version, so none that was saved before is believed; nobody has to think of it."""
    more = dataclasses.make_dataclass(
        "State", [("extended", dict[str, int], dataclasses.field(default_factory=dict))], bases=(State,), slots=True
    )
    assert version_of(more, MEANING) != SCHEMA_SHA256 == version_of(State, MEANING)


def test_entry_index_and_views(ledger: Ledger, folder: Path) -> None:
    """It is looked up by its accounts and its things; the balance and the history are of after it."""
    index = submit(ledger, extend())
    with Views.open(folder) as views:
        views.follow()
        for name in (f"voucher {VOUCHER}", "holder holder", "programme treasury/2026", f"terms {VOUCHER}"):
            assert views.entries_concerning(name)[-1] == index, name
        voucher = views.voucher(VOUCHER)
    assert voucher.balance.valid_until == format_instant(UNTIL)
    newest = voucher.history[-1]
    assert (newest.index, newest.kind, newest.amount_fen) == (index, "voucher.extended/1", 0)


@pytest.mark.parametrize("account", [f"voucher {VOUCHER}", "provider provider", "programme treasury/2026"])
def test_dossiers(ledger: Ledger, folder: Path, account: str) -> None:
    """Of an account that it touches, and of one that depends on what it changed."""
    submit(ledger, extend())
    until = format_instant(BEGIN + 400 * DAY_US)  # within the longer validity alone
    longer = {"contract": "holder/k1", "last_day": format_day(BEGIN // DAY_US + 500)}
    submit(ledger, Actor("holder").note("contract.amend", NOW, "provider/officer-1", ref="amends", **longer))
    fields = {"voucher": VOUCHER, "contract": "holder/k1", "amount_fen": 100, "until": until}
    submit(ledger, Actor("holder").note("voucher.reserve", NOW, ref="reserves", reservation="holder/r2", **fields))
    seal(ledger)
    out = io.BytesIO()
    write_dossier(folder, account, out)
    report = examine_dossier(out.getvalue().splitlines(keepends=True), Policy.for_log(LOG_KEY.verifier))
    assert report.findings == ()
    assert report.is_sound


def test_the_audit_decides_it_anew(ledger: Ledger, folder: Path) -> None:
    submit(ledger, extend())
    assert audit(folder, Policy.for_log(LOG_KEY.verifier), processes=0).findings == ()


@pytest.mark.parametrize(
    "check",
    [
        test_documentation.test_who_may_give_each_command,
        test_documentation.test_every_command_is_described,
        test_formats.test_commands_events_and_outcomes,
    ],
)
def test_the_docs_lack_it(known: Rulebook, check: Any) -> None:
    """The tests of the docs' tables ask the rulebook, so a command that isn't described fails them."""
    with pytest.raises(AssertionError):
        check()
