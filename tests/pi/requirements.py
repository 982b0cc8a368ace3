"""What the device install asks for on a Raspberry Pi, printed one requirement a line.

python requirements.py WHEEL PYTHON_VERSION

`pip download --platform` fetches wheels for another machine, but decides by this one's processor and Python which
requirements apply. So the wheel's own environment markers are decided here.
"""

import sys
import zipfile
from email.parser import Parser

from packaging.requirements import Requirement

wheel, python_version = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
    metadata = Parser().parsestr(archive.read(name).decode())
pi = {"platform_machine": "aarch64", "python_version": python_version, "extra": "device"}
for text in metadata.get_all("Requires-Dist"):
    requirement = Requirement(text)
    if requirement.marker is None or requirement.marker.evaluate(pi):
        print(f"{requirement.name}{requirement.specifier}")
