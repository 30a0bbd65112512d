"""The values of rows: how what a table says in words becomes what a command has."""

import re
from collections.abc import Callable
from typing import Any

from support.actors import ORIGIN, Json, checkpoint_of, label_of, profile_of, uscc_of, vkey_of
from tallystick.signing.algorithms import SHA256


def fen(text: str) -> int:
    """Return yuan with two decimals in fen."""
    assert re.fullmatch(r"\d{1,3}(,\d{3})*\.\d\d", text), f"{text} is not money like 1,000.00"
    return int(text.replace(",", "").replace(".", ""))


def yuan(amount_fen: int) -> str:
    """Return fen as yuan with two decimals."""
    return f"{amount_fen // 100:,}.{amount_fen % 100:02}"


def thousandths(text: str) -> int:
    """Return a number of GPUs, `8` or `0.5`, in thousandths."""
    whole, _, fraction = text.partition(".")
    return int(whole) * 1_000 + int(fraction.ljust(3, "0") or "0")


def basis_points(text: str) -> int:
    """Return a percentage, `50` or `33.33`, in basis points."""
    whole, _, fraction = text.partition(".")
    return int(whole) * 100 + int(fraction.ljust(2, "0"))


def names_in(text: str) -> list[str]:
    """Return the names of a list."""
    return [name for name in re.split(", ?", text) if name]


def items_in(text: str, registered: list[str]) -> list[Json]:
    """Return the items that `910b at 6.00 yuan, h100 at 15.00 yuan` prices, or `all up to 20.00 yuan` limits."""
    rows = []
    for one in text.split(", "):
        match = re.fullmatch(r"(\S+) (at|up to) (\S+) yuan", one)
        assert match, f"{one!r} is not like '910b at 6.00 yuan' or '910b up to 6.00 yuan'"
        name = "price_fen" if match[2] == "at" else "price_limit_fen"
        items = sorted(registered) if match[1] == "all" else [match[1]]
        rows += [{"item": item, name: fen(match[3])} for item in items]
    return rows


def shares_in(text: str) -> list[Json]:
    """Return the rows that `60 % up to 70 % of class young, 30 % of domestic filed 910b, 20 % of all` says."""
    return [_share(one) for one in text.split(", ")]


def _share(text: str) -> Json:
    match = re.fullmatch(r"([\d.]+) %(?: up to ([\d.]+) %)? of (.+)", text)
    assert match, f"{text!r} is not like '50 % of domestic' or '60 % up to 60 % of class young'"
    share: Json = {"share_bp": basis_points(match[1])}
    if match[2]:
        share["ceiling_bp"] = basis_points(match[2])
    words = [word for word in match[3].split(" ") if word not in ("and", "all")]
    while words:
        word = words.pop(0)
        if word == "class":
            share["holder_class"] = words.pop(0)
        elif word == "filed":
            share["filed"] = True
        elif word in ("domestic", "foreign"):
            share["origin"] = word
        else:
            share.setdefault("items", []).append(word)
    return share


def gates_in(text: str) -> list[Json]:
    """Return the gates that `1 of panel, district on expert of the application before issue and …` says."""
    return [_gate(one) for one in text.split(" and ")]


def _gate(text: str) -> Json:
    match = re.fullmatch(r"(\d+) of (.+) on (\S+) of the (\S+) before (\S+)", text)
    assert match, f"{text!r} is not like '1 of panel on expert of the application before issue'"
    who: Json = {"other_side": True} if match[2] == "the other side" else {"attesters": names_in(match[2])}
    gate = {"passes": int(match[1]), "topic": match[3], "subject_type": match[4], "before": match[5]}
    return gate | who


def _proration(text: str) -> Json:
    """Return what `2026-03-01 to 2026-12-31, end_minus_start, cut to 1.00 yuan` says."""
    match = re.fullmatch(r"(\S+) to (\S+), (\S+), cut to (\S+) yuan", text)
    assert match, f"{text!r} is not like '2026-03-01 to 2026-12-31, inclusive, cut to 1.00 yuan'"
    return {"first_day": match[1], "last_day": match[2], "day_count": match[3], "truncate_fen": fen(match[4])}


def _of_the_log(text: str) -> str:
    """Return the vkey of a key of the log."""
    return vkey_of(log_key_name(text))


def log_key_name(text: str) -> str:
    """Return the name of a key of the log on the key pair `log-1`; `y.example@log-1` is of another log's name."""
    log, _, pair = text.partition("@")
    return f"{log if pair else ORIGIN}:{pair or log}"


def _vkeys(text: str) -> list[str]:
    return [vkey_of(name) for name in names_in(text)]


def _uscc(text: str) -> str:
    """Return the code of a party, or one whose check character is wrong."""
    return uscc_of("acme")[:-1] + ("0" if uscc_of("acme")[-1] != "0" else "1") if text == "wrong" else uscc_of(text)


def _officers(text: str) -> Json:
    """Return the rule that `2 above 20,000.00 yuan in 30 days` says."""
    required, _, threshold, _, _, window, _ = text.split()
    return {"required": int(required), "threshold_fen": fen(threshold), "window_days": int(window)}


def _profile(text: str) -> str:
    """Return the hash of the profile of a party; a hash is one."""
    return text if ":" in text else profile_of(text)


def settled_rows(text: str, reason: str) -> list[Json]:
    """Return the rows that `24.00 yuan under K1, 0.00 yuan under K2 and 5.00 yuan withheld` says; contracts as said."""
    rows = []
    for one in text.replace("~", " ").split(", "):
        match = re.fullmatch(r"(\S+) yuan under (\S+)(?: and (\S+) yuan withheld)?", one)
        assert match, f"{one!r} is not like '24.00 yuan under K1 and 5.00 yuan withheld'"
        row: Json = {"contract": match[2], "paid_fen": fen(match[1])}
        if match[3]:
            row["withheld_fen"] = fen(match[3])
            row |= {} if reason == "none" else {"reason": reason}
        rows.append(row)
    return rows


def offsets_in(text: str) -> list[Json]:
    """Return what `500.00 yuan of D1, 1.00 yuan of D2` sets off against which demand; demands as said."""
    matches = [re.fullmatch(r"(\S+) yuan of (\S+)", one) for one in text.split(", ") if one]
    assert all(matches), f"{text!r} is not like '500.00 yuan of D1, 1.00 yuan of D2'"
    return [{"demand": match[2], "amount_fen": fen(match[1])} for match in matches if match]


def _declarations(text: str) -> Json:
    """Return what `related with 1,000.00 yuan of other support` declares; or `unrelated`."""
    related, _, other, *_ = text.split()
    return {"related_party": related == "related", "other_support_fen": fen(other)}


def _checkpoint(text: str) -> str:
    """Return the checkpoint `world.example:100`: that log's of 100 entries, also `:other-root`, `:forged`, `:cut`."""
    origin, size, *odd = text.split(":")
    signed_by = "y.example" if odd == ["forged"] else origin
    note = checkpoint_of(origin, int(size), f"{origin} {size} {odd == ['other-root']}", signed_by=signed_by)
    return note[:-1] if odd == ["cut"] else note


def _capacity(text: str) -> list[Json]:
    """Return what `512×910b,64×h100` says; `nothing` is the empty list."""
    pairs = [one.split("×") for one in text.split(",")] if text != "nothing" else []
    return [{"installed": int(installed), "item": item} for installed, item in pairs]


def _document(text: str) -> str:
    """Return the hash of the document that is called so; a hash is one."""
    return text if text.startswith("sha256:") else SHA256.of(text.encode())


def _kinds(text: str) -> list[str]:
    """Return the kinds of command that `redemption.settle, voucher.issue` names."""
    return [f"{name}/1" for name in names_in(text)]


def _corrects(text: str) -> Json:
    """Return the line `st-1:0`."""
    statement, _, number = text.rpartition(":")
    return {"statement": statement, "line": int(number)}


def _quantity(text: str) -> int:
    return int(text.replace(",", ""))


def _yes(text: str) -> bool:
    return text == "yes"


READERS: dict[str, Callable[[str], Any]] = {
    "keys": _vkeys,
    "meter_keys": _vkeys,
    "read_keys": _vkeys,
    "root_keys": _vkeys,
    "vkey": vkey_of,
    "key": label_of,
    "uscc": _uscc,
    "maker": _yes,
    "related_party": _yes,
    "all_or_nothing": _yes,
    "pay_available": _yes,
    "prior_period": _yes,
    "corrects": _corrects,
    "quantity": _quantity,
    "kinds": _kinds,
    "quorum": int,
    "officers": _officers,
    "profile_hash": _profile,
    "declarations": _declarations,
    "shares": shares_in,
    "proration": _proration,
    "gates": gates_in,
    "document_hash": _document,
    "capacity": _capacity,
    "checkpoint": _checkpoint,
    "log_vkey": vkey_of,
    "old_vkey": _of_the_log,
    "new_vkey": _of_the_log,
}
"""By the name of a field; what isn't here is an instant, an amount, a number or a text (scenario.py)."""
