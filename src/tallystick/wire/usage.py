"""What became of usage records: a plan, what was sent of it, a reconciliation.

{"plan": {…}}                                  usage plan
{"plan": {…}, "sent": [{"ref", …}, …]}         usage burn: what the log answered to each statement
{"reconciliation": {…, "open": […]}}           usage reconcile: what is open; nothing if all is in order
"""

from collections.abc import Mapping

from tallystick.wire import JsonObject


def planned(plan: JsonObject) -> JsonObject:
    """Return what is said of a plan."""
    return {"plan": plan}


def sent(plan: JsonObject, answers: Mapping[str, JsonObject]) -> JsonObject:
    """Return what is said of a plan that was carried out: the answers by reference."""
    return planned(plan) | {"sent": [{"ref": ref} | answer for ref, answer in answers.items()]}


def reconciled(report: JsonObject) -> JsonObject:
    """Return what is said of a reconciliation."""
    return {"reconciliation": report}
