"""Entries for Home Assistant: what its MQTT discovery is told of a device's topics.

See https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery and the pages of its MQTT sensor and binary sensor.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import fer_edge

NONE = "none"
"""What Home Assistant shows without a face."""

PREFIX = "homeassistant"
"""Home Assistant's own discovery prefix."""


def discovery(topic: str, labels: Sequence[str], people: int = 0) -> list[tuple[str, str]]:
    """Return the topics of the entries and their payloads, to be retained.

    Args:
        topic: under which states are published: ``TOPIC/state``, ``TOPIC/status``, ``TOPIC/person/N``.
        labels: the expressions that may come.
        people: number of people with a topic of their own.
    """
    node = "fer_edge_" + hashlib.sha256(topic.encode()).hexdigest()[:12]
    common: dict[str, Any] = {
        "availability_topic": f"{topic}/status",
        "payload_available": "online",
        "payload_not_available": "offline",
        "device": {
            "identifiers": [node],
            "name": f"fer-edge {topic}",
            "manufacturer": "fer-edge",
            "model": "facial expression recognition",
            "sw_version": fer_edge.__version__,
        },
        "origin": {"name": "fer-edge", "sw_version": fer_edge.__version__},
    }
    entries = {
        "presence": (
            "binary_sensor",
            {
                "name": "Presence",
                "device_class": "occupancy",
                "state_topic": f"{topic}/state",
                "value_template": "{{ 'ON' if value_json.faces > 0 else 'OFF' }}",
                "payload_on": "ON",
                "payload_off": "OFF",
            },
        ),
        "expression": ("sensor", _expression("Expression", f"{topic}/state", labels, ("score", "faces"))),
        "faces": (
            "sensor",
            {
                "name": "Faces",
                "icon": "mdi:account-multiple",
                "state_class": "measurement",
                "state_topic": f"{topic}/state",
                "value_template": "{{ value_json.faces }}",
            },
        ),
    }
    for number in range(1, people + 1):
        person = _expression(f"Person {number}", f"{topic}/person/{number}", labels, ("score", "id"))
        entries[f"person_{number}"] = ("sensor", person)
    return [
        (f"{PREFIX}/{kind}/{node}/{key}/config", json.dumps({"unique_id": f"{node}_{key}", **entry, **common}))
        for key, (kind, entry) in entries.items()
    ]


def _expression(name: str, topic: str, labels: Sequence[str], attributes: Sequence[str]) -> dict[str, Any]:
    shown = ", ".join(f"'{each}': value_json.{each}" for each in attributes)
    return {
        "name": name,
        "icon": "mdi:emoticon-outline",
        "device_class": "enum",
        "options": list(dict.fromkeys((*labels, NONE))),
        "state_topic": topic,
        "value_template": f"{{{{ value_json.label or '{NONE}' }}}}",
        "json_attributes_topic": topic,
        "json_attributes_template": f"{{{{ {{{shown}}} | tojson }}}}",
    }
