"""An oracle of dual control: what moved by entries that too few of a treasury's officers signed, by the book alone."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any, Final

from tallystick.vouchers.book import Account
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.state import State

Totals = dict[str, dict[Account, int]]
_OUTSIDE: Final[tuple[Account, ...]] = ("available", "reserved", "burned", "withheld", "claimed", "paid", "receivable")
FORGIVING = {"burn.reverse/1", "book.expire/1"}
"""What gives burned and withheld money back without officers: a provider takes its line back, or time has ended it."""


def totals_of(state: State) -> Totals:
    """What lies in every account of every programme."""
    return {programme: {**accounts} for programme, accounts in state.book.totals.items()}


@dataclass
class Watch:
    """Looks at every entry as it comes; the rules of officers it reads from admissions and amendments.

    Attributes:
        officers: by treasury, its rule.
        few_fen: by treasury and day, what was issued, paid and asked back by entries with too few signatures.
    """

    officers: dict[str, dict[str, int]] = field(default_factory=dict)
    few_fen: defaultdict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))

    def look(self, entry: Entry, before: Totals, state: State) -> None:
        """Insist that an entry moved nothing for which too few signed; `state` is after it."""
        event = entry.event
        command = event.command.model_dump(mode="json", exclude_none=True)
        self._note_rule(command)
        treasuries = {programme: one.treasury for programme, one in state.programmes.items()}
        moved: defaultdict[str, Counter[Account]] = defaultdict(Counter)
        for programme, accounts in totals_of(state).items():
            for account, amount_fen in accounts.items():
                difference_fen = amount_fen - before.get(programme, {}).get(account, 0)
                moved[treasuries[programme]][account] += difference_fen
        for treasury, changes in moved.items():
            rule = self.officers.get(treasury)
            signed = {name for name in event.key_names if name.partition("/")[0] == treasury}
            if rule is not None and len(signed) < rule["required"]:
                self._insist(treasury, rule, command, changes, state.day_of(event.at))

    def _note_rule(self, command: dict[str, Any]) -> None:
        treasury = {"party.admit/1": "admitted", "party.amend/1": "party"}.get(command["kind"])
        if treasury is not None:
            self.officers.pop(command[treasury], None)
            if "officers" in command:
                self.officers[command[treasury]] = command["officers"]

    def _insist(
        self, treasury: str, rule: dict[str, int], command: dict[str, Any], changes: Counter[Account], today: int
    ) -> None:
        """Too few signed: nothing is given up, and what leaves stays within the threshold."""
        gained = {account: max(0, changes[account]) for account in ("paid", "receivable")}
        issued_fen = max(0, sum(changes[account] for account in _OUTSIDE))
        given_up_fen = -changes["receivable"]
        assert given_up_fen <= max(0, -changes["claimed"]), f"{command}: {given_up_fen} fen are asked for no more"
        if changes["unissued"] > 0 and changes["burned"] + changes["withheld"] < 0:
            assert command["kind"] in FORGIVING, f"{command}: what was burned is gone"
        left_fen = issued_fen + gained["paid"] + gained["receivable"]
        if not left_fen:
            return
        of_treasury = self.few_fen[treasury]
        of_treasury[today] += left_fen
        in_window_fen = sum(of_treasury[today - days] for days in range(rule["window_days"]))
        assert in_window_fen <= rule["threshold_fen"], f"{command}: {in_window_fen} fen in {rule['window_days']} days"
