"""What the figures of benchmarks/wild rest on: crops, recalls, clips, and the page that shows the kept result."""

import importlib
import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_edge.device.detection.choice import DetectorChoice
from fer_edge.errors import DataError, ModelFileError
from fer_edge.labels import EXPRESSIONS
from fer_edge.preprocess import Box
from fer_edge.shipped import shipped_models

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "benchmarks" / "wild"


@pytest.fixture
def load(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    names = ("clips", "figures", "models", "page", "peers", "sets", "smoothing", "run")
    for name in names:
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield importlib.import_module
    for name in names:
        sys.modules.pop(name, None)


def one_hot(*classes):
    return np.eye(len(EXPRESSIONS), dtype=np.float32)[list(classes)]


def test_the_mean_recall_leaves_out_classes_of_few_faces(load):
    figures = load("figures")
    labels = np.array([0] * 10 + [6] * 20 + [1] * 9)
    said = one_hot(*[0] * 5, *[6] * 5, *[6] * 20, *[0] * 9)
    found = figures.figures(said, labels)
    assert found["recalls"] == {"angry": 0.5, "neutral": 1.0}
    assert found["mean_recall"] == 0.75
    assert found["mean_recall_se"] == round((0.25 / 10) ** 0.5 / 2, 4)
    assert found["top1"] == round(25 / 39, 4)
    assert found["neutral_recall"] == 1.0
    assert found["called_neutral"] == round(25 / 39, 4)
    assert found["calibration_error"] == pytest.approx(14 / 39, abs=1e-4)
    without = figures.figures(one_hot(*[0] * 10), np.zeros(10, np.int64))
    assert without["neutral_recall"] is None
    assert figures.headline({"a": found, "b": without}) == 0.875


def test_reliability_says_how_often_a_model_is_right_where_it_is_so_sure(load, tmp_path):
    scores = np.full((4, 7), 0.05, np.float32)
    scores[:2, 3], scores[2:, 6] = 0.7, (0.42, 0.48)
    found = load("figures").reliability(scores, np.array([3, 0, 6, 6]))
    assert found == [(0.45, 1.0, 2), (0.7, 0.5, 2)]
    bins = {"reliability": [(0.45, 1.0, 20), (0.7, 0.5, 20), (0.9, 0.0, 2)]}
    load("run").plot_reliability({"CK+": bins}, tmp_path / "plot.png")
    assert cv2.imread(str(tmp_path / "plot.png")) is not None


def test_of_a_model_of_eight_classes_the_seven_are_taken(load):
    scores = np.array([[0.1, 0.1, 0.0, 0.1, 0.1, 0.0, 0.1, 0.5]], np.float32)
    seven = load("figures").over_expressions(scores, (*EXPRESSIONS, "contempt"))
    assert np.allclose(seven, [[0.2, 0.2, 0, 0.2, 0.2, 0, 0.2]])


RANGES = [(0, 9, ["neutral"]), (10, None, ["happy", "surprise"])]


def shown(*labels):
    return [(frame, frame / 10, {} if label is None else {1: label}) for frame, label in enumerate(labels)]


@pytest.mark.parametrize(
    ("labels", "plausible", "changes", "false"),
    [
        (["neutral"] * 10 + ["happy"] * 10, 20, 1, 0),  # the change that the viewer saw
        (["neutral"] * 12 + ["happy"] * 8, 18, 1, 0),  # late
        (["neutral"] * 8 + ["happy"] * 12, 18, 1, 1),  # early
        (["neutral"] * 10 + ["happy"] * 5 + ["surprise"] * 5, 20, 2, 1),  # a flicker of a label that would do
        (["neutral"] * 10 + ["happy"] * 3 + ["sad"] * 7, 13, 2, 2),  # that flicker, and a label that will not do
        (["sad"] * 2 + ["neutral"] * 8 + ["sad"] * 10, 8, 2, 2),
        (["neutral", "sad"] * 5 + ["happy"] * 10, 15, 10, 9),
    ],
)
def test_a_change_is_false_if_its_label_will_not_do_or_does_not_last(load, labels, plausible, changes, false):
    clips = load("clips")
    found = clips.judge(shown(*labels), RANGES)
    assert (found["faces"], found["plausible"]) == (20, plausible)
    assert (found["changes"], found["false_changes"]) == (changes, false)
    assert found["seconds"] == 1.9
    rates = clips.rates(found)
    assert rates["false_changes_per_minute"] == round(false / 1.9 * 60, 2)


def test_frames_without_a_face_and_clips_without_one(load):
    clips = load("clips")
    found = clips.judge(shown("neutral", None, "neutral"), RANGES)
    assert (found["faces"], found["changes"]) == (2, 0)
    assert clips.rates(clips.judge(shown(None, None), RANGES))["plausible"] is None


def test_plausible_lists_that_do_not_fit(load, tmp_path):
    clips = load("clips")
    with pytest.raises(DataError, match=r"plausible\.json: expected the labels that a viewer would accept"):
        clips.read_plausible(tmp_path)
    (tmp_path / "plausible.json").write_text(json.dumps({"about": "text", "a.mp4": RANGES}))
    with pytest.raises(DataError, match="expected clips of this list"):
        clips.read_plausible(tmp_path)
    (tmp_path / "a.mp4").touch()
    assert list(clips.read_plausible(tmp_path)) == ["a.mp4"]


def stream(*spans, rate=10):
    """Frames of one face that shows a class of three for some seconds after the other."""
    classes = [label for label, seconds in spans for _ in range(round(seconds * rate))]
    scores = 0.1 + 0.7 * np.eye(3, dtype=np.float32)
    return [(i, i / rate, {1: scores[label]}) for i, label in enumerate(classes)]


LABELS = ("neutral", "happy", "sad")
USED = (0.25, 0.15, 0.5)


def test_true_changes_are_those_that_last(load):
    frames = stream((0, 3), (1, 0.4), (0, 3), (1, 2), (2, 2))
    times = np.array([time for _, time, _ in frames])
    found = load("smoothing").true_changes(times, np.stack([faces[1] for _, _, faces in frames]))
    assert [label for _, _, label in found] == [1, 2]
    assert [start for start, _, _ in found] == pytest.approx([6.4, 8.4], abs=0.11)
    assert found[0][1] == found[1][0]


def test_longer_smoothing_is_later_and_calmer_and_leaves_the_device_as_it_is(load):
    module = load("smoothing")
    kept = module.smoothing.SMOOTHING_S
    frames = stream((0, 3), (1, 0.4), (0, 3), (1, 3))
    ranges = {"a": [(0, None, ["neutral", "happy"])]}
    quick, slow = (module.figures({"a": frames}, ranges, LABELS, (seconds, 0.15, 0.5)) for seconds in (0.1, 1.0))
    assert quick["true_changes"] == slow["true_changes"] == 1
    assert quick["delay_s"] < slow["delay_s"] < 1
    assert quick["false_changes_per_minute"] > slow["false_changes_per_minute"] == 0
    assert kept == module.smoothing.SMOOTHING_S


def test_what_never_shows_is_late_by_all_its_time(load):
    module = load("smoothing")
    frames = stream((0, 3), (1, 2))
    never = [(i, time, {1: "neutral"}) for i, time, _ in frames]
    (late,) = module.delays(frames, never, LABELS)
    assert late == pytest.approx(1.9, abs=0.11)
    at_once = [(i, time, {1: LABELS[int(faces[1].argmax())]}) for i, time, faces in frames]
    assert module.delays(frames, at_once, LABELS) == [0.0]


def test_the_plot_marks_the_setting_in_use(load, tmp_path):
    module = load("smoothing")
    rows = [module.figures({"a": stream((0, 2), (1, 2))}, {"a": RANGES}, LABELS, USED)]
    module.plot(rows, USED, tmp_path / "plot.png")
    assert cv2.imread(str(tmp_path / "plot.png")) is not None


@pytest.fixture
def photos(tmp_path):
    """Two pictures without a face and a portrait, in two sets."""
    for name, value in (("web/a.png", 10), ("aligned/b.png", 20)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        picture = np.zeros((100, 120, 3), np.uint8)
        picture[10:90, 20:100] = value
        assert cv2.imwrite(str(tmp_path / name), picture)
    portrait = cv2.imread(str(ROOT / "device" / "portrait.jpg"))
    assert cv2.imwrite(str(tmp_path / "web/portrait.png"), portrait)
    lines = ["file,label,set", "web/a.png,Anger,web", "web/portrait.png,happy,web", "aligned/b.png,neutral,aligned"]
    (tmp_path / "labels.csv").write_text("\n".join(lines) + "\n")
    return tmp_path


def test_photos_are_cut_where_the_detector_finds_a_face_else_in_the_middle(load, photos):
    web, aligned = load("sets").read_photos(photos)
    assert (web.name, aligned.name) == ("web", "aligned")
    assert [EXPRESSIONS[label] for label in web.labels] == ["angry", "happy"]
    assert (web.found, aligned.found) == (1, None)
    assert [crop.shape for crop in web.crops[:1]] == [(70, 70)]
    assert (web.crops[0] == 10).all()
    assert aligned.crops[0].shape == (86, 86)
    face = web.crops[1]
    assert face.shape[0] == face.shape[1] < cv2.imread(str(photos / "web/portrait.png")).shape[0]


def test_photos_are_cut_by_the_boxes_of_the_detector_that_is_asked_for(load, photos):
    sets = load("sets")
    (cascade, _), (networks, aligned) = sets.read_photos(photos), sets.read_photos(photos, DetectorChoice("face"))
    assert (networks.found, aligned.found) == (1, None)
    sides = [faces.crops[1].shape[0] for faces in (cascade, networks)]
    assert sides[0] != sides[1]
    assert max(sides) < 1.5 * min(sides)


def test_a_box_is_cut_as_on_the_device(load):
    grey = np.arange(60 * 80, dtype=np.uint32).reshape(60, 80).astype(np.uint8)
    crop = load("sets").crop_of(grey, Box(70, 10, 20, 10), 0.7)
    assert np.array_equal(crop, grey[5:25, 60:80])  # square around the box, moved inside


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,label\n", "expected the columns file, label, set, missing set"),
        ("file,label,set\nweb/a.png,bored,web\n", "line 2: expected one of angry"),
        ("file,label,set\nweb/no.png,happy,web\n", "expected a picture, found none"),
    ],
)
def test_lists_of_photos_that_do_not_fit(load, photos, text, message):
    (photos / "labels.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        load("sets").read_photos(photos)
    (photos / "labels.csv").unlink()
    with pytest.raises(DataError, match="expected a list of labelled pictures"):
        load("sets").read_photos(photos)


def test_files_are_averaged_and_others_refused(load, tmp_path):
    models = load("models")
    crops = [np.random.default_rng(i).integers(0, 255, (60, 60), dtype=np.uint8) for i in range(3)]
    pair = models.open_judged("nano+compact-ferplus")
    assert pair.name == "nano+compact-ferplus"
    assert len(pair.files) == 2
    alone = [models.open_judged(name).scores(crops) for name in ("nano", "compact-ferplus")]
    assert alone[1].shape == (3, 7)
    assert np.allclose(pair.scores(crops), np.mean(alone, axis=0), atol=1e-6)
    with pytest.raises(ModelFileError, match="expected a shipped model"):
        models.open_judged("nobody")


def test_files_that_are_no_peers(load, tmp_path):
    peers = load("peers")
    with pytest.raises(ModelFileError, match=r"expected an input of \[1, 64, 64, 1\], found \[1, 48, 48, 1\]"):
        peers.open_peer("fer", shipped_models()["nano"])
    (tmp_path / "text.tflite").write_text("text")
    for name in ("fer", "facex"):
        with pytest.raises(ModelFileError, match=rf"expected the \.tflite file of the package {name}"):
            peers.open_peer(name, tmp_path / "text.tflite")
        with pytest.raises(ModelFileError, match="No such file"):
            peers.open_peer(name, tmp_path / "none.tflite")
    for text in ("text", "[]", '[{"paths": ["w.bin"], "weights": []}]'):
        (tmp_path / "manifest.json").write_text(text)
        with pytest.raises(ModelFileError, match="expected face-api's manifest and weights"):
            peers.open_peer("face-api", tmp_path / "manifest.json")


def test_weights_of_face_api_become_floats(load, tmp_path):
    entries = [
        {"name": "a", "shape": [2, 1], "dtype": "float32", "quantization": {"dtype": "uint8", "scale": 0.5, "min": -1}},
        {"name": "b", "shape": [2], "dtype": "float32"},
    ]
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps([{"paths": ["w.bin"], "weights": entries}]))
    (tmp_path / "w.bin").write_bytes(bytes([0, 6]) + np.array([1.5, -2], "<f4").tobytes())
    source, weights = load("peers").read_face_api(path)
    assert source == tmp_path / "w.bin"
    assert weights["a"].tolist() == [[-1.0], [2.0]]
    assert weights["b"].tolist() == [1.5, -2.0]


def face_api_weights(channels=2):
    """Weights of the shape of face-api's, with few channels, that give every map of a block its input's first map."""
    weights = {}
    for block in range(4):
        for number in range(4):
            name = f"dense{block}/conv{number}"
            before = 3 if block == number == 0 else channels
            middle, first = np.zeros((3, 3, before, 1), np.float32), np.zeros((1, 1, before, channels), np.float32)
            middle[1, 1], first[0, 0, 0] = 1, 0.1
            if block == number == 0:
                weights[f"{name}/filters"] = middle * first
            else:
                weights |= {f"{name}/depthwise_filter": middle, f"{name}/pointwise_filter": first}
            weights[f"{name}/bias"] = np.zeros(channels, np.float32)
    return {
        **weights,
        "fc/weights": np.eye(channels, 7, dtype=np.float32),
        "fc/bias": np.log(np.arange(1, 8, dtype=np.float32)),
    }


def test_the_network_of_face_api_adds_up_the_layers_of_a_block(load):
    peers = load("peers")
    network = peers.face_api_network(face_api_weights())
    constant = np.full((1, 112, 112, 3), 4.0, np.float32)
    value = 4.0
    for _ in range(4):
        first = total = max(0.1 * value, 0)
        for _ in range(3):
            total += 0.1 * max(total, 0)
        value = max(total, 0)
        assert value > first
    powers = np.arange(1, 8) * np.exp([value, value, 0, 0, 0, 0, 0])
    assert np.allclose(np.asarray(network(constant))[0], powers / powers.sum(), atol=1e-5)
    incomplete = face_api_weights()
    del incomplete["dense2/conv1/bias"]
    with pytest.raises(ModelFileError, match="expected the weights of face-api's expression network"):
        peers.face_api_network(incomplete)


def test_the_page_shows_the_kept_result(load):
    run = load("run")
    page = run.PAGE.read_text()
    assert run.with_tables(page, run.kept_results()) == page


def test_the_kept_result_is_of_the_shipped_files(load):
    for result in load("run").kept_results().values():
        for name, path in shipped_models().items():
            (file,) = result["models"][name]["files"]
            assert file["bytes"] == path.stat().st_size
            assert list(load("models").open_judged(name).files) == [file["sha256"]]


def test_the_command_says_what_it_lacks():
    result = subprocess.run([sys.executable, FOLDER / "run.py"], capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert "give --fer2013, --ferplus, --ckplus and --photos, or --table" in result.stderr


@pytest.mark.parametrize(
    ("option", "message"),
    [(["--peer", "nobody=x"], "one of fer, face-api, facex"), (["--data", "x"], "--data takes NAME=DATA")],
)
def test_the_command_refuses_names_that_it_does_not_know(option, message):
    given = [part for name in ("--fer2013", "--ferplus", "--ckplus", "--photos") for part in (name, "x")]
    command = [sys.executable, FOLDER / "run.py", *given, *option]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert message in result.stderr
