"""A proposed mapping has all that files hold, and is read once its placeholders are filled in."""

import random
import tomllib
from typing import Any

import pytest

from support.usage_formats import Read, read
from support.usage_samples import SAMPLES
from tallystick.errors import UsageError
from tallystick.metering.formats import reader_of
from tallystick.metering.mapping import PLACEHOLDER, Mapping, read_mapping
from tallystick.metering.proposing import propose

GIVEN: dict[str, Any] = {"cluster": "heron", "time_zone": "Asia/Shanghai", "step_seconds": 60}
HEADING = "account,job,gpu,gpus,from,to,user,partition,state\n"
HOUR = "2026-01-01T00:00:00Z,2026-01-01T01:00:00Z"


def proposal(format_name: str, data: bytes, **given: Any) -> str:
    remarks: dict[str, Any] = {}
    mapping = Mapping.model_validate(GIVEN | given)
    return propose(reader_of(format_name)([data], mapping, remarks), mapping, remarks)


def filled_in(text: str) -> str:
    """Return a proposal as a person completes it."""
    text = text.replace(f'contract = "{PLACEHOLDER}"', 'contract = "birch-ai/c-1"')
    text = text.replace(f'source = "{PLACEHOLDER}"', 'source = "kind"').replace(
        f'item = "{PLACEHOLDER}"', 'item = "item-1"'
    )
    return text.replace(f'"{PLACEHOLDER}"', '"kind"')


def burned(format_name: str, data: bytes) -> Read:
    text = filled_in(proposal(format_name, data))
    if "[node]" in text or "[partition]" in text:
        text = text.replace("[[gpu]]", '[[gpu]]\nsource = "kind"\nitem = "item-1"\n[[gpu]]', 1)
    return read(format_name, data, mapping=text)


@pytest.mark.parametrize("format_name", SAMPLES)
def test_filled_in_it_burns_the_file(format_name: str) -> None:
    """Whatever the format: nothing is left unmapped."""
    result = burned(format_name, SAMPLES[format_name])
    assert len(result.lines) >= 1
    assert not {"account_unmapped", "item_unmapped", "untyped_gpu"} & set(result.skipped)


def test_accounts_come_with_their_time_largest_first_and_who_used_them() -> None:
    """A row that stands twice counts once."""
    rows = [f"birch,j-1,a100,1,{HOUR},u1,p1,DONE", f"cedar,j-2,h100,8,{HOUR},u2,p1,FAILED"]
    text = proposal("csv", (HEADING + "\n".join([*rows, rows[0]])).encode())
    assert text.index("# 8.0 GPU-hours (partition p1, user u2)") < text.index("# 1.0 GPU-hours (partition p1, user u1)")
    found = tomllib.loads(text)
    assert [one["name"] for one in found["account"]] == ["cedar", "birch"]
    assert [one["source"] for one in found["gpu"]] == ["h100", "a100"]
    assert "# States that runs ended in: DONE 1, FAILED 1" in text


def test_nodes_and_partitions_without_a_kind_are_asked_for() -> None:
    """Where records don't say it."""
    found = tomllib.loads(proposal("opencost", SAMPLES["opencost"]))
    assert found["node"] == {"n1": PLACEHOLDER}
    rows = f"birch,j-1,,1,{HOUR},,p1,\nbirch,j-2,,1,{HOUR},,,\n"
    found = tomllib.loads(proposal("csv", (HEADING + rows).encode()))
    assert (found["partition"], found["gpu"][0]["source"]) == ({"p1": PLACEHOLDER, "*": PLACEHOLDER}, PLACEHOLDER)


def test_what_a_mapping_has_isnt_proposed_again() -> None:
    """A month later there are new accounts."""
    rows = f"birch,j-1,a100,1,{HOUR},,,\ncedar,j-2,a100,8,{HOUR},,,\n"
    has = {"account": [{"name": "birch", "contract": "a/c-1"}], "gpu": [{"source": "a100", "item": "a"}]}
    found = tomllib.loads(proposal("csv", (HEADING + rows).encode(), **has))
    assert ([one["name"] for one in found["account"]], "gpu" in found) == (["cedar"], False)


def test_a_pods_resources_are_kinds() -> None:
    """Those that look like devices."""
    found = tomllib.loads(proposal("kubernetes-pods", SAMPLES["kubernetes-pods"].replace(b"a100", b"cpu")))
    assert [one["source"] for one in found["gpu"]] == ["nvidia.com/gpu"]


@pytest.mark.parametrize(
    "account", ['a"b', "a\\b", "a\nb", "a\x7fb", "y\u2028x", "白桦（上海）", "#x", "[y]", "\x1b[2J", "'''"]
)
def test_an_odd_name_is_quoted(account: str) -> None:
    """A user can't write into the mapping."""
    cell = '"' + account.replace('"', '""') + '"'
    text = proposal("csv", (HEADING + f"{cell},j-1,a100,1,{HOUR},{cell},{cell},{cell}\n").encode())
    found = tomllib.loads(text)
    assert found["account"] == [{"name": account, "contract": PLACEHOLDER}]
    assert text.replace("\n", "").isprintable()


def test_a_name_that_no_mapping_can_have_is_said_and_not_proposed() -> None:
    """No account, or one that is too long."""
    rows = f",j-1,a100,1,{HOUR},,,\n{'x' * 257},j-2,a100,1,{HOUR},,,\n"
    text = proposal("csv", (HEADING + rows).encode())
    assert "account" not in tomllib.loads(text)
    assert text.count('only name = "*" fits them') == 2


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('cluster = "FILL-IN"', "the mapping still has FILL-IN as its cluster"),
        ('time_zone = "FILL-IN"', "the mapping still has FILL-IN as its time_zone"),
        ('[[account]]\nname = "b"\ncontract = "FILL-IN"', "account 'b' still has FILL-IN as its contract"),
        ('[[gpu]]\nsource = "FILL-IN"\nitem = "a"', "gpu 'FILL-IN' still has FILL-IN as its source"),
        ('[[gpu]]\nsource = "a100"\nitem = "FILL-IN"', "gpu 'a100' still has FILL-IN as its item"),
        ('[partition]\np1 = "FILL-IN"', "partition 'p1' still has FILL-IN as its kind of GPU"),
        ('[node]\nn1 = "a100"\nn2 = "FILL-IN"', "node 'n2' still has FILL-IN as its kind of GPU"),
    ],
)
def test_a_placeholder_anywhere_refuses_the_mapping(text: str, where: str) -> None:
    """And says where it is."""
    with pytest.raises(UsageError) as caught:
        read_mapping(text.encode(), "m.toml")
    assert str(caught.value) == f"m.toml: {where}: replace it"


def test_any_file_that_is_read_has_a_proposal_that_is_toml() -> None:
    """Whatever stands in its cells."""
    chance = random.Random(5)
    characters = [*map(chr, range(1, 128)), "\u2028", "\ufeff", "\U0001f600"]
    for _ in range(100):
        quoted = ['"' + "".join(chance.choices(characters, k=4)).replace('"', '""') + '"' for _ in range(3)]
        tomllib.loads(proposal("csv", (HEADING + f"{quoted[0]},j,{quoted[1]},1,{HOUR},,{quoted[2]},\n").encode()))
