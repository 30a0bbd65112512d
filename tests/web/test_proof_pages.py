"""Pages of what is proved: entries, the log's tree, checkpoints, an audit's report; of a log that is damaged too."""

import base64
import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path

import httpx2
import pytest

from support.small_ledger import export_small_ledger
from support.tampering import put_entry
from support.two_cities import LOG_KEY, A
from tallystick.publishing import read_ledger
from tallystick.serving.server import Place as Listening
from tallystick.serving.server import running
from tallystick.transparency.merkle import RightEdge, leaf_hash, node_hash
from tallystick.transparency.policy import Policy
from tallystick.vouchers.quantities import format_instant
from tallystick.web.exploring import create_explorer
from tallystick.web.pages.page import Place
from tallystick.web.reads import Reads
from tallystick.web.report_file import ReportFile

POLICY = Policy.for_log(LOG_KEY.verifier).to_text().decode()
HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Site:
    """An explorer that runs, and the file of the report that it shows."""

    client: httpx2.Client
    report: Path
    folder: Path

    def page(self, path: str, status: int = 200) -> str:
        """A page's text without its tags."""
        self.client.cookies.clear()
        answer = self.client.get(path, headers={"Accept": "text/html"})
        assert answer.status_code == status, (path, answer.text)
        return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", answer.text)))

    def csv(self, path: str, table: str) -> list[str]:
        """A table's lines as CSV."""
        self.client.cookies.clear()
        answer = self.client.get(f"{path}{'&' if '?' in path else '?'}csv={table}")
        assert answer.status_code == 200, answer.text
        return answer.content.decode("utf-8-sig").splitlines()


@contextmanager
def exploring(folder: Path, beside: Path, policy: str | None = POLICY) -> Iterator[Site]:
    """Show a log; views and report lie beside it."""
    report = beside / "report.json"
    place = Place(is_read_only=True, has_logins=False, report=ReportFile(report), policy=policy)
    app = create_explorer(Reads.open(folder, beside / "views.db"), place, lambda: 0)
    with running(app, Listening()) as server, httpx2.Client(base_url=server.url, timeout=40) as client:
        yield Site(client, report, folder)


@pytest.fixture(scope="module")
def site(two_cities: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    beside = tmp_path_factory.mktemp("proof")
    folder = Path(shutil.copytree(two_cities, beside / "ledger"))
    with exploring(folder, beside) as shown:
        yield shown


def write_report(site: Site, **changed: object) -> None:
    """Write the report of a clean audit of the log that is shown, with some members changed."""
    with read_ledger(site.folder) as log:
        root = log.checkpoint_note().splitlines()[2].decode()
        checkpoint = {"origin": log.origin, "size": log.size, "root": root}
    said = {"verdict": "clean", "checkpoint": checkpoint, "entries": checkpoint["size"], "findings": [], "totals": {}}
    site.report.write_text(json.dumps(said | changed), "utf-8")


# ---------------------------------------------------------------------------------------------------------- an entry


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_entrys_proof_folds_to_the_root_of_the_checkpoint_and_is_that_of_its_receipt(
    site: Site, language: str
) -> None:
    index = 37
    rows = [line.split(",") for line in site.csv(f"/entries/{index}?lang={language}", "proof")[1:]]
    data = site.client.get(f"/v1/entries/{index}").content
    receipt = site.client.get(f"/v1/entries/{index}/receipt").text
    result, node, last = leaf_hash(data), index, int(receipt.splitlines()[-4]) - 1
    for _, sibling, _, shown in rows:
        assert len(sibling) == 64
        if node & 1 or node == last:
            result = node_hash(bytes.fromhex(sibling), result)
            while not node & 1:
                node, last = node >> 1, last >> 1
        else:
            result = node_hash(result, bytes.fromhex(sibling))
        assert result.hex() == shown
        node, last = node >> 1, last >> 1
    text = site.client.get("/checkpoint").content
    with read_ledger(site.folder) as log:
        assert result == log.checkpoint.root
        assert text.splitlines()[1] == str(log.size).encode()
    page = site.client.get(f"/entries/{index}").text
    assert result.hex() in page
    assert page.count("<svg") == 1


def test_an_entry_shows_what_was_signed_and_who_signed_it(site: Site) -> None:
    with read_ledger(site.folder) as log:
        index, event = next(
            (index, event)
            for index in range(log.size)
            if (event := log.parsed_entry(index).event).kind == "voucher.issued/1"
        )
    page = site.page(f"/entries/{index}")
    data = site.client.get(f"/v1/entries/{index}").text
    for part in data.split("\n"):
        assert re.sub(r"\s+", " ", part).strip() in page
    signed_by = site.csv(f"/entries/{index}", "signatures")
    assert [line.partition("+")[0] for line in signed_by[1:]] == list(event.key_names)
    assert all(",active,active" in line for line in signed_by[1:])
    assert f'href="/entries/{index - 1}"' in site.client.get(f"/entries/{index}").text
    assert f"/verify?entry={index}" in site.client.get(f"/entries/{index}").text


def test_a_statements_lines_are_those_of_the_api(site: Site) -> None:
    contract = A.things()["contract"][0]
    lines = site.client.get(f"/v1/contracts/{contract}").json()["contract"]["lines"]
    assert lines
    index = lines[0]["index"]
    header, *rows = site.csv(f"/entries/{index}", "lines")
    place = header.split(",").index("fee_fen")
    assert [row.split(",")[place] for row in rows] == [str(line["fee_fen"]) for line in lines if line["index"] == index]


@pytest.mark.parametrize("index", ["1000000", "-1", "007", "abc", "9" * 40])
def test_an_entry_that_is_not_there_is_said_to_browsers_in_a_page(site: Site, index: str) -> None:
    assert "there is no entry" in site.page(f"/entries/{index}", 404)


def test_every_kind_of_entry_has_its_page_in_both_languages(site: Site) -> None:
    seen: set[str] = set()
    with read_ledger(site.folder) as log:
        kinds = [log.parsed_entry(index).event.kind for index in range(log.size)]
    for index, kind in enumerate(kinds):
        if kind not in seen:
            seen.add(kind)
            for language in ("en", "zh"):
                site.page(f"/entries/{index}?lang={language}")
    assert len(seen) > 20


@pytest.mark.parametrize("path", ["/nothing", "/v1/nothing", "/vouchers/one/two/three", "/entries/", "/static"])
def test_an_address_that_there_is_not_is_a_page_to_browsers_and_a_problem_to_programs(site: Site, path: str) -> None:
    assert "Not shown" in site.page(path, 404)
    answer = site.client.get(path, headers={"Accept": "*/*"})
    assert (answer.status_code, answer.json()["reason"]) == (404, "not_found")
    assert answer.headers["content-type"] == "application/problem+json"


# ----------------------------------------------------------------------------------------------- the list, and search


def test_entries_are_listed_as_the_api_lists_them(site: Site) -> None:
    said = site.client.get("/v1/recorded?kind=voucher.issued/1&limit=1000").json()["recorded"]
    rows = site.csv("/entries?kind=voucher.issued/1", "entries")[1:]
    assert [row.partition(",")[0] for row in rows] == [str(one["index"]) for one in said]
    voucher = A.things()["voucher"][0]
    of_one = site.csv(f"/entries?account=voucher {voucher}", "entries")[1:]
    assert 0 < len(of_one) < len(site.csv("/entries", "entries"))
    assert "No entry that you may read is like that." in site.page("/entries?party=nobody")


def test_what_matches_exactly_leads_there_at_once(site: Site) -> None:
    voucher = A.things()["voucher"][0]
    for text, place in (
        (voucher, f"/vouchers/{voucher}"),
        (A.treasury.party, f"/treasuries/{A.treasury.party}"),
    ):
        answer = site.client.get("/search", params={"q": text, "as_of": "120"}, follow_redirects=False)
        assert (answer.status_code, answer.headers.get("location", answer.text)) == (303, f"{place}?as_of=120")
    assert 'href="/entries/12"' in site.client.get("/search?q=12").text, "an index, and some parties' reference"
    several = site.page("/search?q=secret-a")
    assert "things that you may read are like" in several
    assert "What can be found" in site.page("/search?q=zzzzzz")
    assert "What can be found" in site.page("/search")
    assert "at most 200" in site.page(f"/search?q={'z' * 201}")


# ------------------------------------------------------------------------------------------ the log and its checkpoints


def test_the_log_says_who_signed_for_which_root_and_proves_that_it_grew(site: Site) -> None:
    page = site.page("/log?from=50")
    with read_ledger(site.folder) as log:
        assert f"{log.size:,} entries" in page
        assert log.checkpoint.root.hex() in page
        note = log.checkpoint_note().decode()
        assert re.sub(r"\s+", " ", note).strip() in page
    assert "the log" in site.csv("/log", "signatures")[1]
    assert ",yes," in site.csv("/log", "signatures")[1]
    assert "nothing was changed or taken away in between" in page
    assert len(site.csv("/log?from=50", "consistency")) > 2
    assert "there is no tree of 1,000,000 entries" in site.page("/log?from=1000000")
    assert "is no number of entries" in site.page("/log?from=many")


def test_a_signature_by_a_key_of_no_policy_is_not_called_verified(site: Site, tmp_path: Path) -> None:
    with exploring(site.folder, tmp_path, policy=None) as shown:
        assert "can't be said" in shown.csv("/log", "signatures")[1]
        assert "it can't be said here whose signatures count" in shown.page("/checkpoints")


def test_every_checkpoint_that_the_log_signed_is_listed(site: Site) -> None:
    rows = site.csv("/checkpoints", "checkpoints")[1:]
    with read_ledger(site.folder) as log:
        assert rows[0].split(",")[1:3] == [str(log.size), log.checkpoint.root.hex()]
    numbers = [int(row.partition(",")[0]) for row in rows]
    assert numbers == list(range(numbers[0], -1, -1))
    assert "its policy asks for no witness" in site.page("/checkpoints")


def test_pages_of_the_log_alone_are_of_an_earlier_time_too(site: Site) -> None:
    with read_ledger(site.folder) as log:
        root = RightEdge.from_tiles(51, log.read_tile).root().hex()
        times = [format_instant(log.parsed_entry(index).event.at) for index in range(log.size)]
    answer = site.client.get("/log?as_of=50")
    assert answer.headers["tallystick-size"] == "51"
    assert root in answer.text
    assert f'datetime="{times[50]}"' in answer.text
    of_then = site.client.get(f"/log?as_of={times[50]}").headers["tallystick-size"]
    assert of_then == str(sum(at <= times[50] for at in times))
    assert site.csv("/entries/7?as_of=50", "proof")[-1].endswith(root)
    assert 'type="hidden" name="as_of" value="50"' in answer.text, "a proof is asked for of then too"
    assert "there is no entry 51" in site.page("/entries/51?as_of=50", 404)
    sizes = [int(row.split(",")[1]) for row in site.csv("/checkpoints?as_of=50", "checkpoints")[1:]]
    everything = [int(row.split(",")[1]) for row in site.csv("/checkpoints", "checkpoints")[1:]]
    assert sizes == [size for size in everything if size <= 51]
    assert f"of {sizes[0]} entries, is signed" in site.page("/checkpoints?as_of=50")
    assert 'name="as_of" value="50"' in answer.text


# ------------------------------------------------------------------------------------------------------- the last audit


def test_a_clean_report_of_this_very_tree_is_said_to_be_that(site: Site) -> None:
    write_report(site)
    page = site.page("/findings")
    assert "Clean:" in page
    assert "older than the log" not in page
    assert "another" not in page.partition("Verdict")[0]
    assert "The audit didn't look for patterns" in site.page("/patterns")


def test_findings_are_said_in_words_and_lead_to_their_entries(site: Site) -> None:
    finding = {"code": "leaf_differs", "index": 7, "reason": None, "detail": "level 0 <b>position</b> 7"}
    write_report(site, verdict="findings", findings=[finding])
    answer = site.client.get("/findings")
    assert "an entry&#39;s bytes don&#39;t have the hash" in answer.text or "leaf_differs" in answer.text
    assert 'href="/entries/7"' in answer.text
    assert "&lt;b&gt;position" in answer.text
    assert "1 thing is wrong" in site.page("/findings")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"size": 50}, "of another history"),
        ({"size": 1_000_000}, "of more entries than there are here"),
        ({"origin": "elsewhere.example/log"}, "of another log"),
        ({"root": "AAAA"}, "root isn't a hash"),
    ],
)
def test_a_report_of_another_tree_is_said_to_be_none(site: Site, changed: dict[str, object], said: str) -> None:
    write_report(site)
    checkpoint = json.loads(site.report.read_text("utf-8"))["checkpoint"]
    write_report(site, checkpoint=checkpoint | changed)
    page = site.page("/findings")
    assert said in page
    assert "Clean:" not in page
    assert "is-good" not in site.client.get("/findings").text


def test_an_older_report_says_how_many_entries_no_audit_has_looked_at(site: Site) -> None:
    write_report(site)
    checkpoint = json.loads(site.report.read_text("utf-8"))["checkpoint"]
    grown = site.page("/log?from=50")
    root = bytes.fromhex(HASH.findall(grown.partition("Root of 50 entries")[2])[0])
    older = checkpoint | {"size": 50, "root": base64.b64encode(root).decode()}
    write_report(site, checkpoint=older, entries=50)
    assert f"{checkpoint['size'] - 50} entries came after it" in site.page("/findings")


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "null", '{"verdict": "clean"}', "x" * (4 * 2**20 + 1)], ids=lambda text: text[:8]
)
def test_what_is_no_report_is_said_to_be_none(site: Site, text: str) -> None:
    site.report.write_text(text, "utf-8")
    assert "The report can't be shown" in site.page("/findings")
    assert "The report can't be shown" in site.page("/patterns")
    site.report.unlink()
    assert "can't be read: No such file" in site.page("/findings")


def test_patterns_are_shown_with_their_entries_and_figures(site: Site) -> None:
    seen = {
        "pattern": "passed_on_in_circle",
        "severity": "alarm",
        "certainty": "certain",
        "because": "each transfer names the voucher",
        "parties": [A.firm.party],
        "things": [f"programme {A.programme}", "evidence sha256:00"],
        "entries": [3, 4],
        "figures": {"entries": 22, "amount_fen": "9007199254740993", "days": 4},
        "sentence": "a voucher went in a <circle>",
    }
    patterns = {"first_entry": 0, "entries": 9, "seen": [seen], "left_out": 3, "parameters": {"circle_days": 30}}
    write_report(site, patterns=patterns)
    answer = site.client.get("/patterns")
    assert "&lt;circle&gt;" in answer.text
    assert 'href="/entries/4"' in answer.text
    page = site.page("/patterns")
    for said in ("¥90,071,992,547,409.93", "and 20 more", "3 more aren't listed", A.firm.party):
        assert said in page


# -------------------------------------------------------------------------------------------------------------- damage


def test_a_damaged_entry_is_shown_as_it_lies_there_and_said_not_to_be_proved(two_cities: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(two_cities, tmp_path / "ledger"))
    put_entry(folder, 30, b'{"at":"x"}\nnot <i>a</i> note\n')
    with exploring(folder, tmp_path) as shown:
        page = shown.page("/entries/30")
        assert "An entry that can't be read" in page
        assert "not <i>a</i> note" in page
        assert "This entry can't be proved" in page
        assert "signed" in shown.page("/entries/29")
        assert "can&#39;t be followed" in shown.client.get("/entries").text
        assert "made of the log alone" in shown.page("/entries", 500)
        shown.page("/log")


def test_a_log_whose_entries_are_not_there_has_its_tree_shown(two_cities: Path, tmp_path: Path) -> None:
    export_small_ledger(two_cities, tmp_path / "export")
    shutil.rmtree(tmp_path / "export" / "tile" / "entries")
    with exploring(tmp_path / "export", tmp_path) as shown:
        page = shown.page("/log?from=50")
        assert "The newest entry can't be read here" in page
        assert "nothing was changed or taken away in between" in page
        assert "This log doesn't hang together" not in page
        assert "No checkpoint of so few entries is known here" in shown.page("/log?as_of=50")
        assert "doesn't hang together" not in shown.page("/log?as_of=50")
        shown.page("/checkpoints?as_of=50")
        assert "lacks tile 0 of level entries" in shown.page("/entries/3", 500)


def test_a_damaged_tile_is_said_to_be_damaged(two_cities: Path, tmp_path: Path) -> None:
    export_small_ledger(two_cities, tmp_path / "export")
    tile = next(path for path in (tmp_path / "export" / "tile" / "0").rglob("*") if path.is_file())
    data = bytearray(tile.read_bytes())
    data[0] ^= 1
    tile.chmod(0o644)
    tile.write_bytes(data)
    with exploring(tmp_path / "export", tmp_path) as shown:
        assert "This log doesn't hang together" in shown.page("/log")
        assert "This entry can't be proved" in shown.page("/entries/3")
