"""No personal data: in nothing that the demo writes, in nothing that the pages show.

docs/privacy.md says which fields may hold what; this looks for numbers of resident identity cards (GB 11643, with a
valid check character), mobile numbers, addresses of electronic mail and names of persons.
"""

import json
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from stdnum.cn import ric

from documentation.test_code_blocks import blocks_of
from support.editions import NEVER_RECORDED
from tallystick.demo import cast
from tallystick.demo.founding import Founding
from tallystick.demo.keyring import Keyring
from tallystick.demo.stage import Stage
from tallystick.demo.story import Story
from tallystick.demo.workload import invent_jobs
from tallystick.demo.year import Year, instant
from tallystick.publishing import read_ledger
from tallystick.signing.note import Note
from tallystick.vouchers.entry import Header, split_entry
from tallystick.vouchers.rulebook import EVENT_KINDS, RULES

ROOT = Path(__file__).resolve().parents[2]
PRIVACY = (ROOT / "docs" / "privacy.md").read_text("utf-8")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PROGRAMMES = sorted((ROOT / "examples" / "programmes").glob("*.json"))
STARTUPS = 11
"""So many that each city that an act of the demo needs has one."""
JOBS = 20

SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余于杜叶程苏魏吕丁任卢"
    "姚沈钟姜崔谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔向汤"
)
PINYIN = (
    "Wang|Li|Zhang|Liu|Chen|Yang|Huang|Zhao|Wu|Zhou|Xu|Sun|Ma|Zhu|Hu|Guo|He|Lin|Gao|Luo|Zheng|Liang|Xie|Song|Tang|Han|"
    "Feng|Deng|Cao|Peng|Zeng|Xiao|Tian|Dong|Pan|Yuan|Cai|Jiang|Yu|Du|Ye|Cheng|Wei|Su|Lü|Ding|Ren|Lu|Yao|Shen"
)
GIVEN = (
    "wei|fang|na|min|jing|li|qiang|lei|jun|yang|yong|yan|jie|tao|ming|chao|xia|ping|gang|hua|san|si|xiaoming|xiaohong"
)
MACHINE_MADE = re.compile(r"(sha256:)?[0-9a-f]{64}|[a-z0-9./-]+\+[0-9a-f]{8}(\+[A-Za-z0-9+/=]+)?|[0-9TZ:.+-]{10,32}")
"""Hashes, keys and times: nothing in them was written by somebody."""
OF_ANOTHER_FORM = {"uscc", "checkpoint"}

FINDERS = {
    "number of an identity card": re.compile(r"(?<![0-9])[1-9][0-9]{5}[ -]?[0-9]{8}[ -]?[0-9]{3}[0-9Xx](?![0-9])"),
    "mobile number": re.compile(r"(?<![0-9.])(?:\+?86[ -]?)?1[3-9][0-9][ -]?[0-9]{4}[ -]?[0-9]{4}(?![0-9])"),
    "address of electronic mail": re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}"),
    "name of a person": re.compile(
        rf"(?<![一-鿿])[{SURNAMES}][一-鿿]{{1,2}}(?![一-鿿])"
        rf"|\b(?:{PINYIN}) [A-Z][a-z]+\b|\b(?:{PINYIN.lower()})[-._](?:{GIVEN})\b"
    ),
}


def personal_data(text: str) -> list[str]:
    """Return what a text holds of a person: `mobile number 1…`."""
    found = []
    for what, pattern in FINDERS.items():
        for match in pattern.finditer(text):
            is_number = what != "number of an identity card" or ric.is_valid(re.sub("[ -]", "", match[0]).upper())
            found += [f"{what}: {match[0]}"] if is_number else []
    return found


def texts_in(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text of a command or an outcome, with the field that it is in."""
    if isinstance(value, str) and name not in OF_ANOTHER_FORM and not MACHINE_MADE.fullmatch(value):
        yield name, value
    for key, part in value.items() if isinstance(value, dict) else ():
        yield from texts_in(part, key)
    for part in value if isinstance(value, list | tuple) else ():
        yield from texts_in(part, name)


@pytest.mark.parametrize(
    "text",
    [
        "papers of 11010519491231002X are missing",
        "papers of 110105-19491231-002x",
        "call 13800138000",
        "call +86 138 0013 8000",
        "write to someone@mail.example.com",
        "job-13800138000",
        "checked by 张三",
        "checked by 欧阳, 王小明",
        "checked by Zhang San",
        "zhang-san/officer-1",
        "user.li.lei",
    ],
)
def test_personal_data_is_found(text: str) -> None:
    """The search can find something."""
    assert personal_data(text)


@pytest.mark.parametrize(
    "text",
    [
        "papers of 110105194912310021 are missing",  # its check character is wrong
        "20260105080000123",
        "1380013800",
        "a100_3g.20gb",
        "Beijing compute vouchers",
        "算力券",
        "Wuhu treasury",
        "sha256:" + "1" * 64,
    ],
)
def test_other_texts_are_let_be(text: str) -> None:
    """It doesn't find everything."""
    assert personal_data(text) == []


@pytest.fixture(scope="module")
def entries(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Header, dict[str, Any]]]:
    """The entries of a year of the demo: header and command."""
    folder = tmp_path_factory.mktemp("demo")
    year, startups = Year.of_story(), list(cast.STARTUPS[:STARTUPS])
    jobs = invent_jobs(startups, instant(year.first_day), year.end_day - year.first_day, 1, JOBS, year.seals)
    stage = Stage(cast.ORIGIN, folder, Keyring(folder / "keys"), instant(year.first_day))
    with closing(stage):
        network = Founding(stage, year, 1).play(startups)
        Story(stage, year, network, jobs, 1).play(lambda _done, _total: None)
    with read_ledger(folder) as reader:
        split = [split_entry(data) for data in reader.entries()]
    return [(Header.from_bytes(header), json.loads(Note.from_bytes(note).text)) for header, note in split]


def test_the_demo_writes_no_personal_data(entries: list[tuple[Header, dict[str, Any]]]) -> None:
    """In no text of a command or an outcome, of any kind."""
    assert {header.kind for header, _ in entries} == {*EVENT_KINDS.values()} - NEVER_RECORDED
    texts = {
        (command["kind"], name, text)
        for header, command in entries
        for name, text in [*texts_in(command), *texts_in(header.outcome)]
    }
    assert len({text for _, _, text in texts}) > 1_000
    assert [(*text, found) for text in sorted(texts) if (found := personal_data(text[2]))] == []


def test_a_maker_of_the_demo_has_no_name(entries: list[tuple[Header, dict[str, Any]]]) -> None:
    """And no code: a commitment alone."""
    makers = [command for _, command in entries if command.get("maker")]
    assert [maker["admitted"] for maker in makers if {"name", "uscc"} & {*maker} or "profile_hash" not in maker] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_shows_personal_data(page: Path) -> None:
    """In no block of code, and so in no command of one."""
    shown = [line for block in blocks_of(page.read_text("utf-8")) for line in block.text.splitlines()]
    assert [(line, found) for line in shown if (found := personal_data(line))] == []


def test_no_programme_of_a_city_names_a_person() -> None:
    """What a treasury would sign."""
    texts = [text for path in PROGRAMMES for text in texts_in(json.loads(path.read_text("utf-8"))["command"])]
    assert len(texts) > 100
    assert [(*text, found) for text in texts if (found := personal_data(text[1]))] == []


def fields_in(schema: Any) -> Iterator[tuple[str, Any]]:
    """Yield the fields of a JSON schema, with theirs."""
    if isinstance(schema, dict):
        yield from schema.get("properties", {}).items()
    for part in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from fields_in(part)


FIELDS = [field for rule in RULES for field in fields_in(rule.model_json_schema())]


def section(title: str) -> str:
    """Return a section of docs/privacy.md."""
    _, _, rest = PRIVACY.partition(f"\n## {title}\n")
    return rest.partition("\n## ")[0]


def test_every_field_is_in_the_table_once() -> None:
    """A new field is put somewhere, or this fails."""
    rows = [line.split("|")[1] for line in section("Every field").splitlines() if line.startswith("| `")]
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert sorted({name for name, _ in FIELDS} - {*named}) == []
    assert sorted(name for name in {*named} if named.count(name) > 1) == []


def test_the_fields_of_free_text_are_listed() -> None:
    """Those that take 200 characters of anything, and no others."""
    free = {
        name
        for name, schema in FIELDS
        for one in [schema, *schema.get("anyOf", ())]
        if one.get("type") == "string" and one.get("maxLength") == 200
    }
    listed = section("Free text").partition("take 1 to 200")[0]
    assert set(re.findall(r"`(\w+)`", listed)) == free
