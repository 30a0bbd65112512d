"""Who may read what: a row for each kind of thing, a column for each role, as docs/privacy.md has it."""

from typing import get_args

import pytest

from tallystick.vouchers import reading_rights
from tallystick.vouchers.fields import Role
from tallystick.vouchers.reading_rights import Concerned, Reader, Reading, Sight, ThingKind, sight
from tallystick.vouchers.rulebook import RULEBOOK
from tallystick.vouchers.rules.rule import EVERY_PARTY

COLUMNS: tuple[Role, ...] = ("network", "auditor", "operator", "treasury", "provider", "attester", "holder")
# What a party sees that the thing does not concern: `all`, its `terms`, or nothing (`-`).
OF_OTHERS = """
party          all all all  -     -     -     -
holder         all all all  -     -     -     -
provider       all all all  -     -     -     -
treasury       all all all  -     -     -     -
programme      all all all  terms terms terms terms
voucher        all all all  -     -     -     -
reservation    all all all  -     -     -     -
contract       all all all  -     -     -     -
application    all all all  -     -     -     -
claim          all all all  -     -     -     -
demand         all all all  -     -     -     -
mandate        all all all  -     -     -     -
payee          all all all  -     -     -     -
statement      all all all  -     -     -     -
review         all all all  -     -     -     -
item           all all all  all   all   all   all
tariff         all all all  all   all   all   all
capacity       all all all  all   all   all   all
accreditation  all all all  all   all   all   all
edition        all all all  all   all   all   all
seal           all all all  all   all   all   all
checkpoint     all all all  all   all   all   all
log_key        all all all  all   all   all   all
"""
SIGHTS = {"all": Sight.ALL, "terms": Sight.TERMS, "-": Sight.NOTHING}
ROWS = {kind: dict(zip(COLUMNS, cells, strict=True)) for kind, *cells in map(str.split, OF_OTHERS.strip().splitlines())}
CELLS = [(kind, role) for kind in ROWS for role in COLUMNS]


def seen(kind: str, role: Role, concerned: Concerned, reading: Reading = Reading.OWN) -> Sight:
    """What a party `reader` of a role sees of a thing."""
    assert kind in reading_rights.THING_KINDS
    return sight(reading, Reader("reader", role), kind, concerned)


def test_the_table_has_every_kind_and_every_role() -> None:
    """A new kind of thing or a new role can't be forgotten here."""
    assert set(ROWS) == set(get_args(ThingKind)) == reading_rights.THING_KINDS
    assert set(COLUMNS) == set(get_args(Role))


@pytest.mark.parametrize(("kind", "role"), CELLS)
def test_what_a_party_sees_of_what_does_not_concern_it(kind: str, role: Role) -> None:
    """That others are concerned gives it nothing."""
    others = Concerned(frozenset({"other"}), frozenset({"another"}))
    assert seen(kind, role, others) is SIGHTS[ROWS[kind][role]]
    assert seen(kind, role, Concerned()) is SIGHTS[ROWS[kind][role]]


@pytest.mark.parametrize(("kind", "role"), CELLS)
def test_what_a_party_sees_of_what_concerns_it(kind: str, role: Role) -> None:
    """All of it; its terms at least, where it is concerned by these alone or every party is."""
    assert seen(kind, role, Concerned(frozenset({"reader", "other"}))) is Sight.ALL
    of_others = SIGHTS[ROWS[kind][role]]
    for concerned in (
        Concerned(frozenset({"other"}), frozenset({"reader"})),
        Concerned(every_party=Sight.TERMS),
    ):
        assert seen(kind, role, concerned) is max(of_others, Sight.TERMS)


@pytest.mark.parametrize(("kind", "role"), CELLS)
def test_a_log_that_is_read_otherwise(kind: str, role: Role) -> None:
    """With `parties` every party sees all, with `open` everybody; without a login nothing else is seen."""
    assert seen(kind, role, Concerned(), Reading.PARTIES) is Sight.ALL
    assert seen(kind, role, Concerned(), Reading.OPEN) is Sight.ALL
    assert sight(Reading.OPEN, None, kind, Concerned()) is Sight.ALL  # type: ignore[arg-type]
    for reading in (Reading.PARTIES, Reading.OWN):
        everybody = Concerned(frozenset({"other"}), frozenset(), Sight.TERMS)
        assert sight(reading, None, kind, everybody) is Sight.NOTHING  # type: ignore[arg-type]


@pytest.mark.parametrize("role", COLUMNS)
def test_who_reads_everything(role: Role) -> None:
    """The whole log is for those who see all of each thing."""
    reader = Reader("reader", role)
    assert reading_rights.reads_all(Reading.OWN, reader) is (role in ("network", "auditor", "operator"))
    assert reading_rights.reads_all(Reading.PARTIES, reader)
    assert reading_rights.reads_all(Reading.OPEN, reader)
    assert not reading_rights.reads_all(Reading.PARTIES, None)
    assert not reading_rights.reads_all(Reading.OWN, None)
    assert reading_rights.reads_all(Reading.OPEN, None)


def test_every_command_says_who_may_read_its_entry() -> None:
    """By fields that it has, or for every party; `book.expire` is about everybody's things, and so for nobody else."""
    for kind, rule in RULEBOOK.rules.items():
        assert set(rule.about) <= {EVERY_PARTY, *rule.model_fields}, kind
        assert rule.about or kind == "book.expire/1", kind
