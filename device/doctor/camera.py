"""Check of the camera: there is one, and it delivers."""

from __future__ import annotations

import dataclasses
import os

from fer_edge.device.doctor.child import Answer, ask
from fer_edge.device.doctor.finding import Finding, Status, split_advice
from fer_edge.device.doctor.interpreter import SYSTEM_PACKAGES
from fer_edge.device.doctor.packages import install
from fer_edge.device.doctor.system import System
from fer_edge.text.address import ENVIRONMENT, without_secrets

INTERNAL = ("bcm2835-", "pispbe", "rp1-cfe", "rpi-hevc", "rpivid", "unicam")
"""Video devices of every Raspberry Pi that are no webcams: codecs, scalers, and the receiver behind libcamera."""

PICTURES_WITHIN = 40.0
"""Seconds for opening a camera and taking pictures; picamera2 alone needs several to be imported."""

VIDEO = "/sys/class/video4linux"

LOOK_FOR_CAMERA = "push the cable in, contacts to the right side, start again, and see: rpicam-hello --list-cameras"

OTHER_SOURCE = "choose another --source"


def webcams(system: System) -> list[tuple[int, str]]:
    """Return number and name of the V4L2 cameras, lowest number first."""
    found = []
    for path in system.path("/dev").glob("video*"):
        number = path.name.removeprefix("video")
        name = system.read(f"{VIDEO}/{path.name}/name") or ""
        # A webcam's further devices carry metadata, not pictures.
        is_first = (system.read(f"{VIDEO}/{path.name}/index") or "0") == "0"
        if number.isdecimal() and is_first and not name.startswith(INTERNAL):
            found.append((int(number), name or path.name))
    return sorted(found)


def check_camera(system: System, source: str | None, seconds: float = PICTURES_WITHIN) -> Finding:
    """See whether a camera, or the source that is asked about, delivers pictures.

    Args:
        system: the machine.
        source: a ``--source`` value; None is what ``fer-edge run`` would choose.
        seconds: how long to wait for the pictures.
    """
    if source not in (None, "picamera2"):
        return _take_pictures(system, source, without_secrets(source), seconds)
    answer = ask(system, "cameras", seconds=seconds)
    if not answer.error and answer.value:
        return _take_pictures(system, "picamera2", f"{answer.value[0]} (picamera2)", seconds)
    if answer.error and not answer.lacks("picamera2"):
        return _broken_picamera2(system, answer)
    found = webcams(system) if source is None else []
    if not found:
        return _no_camera(system, answer, Status.PROBLEM if source else Status.WARNING)
    number, name = found[0]
    name = f"{name} (webcam {number})"
    if not os.access(system.path(f"/dev/video{number}"), os.R_OK | os.W_OK):
        advice = "sudo usermod -aG video $USER, then log in again"
        return Finding("camera", Status.PROBLEM, f"{name}: you may not use /dev/video{number}", advice)
    chosen_by_run = number == 0 and bool(answer.error)
    finding = _take_pictures(system, str(number), name, seconds)
    if finding.status is Status.OK and not chosen_by_run:
        # It works, but 'fer-edge run' would look elsewhere.
        return Finding(finding.name, Status.WARNING, finding.found, f"name it: fer-edge run --source {number}")
    return finding


def _no_camera(system: System, answer: Answer, status: Status) -> Finding:
    if not answer.error:
        return Finding(
            "camera",
            status,
            "picamera2 finds none" + ("" if status is Status.PROBLEM else ", and there is no webcam"),
            LOOK_FOR_CAMERA,
        )
    if system.path(f"{SYSTEM_PACKAGES}/picamera2").exists():
        found = "none found; picamera2 is installed, but this Python does not see it"
        return Finding("camera", status, found, "do what stands at 'environment'")
    if system.is_raspberry_pi or status is Status.PROBLEM:
        found = "none found; picamera2, which finds those on the camera port, is not installed"
        return Finding("camera", status, found, "sudo apt install -y python3-picamera2")
    return Finding("camera", status, "none found", "plug in a webcam, or use: fer-edge run --source demo")


def _broken_picamera2(system: System, answer: Answer) -> Finding:
    found = f"picamera2 is installed but fails: {answer.message}"
    if "numpy.dtype size changed" in answer.message or "_ARRAY_API" in answer.message or "multiarray" in answer.message:
        return Finding("camera", Status.PROBLEM, found, f"{system.pip} uninstall -y numpy && {install(system)}")
    if answer.error == "Timeout":
        return Finding("camera", Status.PROBLEM, found, "sudo reboot; if it hangs again, check the camera's cable")
    return Finding("camera", Status.PROBLEM, found, "sudo apt install --reinstall python3-picamera2 python3-libcamera")


def _take_pictures(system: System, spec: str, name: str, seconds: float) -> Finding:
    if without_secrets(spec) == spec:
        answer = ask(system, "pictures", spec, seconds=seconds)
    else:  # every user of the machine can read a command line
        hidden = dataclasses.replace(system, environ={**system.environ, ENVIRONMENT: spec})
        answer = ask(hidden, "pictures", seconds=seconds)
    if answer.lacks("cv2", "numpy"):
        return Finding("camera", Status.UNKNOWN, f"{name}; not tried without numpy and OpenCV")
    if answer.error == "Timeout":
        return Finding(
            "camera",
            Status.PROBLEM,
            f"{name}: no pictures within {seconds:g} seconds",
            "check its cable or address, end other programs that use it, then try again",
        )
    if answer.ours:
        found, advice = split_advice(answer.message)
        return Finding("camera", Status.PROBLEM, found, advice or OTHER_SOURCE)
    if answer.error and spec == "picamera2":
        return _broken_picamera2(system, answer)
    if answer.error:
        return Finding("camera", Status.PROBLEM, f"{name}: {answer.message}", OTHER_SOURCE)
    value = answer.value
    found = f"{name}: {value['width']}x{value['height']} {value['layout']}, stride {value['stride']}"
    if value["live"]:
        found += f", {value['per_second']:.1f} pictures a second"
    return Finding("camera", Status.OK, found)
