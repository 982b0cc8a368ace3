"""What ``observability/`` ships, as the tests look at it."""

import json
import re
from pathlib import Path

import yaml

FOLDER = Path(__file__).parents[2] / "observability"
RULES = FOLDER / "rules"
DASHBOARD = FOLDER / "grafana" / "fleet.json"

NEEDS_A_BOARD = {
    "Temperature": "a virtual machine has no thermal zones",
    "Held back": "only the firmware of a Raspberry Pi tells",
}
"""Panels that stay empty on other machines, and why."""

_NAME = re.compile(r"[a-zA-Z_:][\w:]*(?=\{)|\b(?:\w+:)?(?:fer_edge|process|up\b)[\w:]*")


def rules(name):
    """Return the rules of a file, of all its groups."""
    return [rule for group in yaml.safe_load((RULES / name).read_text())["groups"] for rule in group["rules"]]


def dashboard():
    return json.loads(DASHBOARD.read_text())


def panel_queries():
    """Return {title of the panel: its query}, with all that can be chosen chosen."""
    queries = {}
    for panel in dashboard()["panels"]:
        (target,) = panel["targets"]
        queries[panel["title"]] = re.sub(r"\$\w+", ".*", target["expr"])
    return queries


def variable_queries():
    """Return {variable: (the series that it looks at, the label whose values it offers)}."""
    found = {}
    for variable in dashboard()["templating"]["list"]:
        if variable["type"] == "query":
            series, label = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"]).groups()
            found[variable["name"]] = (re.sub(r"\$\w+", ".*", series), label)
    return found


def metrics_in(expression):
    """Return the names of the series that a query reads."""
    return set(_NAME.findall(re.sub(r'"[^"]*"', '""', expression)))
