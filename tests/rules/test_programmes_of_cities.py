"""The parameter sets of real cities: each is opened, used, and pays what the city's rules say, to the fen.

examples/programmes/ has them; cities.txt has the stories, with the sums that give each amount.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.actors import ORIGIN, Json, note_of
from support.command_line import done
from support.scenario import Ledger, Row, Story, read_sentences, reasons_in
from tallystick.demo import cast
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.quantities import format_instant
from tallystick.vouchers.refusals import Refusal
from tallystick.vouchers.rules.programmes import ProgrammeOpen

PROGRAMMES = Path(__file__).resolve().parents[2] / "examples" / "programmes"
README = (PROGRAMMES / "README.md").read_text("utf-8")
FILES = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(PROGRAMMES.glob("*.json"))}
STORIES = [*read_sentences(Path(__file__).with_name("cities.txt").read_text("utf-8"))]
NAMING = ("kind", "log", "party", "ref", "programme", "name")
"""Fields that call the command and the programme by a name; the others are the city's parameters."""

NETWORK = """
network founds the network -> founded
network admits guian as provider -> admitted
network admits wuhu as provider -> admitted
network registers ascend-910b as domestic -> registered
network registers h100 as foreign -> registered
network registers storage as none [unit: count; counted: a TB-month] -> registered
network registers text as none [unit: count; counted: a GB] -> registered
network registers filed-model as none [unit: count; counted: a million tokens; filing: 2024-0001] -> registered
network registers other-model as none [unit: count; counted: a million tokens] -> registered
guian prices ascend-910b at 6.00 yuan an hour -> published
guian prices h100 at 15.00 yuan an hour -> published
guian prices a unit of storage at 1.00 yuan -> published
guian prices a unit of filed-model at 2.00 yuan -> published
guian prices a unit of other-model at 2.00 yuan -> published
"""


def rows(text: str) -> tuple[Row, ...]:
    """Return the rows of a part of a story."""
    (story,) = read_sentences(f"== a part\n{text}")
    return story.rows


def attesters_of(command: Json) -> set[str]:
    """Return whom the gates of a programme name."""
    return {name for gate in command["rules"].get("gates", ()) for name in gate.get("attesters", ())}


def founded(commands: list[Json]) -> str:
    """Return the rows of a network with the treasuries of the programmes, the attesters of their gates, and holders."""
    treasuries = sorted({command["party"] for command in commands})
    attesters = sorted({name for command in commands for name in attesters_of(command)} | {"district-bureau"})
    admitted = [f"network admits {name} as treasury -> admitted" for name in treasuries]
    admitted += [f"network admits {name} as attester -> admitted" for name in attesters]
    admitted += [f"{treasuries[0]} admits {name} as holder -> admitted" for name in ("acme", "bolt")]
    return "\n".join([NETWORK, *admitted])


def opened(ledger: Ledger, command: Json) -> Entry | Refusal:
    """Sign a file's command as its treasury would, now, and submit it."""
    signed = command | {"signed_at": format_instant(ledger.at)}
    answer = ledger.submit(note_of(signed, *[f"{command['party']}/officer-{number}" for number in (1, 2)]))
    ledger.ids[command["programme"].partition("/")[2]] = command["programme"]
    ledger.rules[command["programme"]] = command["rules"]
    return answer


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.title)
def test_a_citys_programme_pays_what_its_rules_say(story: Story) -> None:
    """Each row has its answer; the books add up after each."""
    commands = [FILES[name]["command"] for name in story.title.split(" and ")]
    clock, *used = story.rows
    ledger = Ledger()
    ledger.play(Story(story.title, (clock, *rows(founded(commands)))))
    for command in commands:
        answer = opened(ledger, command)
        assert isinstance(answer, Entry), answer
        opens_at = command["opens_at"][:16].replace("T", " ")
        accredits = (
            f"{command['party']} accredits guian under {command['programme']} [valid_from: {opens_at}] -> accredited"
        )
        ledger.play(Story(story.title, rows(accredits)))
    ledger.play(Story(story.title, tuple(used)))


def test_every_file_has_a_story_that_pays_and_every_payment_its_sum() -> None:
    """No parameter set is there that was never used; no amount without its arithmetic."""
    assert sorted(name for story in STORIES for name in story.title.split(" and ")) == [*FILES]
    for story in STORIES:
        paid = [
            (answer, row.sums)
            for row in story.rows
            if row.verb in ("burn", "burn-units", "invoice")
            for answer in row.answer.split(" | ")
            if not reasons_in(answer)
        ]
        assert paid, story.title
        assert all(sums for _, sums in paid), story.title


def leaves(value: Any, path: str = "") -> Iterator[str]:
    """Yield the paths of what isn't a container: `rules.cap.holder_fen`, `rules.shares.0.share_bp`."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if parts is None:
        yield path
        return
    for name, part in parts:
        yield from leaves(part, f"{path}.{name}" if path else str(name))


def covers(path: str, leaf: str) -> bool:
    """Return whether a path is that of a leaf, or of a container of it."""
    return leaf == path or leaf.startswith(f"{path}.")


@pytest.mark.parametrize("name", FILES)
def test_a_file_says_of_every_parameter_whether_it_is_known(name: str) -> None:
    """The longest path that covers it says so; no path is there for nothing."""
    file = FILES[name]
    assert [*file] == ["city", "scheme", "known", "assumed", "outside", "command"]
    assert file["assumed"] == sorted(set(file["assumed"]))
    paths = [*file["known"], *file["assumed"]]
    assert len(paths) == len(set(paths)), "known and assumed"
    deciding = set()
    for leaf in leaves({field: value for field, value in file["command"].items() if field not in NAMING}):
        longest = max((path for path in paths if covers(path, leaf)), key=len, default=None)
        assert longest, f"{leaf} is neither known nor assumed"
        deciding.add(longest)
    assert set(paths) == deciding
    assert all(file["known"].values())


@pytest.mark.parametrize("name", FILES)
def test_a_file_has_the_fields_of_the_command_and_no_others(name: str) -> None:
    """But for the time at which it is signed; the file is called as the programme is, by its city."""
    command = FILES[name]["command"]
    assert {*command, "signed_at"} == {*ProgrammeOpen.model_fields}
    assert command["kind"] == "programme.open/1"
    assert command["log"] == ORIGIN
    assert command["programme"].startswith(f"{command['party']}/")
    assert command["rules"]["transfer"] == "forbidden", "no city is known to allow it"


@pytest.mark.parametrize("name", FILES)
def test_a_treasury_signs_the_command_as_it_stands(name: str, tmp_path: Path) -> None:
    """With the program, which refuses what is no command."""
    command, key, note = FILES[name]["command"], tmp_path / "key.pem", tmp_path / "open.note"
    done("key", "new", f"{command['party']}/officer-1", "-o", key, "--no-passphrase")
    done("sign", "-", "--key", key, "-o", note, stdin=json.dumps(command).encode())
    signed = json.loads(note.read_bytes().splitlines()[0])
    assert signed == command | {"signed_at": signed["signed_at"]}


def test_the_demo_plays_with_the_same_figures() -> None:
    """Envelope, cap and floor of a city's programme of a kind are those of its files, where neither assumes them."""
    compared = set()
    for city in cast.CITIES:
        for terms in city.programmes:
            files = [
                file
                for file in FILES.values()
                if file["city"] in city.name and file["command"]["voucher_kind"] == terms.voucher_kind
            ]
            figures = {
                "envelope": (terms.envelope_yuan, [file["command"]["envelope_fen"] for file in files]),
                "cap": (terms.cap_yuan, [file["command"]["rules"]["cap"]["holder_fen"] for file in files]),
                "floor": (terms.floor_yuan, [file["command"]["rules"]["cap"]["floor_fen"] for file in files]),
            }
            paths = {"envelope": "envelope_fen", "cap": "rules.cap.holder_fen", "floor": "rules.cap.floor_fen"}
            for figure, (yuan, fen) in figures.items():
                assumed = figure in terms.assumed or any(paths[figure] in file["assumed"] for file in files)
                if fen and not assumed:
                    assert yuan * 100 == sum(fen), f"{figure} of {city.name}"
                    compared.add((city.slug, figure))
    assert len(compared) > 10


def test_the_readme_lists_every_file_once() -> None:
    """And no file that isn't there."""
    assert sorted(re.findall(r"\]\(([\w-]+)\.json\)", README)) == [*FILES]
