"""The wheel: every module and data file is in it, and nothing lands outside ``fer_edge``."""

import subprocess
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = {"edge": "fer_edge", "train": "fer_edge/train", "convert": "fer_edge/convert", "device": "fer_edge/device"}


def expected_files():
    """Return the files of the four folders as they must stand in the wheel."""
    files = set()
    for folder, package in FOLDERS.items():
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                files.add(f"{package}/{path.relative_to(ROOT / folder)}")
    return files


def test_everything_is_in_it_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert names == expected_files()
    assert "fer_edge/py.typed" in names
    assert "fer_edge/models/compact.tflite" in names


def test_it_installs_into_an_empty_environment_inside_fer_edge_alone(wheel, tmp_path):
    venv.create(tmp_path, with_pip=True)
    (site,) = tmp_path.glob("lib/python*/site-packages")
    before = {path.name for path in site.iterdir()}
    python = tmp_path / "bin/python"
    install = [python, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", wheel]
    subprocess.run(install, check=True, capture_output=True)
    new = {path.name for path in site.iterdir()} - before
    assert {name for name in new if not name.endswith(".dist-info")} == {"fer_edge"}
    assert (tmp_path / "bin/fer-edge").exists()
    code = "import fer_edge, fer_edge.train, fer_edge.convert, fer_edge.device; print(fer_edge.__version__)"
    result = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert result.stdout.strip() in wheel.name


def test_it_names_its_licence(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = (archive.read(n).decode() for n in archive.namelist() if n.endswith("/METADATA"))
        assert any(name.endswith("LICENSE") for name in archive.namelist())
    assert "License: Apache-2.0" in metadata
