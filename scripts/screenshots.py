"""What ``scripts/screenshots`` runs: the device loop with its page, and Chromium in front of it."""

import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from fer_edge.device.web.pages import PAGES, address

ROOT = Path(__file__).resolve().parent.parent
WIDTHS = {"phone": {"width": 390, "height": 844}, "desktop": {"width": 1280, "height": 860}}
SECONDS = 20  # until the chart has something to show


def main(folder: Path) -> None:
    """Write PAGE-WIDTH-SCHEME.png for all of them."""
    folder.mkdir(parents=True, exist_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "fer_edge", "run", "--source", "demo:live", "--serve", f"127.0.0.1:{port}"]
    loop = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(port)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
            for width, viewport in WIDTHS.items():
                for scheme in ("light", "dark"):
                    context = browser.new_context(viewport=viewport, color_scheme=scheme)
                    pages = {name: context.new_page() for name in PAGES}
                    for name, page in pages.items():
                        page.goto(f"http://127.0.0.1:{port}{address(name)}")
                        _use(name, page)
                    time.sleep(SECONDS)
                    for name, page in pages.items():
                        page.bring_to_front()
                        page.wait_for_timeout(1000)
                        page.screenshot(path=folder / f"{name}-{width}-{scheme}.png", full_page=True)
                        print(folder / f"{name}-{width}-{scheme}.png")
                    context.close()
    finally:
        loop.terminate()
        loop.wait()
    shutil.copy(folder / "live-desktop-light.png", ROOT / "docs" / "images" / "live.png")


def _wait(port: int) -> None:
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit("the loop did not open its page")


def _use(name: str, page: Page) -> None:
    """Bring a page to where it shows what it is for."""
    if name == "photo":
        page.set_input_files("#file", ROOT / "device" / "portrait.jpg")
        page.wait_for_selector("#download:visible")
    elif name == "practice":
        page.click("#start")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
