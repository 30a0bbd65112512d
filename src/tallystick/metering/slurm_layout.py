"""The heading of `sacct -P` or `-p`: which columns there are, and which text each of them can hold.

sacct escapes nothing. What a user writes, such as a job's name, may hold the separator and line breaks; the columns of
a strict form say where a record can be cut.
"""

import re
from collections.abc import Callable
from operator import itemgetter
from typing import Final, NamedTuple

from tallystick.errors import UsageFileError
from tallystick.metering.reasons import FileFault

USED: Final = (
    "jobid", "state", "start", "end", "elapsedraw", "alloctres", "account", "user", "partition", "cluster", "suspended",
    "elapsed", "nodelist",
)  # fmt: skip
"""The columns that are read, in the order of `Used`."""

JOB: Final = r"\d{1,12}(?:_(?:\d{1,12}|\[[0-9,%:-]+\]))?(?:\+\d{1,9})?(?:\.[A-Za-z0-9_]{1,32}(?:\+\d{1,9})?)?"
TIME: Final = (
    r"(?:\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?|\d{1,12}|Unknown|None|None assigned|N/A|)"
)
SPAN: Final = r"(?:(?:\d{1,6}-)?(?:\d{1,4}:)?\d{1,4}:\d\d(?:\.\d+)?|INVALID|)"
STATE: Final = r"[A-Z][A-Z_]*\+?(?: by \d+)?"
_LIMIT: Final = rf"(?:{SPAN}|UNLIMITED|Partition_Limit|\d{{1,12}})"
TRES: Final = r"(?:[a-z]+(?:/[^|,=\n]+)?=[^|,=\s]*(?:,[a-z]+(?:/[^|,=\n]+)?=[^|,=\s]*)*|)"
_NUMBER: Final = r"-?\d*\??"
_WORD: Final = r"[^\s|]*"
_FORMS: Final = {
    "jobid": JOB,
    "jobidraw": JOB,
    "state": STATE,
    **dict.fromkeys(("start", "end", "submit", "eligible"), TIME),
    **dict.fromkeys(("elapsed", "suspended"), SPAN),
    **dict.fromkeys(("timelimit", "timelimitraw"), _LIMIT),
    **dict.fromkeys(("alloctres", "reqtres"), TRES),
    **dict.fromkeys(("elapsedraw", "nnodes", "ncpus", "alloccpus", "allocnodes", "dbindex", "uid", "gid"), _NUMBER),
    **dict.fromkeys(("account", "user", "partition", "cluster"), _WORD),
    "nodelist": rf"(?:{_WORD}|None assigned)",
    "exitcode": r"(?:\d+:\d+|)",
    "derivedexitcode": r"(?:\d+:\d+|)",
    "": "",
}
_ANY_WORD: Final = r"[^\n]*"
_ONE_WORD_TEXT: Final = (
    "allocgres associd avecpu avecpufreq avediskread avediskwrite avepages averss avevmsize blockid "
    "consumedenergy consumedenergyraw cputime cputimeraw failednode flags group layout licenses lineage "
    "maxdiskread maxdiskreadnode maxdiskreadtask maxdiskwrite maxdiskwritenode maxdiskwritetask maxpages "
    "maxpagesnode maxpagestask maxrss maxrssnode maxrsstask maxvmsize maxvmsizenode maxvmsizetask mcslabel mincpu "
    "mincpunode mincputask ntasks planned plannedcpu plannedcpuraw priority qos qosraw qosreq reason reqcpufreq "
    "reqcpufreqgov reqcpufreqmax reqcpufreqmin reqcpus reqgres reqmem reqnodes reservation reservationid reserved "
    "restarts resvcpu resvcpuraw segmentsize sluid stepid systemcpu totalcpu tresusageinave tresusageinmax "
    "tresusageinmaxnode tresusageinmaxtask tresusageinmin tresusageinminnode tresusageinmintask tresusageintot "
    "tresusageoutave tresusageoutmax tresusageoutmaxnode tresusageoutmaxtask tresusageoutmin tresusageoutminnode "
    "tresusageoutmintask tresusageouttot usercpu wckeyid"
)
_ONE_WORD: Final = frozenset(_ONE_WORD_TEXT.split())
"""Other columns in which no user and no administrator writes text: they hold no separator."""
_SHORT: Final = frozenset({"jobname", "wckey"})
NAME_LENGTH_MAX: Final = 1_024
"""Characters of a job's name; Slurm's database has 255."""
TEXT_LENGTH_MAX: Final = 65_536
"""Characters of any other text that users write."""
_NEEDED: Final = ("jobid", "account", "state", "start", "end", "alloctres")
_HEADINGS: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*")
_FIRST: Final = re.compile(rf"{JOB}(?:[^0-9A-Za-z].*)?", re.DOTALL)


class Used(NamedTuple):
    """The columns of a record that are read; empty where the file lacks one."""

    job: str
    state: str
    start: str
    end: str
    elapsed_raw: str
    tres: str
    account: str
    user: str
    partition: str
    cluster: str
    suspended: str
    elapsed: str
    nodes: str


class Layout:
    """The columns of a file.

    Attributes:
        separator: between two of them.
        columns: their headings in small letters; -p ends each line with a separator, which makes an empty last one.
        tests: for each, whether it can hold a text; None: any text, separators and line breaks too.
        used: takes the columns that are read out of a record's, to which an empty one was added.
        positions: where in `columns` each of `USED` is, len(columns) if it isn't.
        free_text: the headings of columns that hold any text.
        ends_free: whether the last column does.
        text_length_max: characters of the longest text in any other column.
    """

    def __init__(self, heading: str, separator: str) -> None:
        self.heading = heading
        self.separator = separator
        headings = heading.split(separator)
        self.columns = [one.lower() for one in headings]
        self.positions = [self.columns.index(name) if name in self.columns else len(self.columns) for name in USED]
        self.used: Callable[[list[str]], tuple[str, ...]] = itemgetter(*self.positions)
        forms = [_ANY_WORD if name in _ONE_WORD else _FORMS.get(name) for name in self.columns]
        self.tests = [None if form is None else re.compile(form, re.ASCII).fullmatch for form in forms]
        self.free_text = [one for one, test in zip(headings, self.tests, strict=True) if test is None]
        self.ends_free = self.tests[-1] is None
        inner = [name for name, test in zip(self.columns[:-1], self.tests, strict=False) if test is None]
        self.text_length_max = NAME_LENGTH_MAX if set(inner) <= _SHORT else TEXT_LENGTH_MAX

    def is_another(self, line: str) -> bool:
        """Whether a line is the heading of other columns, or of these in another order."""
        names = line.lower().split(self.separator)
        return line != self.heading and "jobid" in names and "state" in names and "account" in names


def layout_of(line: str) -> Layout:
    """Return the layout that a heading says.

    Raises:
        UsageFileError: it is no heading, or a column is missing or there twice.
    """
    first = _HEADINGS.match(line)
    if first is None or "jobid" not in line.lower():
        raise _no_heading(line)
    separator = re.match(r"[^A-Za-z0-9]*", line[first.end() :])
    between = separator[0] if separator else ""
    if not between.strip(" ") or between.strip(" ") == ",":
        raise UsageFileError(
            FileFault.NOT_PARSABLE_OUTPUT,
            "its columns have a fixed width, or commas between them; export it with sacct -P (--parsable2)",
        )
    layout = Layout(line, between or "|")
    named = [one for one in layout.columns if one]
    twice = sorted({one for one in named if named.count(one) > 1})
    if twice:
        raise UsageFileError(FileFault.COLUMN_TWICE, f"line 1 has the column {twice[0][:80]} twice; export it once")
    missing = [one for one in _NEEDED if one not in named]
    if not {"elapsed", "elapsedraw"} & set(named):
        missing.append("elapsedraw")
    if missing:
        raise UsageFileError(
            FileFault.COLUMN_MISSING,
            f"the heading lacks {', '.join(missing)}; export with sacct -a -X -D -P --noconvert "
            "-o cluster,jobid,account,user,partition,state,start,end,elapsedraw,suspended,alloctres",
        )
    return layout


def _no_heading(line: str) -> UsageFileError:
    if re.fullmatch(r"[-\s]+", line) or re.match(r"\s*JobID\s+\S", line):
        return UsageFileError(FileFault.NOT_PARSABLE_OUTPUT, "its columns have a fixed width; export it with sacct -P")
    if _FIRST.fullmatch(line):
        detail = "line 1 is a record; export without --noheader, so that the columns are named"
    else:
        detail = f"line 1 is {line[:60]!a}, which names no columns; export it with sacct -P"
    return UsageFileError(FileFault.HEADING_MISSING, detail)
