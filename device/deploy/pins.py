"""What is installed with the wheel, and what of it must not be newer on which system."""

EXTRAS = ("device", "metrics", "mqtt", "web")
"""Extras of the wheel that a target gets: all that the options of ``fer-edge run`` may ask for there."""

PINS = {
    # Raspberry Pi OS 12: numpy stays apt's 1.24, and OpenCV the last release that accepts it.
    ("aarch64", "12"): ("numpy<2", "opencv-python-headless==4.11.0.86"),
    # Raspberry Pi OS 13: numpy stays apt's 2.2.
    ("aarch64", "13"): ("numpy>=2,<2.3",),
}
"""So that picamera2 and the numpy it was built with stay a pair:
(machine as ``uname -m`` says it, VERSION_ID of ``/etc/os-release``) -> requirements."""
