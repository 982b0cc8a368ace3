"""Changes of expression as MQTT messages, with an entry in Home Assistant.

Topics: ``TOPIC/state`` (JSON, retained), ``TOPIC/status`` (``online`` or ``offline``, retained; the
latter is also the last will, and holds while the camera is away), ``TOPIC/person/N`` where they are asked for, and
retained entries for Home Assistant (`fer_edge.device.outputs.home.discovery`).
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from fer_edge.device.outputs.address import Broker
from fer_edge.device.outputs.base import Output
from fer_edge.device.outputs.home.discovery import discovery
from fer_edge.device.outputs.home.states import States
from fer_edge.device.results import FrameResult
from fer_edge.device.sources.base import SILENCE_TIMEOUT_S
from fer_edge.device.tracking.tracker import MAX_AGE_S

_log = logging.getLogger(__name__)

INTERVAL = 0.5
"""Seconds between two messages, so that a flickering label is no flood; what holds after that time is sent."""

BACK_OFF = (1, 60)
"""Seconds until the first and until every later attempt to connect; they double from one to the next."""

PATIENCE = 3.0
"""Seconds that the end of a run waits for the broker."""


class MqttOutput(Output):
    """Publishes the dominant expression and the number of faces when either changes, and what each person shows.

    All topics are retained, so that only their last values count: a state that changes before the broker has taken
    the one before replaces it. Whenever the broker is connected to, it is told everything again, because it may have
    forgotten it. Messages have quality of service 1, which paho repeats after a lost connection. A broker that is
    away is said once, and tried again, while the loop goes on. `dropped` is 1 if the last state was not delivered.
    """

    def __init__(
        self, broker: Broker, labels: Sequence[str], hold_s: float = 0.0, people: int = 0, stills: bool = False
    ) -> None:
        """Begin to connect, in a thread of paho's.

        Args:
            broker: where to, and under which topic.
            labels: the expressions that may come.
            hold_s: seconds for which a change must last before it is told.
            people: number of people with a topic of their own.
            stills: each picture has people of its own, so that no place is kept for who is not in it.
        """
        self.name = str(broker)
        self._broker = broker
        self._entries = discovery(broker.topic, labels, people)
        self._states = States(hold_s, people, INTERVAL, 0.0 if stills else MAX_AGE_S)
        # By the loop's thread alone: what the topics are to hold, and the messages that have no receipt yet.
        self._wanted = {"status": "online"}
        self._under_way: dict[str, int] = {}
        # The rest is written by paho's thread, which runs the callbacks; a lock could wait for one of its own.
        self._told: dict[str, str] = {}  # what the broker was told since it was connected to
        self._receipts: set[int] = set()
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
        """Note what changed, and pass on what is due. Never waits."""
        self._wanted["status"] = "online"
        self._wanted |= self._states.update(result.faces, result.index, time.monotonic())
        self._pass_on()

    def silent(self, seconds: float) -> None:
        """Say that nobody is seen, and ``offline``, when the camera has been away for `SILENCE_TIMEOUT_S`."""
        if seconds >= SILENCE_TIMEOUT_S:
            self._wanted |= self._states.update((), None, time.monotonic(), at_once=True)
            self._wanted["status"] = "offline"
        self._pass_on()

    def _pass_on(self) -> None:
        """Publish what the broker does not know, one message a topic at a time, so that none overtakes another."""
        for name, number in list(self._under_way.items()):
            if number in self._receipts:
                self._receipts.discard(number)
                del self._under_way[name]
        if self._ready:
            for name, payload in self._wanted.items():
                if name not in self._under_way and self._told.get(name) != payload:
                    self._publish(name, payload)

    def _publish(self, name: str, payload: str) -> None:
        self._told[name] = payload
        message = self._client.publish(f"{self._broker.topic}/{name}", payload, qos=1, retain=True)
        self._under_way[name] = message.mid

    def _is_delivered(self) -> bool:
        states = [name for name in self._wanted if name != "status"]
        return not self._under_way and all(self._told.get(name) == self._wanted[name] for name in states)

    def close(self) -> None:
        """Deliver the last state and say ``offline``, as far as the broker takes it within `PATIENCE`."""
        deadline = time.monotonic() + PATIENCE
        # Also while the first attempt to connect is under way, so that a short run is not lost.
        while not self._is_delivered() and not self._away and time.monotonic() < deadline:
            self._pass_on()
            time.sleep(0.01)
        if not self._is_delivered():
            self.dropped = 1
            _log.warning("%s: the last state was not delivered", self.name)
        # Said even if the greeting has no receipt yet: after an orderly goodbye the broker publishes no last will.
        self._wanted["status"] = "offline"
        self._publish("status", "offline")
        while "status" in self._under_way and not self._away and time.monotonic() < deadline:
            self._pass_on()
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
        # What had no receipt is sent again by paho, after this, and may be outdated: of state and status the broker
        # knows nothing for certain, and gets the last values when those have their receipts.
        self._told = {}
        if not self._greetings:
            status = self._wanted["status"]
            if "status" not in self._under_way:
                self._told["status"] = status
            for topic, payload in [*self._entries, (f"{self._broker.topic}/status", status)]:
                message = client.publish(topic, payload, qos=1, retain=True)
                self._greetings.add(message.mid)

    def _on_publish(self, client: paho.Client, data: Any, number: int, reason: Any, properties: Any) -> None:
        if number in self._greetings:
            self._greetings.discard(number)
            self._ready = not self._greetings
        else:
            self._receipts.add(number)

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
                "%s: the broker cannot be reached (%s); trying again, then it gets the latest state", self.name, reason
            )
