"""The model file: what it carries, how it survives, and what it refuses."""

import functools
import json
import tracemalloc
import unicodedata
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_edge.errors import ModelFileError
from fer_edge.labels import EXPRESSIONS
from fer_edge.model_file import ModelInfo, check_tflite, file_hash, flatbuffer, read_info, write_info

BODY = b"\x1c\0\0\0TFL3" + bytes(range(256)) * 4


@pytest.fixture
def tflite(tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(BODY)
    return path


def test_info_survives_and_leaves_the_flatbuffer_alone(tflite):
    info = ModelInfo("compact", EXPRESSIONS, training={"seed": 3}, accuracy={"PublicTest": {"top1": 0.5}})
    write_info(tflite, info)
    assert read_info(tflite) == info
    assert tflite.read_bytes().startswith(BODY)
    assert flatbuffer(tflite.read_bytes()) == BODY


def test_any_unzip_opens_it(tflite):
    write_info(tflite, ModelInfo("compact", EXPRESSIONS))
    with zipfile.ZipFile(tflite) as archive:
        assert archive.testzip() is None
        assert archive.read("labels.txt").decode().split() == list(EXPRESSIONS)


@given(position=st.integers(8, len(BODY) - 1), change=st.integers(1, 255))
def test_no_changed_weight_goes_unnoticed(tmp_path_factory, position, change):
    path = tmp_path_factory.mktemp("damaged") / "model.tflite"
    path.write_bytes(BODY)
    write_info(path, ModelInfo("compact", EXPRESSIONS))
    check_tflite(path)
    damaged = bytearray(path.read_bytes())
    damaged[position] ^= change
    path.write_bytes(damaged)
    assert read_info(path).name == "compact"
    with pytest.raises(ModelFileError, match="the file is damaged; copy it here again"):
        check_tflite(path)


def test_a_file_without_a_checksum_is_refused(tflite):
    with zipfile.ZipFile(tflite, "a") as archive:
        archive.writestr("fer_edge.json", ModelInfo("compact", EXPRESSIONS).to_json())
    with pytest.raises(ModelFileError, match="expected the checksum of its weights, found none that can be read"):
        check_tflite(tflite)


def test_a_file_of_another_tool_is_called_that(tflite):
    with pytest.raises(ModelFileError, match="expected a model with fer-edge's labels"):
        check_tflite(tflite)


@functools.cache
def packed_zeros():
    """Return what unpacks to 200 MB of zeros."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    return b"".join(compressor.compress(bytes(1 << 20)) for _ in range(200)) + compressor.flush()


def stretch(path, name, stated):
    """Put a member behind a model that unpacks to 200 MB of zeros and says that it is `stated` bytes."""
    with zipfile.ZipFile(path, "a") as archive:
        entry = zipfile.ZipInfo(name)
        archive.writestr(entry, packed_zeros())
        entry.compress_type, entry.file_size = zipfile.ZIP_DEFLATED, stated
    data = bytearray(path.read_bytes())
    local = data.rindex(b"PK\x03\x04")
    data[local + 8 : local + 10] = b"\x08\0"
    path.write_bytes(data)


@pytest.mark.parametrize("stated", [200 << 20, 1000], ids=["it says so", "it says less"])
@pytest.mark.parametrize("name", ["fer_edge.json", "flatbuffer.sha256", "labels.txt"])
def test_a_member_that_unpacks_to_much_more_is_refused_before(tflite, name, stated):
    with zipfile.ZipFile(tflite, "a") as archive:
        if name != "fer_edge.json":
            archive.writestr("fer_edge.json", ModelInfo("compact", EXPRESSIONS).to_json())
    stretch(tflite, name, stated)
    tracemalloc.start()
    try:
        with pytest.raises(ModelFileError):
            check_tflite(tflite)
        assert tracemalloc.get_traced_memory()[1] < 80 << 20
    finally:
        tracemalloc.stop()


def test_a_keras_file_that_unpacks_to_much_more_is_refused_before_keras_reads_it(tmp_path):
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("fer_edge.json", ModelInfo("compact", EXPRESSIONS).to_json())
    stretch(path, "config.json", 200 << 20)
    with pytest.raises(ModelFileError, match="config.json unpacks to more than 16 MB"):
        read_info(path)


def test_a_file_as_large_as_a_disk_is_no_model(tmp_path):
    path = tmp_path / "model.tflite"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(ModelFileError, match="expected a model of up to 512 MB, found 1048576 MB"):
        check_tflite(path)


def test_writing_again_replaces_and_the_same_info_gives_the_same_bytes(tflite):
    write_info(tflite, ModelInfo("first", EXPRESSIONS, training={"long": "x" * 1000}))
    write_info(tflite, ModelInfo("second", EXPRESSIONS))
    once = file_hash(tflite)
    write_info(tflite, ModelInfo("second", EXPRESSIONS))
    assert read_info(tflite).name == "second"
    assert file_hash(tflite) == once
    assert [p.name for p in tflite.parent.iterdir()] == ["model.tflite"]


def test_a_keras_archive_keeps_its_members(tmp_path):
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", "{}")
        archive.writestr("model.weights.h5", b"weights")
    write_info(path, ModelInfo("compact", ("a", "b")))
    write_info(path, ModelInfo("compact", ("c", "d")))
    with zipfile.ZipFile(path) as archive:
        assert archive.read("model.weights.h5") == b"weights"
        assert sorted(archive.namelist()) == ["config.json", "fer_edge.json", "labels.txt", "model.weights.h5"]
    assert read_info(path).labels == ("c", "d")


def test_a_model_without_info_is_refused(tflite):
    with pytest.raises(ModelFileError, match=r"model\.tflite: expected a model with fer-edge's labels.*convert --int8"):
        read_info(tflite)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ModelFileError, match="cannot be read"):
        read_info(tmp_path / "none.tflite")


def test_a_newer_format_is_refused(tflite):
    write_info(tflite, ModelInfo("compact", EXPRESSIONS, format=99))
    with pytest.raises(ModelFileError, match="format 99.*update fer-edge"):
        read_info(tflite)


WHOLE = {"format": 1, "name": "x", "labels": ["a", "b"]}


@pytest.mark.parametrize("content", ["[]", '{"format": 1}', '{"format": 1, "name": "x", "labels": []}', "not json"])
def test_damaged_info_is_refused(tflite, content):
    with zipfile.ZipFile(tflite, "a") as archive:
        archive.writestr("fer_edge.json", content)
    with pytest.raises(ModelFileError, match="metadata cannot be read"):
        read_info(tflite)


def test_text_named_tflite_is_refused(tmp_path):
    path = tmp_path / "notes.tflite"
    path.write_text("these are my notes")
    with pytest.raises(ModelFileError, match="expected a TFLite model, found a file of 18 bytes"):
        check_tflite(path)


def test_a_file_that_does_not_say_its_contrast_has_none(tflite):
    with zipfile.ZipFile(tflite, "a") as archive:
        archive.writestr("fer_edge.json", '{"format": 1, "name": "old", "labels": ["a", "b"]}')
    assert read_info(tflite).contrast == "none"
    assert read_info(tflite).framing == "box"


def test_a_framing_is_kept_and_an_unknown_one_refused(tflite):
    write_info(tflite, ModelInfo("compact", EXPRESSIONS, framing="eyes"))
    assert read_info(tflite).framing == "eyes"
    write_info(tflite, ModelInfo("compact", EXPRESSIONS, framing="ears"))
    with pytest.raises(ModelFileError, match="framing 'ears' is none of box, eyes"):
        read_info(tflite)


def test_a_contrast_unknown_here_is_refused(tflite):
    write_info(tflite, ModelInfo("compact", EXPRESSIONS, contrast="gamma"))
    with pytest.raises(ModelFileError, match="contrast 'gamma' is none of none, equalize, clahe"):
        read_info(tflite)


def test_a_stream_that_cannot_be_inflated_is_refused(tflite):
    write_info(tflite, ModelInfo("compact", EXPRESSIONS, training={"long": list(range(200))}))
    data = bytearray(tflite.read_bytes())
    start = data.index(b"fer_edge.json") + len("fer_edge.json")
    data[start : start + 8] = bytes(byte ^ 0xFF for byte in data[start : start + 8])
    tflite.write_bytes(data)
    with pytest.raises(ModelFileError, match=r"model\.tflite: expected a model with fer-edge's labels"):
        read_info(tflite)


def test_whatever_byte_is_damaged_it_is_read_or_refused(tflite):
    write_info(tflite, ModelInfo("compact", EXPRESSIONS))
    whole = tflite.read_bytes()
    refused = []
    for place in range(len(BODY), len(whole)):
        # Among them flags, methods and versions that zipfile does not know, and offsets before the file.
        for flip in (0x01, 0x06, 0x40, 0xFF):
            data = bytearray(whole)
            data[place] ^= flip
            flatbuffer(bytes(data))
            tflite.write_bytes(data)
            try:
                read_info(tflite)
            except ModelFileError as error:
                refused.append(str(error))
    assert len(refused) > 200
    assert not any("\n" in message for message in refused)


@pytest.mark.parametrize(
    "fields",
    [
        {"labels": "abcdefg"},
        {"labels": ["a"] * 7},
        {"labels": ["a", 1]},
        {"labels": {"a": 1}},
        {"input_size": 48.0},
        {"input_size": True},
        {"input_size": "48"},
        {"name": None},
        {"contrast": ["none"]},
        {"training": {"recipe": "x"}},
        {"training": {"data": ["x"]}},
        {"training": {"calibration": 1}},
        {"framing": ["box"]},
        *({field: wrong} for field in ("training", "conversion", "accuracy") for wrong in (None, [], "x", 3)),
    ],
    ids=str,
)
def test_info_of_another_type_is_refused(tflite, fields):
    with zipfile.ZipFile(tflite, "a") as archive:
        archive.writestr("fer_edge.json", json.dumps(WHOLE | fields))
    with pytest.raises(ModelFileError, match="metadata cannot be read.*convert the model again") as refused:
        read_info(tflite)
    assert next(iter(fields)) in str(refused.value)


def test_info_nested_without_end_is_refused(tflite):
    with zipfile.ZipFile(tflite, "a") as archive:
        archive.writestr("fer_edge.json", "[" * 100_000)
    with pytest.raises(ModelFileError, match="metadata cannot be read"):
        read_info(tflite)


@pytest.mark.parametrize("label", ["fröhlich", "가"])
def test_labels_have_one_unicode_form(label):
    decomposed = unicodedata.normalize("NFD", label)
    info = ModelInfo.from_json(ModelInfo("x", (decomposed, "b")).to_json(), "x")
    assert info.labels == (unicodedata.normalize("NFC", label), "b")
    with pytest.raises(ModelFileError, match="labels names one class twice"):
        ModelInfo.from_json(ModelInfo("x", (decomposed, label)).to_json(), "x")


def test_labels_and_names_hold_nothing_that_a_terminal_obeys():
    info = ModelInfo.from_json(ModelInfo("\x1b[2Jx", ("k\nl", "\x1b]0;x\x07")).to_json(), "x")
    assert info.labels == (r"k\nl", r"\x1b]0;x\x07")
    assert info.name == r"\x1b[2Jx"
