"""The options of a run in a YAML file: for the command, for programs, for a service on another machine."""

import json

import pytest
from click.testing import CliRunner

import fer_edge
from fer_edge.cli import main
from fer_edge.device.deploy.unit import unit_text
from fer_edge.errors import ConfigError

SETTINGS = """\
# how the camera in the hall hangs
source: demo
model: nano
skin: off          # a word, as in YAML 1.2
rotate: 0
flip: false
size: 320x240
roi: [0, 0, 1, 1]
frames: 3
jsonl:
"""


@pytest.fixture
def file(tmp_path):
    def write(text, name="run.yaml"):
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return write


def run(*arguments, **environment):
    return CliRunner().invoke(main, ["run", *map(str, arguments)], env=environment)


def test_a_file_gives_the_options(file):
    done = run("--config", file(SETTINGS), "--json")
    assert done.exit_code == 0, done.output
    summary = json.loads(done.stdout)
    assert (summary["frames"], summary["skin"], summary["source"]) == (3, "off", "demo")
    assert summary["models"][0].endswith("nano.tflite")


def test_what_is_typed_counts_more_then_the_environment(file):
    path = file(SETTINGS.replace("source: demo", "source: no-such-camera"))
    done = run("--config", path, "--frames", 2, "--json", FER_EDGE_SOURCE="demo")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["frames"] == 2
    done = run("--frames", 1, "--source", "demo", "--config", path, "--json")
    assert json.loads(done.stdout)["frames"] == 1


def test_programs_read_it_too(file):
    config = fer_edge.RunConfig.read(file(SETTINGS), frames=1)
    assert (config.frames, config.skin, config.models) == (1, "off", ["nano"])
    assert config.mounting.size == (320, 240)
    assert len(list(fer_edge.run(config=config))) == 1


@pytest.mark.parametrize("key", ["detector-model", "detector_model"])
def test_dashes_and_underscores_are_the_same(file, key):
    with pytest.raises(ConfigError, match="go together"):
        fer_edge.RunConfig.read(file(f"{key}: yunet.onnx\n"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "source: demo\nrotat: 180\n",
            "line 2: no option of 'fer-edge run' is called 'rotat'; the nearest is",
        ),
        ("Snapshot: out\n", "the nearest is 'snapshots'"),
        ("zzzz: 1\n", "the keys are baseline, "),
        ("frames: 1\nframes: 2\n", "line 2: 'frames' stands there twice"),
        ("frames: [1, 2]\n", "line 1: 'frames': expected one value, found a sequence"),
        ("roi: {x: 0}\n", "'roi': expected one value, found a mapping"),
        ("- source\n", "expected lines such as 'source: picamera2', found a sequence"),
        ("demo\n", "found a scalar"),
        ("source: [demo\n", "line 2: no YAML"),
        ("? [a]\n: 1\n", "expected a key such as 'source', found a sequence"),
        ('source: "\\xff\n', "no YAML"),
    ],
)
def test_what_is_no_such_file_is_refused_in_a_line(file, text, expected):
    path = file(text)
    done = run("--config", path)
    assert done.exit_code == 2
    assert done.stdout == ""
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    assert line.startswith(f"Error: {path}:")
    assert expected in line
    with pytest.raises(ConfigError) as error:
        fer_edge.RunConfig.read(path)
    assert error.value.option == "config"


@pytest.mark.parametrize(
    "text",
    [
        *("rotate: 45", "flip: perhaps", "frames: many", "size: 7", "roi: [0, 0]", "skin: 3", "upright: 3"),
        *("loop: perhaps", "display: 2", "baseline: long", "min-quality: good"),
    ],
)
def test_values_out_of_range_are_refused(file, text):
    path = file(f"source: demo\n{text}\n")
    done = run("--config", path)
    assert done.exit_code == 2
    assert text.partition(":")[0] in done.stderr
    with pytest.raises(ConfigError):
        fer_edge.RunConfig.read(path)


@pytest.mark.parametrize(("word", "value"), [("yes", True), ("On", True), ("no", False), ("off", False)])
def test_a_flag_may_be_any_word_of_yaml_for_it(file, monkeypatch, word, value):
    path = file(f"loop: {word}\n")
    assert fer_edge.RunConfig.read(path).loop is value
    _, request = deployed(monkeypatch, "--service", "--config", path)
    assert request.run_options == (("--loop",) if value else ())


def test_no_output_replaces_the_file_or_the_prior(file, tmp_path):
    path = file(f"source: demo\njsonl: {tmp_path / 'other'}\nframes: 1\n")
    before = path.read_bytes()
    for arguments in (("--jsonl", path), ("--prior", path, "--csv", path)):
        done = run("--config", path, *arguments)
        assert done.exit_code == 2
        assert "name the same file twice" in done.stderr
    with pytest.raises(ConfigError, match="name the same file twice"):
        fer_edge.RunConfig.read(path, csv=path)
    assert path.read_bytes() == before
    fer_edge.RunConfig(prior="uniform" * 100)  # no file's name, which is found out with the models


def test_nothing_is_built_from_tags(file):
    done = run("--config", file("source: !!python/object/apply:os.getcwd []\n"))
    assert done.exit_code == 2
    assert "Traceback" not in done.output


def test_an_empty_file_changes_nothing(file):
    assert run("--config", file(""), "--source", "demo", "--frames", 1).exit_code == 0


def test_print_config_gives_the_same_options_back(file, tmp_path):
    options = ("--source", "demo", "--rotate", 180, "--flip", "--model", "nano", "--model", "large", "--fps", 2.5)
    options = (*options, "--roi", "0,0,0.5,1", "--skin", "off", "--metrics", "0.0.0.0:9100", "--jsonl", "-")
    printed = run(*options, "--print-config")
    assert printed.exit_code == 0, printed.output
    again = run("--config", file(printed.stdout), "--print-config")
    assert again.stdout == printed.stdout
    set_lines = [line for line in printed.stdout.splitlines() if line and not line.startswith("#")]
    assert set_lines == [
        "source: demo",
        "model: [nano, large]",
        "skin: 'off'",
        "fps: 2.5",
        "rotate: 180",
        "flip: true",
        "roi: 0,0,0.5,1",
        "jsonl: '-'",
        "metrics: 0.0.0.0:9100",
    ]
    assert "#threads: 1" in printed.stdout


def test_print_config_shows_no_secret():
    printed = run("--source", "rtsp://u:s3cret@cam/1", "--mqtt", "mqtt://u:s3cret@broker/desk", "--print-config")
    assert "s3cret" not in printed.output
    assert "#source: a secret; put it into the environment as FER_EDGE_SOURCE" in printed.stdout
    assert "#mqtt: a secret; put it into the environment as FER_EDGE_MQTT" in printed.stdout


def deployed(monkeypatch, *arguments):
    """Run deploy up to the request; return the result, and what would be installed."""
    requests = []
    monkeypatch.setattr(
        "fer_edge.device.deploy.fleet.at_once.deploy", lambda hosts, request, **_: requests.append(request) or []
    )
    monkeypatch.setattr("fer_edge.device.commands.deploy.make_wheel", lambda given, folder: folder / "fer_edge.whl")
    done = CliRunner().invoke(main, ["deploy", "pi", *map(str, arguments)])
    return done, requests[0] if requests else None


def test_deploy_gives_it_to_the_service(file, monkeypatch):
    text = "source: picamera2\nrotate: 180\nflip: true\nloop: false\nmodel: [nano]\n"
    text += "roi: [0, 0, 0.5, 1]\nsize: [640, 480]\n"
    done, request = deployed(monkeypatch, "--service", "--config", file(text), "--run-options", "--metrics 9100")
    assert done.exit_code == 0, done.output
    command = unit_text(request.run_options, "").split("ExecStart=")[1].splitlines()[0]
    assert command.endswith("run --source picamera2 --rotate 180 --flip --roi 0,0,0.5,1 --size 640x480 --metrics 9100")
    assert request.model.name == "nano.tflite"
    assert request.source == "picamera2"
    assert CliRunner().invoke(main, ["run", *request.run_options, "--help"]).exit_code == 0


def test_a_model_of_this_machine_goes_along(file, monkeypatch, model_path, tmp_path):
    own = tmp_path / "own.tflite"
    own.write_bytes(model_path.read_bytes())
    done, request = deployed(monkeypatch, "--service", "--config", file(f"model: {own}\n"))
    assert done.exit_code == 0, done.output
    assert (request.model, request.run_options) == (own, ())
    done, _ = deployed(monkeypatch, "--service", "--config", file(f"model: [{own}, nano]\n"))
    assert done.exit_code == 2
    assert "expected one model by its file" in done.stderr


def test_a_model_of_the_command_line_replaces_that_of_the_file(file, monkeypatch):
    given = ("--service", "--model", "compact", "--config")
    done, request = deployed(monkeypatch, *given, file("model: nano\nskin: off\n"))
    assert done.exit_code == 0, done.output
    assert (request.model.name, request.run_options) == ("compact.tflite", ("--skin", "off"))
    done, _ = deployed(monkeypatch, *given, file("model: [nano, large]\n"))
    assert done.exit_code == 2
    assert "exclude each other" in done.stderr
    _, request = deployed(monkeypatch, "--service", "--config", file("model: [nano, large]\n"))
    assert (request.model, request.run_options) == (None, ("--model", "nano", "--model", "large"))


@pytest.mark.parametrize("text", ["rotat: 180\n", "rotate: 45\n"])
def test_deploy_refuses_what_the_service_would(file, monkeypatch, text):
    done, request = deployed(monkeypatch, "--service", "--config", file(text))
    assert done.exit_code == 2
    assert request is None


def test_a_config_is_the_services(file, monkeypatch):
    done, _ = deployed(monkeypatch, "--config", file("rotate: 180\n"))
    assert done.exit_code == 2
    assert "add --service" in done.stderr
