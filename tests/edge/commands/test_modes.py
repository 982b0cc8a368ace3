"""What a camera saw is its owner's: files of mode 600 and folders of mode 700, unless ``--umask`` says otherwise."""

import os
import stat

import pytest
from click.testing import CliRunner

from fer_edge.cli import main
from fer_edge.device.results import FrameResult  # noqa: F401  (imported before the umask is looked at)


def modes(folder):
    return {path.relative_to(folder).parts[0]: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


@pytest.fixture(autouse=True)
def open_umask():
    before = os.umask(0o002)
    yield
    assert os.umask(before) == 0o002, "the command left its own umask behind"


@pytest.mark.parametrize(
    ("options", "file", "folder"),
    [((), 0o600, 0o700), (("--umask", "022"), 0o644, 0o755), (("--umask", "0027"), 0o640, 0o750)],
)
def test_what_a_run_writes(tmp_path, options, file, folder):
    out = tmp_path / "out"
    out.mkdir()
    words = ["run", "--source", "demo", "--frames", "3", "--model", "nano", "--jsonl", str(out / "l.jsonl")]
    words += ["--save", str(out / "v.mkv"), "--snapshots", str(out / "faces" / "today"), *options]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    assert modes(out) == {"l.jsonl": file, "v.mkv": file, "faces": folder}
    assert modes(out / "faces") == {"today": folder}
    assert set(modes(out / "faces" / "today").values()) == {file}


@pytest.mark.parametrize(("options", "file", "folder"), [((), 0o600, 0o700), (("--umask", "002"), 0o664, 0o775)])
def test_copies_of_photos(tmp_path, options, file, folder):
    from pathlib import Path

    import fer_edge.device

    photo = Path(fer_edge.device.__file__).parent / "portrait.jpg"
    words = ["image", str(photo), "--model", "nano", "--out", str(tmp_path / "copies"), *options]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    assert modes(tmp_path) == {"copies": folder}
    assert list(modes(tmp_path / "copies").values()) == [file]


@pytest.mark.parametrize(("options", "file", "folder"), [((), 0o600, 0o700), (("--umask", "022"), 0o644, 0o755)])
def test_an_analysis(tmp_path, options, file, folder):
    pytest.importorskip("pyarrow")
    from pathlib import Path

    import fer_edge.device

    photo = Path(fer_edge.device.__file__).parent / "portrait.jpg"
    words = ["analyze", str(photo), "--model", "nano", "--workers", "1", "--out", str(tmp_path / "out"), *options]
    result = CliRunner().invoke(main, words)
    if "pip install" in result.output:
        pytest.skip("needs the archive extra")
    assert result.exit_code == 0, result.output
    paths = list((tmp_path / "out").rglob("*"))
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_file()} == {file}
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_dir()} <= {folder}
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == folder


@pytest.mark.parametrize(("options", "file", "folder"), [((), 0o600, 0o700), (("--umask", "022"), 0o644, 0o755)])
def test_faces_cut_out_of_photos(tmp_path, options, file, folder):
    import shutil
    from pathlib import Path

    import fer_edge.device

    (tmp_path / "photos").mkdir()
    shutil.copy(Path(fer_edge.device.__file__).parent / "portrait.jpg", tmp_path / "photos")
    words = ["data", "crop", str(tmp_path / "photos"), "--out", str(tmp_path / "out"), *options]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    paths = [tmp_path / "out", *(tmp_path / "out").rglob("*")]
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_file()} == {file}
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_dir()} == {folder}


@pytest.mark.parametrize("value", ["", "8", "0o22", "rwx", "-22", "٠٢٢", "9" * 5000, "700", "300"])
def test_what_is_no_umask_is_wrong_usage(value):
    result = CliRunner().invoke(main, ["run", "--source", "demo", "--frames", "1", "--umask", value])
    assert result.exit_code == 2
    assert "expected" in result.stderr
