import json
import os
import signal
import subprocess
import sys
import threading
import time
from importlib import resources

import jsonschema
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_edge.cli import main
from fer_edge.device.outputs.jsonl import SCHEMA, JsonLines
from fer_edge.device.sources.demo import PORTRAIT
from fer_edge.errors import OutputError
from tests.device.making import face, result

VALIDATOR = jsonschema.Draft202012Validator(
    json.loads(resources.files("fer_edge.device.outputs").joinpath("frame.schema.json").read_text())
)


def test_a_line_a_picture_at_once(tmp_path):
    path = tmp_path / "out.jsonl"
    with JsonLines(str(path)) as output:
        for index in range(3):
            output.write(result(index))
            assert len(path.read_text().splitlines()) == index + 1
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["frame"] for line in lines] == [0, 1, 2]
    assert lines[0]["schema"] == SCHEMA
    shown = {
        "id": 1,
        "box": [10, 12, 20, 20],
        "label": "happy",
        "score": 0.75,
        "scores": {"angry": 0.25, "happy": 0.75},
    }
    assert lines[0]["faces"][0].items() >= shown.items()


def test_the_schema_is_one_and_tells_wrong_lines(tmp_path):
    VALIDATOR.check_schema(VALIDATOR.schema)
    good = {"schema": SCHEMA} | result().to_dict()
    assert VALIDATOR.is_valid(good)
    points = [[1.5, 2]] * 5
    assert VALIDATOR.is_valid(good | {"faces": [good["faces"][0] | {"landmarks": points}]})
    for wrong in (
        {"schema": SCHEMA + 1},
        {"frame": -1},
        {"time": "0.4"},
        {"timings_ms": {}},
        {"faces": [good["faces"][0] | {"box": [1, 2, 3]}]},
        {"faces": [good["faces"][0] | {"score": 1.5}]},
        {"faces": [good["faces"][0] | {"landmarks": points[:4]}]},
    ):
        assert not VALIDATOR.is_valid(good | wrong), wrong
    for key in good:
        assert not VALIDATOR.is_valid({k: v for k, v in good.items() if k != key}), key


@pytest.mark.parametrize("source", ["demo", str(PORTRAIT)], ids=["film", "photo"])
def test_what_the_command_writes_follows_the_schema(source, model_path):
    arguments = ["run", "--model", str(model_path), "--source", source, "--frames", "8", "--jsonl", "-"]
    ran = CliRunner().invoke(main, arguments)
    assert ran.exit_code == 0, ran.output
    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    assert lines
    assert sum(len(line["faces"]) for line in lines)
    for line in lines:
        VALIDATOR.validate(line)


def test_a_folder_that_does_not_exist(tmp_path):
    with pytest.raises(OutputError, match=r"no/out\.jsonl: cannot be written \(No such file"):
        JsonLines(str(tmp_path / "no" / "out.jsonl"))


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")  # noqa: PTH110
def test_a_full_disk():
    with JsonLines("/dev/full") as output, pytest.raises(OutputError, match=r"/dev/full: cannot be written \(No space"):
        output.write(result())


class AlmostFull:
    """A file on a disk with room for so many bytes."""

    def __init__(self, file, room):
        self._file, self._room = file, room

    def write(self, data):
        if not self._room:
            raise OSError(28, "No space left on device")
        written = self._file.write(data[: self._room])
        self._room -= written
        return written

    def __getattr__(self, name):
        return getattr(self._file, name)


@settings(max_examples=25, deadline=None)
@given(room=st.integers(0, 900))
def test_when_the_disk_fills_up_the_lines_before_are_whole(room, tmp_path_factory):
    path = tmp_path_factory.mktemp("disk") / "out.jsonl"
    with JsonLines(str(path)) as output:
        output._file = AlmostFull(output._file, room)
        with pytest.raises(OutputError, match="what it holds already is whole"):
            for index in range(9):
                output.write(result(index))
    text = path.read_text()
    line = len(json.dumps({"schema": SCHEMA} | result(0).to_dict(), separators=(",", ":"))) + 1
    assert len(text) == room // line * line
    assert [json.loads(row)["frame"] for row in text.splitlines()] == list(range(room // line))


@pytest.fixture
def fifo(tmp_path):
    """A named pipe and the descriptor of its reader."""
    path = tmp_path / "fifo"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(reader, True)
    yield path, reader
    os.close(reader)


def crowd(index):
    """A result whose line is longer than a pipe takes in one piece."""
    return result(index, faces=[face(number=n + 1) for n in range(60)])


def read_all(reader):
    chunks = []
    while chunk := os.read(reader, 65536):
        chunks.append(chunk)
    return [json.loads(line) for line in b"".join(chunks).decode().splitlines()]


def test_a_reader_who_sleeps_does_not_hold_up_a_live_source(fifo):
    path, reader = fifo
    written = 60
    output = JsonLines(str(path), live=True)
    begun = time.monotonic()
    for index in range(written):
        output.write(crowd(index))
    assert time.monotonic() - begun < 2
    assert 0 < output.dropped < written
    got = []
    waking = threading.Thread(target=lambda: got.extend(read_all(reader)))
    waking.start()
    output.close()  # waits for the line that is half through
    waking.join(10)
    frames = [line["frame"] for line in got]
    assert frames == list(range(len(frames)))  # whole lines, in order
    assert len(frames) == written - output.dropped


def test_a_reader_who_is_slow_gets_every_line_of_a_file(fifo):
    path, reader = fifo
    got = []

    def read():
        time.sleep(0.3)
        got.extend(read_all(reader))

    slow = threading.Thread(target=read)
    slow.start()
    with JsonLines(str(path)) as output:
        for index in range(60):
            output.write(crowd(index))
    slow.join(10)
    assert [line["frame"] for line in got] == list(range(60))
    assert output.dropped == 0


def test_who_waits_for_a_reader_can_be_stopped(fifo):
    path, _ = fifo
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    begun = time.monotonic()
    with JsonLines(str(path), stop=stop.is_set) as output:
        for index in range(30):
            output.write(crowd(index))
    assert output.dropped
    assert time.monotonic() - begun < 8


def test_a_pipe_without_a_reader_is_refused(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(OutputError, match="fifo: cannot be written"):
        JsonLines(str(tmp_path / "fifo"))


def test_a_reader_who_goes_away(tmp_path):
    path = tmp_path / "fifo"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with JsonLines(str(path)) as output:
        output.write(result())
        os.close(reader)
        with pytest.raises(OutputError, match="its reader has gone"):
            output.write(result())


def frames(path):
    return [json.loads(line)["frame"] for line in path.read_text().splitlines()]


def test_a_file_that_is_emptied_goes_on_at_its_beginning(tmp_path):
    path = tmp_path / "out.jsonl"
    with JsonLines(str(path)) as output:
        for index in range(20):
            output.write(result(index))
        os.truncate(path, 0)  # logrotate's copytruncate
        output.write(result(20))
        assert frames(path) == [20]
        with path.open("a") as other:  # somebody else's line stays
            other.write(path.read_text().replace('"frame":20', '"frame":77'))
        output.write(result(21))
    assert frames(path) == [20, 77, 21]


def test_a_file_that_was_renamed_is_opened_again_when_asked(tmp_path):
    path, old = tmp_path / "out.jsonl", tmp_path / "out.jsonl.1"
    with JsonLines(str(path)) as output:
        output.write(result(0))
        path.rename(old)
        output.write(result(1))
        assert frames(old) == [0, 1]
        output.reopen()
        output.write(result(2))
        assert (frames(old), frames(path)) == ([0, 1], [2])
        output.reopen()  # nothing was renamed: nothing is lost
        output.write(result(3))
        assert frames(path) == [2, 3]
        path.unlink()
        output.reopen()
        output.write(result(4))
    assert frames(path) == [4]


def test_a_file_that_cannot_be_opened_again_stays_open(tmp_path, caplog):
    folder, moved = tmp_path / "logs", tmp_path / "logs.1"
    folder.mkdir()
    with JsonLines(str(folder / "out.jsonl")) as output:
        folder.rename(moved)
        output.reopen()
        output.write(result(0))
    assert frames(moved / "out.jsonl") == [0]
    assert "its lines go to the file that was open" in caplog.text


def test_pipes_and_standard_output_are_not_opened_again(tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    with JsonLines(str(fifo)) as output:
        output.reopen()
        output.write(result(0))
    assert json.loads(os.read(reader, 10_000))["frame"] == 0
    os.close(reader)


def test_sighup_opens_the_file_of_a_run_again(tmp_path):
    path, old = tmp_path / "out.jsonl", tmp_path / "out.jsonl.1"
    command = [
        sys.executable,
        "-m",
        "fer_edge",
        "run",
        "--source",
        "demo:live",
        "--model",
        "nano",
        "--jsonl",
        str(path),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def wait_for(condition):
        deadline = time.monotonic() + 60
        while not condition():
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.02)

    wait_for(lambda: path.exists() and frames(path))
    path.rename(old)
    process.send_signal(signal.SIGHUP)
    wait_for(path.exists)
    wait_for(lambda: frames(path))
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    process.communicate()
    written = frames(old) + frames(path)
    assert written == sorted(set(written))


def test_without_a_file_sighup_ends_a_run(tmp_path):
    command = [sys.executable, "-m", "fer_edge", "run", "--source", "demo:live", "--model", "nano", "--jsonl", "-"]
    # The tests may run where SIGHUP is ignored, under nohup, and a child takes that over.
    heard = ["env", "--default-signal=HUP"]
    with subprocess.Popen([*heard, *command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        process.stdout.readline()
        process.send_signal(signal.SIGHUP)
        try:
            assert process.wait(30) == -signal.SIGHUP
        finally:
            process.kill()
