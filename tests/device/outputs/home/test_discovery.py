"""Entries that Home Assistant takes, by its own schema where it is installed, and what its templates make of states."""

import importlib
import json
import re
import warnings
from pathlib import Path

import pytest

from fer_edge.device.outputs.home.discovery import discovery
from fer_edge.device.outputs.home.states import States
from tests.device.making import LABELS, face

SCHEMA = json.loads((Path(__file__).parent / "discovery.schema.json").read_text())
GUIDE = Path(__file__).parents[4] / "docs/home-assistant.md"
ENTRIES = discovery("home/desk", LABELS, people=2)
NAMES = ["presence", "expression", "faces", "person_1", "person_2"]
IDS = [topic.split("/")[3] for topic, _ in ENTRIES]


def home_assistants(component):
    """Import a module of Home Assistant, whatever it warns of."""
    pytest.importorskip("homeassistant", reason="needs the Python package homeassistant, which brings many others")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module(f"homeassistant.components.{component}")


def entry(name):
    (found,) = [json.loads(payload) for topic, payload in ENTRIES if topic.split("/")[3] == name]
    return found


@pytest.mark.parametrize(("topic", "payload"), ENTRIES, ids=IDS)
def test_entries_fit_the_documented_schema(topic, payload):
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.validate(json.loads(payload), SCHEMA)
    assert re.fullmatch(r"homeassistant/(sensor|binary_sensor)/[a-z0-9_]+/[a-z0-9_]+/config", topic)


@pytest.mark.parametrize(("topic", "payload"), ENTRIES, ids=IDS)
def test_entries_fit_home_assistants_own_schema(topic, payload):
    component = home_assistants(f"mqtt.{topic.split('/')[1]}")
    checked = component.DISCOVERY_SCHEMA(json.loads(payload))
    # Unknown keys are left out without a word; older versions do not know those of the documentation of today.
    assert set(json.loads(payload)) - {"options"} <= set(checked)


def test_each_entry_is_there_once_and_belongs_to_one_device():
    entries = [json.loads(payload) for _, payload in ENTRIES]
    assert IDS == NAMES
    assert len({each["unique_id"] for each in entries}) == len(entries)
    assert len({json.dumps(each["device"]) for each in entries}) == 1
    assert discovery("home/door", LABELS)[0][0] != ENTRIES[0][0]


def render(template, payload):
    """Render as Home Assistant does, with the JSON of the payload as ``value_json``."""
    jinja2 = pytest.importorskip("jinja2")
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
    environment.filters["tojson"] = json.dumps
    return environment.from_string(template).render(value_json=json.loads(payload))


@pytest.mark.parametrize(
    ("faces", "presence", "label", "count"), [((), "OFF", "none", 0), ((face(),), "ON", "happy", 1)]
)
def test_states_through_the_templates(faces, presence, label, count):
    told = States(people=2).update(faces, 7, 0.0)
    assert render(entry("presence")["value_template"], told["state"]) == presence
    expression = entry("expression")
    assert render(expression["value_template"], told["state"]) == label
    assert label in expression["options"]
    attributes = json.loads(render(expression["json_attributes_template"], told["state"]))
    assert attributes == {"score": 0.75 if faces else None, "faces": count}
    assert render(entry("faces")["value_template"], told["state"]) == str(count)
    one = json.loads(render(entry("person_1")["json_attributes_template"], told["person/1"]))
    assert one == {"score": 0.75 if faces else None, "id": 1 if faces else None}
    assert render(entry("person_2")["value_template"], told["person/2"]) == "none"


def automations():
    return re.findall(r"```yaml\n(.*?)```", GUIDE.read_text(), re.DOTALL)


@pytest.mark.parametrize("text", automations(), ids=lambda text: text.splitlines()[0])
def test_the_guides_automations_name_entities_that_there_are(text):
    yaml = pytest.importorskip("yaml")
    named = re.findall(r"(?:sensor|binary_sensor)\.fer_edge_home_desk_(\w+)", text)
    assert named
    assert set(named) <= {json.loads(payload)["name"].lower().replace(" ", "_") for _, payload in ENTRIES}
    (automation,) = yaml.safe_load(text)
    assert {"alias", "trigger", "action"} <= set(automation)
    states = [trigger["to"] for trigger in automation["trigger"] if "expression" in str(trigger.get("entity_id"))]
    assert set(states) <= {"happy", "sad", "angry", "neutral", "none"}


@pytest.mark.parametrize("text", automations(), ids=lambda text: text.splitlines()[0])
def test_the_guides_automations_fit_home_assistants_own_schema(text):
    config = home_assistants("automation.config")
    yaml = pytest.importorskip("yaml")
    for automation in yaml.safe_load(text):
        config.PLATFORM_SCHEMA(automation)


def test_the_guide_has_two_automations():
    assert len(automations()) >= 2
