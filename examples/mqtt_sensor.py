"""Publish the number of faces and the first one's expression.

    python examples/mqtt_sensor.py HOST PORT [SOURCE] [FRAMES]

For Home Assistant use `fer-edge run --mqtt`, which also announces itself; this shows how to publish something else.
"""

import json
import sys

import paho.mqtt.client as mqtt

import fer_edge

host, port = sys.argv[1], int(sys.argv[2])
source = sys.argv[3] if len(sys.argv) > 3 else "demo"
frames = int(sys.argv[4]) if len(sys.argv) > 4 else None

client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
client.connect(host, port)
client.loop_start()
before, sent = None, None
for result in fer_edge.run(source, frames=frames):
    state = {"faces": len(result.faces), "expression": result.faces[0].label if result.faces else None}
    if state != before:
        before, sent = state, client.publish("door/faces", json.dumps(state), qos=1, retain=True)
if sent:
    sent.wait_for_publish(10)
client.loop_stop()
