"""New ids are made in one's own name, and once."""

from collections.abc import Container

from tallystick.vouchers.refusals import Reason, Refusal


def check_new_id(new_id: str, party: str, taken: Container[str]) -> Refusal | None:
    """Refuse an id outside the party's own namespace, or taken."""
    if not new_id.startswith(f"{party}/"):
        return Refusal(Reason.ID_OUTSIDE_OWN_NAMESPACE, f"{new_id} must begin with {party}/")
    if new_id in taken:
        return Refusal(Reason.ID_ALREADY_USED, new_id)
    return None
