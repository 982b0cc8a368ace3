import threading
import time
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

import fer_edge
from fer_edge.device.faces import Detection, iou
from fer_edge.device.sources.demo import PORTRAIT
from fer_edge.errors import ConfigError, DataError, FerEdgeError, ModelFileError, SourceError
from fer_edge.preprocess import Box


@pytest.fixture(scope="module")
def reader():
    return fer_edge.FaceReader("nano")


def test_a_path_and_its_array_give_the_same(reader, portrait):
    (face,) = reader.read(PORTRAIT)
    assert reader.read(str(PORTRAIT)) == reader.read(portrait) == (face,)
    assert iou(face.box, Box(79, 65, 98, 98)) > 0.7
    assert set(face.scores) == set(reader.labels)


def test_a_grey_image_gives_what_its_grey_in_colour_gives(reader, portrait):
    grey = cv2.cvtColor(portrait, cv2.COLOR_BGR2GRAY)
    assert len(reader.read(grey)) == 1
    assert reader.read(grey) == reader.read(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR))


def test_the_layout_in_memory_does_not_matter_and_nothing_is_written(reader, portrait):
    before = portrait.copy()
    expected = reader.read(portrait)
    for same in (np.asfortranarray(portrait), portrait[:, ::-1].copy()[:, ::-1]):
        same.flags.writeable = False
        assert reader.read(same) == expected
    np.testing.assert_array_equal(portrait, before)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((48, 48), np.float32),
        np.zeros((48, 48, 3), np.int32),
        np.zeros((48, 48, 4), np.uint8),
        np.zeros((48, 48, 1), np.uint8),
        np.zeros((2, 48, 48, 3), np.uint8),
        np.zeros(48, np.uint8),
        np.zeros((0, 48), np.uint8),
        np.zeros((0, 0, 3), np.uint8),
        np.array(None),
        None,
        7,
        [[1, 2], [3, 4]],
        b"photo.jpg",
        object(),
    ],
    ids=lambda image: f"{type(image).__name__} {getattr(image, 'shape', '')}",
)
def test_anything_else_is_refused_in_words(reader, image):
    for read in (reader.read, fer_edge.read_image):
        with pytest.raises(DataError, match="^expected a .*, found "):
            read(image)


def test_a_file_that_is_no_image(reader, tmp_path):
    text = tmp_path / "text.jpg"
    text.write_text("no image")
    for path in (text, tmp_path, tmp_path / "absent.jpg", str(text)):
        with pytest.raises(SourceError, match="expected a photo"):
            reader.read(path)


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (23, 24), (5000, 3)])
def test_tiny_and_narrow_images_have_no_faces(reader, size):
    assert reader.read(np.zeros(size, np.uint8)) == ()


def test_names_paths_and_open_models_are_the_same(model_path, portrait):
    expected = fer_edge.FaceReader("compact").read(portrait)
    for model in (model_path, str(model_path), fer_edge.load_model("compact"), [model_path], ("compact", "compact")):
        assert fer_edge.read_image(portrait, model) == fer_edge.FaceReader(model).read(portrait) == expected


@pytest.mark.parametrize("model", ["no-such", "", "no.tflite", 3, None, b"compact", [], ["compact", 3], object(), {}])
def test_what_is_no_model_is_refused_in_words(model):
    with pytest.raises((ModelFileError, ConfigError), match="expected|neither"):
        fer_edge.FaceReader(model)


@pytest.mark.parametrize("detector", ["haar", 3, object()])
def test_what_is_no_detector_is_refused_in_words(detector):
    with pytest.raises(ConfigError, match="expected a face detector") as refused:
        fer_edge.FaceReader("nano", detector)
    assert refused.value.option == "detector"


def test_a_detector_of_ones_own(portrait):
    class Nowhere:
        def detect(self, frame, regions):
            return []

    assert fer_edge.FaceReader("nano", Nowhere()).read(portrait) == ()


class Alone:
    """A detector and a model that nobody may use while somebody else does."""

    def __init__(self, model):
        self.info, self._using, self.overlaps = model.info, threading.Lock(), 0

    def _use(self, answer):
        alone = self._using.acquire(blocking=False)
        self.overlaps += not alone
        time.sleep(0.002)
        if alone:
            self._using.release()
        return answer

    def detect(self, frame, regions):
        return self._use([Detection(Box(0, 0, 24, 24), 50)])

    def scores(self, crop):
        return self._use(np.full(7, 1 / 7, np.float32))


def test_threads_that_share_a_reader_wait_for_each_other(model):
    alone, black = Alone(model), np.zeros((48, 64), np.uint8)
    reader = fer_edge.FaceReader(alone, alone)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(reader.read, [black] * 40))
    assert [len(faces) for faces in found] == [1] * 40
    assert alone.overlaps == 0


def test_several_threads_get_what_one_gets(reader, portrait):
    expected = reader.read(portrait)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(reader.read, [portrait] * 12)) == [expected] * 12


class TestLoadModel:
    def test_it_predicts(self):
        model = fer_edge.load_model()
        scores = model.predict(np.full((3, 48, 48), 128, np.uint8))
        assert scores.shape == (3, 7)
        assert scores.dtype == np.float32
        assert scores.sum(axis=1) == pytest.approx(1, abs=0.05)
        assert model.predict(np.empty((0, 48, 48), np.uint8)).shape == (0, 7)

    @pytest.mark.parametrize(
        "crops",
        [
            np.zeros((48, 48), np.uint8),
            np.zeros((1, 48, 48, 1), np.uint8),
            np.zeros((1, 64, 64), np.uint8),
            np.zeros((1, 48, 48), np.float32),
            [np.zeros((48, 48), np.uint8)],
            None,
            "crop",
        ],
        ids=lambda crops: f"{type(crops).__name__} {getattr(crops, 'shape', '')}",
    )
    def test_other_crops_are_refused_in_words(self, crops):
        with pytest.raises(DataError, match="expected uint8 crops of Nx48x48, found"):
            fer_edge.load_model("nano").predict(crops)

    @pytest.mark.parametrize(
        ("model", "threads"), [("no-such", 1), (None, 1), (3, 1), ("nano", 0), ("nano", 65), ("nano", "2")]
    )
    def test_wrong_arguments(self, model, threads):
        with pytest.raises(FerEdgeError):
            fer_edge.load_model(model, threads=threads)


def test_a_crowd_in_an_image_is_bounded_and_said(caplog):
    class Crowd:
        def detect(self, frame, regions):
            return [Detection(Box(n % 600, n // 600, 20, 20), 0.9) for n in range(1005)]

    reader = fer_edge.FaceReader("nano", Crowd())
    image = np.zeros((480, 640, 3), np.uint8)
    assert len(reader.read(image)) == 1000
    assert caplog.messages == ["an image of more faces than 1000: 5 of the smaller ones are left out"]
    assert reader.read_foremost(image)[1] == 5
