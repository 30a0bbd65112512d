"""A programme's rules in words, one sentence a rule: what an applicant, a provider or an auditor asks of them."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tallystick.forms.amounts import yuan
from tallystick.forms.speech import ENGLISH, Speech, listed

_BASIS_POINTS_A_PERCENT: Final = 100


def rules_in_words(rules: Mapping[str, Any], speech: Speech = ENGLISH) -> tuple[str, ...]:
    """Return what rules say, rule by rule; amounts in yuan.

    Args:
        rules: their fields as JSON has them, as docs/rules.md names them.
        speech: the language.
    """
    return tuple(_Rules(speech).sentences(rules))


def gate_in_words(gate: Mapping[str, Any], speech: Speech = ENGLISH) -> str:
    """Return what a gate asks, of its fields as JSON has them."""
    return _Rules(speech).gate(gate)


class _Rules:
    def __init__(self, speech: Speech) -> None:
        self._speech = speech

    def sentences(self, rules: Mapping[str, Any]) -> Iterator[str]:
        speech = self._speech
        for number, row in enumerate(rules["shares"]):
            yield self._share(row, rules["ceiling_bp"], is_first=number == 0)
        yield speech.gettext("of several programmes it pays as rank %(rank)s, the lowest first", rank=rules["rank"])
        cap = rules["cap"]
        yield speech.gettext(
            "a holder is granted at most %(amount)s yuan a fiscal year in the group %(group)s",
            amount=yuan(cap["holder_fen"]),
            group=cap["group"],
        )
        if cap.get("floor_fen"):
            yield speech.gettext("a voucher is of %(amount)s yuan or more", amount=yuan(cap["floor_fen"]))
        days = f"{rules['validity_days']:,}"
        yield speech.gettext("a voucher is valid for %(days)s days", days=days)
        yield self._transfer(rules["transfer"])
        yield speech.gettext(
            "it pays %(payee)s, for %(basis)s", payee=self._payee(rules["payee"]), basis=self._basis(rules["basis"])
        )
        if rules.get("proration") is not None:
            yield self._prorated(rules["proration"])
        yield self._claimed(rules["claims"])
        if rules["rounding_fen"] == 1:
            yield speech.gettext("a claim is exact to the fen")
        else:
            yield speech.gettext("a claim is rounded down to whole yuan")
        yield from map(self.gate, rules.get("gates", ()))

    def gate(self, gate: Mapping[str, Any]) -> str:
        speech = self._speech
        act, subject, topic = self._act(gate["before"]), self._subject(gate["subject_type"]), gate["topic"]
        if gate.get("other_side"):
            return speech.gettext(
                "before %(act)s, the contract's other side must pass the %(subject)s on %(topic)s",
                act=act,
                subject=subject,
                topic=topic,
            )
        return speech.gettext(
            "before %(act)s, %(passes)s of %(attesters)s must pass the %(subject)s on %(topic)s",
            act=act,
            passes=gate["passes"],
            attesters=listed(gate["attesters"], speech),
            subject=subject,
            topic=topic,
        )

    def _share(self, row: Mapping[str, Any], ceiling_bp: int, *, is_first: bool) -> str:
        gettext = self._speech.gettext
        values = {
            "share": self._percent(row["share_bp"]),
            "ceiling": self._percent(ceiling_bp if row.get("ceiling_bp") is None else row["ceiling_bp"]),
            "what": self._what(row),
        }
        if values["what"]:
            if is_first:
                return gettext(
                    "it pays %(share)s of the fee %(what)s, with all other support at most %(ceiling)s", **values
                )
            return gettext(
                "else it pays %(share)s of the fee %(what)s, with all other support at most %(ceiling)s", **values
            )
        if is_first:
            return gettext("it pays %(share)s of the fee, with all other support at most %(ceiling)s", **values)
        return gettext("else it pays %(share)s of the fee, with all other support at most %(ceiling)s", **values)

    def _what(self, row: Mapping[str, Any]) -> str:
        """Return what a share is about; empty of all."""
        speech = self._speech
        about = []
        if row.get("items") is not None:
            about.append(speech.gettext("of %(items)s", items=listed(row["items"], speech)))
        if row.get("origin") == "domestic":
            about.append(speech.gettext("of items of domestic origin"))
        elif row.get("origin") is not None:
            about.append(speech.gettext("of items of foreign origin"))
        if row.get("filed"):
            about.append(speech.gettext("of filed models"))
        if row.get("holder_class") is not None:
            about.append(speech.gettext("for holders of class %(class)s", **{"class": row["holder_class"]}))
        what, *rest = about or [""]
        for one in rest:
            what = speech.gettext("%(first)s %(second)s", first=what, second=one)
        return what

    def _percent(self, basis_points: int) -> str:
        """Return basis points in per cent: 3,000 is `30 %`, 3,025 is `30.25 %`."""
        whole, rest = divmod(basis_points, _BASIS_POINTS_A_PERCENT)
        number = f"{whole}.{rest:02d}" if rest else whole
        return self._speech.gettext("%(number)s %%", number=number)

    def _transfer(self, policy: str) -> str:
        if policy == "forbidden":
            return self._speech.gettext("vouchers can't be transferred")
        if policy == "approved":
            return self._speech.gettext("vouchers are transferred with the treasury's signature")
        return self._speech.gettext("vouchers may be transferred")

    def _payee(self, payee: str) -> str:
        if payee == "provider":
            return self._speech.gettext("the provider")
        if payee == "holder":
            return self._speech.gettext("the holder")
        return self._speech.gettext("the side that the contract names")

    def _basis(self, basis: str) -> str:
        if basis == "metered":
            return self._speech.gettext("lines of use")
        if basis == "invoiced":
            return self._speech.gettext("invoices")
        return self._speech.gettext("lines of use and invoices")

    def _prorated(self, proration: Mapping[str, Any]) -> str:
        values = {"first": proration["first_day"], "last": proration["last_day"]}
        values["amount"] = yuan(proration["truncate_fen"])
        if proration["day_count"] == "inclusive":
            return self._speech.gettext(
                "of an invoice the days from %(first)s to %(last)s count (both days counted), truncated to "
                "%(amount)s yuan",
                **values,
            )
        return self._speech.gettext(
            "of an invoice the days from %(first)s to %(last)s count (last day minus first day), truncated to "
            "%(amount)s yuan",
            **values,
        )

    def _claimed(self, claims: Mapping[str, Any]) -> str:
        days = claims["cut_off_days"]
        if claims["cycle"] == "month":
            return self._speech.gettext(
                "it is claimed up to the end of a month, within %(days)s days after it", days=days
            )
        if claims["cycle"] == "quarter":
            return self._speech.gettext(
                "it is claimed up to the end of a quarter, within %(days)s days after it", days=days
            )
        return self._speech.gettext("it is claimed up to any day, within %(days)s days after it", days=days)

    def _act(self, act: str) -> str:
        if act == "issue":
            return self._speech.gettext("an issue")
        if act == "claim":
            return self._speech.gettext("a claim")
        return self._speech.gettext("a payment")

    def _subject(self, subject_type: str) -> str:
        if subject_type == "application":
            return self._speech.pgettext("what is reviewed", "application")
        if subject_type == "claim":
            return self._speech.pgettext("what is reviewed", "claim")
        if subject_type == "contract":
            return self._speech.pgettext("what is reviewed", "contract")
        if subject_type == "provider":
            return self._speech.pgettext("what is reviewed", "provider")
        return self._speech.pgettext("what is reviewed", "holder")
