"""What no single rule can refuse is shown with the entries that show it: events in, patterns out, and no verdict.

    watching.py      takes each event once, and says what was seen: `Watch`
    pattern.py       the closed list, and what is said of each that was seen
    parameters.py    where each pattern begins
    capacity.py      more GPU-time in an hour than is declared
    same_jobs.py     one job's time under two names
    prices.py        contracts at the tariff's price alone
    thresholds.py    amounts just under a threshold
    passing_on.py    vouchers passed on in circles, or soon after their issue
    last_days.py     vouchers burned in their last days alone
    evidence.py      evidence that comes again
    verdicts.py      attesters that always pass at once
    statement.py     a statement's accepted lines, as columns

A pattern accuses nobody: each has innocent causes, which docs/patterns.md names. Nothing here is read, drawn or timed.
"""

from tallystick.patterns.parameters import Parameters
from tallystick.patterns.pattern import Certainty, Pattern, Seen, Severity
from tallystick.patterns.watching import Watch

__all__ = ["Certainty", "Parameters", "Pattern", "Seen", "Severity", "Watch"]
