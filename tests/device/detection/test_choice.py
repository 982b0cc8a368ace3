"""Every command that finds faces, and the page, with the detector that was chosen."""

import json

import pytest
from click.testing import CliRunner

import fer_edge
from fer_edge.cli import main
from fer_edge.device.detection import choice
from fer_edge.device.detection.choice import HAAR, DetectorChoice
from fer_edge.device.detection.face import FaceNetworks
from fer_edge.device.faces import Detection
from fer_edge.device.web.camera import CameraDesk
from fer_edge.device.web.photo import PhotoDesk
from fer_edge.errors import ConfigError
from fer_edge.preprocess import Box
from tests.device.sources.http_camera import jpeg
from tests.device.web.conftest import free_port

POINTS = ((12.0, 13.0), (22.0, 13.0), (17.0, 18.0), (13.0, 22.0), (21.0, 22.0))


class Corner:
    """A detector that sees one face in the corner of every frame."""

    def __init__(self, model):
        assert model.name == "net.onnx"

    def detect(self, frame, regions):
        return [Detection(Box(10, 10, 24, 24), 0.9, POINTS)]


@pytest.fixture
def net(tmp_path, monkeypatch):
    monkeypatch.setattr(choice, "YuNet", Corner)
    path = tmp_path / "net.onnx"
    path.touch()
    return path


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "grey.jpg"
    path.write_bytes(jpeg(120, (64, 48)))
    return path


def test_image(net, photo):
    arguments = ["image", "--model", "nano", "--json", "--detector", "yunet", "--detector-model", str(net), str(photo)]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    ((face,),) = (entry["faces"] for entry in json.loads(done.stdout))
    assert face["box"] == [10, 10, 24, 24]
    assert face["landmarks"] == [list(point) for point in POINTS]


def test_run(net, photo):
    (result,) = fer_edge.run(photo, models="nano", detector="yunet", detector_model=net)
    assert [face.box for face in result.faces] == [Box(10, 10, 24, 24)]


def test_the_photos_of_the_page(net, photo, model_path):
    desk = PhotoDesk([model_path], DetectorChoice("yunet", net))
    (face,) = desk.read(photo.read_bytes())["faces"]
    assert face["box"] == [10, 10, 24, 24]
    desk.close()


def test_a_browsers_camera(net, photo, model_path):
    from fer_edge.device.web.camera import BrowserCamera
    from fer_edge.device.web.decoder import Decoder

    decoder = Decoder(10_000)
    source, lines = BrowserCamera(decoder), []
    source.push(photo.read_bytes())
    source.push(None)
    CameraDesk([model_path], DetectorChoice("yunet", net))._work(source, lines.append)
    decoder.close()
    (line,) = map(json.loads, lines)
    assert [face["box"] for face in line["faces"]] == [[10, 10, 24, 24]]


@pytest.mark.parametrize("command", [["image", "PHOTO"], ["serve"], ["run", "--source", "demo"], ["bench"]])
@pytest.mark.parametrize("options", [["--detector", "yunet"], ["--detector-model", "NET"]])
def test_a_detector_and_its_model_go_together(net, photo, command, options):
    words = [{"PHOTO": str(photo), "NET": str(net)}.get(word, word) for word in [*command, *options]]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 2
    assert "--detector yunet and --detector-model go together" in done.output.replace("`", "")


def test_what_no_detector_is(tmp_path):
    with pytest.raises(ConfigError) as refused:
        DetectorChoice("hog")
    assert refused.value.option == "detector"
    assert HAAR.open() is None


def test_the_page_of_a_run_has_its_detector(net, photo, model_path, monkeypatch):
    from fer_edge.device.web import server

    chosen = []
    make_app = server.make_app
    monkeypatch.setattr(server, "make_app", lambda *arguments: chosen.append(arguments[-1]) or make_app(*arguments))
    with fer_edge.run(photo, models="nano", detector="yunet", detector_model=net, serve=free_port()) as loop:
        list(loop)
    assert chosen == [DetectorChoice("yunet", net)]


def test_the_face_networks_are_part_of_the_package():
    assert isinstance(DetectorChoice("face").open(), FaceNetworks)


def test_a_model_is_for_yunet_alone(tmp_path):
    with pytest.raises(ConfigError, match="go together"):
        DetectorChoice("face", tmp_path / "model.onnx")
