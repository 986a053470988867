"""Alerts and board name metrics, labels and values that /metrics has, and what to do.

Prometheus does not run here: functions and brackets are checked, not the whole grammar.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.test import Client
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from crs_app.metrics import gauges
from crs_app.metrics.counts import COUNTED
from crs_app.metrics.gauges import Looked
from crs_app.readiness import Check, Readiness, Status
from patients.models import SystemKind
from tests.project.test_metrics import text_of

FOLDER = settings.BASE_DIR / "docs" / "operations"
OPERATIONS = (settings.BASE_DIR / "docs" / "operations.md").read_text("utf-8")
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((FOLDER / "alerts.yml").read_text("utf-8"))["groups"]
    for rule in group["rules"]
]
BOARD: dict[str, Any] = json.loads((FOLDER / "grafana.json").read_text("utf-8"))
EXPRESSIONS: list[str] = [
    *(rule["expr"] for rule in RULES),
    *(target["expr"] for panel in BOARD["panels"] for target in panel["targets"]),
]
OF_PROMETHEUS: dict[str, dict[str, set[str]]] = {"up": {"job": {"crs"}, "instance": set()}}
"""What Prometheus adds of its own."""
FUNCTIONS = {"abs", "histogram_quantile", "increase", "max", "min", "rate", "sum", "topk"}
WORDS = {"and", "by", "on", "unless"}
Samples = dict[str, dict[str, set[str]]]


@pytest.fixture(scope="module")
def samples() -> Samples:
    """Each name of a sample that /metrics can have, with its labels and their values."""
    Client().get("/livez")
    numbers = dict.fromkeys((*gauges._OF_BACKUP, *gauges._OF_VERIFY), 1)
    checks: dict[str, dict[str, Any]] = {
        name: {"figures": numbers | {"verify_grades": "agrees"}}
        for name in ("database", "last_backup", "last_verify")
    }
    for check, figure in gauges._FIGURES:
        checks.setdefault(check, {})[figure] = 1
    ready = Readiness(
        "", tuple(Check(name, Status.OK, "", figures) for name, figures in checks.items())
    )
    systems: list[tuple[str, str, float | None, int]] = [
        (f"A {kind}", kind, 1.0, 1) for kind in SystemKind.values
    ]
    text = text_of(Looked(ready, (1, 2, 0, 0.0, 0), systems, {"A monitor": 3}))
    found: Samples = {**OF_PROMETHEUS}
    for family in text_string_to_metric_families(generate_latest(COUNTED).decode() + text):
        for sample in family.samples:
            labels = found.setdefault(sample.name, {"job": {"crs"}, "instance": set()})
            for label, value in sample.labels.items():
                labels.setdefault(label, set()).add(value)
    return found


def faults(expression: str, samples: Samples) -> list[str]:
    """What an expression names that is not there."""
    found: list[str] = []
    known: set[str] = set()
    for name, matchers in re.findall(r"([a-z_]+)\s*(?:\{([^}]*)\})?", _bare(expression)):
        if name in FUNCTIONS | WORDS:
            continue
        if name in samples:
            known |= samples[name].keys()
            found += _wrong_labels(name, matchers, samples[name])
        else:
            found.append(f"no metric {name}")
    for labels in re.findall(r"\b(?:by|on)\s*\(([^)]*)\)", expression):
        wanted = {one.strip() for one in labels.split(",")}
        found += [f"no label {one}" for one in wanted - known]
    if expression.count("(") != expression.count(")"):
        found.append("brackets")
    return found


def _wrong_labels(name: str, matchers: str, labels: dict[str, set[str]]) -> list[str]:
    found = []
    for label, how, value in re.findall(r'(\w+)(=~|!~|!=|=)"([^"]*)"', matchers):
        if label not in labels:
            found.append(f"{name} has no label {label}")
        elif "*" not in value:
            wanted = set(value.split("|")) if "~" in how else {value}
            found += [f"{name}: no {label} {one}" for one in wanted - labels[label]]
    return found


def _bare(expression: str) -> str:
    """The expression without its durations and without the labels that it groups by."""
    without = re.sub(r"\b(by|on)\s*\([^)]*\)", r"\1 ", expression)
    return re.sub(r"\[\d+[smh]\]", " ", without)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_what_is_asked_for_is_there(expression: str, samples: Samples) -> None:
    assert faults(expression, samples) == []


def test_the_check_finds_what_is_not_there(samples: Samples) -> None:
    assert faults("crs_saved_total > 1", samples) == ["no metric crs_saved_total"]
    assert faults('crs_failures_total{sort="fault"}', samples) == [
        "crs_failures_total has no label sort"
    ]
    assert faults('rate(crs_failures_total{kind=~"fault|falt"}[5m])', samples) == [
        "crs_failures_total: no kind falt"
    ]
    assert faults("sum by (kin) (crs_failures_total)", samples) == ["no label kin"]
    assert faults("sum(crs_failures_total", samples) == ["brackets"]
    assert faults("summ(crs_failures_total)", samples) == ["no metric summ"]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_each_alert_says_how_grave_it_is_and_what_to_do(rule: dict[str, Any]) -> None:
    assert re.fullmatch(r"\d+[smh]", rule["for"])
    assert rule["labels"]["severity"] in ("critical", "warning")
    said = rule["annotations"]
    assert said.keys() == {"summary", "description", "runbook"}
    assert said["description"].endswith(".")
    page, _, anchor = said["runbook"].partition("#")
    assert page == "docs/operations.md"
    row = re.search(rf'^\| <a id="{re.escape(anchor)}"></a>.*\|$', OPERATIONS, re.MULTILINE)
    assert row, f"no row {anchor}"


def test_every_metric_stands_in_the_table_of_the_docs(samples: Samples) -> None:
    table = OPERATIONS.partition("## Metrics")[2].partition("\n## ")[0]
    for name in samples.keys() - OF_PROMETHEUS:
        family = re.sub(r"_(bucket|sum|count|max)$", "", name)
        assert f"`{family}`" in table, name


def test_names_of_alerts_and_anchors_are_used_once() -> None:
    names = [rule["alert"] for rule in RULES]
    assert len(names) == len(set(names))
    anchors = re.findall(r'<a id="([^"]+)"></a>', OPERATIONS)
    assert len(anchors) == len(set(anchors))
    runbooks = {rule["annotations"]["runbook"].partition("#")[2] for rule in RULES}
    assert runbooks == set(anchors), "a row that no alert leads to needs no anchor"
