"""Checks of numpy, OpenCV and the TFLite runtime, and of the combinations of them that are known not to work.

Most are mended by installing ``fer-edge[device]`` again: its requirements name the versions that fit this
machine, so pip replaces those that do not.
"""

from __future__ import annotations

import dataclasses

from fer_edge.device.doctor.child import ask
from fer_edge.device.doctor.finding import Finding, Status, split_advice
from fer_edge.device.doctor.interpreter import SYSTEM_PACKAGES
from fer_edge.device.doctor.system import System

Version = tuple[int, ...]

OPENCV_WITH_NUMPY_2: Version = (4, 12)
"""From here on OpenCV's wheels require numpy 2."""

NO_NUMPY = "not looked at without numpy"


@dataclasses.dataclass(frozen=True)
class Package:
    """An installed package.

    Attributes:
        name: as pip calls it.
        version: as text.
        folder: where it is installed.
    """

    name: str
    version: str
    folder: str


@dataclasses.dataclass(frozen=True)
class Installed:
    """The installed packages that matter, in the order in which Python looks for them."""

    packages: tuple[Package, ...]

    def named(self, *names: str) -> list[Package]:
        """Return the packages with one of these names; the first of a name hides the others."""
        return [package for package in self.packages if package.name in names]

    def version(self, name: str) -> Version:
        """Return the version of a package in numbers, empty if it is not installed."""
        found = self.named(name)
        return parse_version(found[0].version) if found else ()


def parse_version(text: str) -> Version:
    """Return the leading numbers of a version: ``4.11.0.86`` is (4, 11, 0, 86), ``2.1.0rc1`` is (2, 1)."""
    numbers = []
    for part in text.split("."):
        if not (part.isascii() and part.isdecimal()):
            break
        numbers.append(int(part))
    return tuple(numbers)


def find_installed(system: System) -> Installed:
    """List the installed packages that matter."""
    answer = ask(system, "distributions")
    if answer.error:
        raise RuntimeError(f"the installed packages cannot be listed: {answer.message}")
    return Installed(tuple(Package(*package) for package in answer.value))


def install(system: System) -> str:
    """Return the command that installs the versions that fit this machine."""
    return f"{system.pip} install 'fer-edge[device]'"


def check_numpy(system: System, installed: Installed) -> Finding:
    """See whether numpy works, and is of the major version that picamera2 was built against."""
    answer = ask(system, "numpy")
    if answer.lacks("numpy"):
        return Finding("numpy", Status.PROBLEM, "it is not installed", install(system))
    found = installed.named("numpy")
    if answer.error:
        where = f"{found[0].version} in {found[0].folder}" if found else "it"
        return Finding("numpy", Status.PROBLEM, f"{where} is broken: {answer.message}", _mend_numpy(system, installed))
    majors = {parse_version(package.version)[0] for package in found if parse_version(package.version)}
    if installed.named("picamera2") and len(majors) > 1:
        own, *hidden = found
        return Finding(
            "numpy",
            Status.PROBLEM,
            f"{own.version} in {own.folder} hides the system's {hidden[0].version}, which picamera2 was built against "
            '("numpy.dtype size changed")',
            f"{system.pip} uninstall -y numpy && {install(system)}",
        )
    return Finding("numpy", Status.OK, answer.value["version"])


def check_opencv(system: System, installed: Installed) -> Finding:
    """See whether OpenCV works, can load cascades and fits numpy."""
    found = installed.named(
        "opencv-python", "opencv-python-headless", "opencv-contrib-python", "opencv-contrib-python-headless"
    )
    names = list(dict.fromkeys(package.name for package in found))
    replace = f"{system.pip} uninstall -y {' '.join(names)} && {install(system)}"
    if len(names) > 1:
        # They share the folder cv2, so each has overwritten a part of the other.
        return Finding("OpenCV", Status.PROBLEM, f"{' and '.join(names)} are installed over each other", replace)
    answer = ask(system, "opencv")
    if answer.lacks("cv2"):
        return Finding("OpenCV", Status.PROBLEM, "it is not installed", install(system))
    if answer.lacks("numpy"):
        return Finding("OpenCV", Status.UNKNOWN, NO_NUMPY)
    if answer.error:
        what = f"{names[0]} {found[0].version}" if found else "it"
        if "libGL" in answer.message:
            failure = f"{what} wants the desktop's libGL ({answer.message}); the headless build does not"
            return Finding("OpenCV", Status.PROBLEM, failure, replace if found else "sudo apt install libgl1")
        failure = f"{what} cannot be imported: {answer.message}"
        return Finding("OpenCV", Status.PROBLEM, failure, replace if found else install(system))
    version = answer.value["version"]
    if not answer.value["cascade_classifier"]:
        failure = f"{version} has no CascadeClassifier, it went with version 5; --detector haar fails, face does not"
        return Finding("OpenCV", Status.WARNING, failure, install(system))
    numpy = installed.version("numpy")
    if numpy and numpy < (2,) and parse_version(version) >= OPENCV_WITH_NUMPY_2:
        return Finding(
            "OpenCV",
            Status.WARNING,
            f"{version} works here but requires numpy 2, and numpy is {installed.named('numpy')[0].version}",
            install(system),
        )
    return Finding("OpenCV", Status.OK, f"{version}" + (f" ({names[0]})" if names else " (the system's)"))


def check_runtime(system: System, installed: Installed) -> Finding:
    """See whether there is a TFLite runtime that works."""
    name = "TFLite runtime"
    answer = ask(system, "runtime")
    if answer.lacks("numpy"):
        return Finding(name, Status.UNKNOWN, NO_NUMPY)
    if answer.error:
        return Finding(
            name, Status.PROBLEM, f"it cannot be imported: {answer.message}", _mend_runtime(system, installed)
        )
    module, broken = answer.value["module"], answer.value["broken"]
    old = installed.named("tflite-runtime")
    if old and module in (None, "tflite_runtime"):
        if system.python.version >= (3, 12):
            return _successor(system, f"tflite-runtime {old[0].version} exists for Python 3.11 and older only")
        if installed.version("numpy") >= (2,):
            return _successor(system, f"tflite-runtime {old[0].version} was built for numpy 1 and fails with numpy 2")
    if broken:
        package, message = next(iter(broken.items()))
        failure = f"{package} is installed but cannot be imported: {message}"
        return Finding(name, Status.PROBLEM, failure, _mend_runtime(system, installed))
    if module is None:
        return Finding(name, Status.PROBLEM, "none is installed", install(system))
    pip_name = module.replace("_", "-")
    version = next((package.version for package in installed.named(pip_name)), "of unknown version")
    return Finding(name, Status.OK, f"{pip_name} {version}")


def check_cascade(system: System) -> Finding:
    """See whether the face cascade can be loaded."""
    answer = ask(system, "cascade")
    if answer.ours:
        return Finding("face cascade", Status.PROBLEM, *split_advice(answer.message))
    if answer.error:
        return Finding("face cascade", Status.PROBLEM, f"it cannot be loaded: {answer.message}", install(system))
    if answer.value is None:
        return Finding("face cascade", Status.UNKNOWN, "not looked at without an OpenCV that works and has it")
    return Finding("face cascade", Status.OK, answer.value)


def _mend_numpy(system: System, installed: Installed) -> str:
    found = installed.named("numpy")
    if not found:
        return install(system)
    if found[0].folder.startswith(str(system.path(SYSTEM_PACKAGES))):
        return "sudo apt install --reinstall python3-numpy"
    return f"{system.pip} install --force-reinstall --no-deps 'numpy=={found[0].version}'"


def _mend_runtime(system: System, installed: Installed) -> str:
    """Return the command for a runtime that is there, but whose files, or a package that it needs, are not."""
    found = installed.named("ai-edge-litert")
    if not found:
        return install(system)
    # Without --no-deps, pip would install a numpy over the system's.
    again = f"{system.pip} install --force-reinstall --no-deps 'ai-edge-litert=={found[0].version}'"
    return f"{again} && {install(system)}"


def _successor(system: System, found: str) -> Finding:
    return Finding("TFLite runtime", Status.PROBLEM, f"{found}; its successor is ai-edge-litert", install(system))
