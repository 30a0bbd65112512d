"""Operators' sheets as CSV: headings, encodings, numbers and times as people write them, totals."""

import pytest

from support.usage_formats import read
from tallystick.errors import UsageError, UsageFileError
from tallystick.metering.mapping import read_mapping

MAPPING = """
cluster = "guian"
time_zone = "Asia/Shanghai"
end = "last_second"
[[account]]
name = "白桦智能科技有限公司"
contract = "birch-ai/c-1"
[[account]]
name = "birch"
contract = "birch-ai/c-1"
[[gpu]]
source = "昇腾910B"
item = "ascend-910b"
[[gpu]]
source = "a100"
item = "a100-80g"
[partition]
gpu-a = "a100"
"""
HEADING = "序号,客户名称,订单号,型号,卡数,开始时间,结束时间,卡时\n"
ROW = "1,白桦智能科技有限公司,o-1,昇腾910B,8,2026/1/1 0:00:00,2026/1/1 23:59:59,192.00\n"
DAY = [("guian/o-1", 8000, 86_400)]


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        ((HEADING + ROW).encode(), "utf-8"),
        ((HEADING + ROW).encode("utf-8-sig"), "utf-8"),
        ((HEADING + ROW).encode("gb18030"), "gb18030"),
        ((HEADING + ROW).replace(",", "\t").encode("utf-16"), "utf-16"),
        ((HEADING + ROW).replace("\n", "\r\n").encode("gb18030"), "gb18030"),
        ((HEADING + ROW).replace(",", ";").encode(), "utf-8"),
    ],
)
@pytest.mark.parametrize("pieces", [None, 7])
def test_the_encoding_is_found_and_said(data: bytes, encoding: str, pieces: int | None) -> None:
    """By mark, else UTF-8, else GB18030; wherever a piece ends."""
    result = read("sheet", data, mapping=MAPPING, pieces=pieces)
    assert (result.held, result.remarks) == (DAY, {"encodings": [encoding]})


@pytest.mark.parametrize("data", [b"\xff\xff\xff\xff", (HEADING + ROW).encode("utf-16-le"), b"a,b\n\x81"])
def test_what_is_in_no_encoding_is_refused(data: bytes) -> None:
    """Nothing is guessed."""
    with pytest.raises(UsageFileError, match="encoding_unknown"):
        read("sheet", data, mapping=MAPPING)


def test_an_encoding_that_the_mapping_says_isnt_tried_out() -> None:
    """A file in another one is refused."""
    said = MAPPING + '[sheet]\nencoding = "utf-8"\n'
    with pytest.raises(UsageFileError, match=r"encoding_unknown: byte .* isn't UTF-8"):
        read("sheet", (HEADING + ROW).encode("gb18030"), mapping=said)


@pytest.mark.parametrize(
    ("cards", "from_", "to", "held"),
    [
        ("１", "2026/1/3 00:00:00", "2026/1/3 00:19:59", (1000, 1200)),
        ("8", "2026-01-03 08:30", "2026-01-03T12:10:00Z", (8000, 42_001)),
        ('"1,000"', "2026年1月3日 8时30分", "2026年1月3日 8时39分59秒", (1_000_000, 600)),
        ("0.5", "2026/1/3", "2026/1/3", (500, 86_400)),
        ("2", "2026/1/3 0:00:00", "2026/1/4 0:00:00", (2000, 86_400)),
        ("2", "46025.3541666667", "46025.3611111112", (2000, 601)),
        ("2", "1767400200", "1767400799", (2000, 600)),
        ("2", "2026-01-03 08:30:00+08:00", "2026-01-03 00:39:59 UTC", (2000, 600)),
        ("8.0", "2026/1/3 23:59:59", "2026/1/3 24:00:00", (8000, 1)),
    ],
)
def test_numbers_and_times_are_read_as_people_write_them(
    cards: str, from_: str, to: str, held: tuple[int, int]
) -> None:
    """The last second is held; an end at midnight is midnight."""
    row = f"1,birch,o-1,a100,{cards},{from_},{to},\n"
    assert read("sheet", (HEADING + row).encode(), mapping=MAPPING).held == [("guian/o-1", *held)]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1,birch,o-1,a100,=8*1,2026/1/1,2026/1/1,", "not_a_number"),
        ("1,birch,o-1,a100,八,2026/1/1,2026/1/1,", "not_a_number"),
        ("1,birch,o-1,a100,,2026/1/1,2026/1/1,", "not_a_number"),
        ('1,birch,o-1,a100,"1,00",2026/1/1,2026/1/1,', "not_a_number"),
        ("1,birch,o-1,a100,-8,2026/1/1,2026/1/1,", "not_a_number"),
        ("1,birch,o-1,a100,0.0005,2026/1/1,2026/1/1,", "not_a_number"),
        ("1,birch,o-1,a100,0,2026/1/1,2026/1/1,", "no_gpu"),
        ("1,birch,o-1,a100,8,,2026/1/1,", "not_started"),
        ("1,birch,o-1,a100,8,Unknown,,", "not_started"),
        ("1,birch,o-1,a100,8,2026/1/1,至今,", "still_running"),
        ("1,birch,o-1,a100,8,2026/1/1,,", "still_running"),
        ("1,birch,o-1,a100,8,2026/13/1,2026/1/1,", "unreadable"),
        ("1,birch,o-1,a100,8,2026/1/1,tomorrow,", "unreadable"),
        ("1,birch,o-1,a100,8,3/1/2026,4/1/2026,", "unreadable"),
        ("1,birch,,a100,8,2026/1/1,2026/1/1,", "unreadable"),
        ("1,birch,o-1,a100,8,2026/1/2,2026/1/1 0:00:00,", "interval_invalid"),
        ("1,walnut,o-1,a100,8,2026/1/1,2026/1/1,", "account_unmapped"),
        ("1,birch,o-1,b300,8,2026/1/1,2026/1/1,", "item_unmapped"),
        ("1,birch,o-1,,8,2026/1/1,2026/1/1,", "untyped_gpu"),
        ("合计,,,,8,,,192.00", "aggregate"),
        ("一月小计：,,,,,,,", "aggregate"),
        (",Total,,,8,,,192", "aggregate"),
        ("合计,,共 6 单,,8,,,192", "aggregate"),
        ("summit,birch,o-1,a100,8,,,", "not_started"),
        # a comma that isn't quoted
        ("1,birch,o-1,a100,1,024,2026/1/1,2026/1/2", "unreadable"),
        ("1,birch,o-1,a100,8,2026/1/1,2026/1/1,1,234.00", "unreadable"),
    ],
)
def test_a_row_that_isnt_burned_has_its_reason(row: str, reason: str) -> None:
    """One row, one reason."""
    result = read("sheet", (HEADING + row + "\n").encode(), mapping=MAPPING)
    assert (result.skipped, result.lines) == ({reason: 1}, [])


def test_a_customer_whose_name_looks_like_a_total_is_a_customer() -> None:
    """Its row has an order and times."""
    result = read(
        "sheet", (HEADING + ROW.replace("1,白桦智能科技有限公司", "合计,合计科技有限公司", 1)).encode(), mapping=MAPPING
    )
    assert result.skipped == {"account_unmapped": 1}


def test_titles_stand_above_and_notes_below() -> None:
    """Neither is a record; nor are empty rows, nor the heading of the next page."""
    above, below = "二〇二六年一月,,,,,,,\n制表：运营部,,,,,,,\n", "备注：不含存储,,,,,,,\n"
    text = f"{above}{HEADING}{ROW},,,,,,,\n\n{HEADING}{below}"
    result = read("sheet", text.encode(), mapping=MAPPING)
    assert (result.held, result.reading.records) == (DAY, 1)
    assert result.remarks["notes"] == [{"line": 8, "text": "备注：不含存储"}]


def test_printed_card_hours_and_totals_are_compared_exactly() -> None:
    """What was rounded or cut off is no difference; what is wrong is said, and the computed time is burned."""
    rows = [
        "1,birch,o-1,a100,1,2026/1/1 0:00:00,2026/1/1 0:19:59,0.33\n",
        "2,birch,o-2,a100,16,2026/1/2 8:30:00,2026/1/2 12:09:59,58.66\n",
        "小计,,,,,,,58.99\n",
        '3,birch,o-3,a100,8,2026/1/3 0:00:00,2026/1/8 23:59:59,"1,153.00"\n',
        '合计,,,,,,,"1,212.00"\n',
    ]
    result = read("sheet", (HEADING + "".join(rows)).encode(), mapping=MAPPING)
    assert result.remarks["card_hours_differ"] == [{"line": 5, "printed": "1,153.00", "recomputed_exactly": "1152"}]
    assert result.remarks["sheet_total_differs"] == [
        {
            "line": 6,
            "column": "卡时",
            "printed": "1,212.00",
            "sum_of_printed_rows": "1,211.99",
            "recomputed_exactly": "1211",
        }
    ]
    assert result.reading.gpu_milliseconds == 1211 * 3_600_000


@pytest.mark.parametrize(
    ("heading", "message"),
    [
        ("", "heading_missing: none of the first 50 rows"),
        ("a,b,c\n", "heading_missing"),
        (HEADING.replace("订单号", "单据"), "column_missing: no column for job;"),
        (HEADING.replace("结束时间", "备注"), r"column_missing: no column for to \(or seconds\);"),
        (HEADING.replace("序号", "卡数"), "column_twice: '卡数' and '卡数' are both the heading for gpus"),
        (HEADING.replace("序号", "GPU数"), "column_twice: 'gpu数' and '卡数'"),
        (HEADING.replace("序号", " 卡 数 "), "column_twice"),
    ],
)
def test_a_heading_that_doesnt_say_what_is_what_refuses_the_sheet(heading: str, message: str) -> None:
    """With the column's name, and what to do."""
    with pytest.raises(UsageFileError, match=message):
        read("sheet", (heading + ROW).encode(), mapping=MAPPING)


def test_columns_that_the_mapping_names_are_those_that_are_read() -> None:
    """As in a scheduler's log: queue times, seconds, states, no kind of device."""
    text = (
        "job_id,user,vc,gpu_num,node_num,state,submit_time,start_time,end_time,duration,queue\n"
        "17,u1,birch,8,1,COMPLETED,2026-01-01 00:00:00,2026-01-01 01:00:00,2026-01-01 02:00:00,3600,gpu-a\n"
        "18,u1,birch,0,1,COMPLETED,2026-01-01 00:00:00,2026-01-01 01:00:00,2026-01-01 02:00:00,3600,gpu-a\n"
        "19,u1,birch,2,1,CANCELLED,2026-01-01 00:00:00,None,2026-01-01 02:00:00,0,gpu-a\n"
        "20,u1,birch,2,1,FAILED,2026-01-01 00:00:00,2026-01-01 01:00:00,2026-01-01 02:00:00,1800,gpu-a\n"
        "21,u1,birch,2,1,FAILED,2026-01-01 00:00:00,2026-01-01 01:00:00,2026-01-01 02:00:00,3601,gpu-a\n"
    )
    mapping = MAPPING.replace("last_second", "exclusive") + '[sheet.columns]\naccount = "vc"\nseconds = "duration"\n'
    result = read("sheet", text.encode(), mapping=mapping)
    assert result.held == [("guian/17", 8000, 3600), ("guian/20", 2000, 1800)]
    assert result.skipped == {"no_gpu": 1, "not_started": 1, "unreadable": 1}


def test_a_trace_counts_seconds_from_a_start_of_its_own() -> None:
    """Workers × cards; without an end the seconds are the length; a row without a name is called by its number."""
    text = "organization,gpu_model,gpu_request,worker_num,submit_time,duration\nbirch,a100,4,2,3600,600\n"
    mapping = (
        'trace_start = "2026-01-01T00:00:00Z"\n'
        + MAPPING
        + '[sheet.columns]\njob = "*"\ngpus = "gpu_request"\nworkers = "worker_num"\n'
        + 'from = "submit_time"\nseconds = "duration"\n'
    )
    result = read("sheet", text.encode(), mapping=mapping)
    assert result.held == [("guian/row-2", 8000, 600)]
    assert result.lines[0].starts_at == 1_767_229_200_000_000


def test_the_seconds_decide_between_two_readings_of_a_wall_time() -> None:
    """Where the clock was set back, and nothing says which hour is meant, nothing is burned."""
    heading = "account,job,gpu,gpus,from,to,seconds\n"
    row = "birch,o-{},a100,1,2026-10-25 01:30:00,2026-10-25 02:30:00,{}\n"
    mapping = MAPPING.replace("Asia/Shanghai", "Europe/Berlin").replace("last_second", "exclusive")
    text = heading + row.format(1, 3600) + row.format(2, 7200) + row.format(3, "")
    text += "birch,o-4,a100,1,2026-03-29 02:30:00,2026-03-29 03:30:00,\n"
    result = read("sheet", text.encode(), mapping=mapping)
    assert result.held == [("guian/o-1", 1000, 3600), ("guian/o-2", 1000, 7200)]
    assert result.skipped == {"time_ambiguous": 1, "unreadable": 1}


@pytest.mark.parametrize(
    ("line", "message"), [('cluster = "guian"', "cluster_unknown"), ('time_zone = "Asia/Shanghai"', "zone_missing")]
)
def test_what_the_sheet_doesnt_say_the_mapping_must(line: str, message: str) -> None:
    """The file is refused as a whole."""
    with pytest.raises(UsageFileError, match=message):
        read("sheet", (HEADING + ROW).encode(), mapping=MAPPING.replace(line, ""))


def test_a_proposal_that_isnt_filled_in_is_refused() -> None:
    """With the name of what is missing."""
    proposal = b'[[account]]\nname = "birch"\ncontract = "FILL-IN"\n'
    with pytest.raises(UsageError, match=r"^m.toml: account 'birch' still has FILL-IN as its contract: replace it"):
        read_mapping(proposal, "m.toml")
