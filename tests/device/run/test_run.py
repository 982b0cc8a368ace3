"""The library form of ``fer-edge run``."""

import dataclasses
import gc
import json
import threading

import pytest

import fer_edge
from fer_edge.device.outputs.address import Broker, Listen
from fer_edge.device.outputs.base import Output
from fer_edge.device.outputs.jsonl import JsonLines
from fer_edge.device.sources.base import Source
from fer_edge.device.sources.demo import DemoSource
from fer_edge.errors import ConfigError, FerEdgeError, ModelFileError, OutputError, SourceError
from tests.device.web.conftest import TOKEN, answers, free_port, wait_for


class Film(Source):
    """Some frames of the demo source, then perhaps an error; knows whether it was closed."""

    name = "film"

    def __init__(self, frames=3, error=None, live=False):
        self._demo, self._frames, self._error, self.live, self.closed = DemoSource(), frames, error, live, False

    def __iter__(self):
        for number, frame in enumerate(self._demo):
            if number == self._frames:
                break
            yield frame
        if self._error:
            raise self._error

    def close(self):
        self.closed = True


def test_a_loop_over_the_results():
    results = list(fer_edge.run("demo", frames=3, models="nano"))
    assert [result.index for result in results] == [0, 1, 2]
    assert all(len(result.faces) == 1 for result in results)


def test_a_configuration_and_options_that_override_it():
    config = fer_edge.RunConfig(source="demo", frames=9, models=["nano"])
    assert len(list(fer_edge.run(config=config, frames=2))) == 2
    assert config.frames == 9


def test_a_path_a_number_and_an_open_source_are_sources(clip, tmp_path):
    assert len(list(fer_edge.run(clip, models="nano"))) == 12
    with pytest.raises(SourceError):
        fer_edge.run(77, models="nano")
    film = Film()
    assert len(list(fer_edge.run(film, models="nano"))) == 3
    assert not film.closed


def test_open_models_are_used_and_named():
    model = fer_edge.load_model("nano")
    with fer_edge.run("demo", frames=1, models=[model]) as loop:
        list(loop)
    assert loop.summary()["models"] == [str(model.path)]


def test_everything_is_closed_when_the_loop_is_left(tmp_path):
    out = tmp_path / "out.jsonl"
    for result in fer_edge.run("demo:live", models="nano", jsonl=out):
        if result.index >= 1:
            break
    gc.collect()
    assert not [thread.name for thread in threading.enumerate() if thread.name == "capture"]
    assert json.loads(out.read_text().splitlines()[-1])["frame"] == result.index


def test_a_run_that_is_never_iterated_can_be_closed(tmp_path):
    with fer_edge.run("demo", models="nano", jsonl=tmp_path / "out.jsonl") as loop:
        pass
    assert loop.summary()["frames"] == 0
    loop.close()


def test_it_is_iterated_once():
    loop = fer_edge.run("demo", frames=1, models="nano")
    assert len(list(loop)) == 1
    with pytest.raises(FerEdgeError, match="has been iterated already"):
        list(loop)


def test_what_outputs_leave_out_while_they_close_is_in_the_summary(monkeypatch, tmp_path):
    def close(self):
        self.dropped += 2
        original(self)

    original = JsonLines.close
    monkeypatch.setattr(JsonLines, "close", close)
    with fer_edge.run("demo", frames=1, models="nano", jsonl=tmp_path / "out.jsonl") as loop:
        list(loop)
    assert loop.summary()["dropped_by_outputs"] == {str(tmp_path / "out.jsonl"): 2}


@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize("frames", [0, 1, 2])
@pytest.mark.parametrize("error", [SourceError("unplugged"), RuntimeError("driver"), MemoryError("no room")])
def test_a_reader_that_dies_leaves_a_summary_and_the_reason(monkeypatch, live, frames, error):
    film, served = Film(frames, error, live), 0
    monkeypatch.setattr("fer_edge.device.sources.grabber.BACK_OFF_S", (0.01, 0.01))
    loop = fer_edge.run(film, models="nano")
    with pytest.raises((type(error), SourceError), match=str(error)), loop:
        for _ in loop:
            served += 1
    assert loop.summary()["frames"] == served <= frames
    assert live or served == frames


def test_an_error_of_an_output_reaches_the_caller(monkeypatch, tmp_path):
    def write(self, result):
        raise OutputError("full")

    monkeypatch.setattr(JsonLines, "write", write)
    loop = fer_edge.run("demo", models="nano", jsonl=tmp_path / "out.jsonl")
    with pytest.raises(OutputError, match="full"):
        list(loop)
    assert loop.summary()["frames"] == 0


def test_an_error_while_it_opens_closes_what_is_open(monkeypatch, tmp_path):
    closed = []
    monkeypatch.setattr(DemoSource, "close", lambda self: closed.append(self))
    with pytest.raises(OutputError):
        fer_edge.run("demo", models="nano", jsonl=tmp_path / "absent" / "out.jsonl")
    assert len(closed) == 1


def test_an_output_may_end_the_run(monkeypatch, tmp_path):
    monkeypatch.setattr(JsonLines, "dismissed", True, raising=False)
    assert len(list(fer_edge.run("demo", models="nano", jsonl=tmp_path / "out.jsonl"))) == 1
    assert Output.dismissed is False


def test_the_live_page(tmp_path):
    port = free_port()
    with fer_edge.run("demo", models="nano", loop=True, serve=port) as loop:
        assert loop.page_url == f"http://127.0.0.1:{port}/"
        wait_for(lambda: answers(port))
    assert not answers(port)


class TestRunConfig:
    def test_values_of_several_forms_become_one(self, tmp_path):
        config = fer_edge.RunConfig(
            mqtt="mqtt://host/topic", metrics=9100, serve="0.0.0.0:80", save=str(tmp_path / "x.mkv"), jsonl="-"
        )
        assert config.wanted.mqtt == Broker("host", 1883, "topic")
        assert config.wanted.metrics == Listen("127.0.0.1", 9100)
        assert config.wanted.save == tmp_path / "x.mkv"
        assert config.serving.listen == Listen("0.0.0.0", 80)
        assert len(config.serving.token) == 32
        assert fer_edge.RunConfig(serve=80, token=TOKEN).serving.token == TOKEN

    def test_it_is_frozen(self):
        with pytest.raises(dataclasses.FrozenInstanceError):
            fer_edge.RunConfig().frames = 3

    def test_the_skin_that_is_used(self, model_path):
        assert fer_edge.RunConfig().searched_skin == "static"
        assert fer_edge.RunConfig(detector="yunet", detector_model=model_path).searched_skin == "off"

    @pytest.mark.parametrize(
        ("option", "settings"),
        [
            ("frames", {"frames": 0}),
            ("frames", {"frames": "3"}),
            ("frames", {"frames": True}),
            ("frames", {"frames": 1.5}),
            ("threads", {"threads": 0}),
            ("threads", {"threads": 65}),
            ("min_quality", {"min_quality": 1.5}),
            ("min_quality", {"min_quality": float("nan")}),
            ("baseline", {"baseline": 0}),
            ("baseline", {"baseline": float("inf")}),
            ("upright", {"upright": True}),
            ("skin", {"skin": "green"}),
            ("skin", {"skin": 3}),
            ("skin", {"detector": "yunet", "detector_model": "m.onnx", "skin": "adaptive"}),
            ("detector", {"detector": "hog"}),
            ("detector_model", {"detector": "yunet"}),
            ("detector_model", {"detector_model": "m.onnx"}),
            ("mqtt", {"mqtt": "http://host/topic"}),
            ("mqtt", {"mqtt": 1883}),
            ("metrics", {"metrics": 0}),
            ("metrics", {"metrics": "nowhere"}),
            ("serve", {"serve": "host:99999"}),
            ("token", {"token": TOKEN}),
            ("token", {"serve": 80, "token": "short"}),
            ("tls_cert", {"tls_cert": "c.pem"}),
            ("tls_key", {"serve": 80, "tls_cert": "c.pem"}),
            ("tls_cert", {"serve": 80, "tls_key": "k.pem"}),
            ("token", {"serve": 80, "token": 1234567890123456}),
            ("metrics", {"metrics": 80.5}),
            ("source", {"source": 1.5}),
            ("source", {"source": [0]}),
            ("save", {"save": 3}),
            ("jsonl", {"jsonl": 3.5}),
            ("snapshots", {"snapshots": b"x"}),
            ("tls_cert", {"tls_cert": 3}),
            ("detector_model", {"detector": "yunet", "detector_model": 3}),
            ("save", {"save": "same.mkv", "jsonl": "./same.mkv"}),
        ],
        ids=str,
    )
    def test_what_does_not_go_is_refused_and_named(self, option, settings):
        with pytest.raises(ConfigError) as refused:
            fer_edge.RunConfig(**settings)
        assert refused.value.option == option
        assert f"`{option}`" in str(refused.value)

    def test_a_password_is_not_repeated(self):
        with pytest.raises(ConfigError) as refused:
            fer_edge.RunConfig(mqtt="mqtt://me:s3cret@host:x/topic")
        assert "s3cret" not in str(refused.value)
        assert "s3cret" not in repr(fer_edge.RunConfig(mqtt="mqtt://me:s3cret@host/topic").wanted)

    def test_no_input_is_an_output(self, model_path):
        for settings in ({"models": model_path}, {"models": ["nano", model_path]}, {"source": model_path}):
            with pytest.raises(ConfigError, match="name the same file twice"):
                fer_edge.RunConfig(jsonl=model_path, **settings)

    def test_a_model_that_is_not_there(self):
        with pytest.raises(ModelFileError, match="neither a file nor a shipped model"):
            fer_edge.run("demo", models="no-such-model")


def test_a_quality_that_is_asked_for_leaves_faces_out_of_everything(tmp_path, model_path):
    lines = tmp_path / "lines.jsonl"
    found = {}
    for least in (0.0, 1.0):
        config = fer_edge.RunConfig(source="demo", models=[model_path], frames=5, jsonl=lines, min_quality=least)
        with fer_edge.run(config=config) as loop:
            found[least] = [face.quality for result in loop for face in result.faces]
        written = [face["quality"] for line in lines.read_text().splitlines() for face in json.loads(line)["faces"]]
        assert written == [round(quality, 2) for quality in found[least]]
    assert found[0.0]
    assert all(quality == 1 for quality in found[1.0])
    assert len(found[1.0]) == sum(quality == 1 for quality in found[0.0])


def test_a_baseline_shows_in_the_faces_once_it_is_learned(model_path):
    rare = (
        "angry=1,disgust=1,fear=1,happy=0.0001,sad=1,surprise=0.0001,neutral=1"  # or the demo's face is never at rest
    )
    config = fer_edge.RunConfig(source="demo", models=[model_path], frames=40, baseline=0.5, prior=rare)
    learned = [face.baseline for result in fer_edge.run(config=config) for face in result.faces]
    assert learned[0] is False
    assert learned[-1] is True
