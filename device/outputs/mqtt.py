"""Changes of expression as MQTT messages, with an entry in Home Assistant.

Topics: ``TOPIC/state`` (JSON, retained), ``TOPIC/status`` (``online`` or ``offline``, retained; the
latter is also the last will), and one retained ``homeassistant/sensor/.../config`` per sensor.
"""

from __future__ import annotations

import hashlib
import json
import logging
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

import fer_edge
from fer_edge.device.outputs.address import Broker
from fer_edge.device.outputs.base import Output
from fer_edge.device.outputs.dominant import dominant
from fer_edge.device.results import FrameResult

_log = logging.getLogger(__name__)

INTERVAL = 0.5
"""Seconds between two messages, so that a flickering label is no flood; what holds after that time is sent."""

QUEUE = 1000
"""Messages kept while the broker is away. When one more comes, the oldest goes: the newest says what is so."""

IN_FLIGHT = 10
"""Messages under way without the broker's receipt."""

BACK_OFF = (1, 60)
"""Seconds until the first and until every later attempt to connect; they double from one to the next."""

PATIENCE = 3.0
"""Seconds that the end of a run waits for the broker."""

NONE = "none"
"""What Home Assistant shows without a face."""


class MqttOutput(Output):
    """Publishes the dominant expression and the number of faces when either changes.

    Messages have quality of service 1 and arrive in order; after a lost connection one may arrive
    twice. A broker that is away is said once, and tried again, while the loop goes on. `dropped` counts the
    messages that went beyond `QUEUE` or were left at the end.
    """

    def __init__(self, broker: Broker, labels: Sequence[str]) -> None:
        """Begin to connect, in a thread of paho's.

        Args:
            broker: where to, and under which topic.
            labels: the expressions that may come.
        """
        self.name = str(broker)
        self._broker = broker
        self._labels = labels
        self._waiting: deque[str] = deque()
        self._shown: tuple[str | None, int] | None = None
        self._next = 0.0
        self._sent = 0  # by the loop's thread
        # The rest is written by paho's thread alone, which runs the callbacks; a lock could wait for one of its own.
        self._receipts = 0
        self._greetings: set[int] = set()
        self._ready = False
        self._away = False
        self._closing = False
        self._client = self._connect()

    def _connect(self) -> paho.Client:
        client = paho.Client(CallbackAPIVersion.VERSION2)
        client.username = self._broker.user
        client.password = self._broker.password
        client.will_set(f"{self._broker.topic}/status", "offline", qos=1, retain=True)
        if self._broker.tls:
            client.tls_set()
        client.reconnect_delay_set(*BACK_OFF)
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.connect_async(self._broker.host, self._broker.port, keepalive=30)
        client.loop_start()
        return client

    def write(self, result: FrameResult) -> None:
        """Queue a message if one is due, and pass on what waits. Never waits itself."""
        now = time.monotonic()
        state = dominant(result.faces)
        if (state.label, state.faces) != self._shown and now >= self._next:
            self._shown, self._next = (state.label, state.faces), now + INTERVAL
            message = {
                "label": state.label,
                "score": None if state.score is None else round(state.score, 4),
                "faces": state.faces,
                "frame": result.index,
                "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            }
            if len(self._waiting) == QUEUE:
                self._waiting.popleft()
                self.dropped += 1
            self._waiting.append(json.dumps(message))
        self._pass_on()

    def _pass_on(self) -> None:
        while self._ready and self._waiting and self._sent - self._receipts < IN_FLIGHT:
            self._client.publish(f"{self._broker.topic}/state", self._waiting.popleft(), qos=1, retain=True)
            self._sent += 1

    def close(self) -> None:
        """Deliver what waits and say ``offline``, as far as the broker takes it within `PATIENCE`."""
        deadline = time.monotonic() + PATIENCE
        # Also while the first attempt to connect is under way, so that a short run is not lost.
        while not self._away and time.monotonic() < deadline and (self._waiting or self._sent > self._receipts):
            self._pass_on()
            time.sleep(0.01)
        left = len(self._waiting) + self._sent - self._receipts
        if left:
            self.dropped += left
            _log.warning("%s: messages not delivered at the end: %d", self.name, left)
        # Said even if the greeting has no receipt yet: after an orderly goodbye the broker publishes no last will.
        self._client.publish(f"{self._broker.topic}/status", "offline", qos=1, retain=True)
        self._sent += 1
        while not self._away and time.monotonic() < deadline and self._sent > self._receipts:
            time.sleep(0.01)
        self._closing = True
        self._client.disconnect()
        # Its thread may hang in the search for an address, which nothing interrupts.
        stopping = threading.Thread(target=self._client.loop_stop, daemon=True)
        stopping.start()
        stopping.join(1.0)

    def _on_connect(self, client: paho.Client, data: Any, flags: Any, reason: Any, properties: Any) -> None:
        if reason.is_failure:
            self._say_away(str(reason))
            return
        if self._away:
            self._away = False
            _log.warning("%s: connected", self.name)
        # Greetings without a receipt are sent again by paho, after this, together with what else was under way; new
        # messages wait for the receipt, so that they cannot overtake those.
        if not self._greetings:
            for topic, payload in self._greeting():
                message = client.publish(topic, payload, qos=1, retain=True)
                self._greetings.add(message.mid)

    def _on_publish(self, client: paho.Client, data: Any, number: int, reason: Any, properties: Any) -> None:
        if number in self._greetings:
            self._greetings.discard(number)
            self._ready = not self._greetings
        else:
            self._receipts += 1

    def _on_connect_fail(self, client: paho.Client, data: Any) -> None:
        error = sys.exception()
        self._say_away(str(getattr(error, "strerror", None) or error))

    def _on_disconnect(self, client: paho.Client, data: Any, flags: Any, reason: Any, properties: Any) -> None:
        self._ready = False
        self._say_away("the connection was lost")

    def _say_away(self, reason: str) -> None:
        if not self._away and not self._closing:
            self._away = True
            _log.warning(
                "%s: the broker cannot be reached (%s); trying again, up to %d messages wait", self.name, reason, QUEUE
            )

    def _greeting(self) -> list[tuple[str, str]]:
        """Return topics and payloads: the sensors, then that they are there."""
        topic = self._broker.topic
        node = "fer_edge_" + hashlib.sha256(topic.encode()).hexdigest()[:12]
        common: dict[str, object] = {
            "state_topic": f"{topic}/state",
            "availability_topic": f"{topic}/status",
            "device": {"identifiers": [node], "name": f"fer-edge {topic}", "sw_version": fer_edge.__version__},
            "origin": {"name": "fer-edge", "sw_version": fer_edge.__version__},
        }
        sensors: dict[str, dict[str, object]] = {
            "expression": {
                "name": "Expression",
                "device_class": "enum",
                "options": list(dict.fromkeys((*self._labels, NONE))),
                "value_template": f"{{{{ value_json.label or '{NONE}' }}}}",
                "json_attributes_topic": f"{topic}/state",
            },
            "faces": {
                "name": "Faces",
                "state_class": "measurement",
                "value_template": "{{ value_json.faces }}",
            },
        }
        entries = [
            (
                f"homeassistant/sensor/{node}/{key}/config",
                json.dumps({"unique_id": f"{node}_{key}", **sensor, **common}),
            )
            for key, sensor in sensors.items()
        ]
        return [*entries, (f"{topic}/status", "online")]
