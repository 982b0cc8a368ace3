"""What a device installs may be given on: every package has a licence that asks for a notice and no more."""

import re
from importlib import metadata

from packaging.requirements import Requirement

DEVICE = ("device", "metrics", "mqtt", "web")
FREE = re.compile(r"MIT|BSD|Apache|PSF|Python Software Foundation|ISC|Zlib|MPL-2\.0|Unlicense", re.IGNORECASE)
"""MPL-2.0 asks for the sources of its own files alone, which nobody changes here."""


def pulled_in(name, extras, seen):
    """Add a distribution and all that it needs here to `seen`, by their names in one form."""
    key = re.sub(r"[-_.]+", "-", name).lower()
    if set(extras) <= seen.setdefault(key, set()):
        return
    seen[key] |= set(extras)
    for line in metadata.distribution(name).requires or ():
        needed = Requirement(line)
        if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in extras):
            pulled_in(needed.name, ("", *needed.extras), seen)


def stated_licence(name):
    """Return all that a distribution says of its licence."""
    found = metadata.metadata(name)
    classified = [line for line in found.get_all("Classifier") or () if line.startswith("License")]
    return " ".join(filter(None, (found.get("License-Expression"), found.get("License"), *classified)))


def test_what_a_device_installs_is_free():
    seen = {}
    pulled_in("fer-edge", ("", *DEVICE), seen)
    assert {"numpy", "opencv-python-headless", "ai-edge-litert", "uvicorn", "paho-mqtt"} <= seen.keys()
    others = {name: stated_licence(name)[:200] for name in seen if not FREE.search(stated_licence(name))}
    assert not others
