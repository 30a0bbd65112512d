"""Which column of an operator's sheet is what: by the mapping, else by headings that are usual, in Chinese and English.

Titles may stand above the heading. It is the first row in which all that is needed is found: whose it was, which order
or job, how many devices, from when, and until when or for how long.
"""

import unicodedata
from collections.abc import Iterable
from typing import Final, get_args

from tallystick.errors import UsageFileError
from tallystick.metering.mapping import SheetColumn, SheetRules
from tallystick.metering.reasons import FileFault

ROWS_ABOVE_MAX: Final = 50
"""Rows among which the heading is looked for."""
ROW_NUMBER: Final = "*"
"""The mapping's word for a sheet whose jobs have no name: each row is a job, called by its number."""
_NEEDED: Final[tuple[SheetColumn, ...]] = ("account", "job", "gpus", "from")
_LENGTHS: Final[tuple[SheetColumn, ...]] = ("to", "seconds", "hours")
_USUAL: Final[dict[SheetColumn, tuple[str, ...]]] = {
    "account": (
        "客户", "客户名称", "客户名", "账户", "帐户", "账户名", "账号", "租户", "单位", "使用单位",
        "account", "customer", "tenant", "organization", "organisation",
    ),
    "job": (
        "订单号", "订单编号", "订单", "作业号", "作业编号", "作业id", "任务号", "任务编号", "任务id",
        "实例id", "实例编号", "job", "jobid", "job_id", "jobname", "job_name", "order", "orderid",
        "order_id", "orderno", "order_no",
    ),
    "gpu": (
        "型号", "加速卡型号", "卡型号", "卡型", "gpu型号", "gpu类型", "算力卡型号", "gpu", "gpu_type",
        "gputype", "gpu_model", "gpumodel", "model", "accelerator",
    ),
    "gpus": (
        "卡数", "卡数量", "gpu数", "gpu数量", "gpu卡数", "加速卡数", "加速卡数量", "gpus", "gpu_num",
        "num_gpus", "gpu_count", "gpucount", "ngpus", "cards",
    ),
    "from": (
        "开始", "开始时间", "起始时间", "开通时间", "启动时间", "from", "start", "start_time", "starttime",
        "begin",
    ),
    "to": ("结束", "结束时间", "终止时间", "截止时间", "释放时间", "to", "end", "end_time", "endtime", "until"),
    "seconds": ("使用时长(秒)", "时长(秒)", "运行时长(秒)", "seconds", "duration_s", "elapsed_seconds"),
    "hours": ("使用时长(小时)", "时长(小时)", "使用时长(h)", "hours", "duration_h"),
    "gpu_hours": (
        "卡时", "卡时数", "gpu卡时", "卡小时", "gpu_hours", "gpuhours", "gpu-hours", "card_hours",
        "cardhours",
    ),
    "user": ("用户", "用户名", "使用人", "user", "username", "user_name"),
    "partition": ("分区", "队列", "partition", "queue"),
    "cluster": ("集群", "集群名称", "cluster"),
    "state": ("状态", "作业状态", "state", "status"),
}  # fmt: skip

Places = dict[SheetColumn, int]


def plain(heading: object) -> str:
    """Return a heading as it is compared: without spaces, full-width forms and capitals."""
    text = heading if isinstance(heading, str) else ""
    return "".join(unicodedata.normalize("NFKC", text).lower().split())


def find_heading(rows: Iterable[tuple[int, list[object]]], rules: SheetRules) -> tuple[int, Places]:
    """Return how many rows stand above the heading, and where its columns are.

    Raises:
        UsageFileError: there is no heading, or it lacks a column that is needed or that the mapping names, or has one
            twice.
    """
    best, missing, said = 0, list[str](), ""
    for above, (_, cells) in enumerate(rows):
        headings = [plain(cell) for cell in cells]
        places = _places(headings, rules)
        lacking = _lacking(places, rules)
        if not lacking:
            _refuse_twice(headings, places, rules)
            return above, places
        if len(places) > best:
            best, missing = len(places), lacking
            said = ", ".join(heading for heading in headings if heading.isprintable() and heading)[:200]
    if best < 2:
        what = f"none of the first {ROWS_ABOVE_MAX} rows names the columns; say what they are called in [sheet.columns]"
        raise UsageFileError(FileFault.HEADING_MISSING, what)
    what = f"no column for {', '.join(missing)}; say in [sheet.columns] of the mapping what it is called, of: {said}"
    raise UsageFileError(FileFault.COLUMN_MISSING, what)


def _places(headings: list[str], rules: SheetRules) -> Places:
    places: Places = {}
    for column in get_args(SheetColumn):
        said = rules.columns.get(column)
        words = _USUAL.get(column, ()) if said is None else (plain(said),)
        found = next((word for word in words if word in headings), None)
        if found is not None:
            places[column] = headings.index(found)
    return places


def _lacking(places: Places, rules: SheetRules) -> list[str]:
    lacking: list[str] = [
        column for column in _NEEDED if column not in places and rules.columns.get(column) != ROW_NUMBER
    ]
    if not any(column in places for column in _LENGTHS):
        lacking.append("to (or seconds)")
    named = [
        f"{column} ({said})" for column, said in rules.columns.items() if said != ROW_NUMBER and column not in places
    ]
    return [one for one in lacking if not any(other.startswith(one) for other in named)] + named


def _refuse_twice(headings: list[str], places: Places, rules: SheetRules) -> None:
    """Refuse a heading in which a column that is read stands twice, in one word or in two that mean the same."""
    for column, place in places.items():
        words = _USUAL.get(column, ()) if column not in rules.columns else (headings[place],)
        found = [heading for heading in headings if heading in words]
        if len(found) > 1:
            what = f"{' and '.join(map(repr, found[:2]))} are both the heading for {column}"
            raise UsageFileError(FileFault.COLUMN_TWICE, f"{what}; say in [sheet.columns] which it is, or rename one")
