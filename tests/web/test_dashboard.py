"""The dashboard for Grafana asks for all that the service counts, by names and labels that it has."""

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from support.burning import NOW, burn_note
from support.fresh_clone import ROOT
from support.serving import service_in_thread

DASHBOARD: dict[str, Any] = json.loads((ROOT / "deploy" / "grafana" / "tallystick.json").read_text("utf-8"))
EXPRESSIONS = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
SELECTOR = re.compile(r"((?:tallystick|process)_[a-z_]+)(?:\{([^}]*)\})?")
COLUMNS = 24
OF_PROMETHEUS = {"job", "instance", "le"}  # which it adds itself, or the histogram has


class Counted(NamedTuple):
    """What a service said: each sample's name with the names of its labels, and the names of all families."""

    labels: dict[str, set[str]]
    families: set[str]


@pytest.fixture
def counted(folder: Path) -> Counted:
    """A service that took a note, refused one and answered a request."""
    with service_in_thread(folder, clock=lambda: NOW) as serving:
        for body in (burn_note("s-1"), b"nonsense"):
            serving.post(body)
        assert serving.metrics is not None
        text = generate_latest(serving.metrics.registry).decode()
    families = [*text_string_to_metric_families(text)]
    samples = [sample for family in families for sample in family.samples]
    return Counted({sample.name: {*sample.labels} for sample in samples}, {family.name for family in families})


def test_every_name_and_label_is_the_services(counted: Counted) -> None:
    assert len(EXPRESSIONS) > 20
    for expression in EXPRESSIONS:
        selectors = SELECTOR.findall(expression)
        assert selectors, expression
        for name, matchers in selectors:
            assert name in counted.labels, expression
            labels = {matcher.partition("=")[0] for matcher in matchers.split(",")}
            assert "job" in labels, expression
            assert labels <= counted.labels[name] | OF_PROMETHEUS, expression
        grouped = {label for found in re.findall(r"by \(([^)]*)\)", expression) for label in found.split(", ")}
        assert grouped <= {label for name, _ in selectors for label in counted.labels[name]}, expression


def test_counters_are_asked_for_as_rates() -> None:
    """Their value says only how long ago the process began."""
    for expression in EXPRESSIONS:
        for name in re.findall(r"\b(?:tallystick|process)_[a-z_]+_(?:total|sum|count|bucket)\b", expression):
            assert re.search(rf"(?:rate|increase)\({name}\{{", expression), expression


def test_all_that_is_counted_is_shown(counted: Counted) -> None:
    asked = {name for expression in EXPRESSIONS for name, _ in SELECTOR.findall(expression)}
    ours = {family for family in counted.families if family.startswith("tallystick_")}
    assert {family for family in ours if not any(name.startswith(family) for name in asked)} == set()


def test_panels_lie_beside_each_other() -> None:
    places = set[tuple[int, int]]()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        taken = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert max(x for x, _ in taken) < COLUMNS
        assert not places & taken, panel["title"]
        places |= taken
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
