"""Loading ``.keras`` files: damage anywhere is one line."""

import random
import zipfile

import pytest
from click.testing import CliRunner

from fer_edge.cli import main
from fer_edge.errors import ModelFileError
from fer_edge.labels import EXPRESSIONS
from fer_edge.model_file import ModelInfo, write_info
from fer_edge.train.keras_model import load_model
from fer_edge.train.zoo.registry import ZOO


@pytest.fixture(scope="module")
def keras_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "nano.keras"
    ZOO["nano"].build(48, 7, 0.2).save(path)
    write_info(path, ModelInfo("nano", EXPRESSIONS))
    return path


def inverted(data, start, count=8):
    return data[:start] + bytes(byte ^ 0xFF for byte in data[start : start + count]) + data[start + count :]


@pytest.mark.parametrize("member", ["model.weights.h5", "config.json", "fer_edge.json"])
def test_a_damaged_member_is_one_line(keras_file, fer_csv, tmp_path, member):
    with zipfile.ZipFile(keras_file) as archive:
        entry = archive.getinfo(member)
    path = tmp_path / "damaged.keras"
    path.write_bytes(inverted(keras_file.read_bytes(), entry.header_offset + 30 + len(member) + 5))
    result = CliRunner().invoke(main, ["evaluate", str(path), "--data", str(fer_csv)])
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: {path}: ")
    assert result.stderr.count("\n") == 1


def test_weights_that_are_no_hdf5_inside_an_intact_zip(keras_file, tmp_path):
    path = tmp_path / "damaged.keras"
    with zipfile.ZipFile(keras_file) as source, zipfile.ZipFile(path, "w") as target:
        for entry in source.infolist():
            content = source.read(entry)
            if entry.filename == "model.weights.h5":  # HDF5's own tables, which h5py reports as RuntimeError
                content = content.replace(b"HEAP", b"HEAQ").replace(b"TREE", b"TREF")
            target.writestr(entry.filename, content)
    with pytest.raises(ModelFileError, match=r"damaged\.keras: Keras cannot load this model \(.*train it again"):
        load_model(path)


def test_whatever_is_damaged_it_is_loaded_or_refused(keras_file, tmp_path):
    whole = keras_file.read_bytes()
    with zipfile.ZipFile(keras_file) as archive:
        headers = [entry.header_offset for entry in archive.infolist()]
        directory = archive.start_dir
    draw = random.Random(1)
    path = tmp_path / "damaged.keras"
    refused = []
    for number in range(40):
        start = draw.choice(
            (
                draw.randrange(len(whole) - 8),
                draw.choice(headers) + draw.randrange(30),
                draw.randrange(directory, len(whole) - 8),
            )
        )
        count = 1 if number % 2 else 8
        path.write_bytes(inverted(whole, start, count) if number % 10 else whole[:start])
        try:
            load_model(path)
        except ModelFileError as error:
            refused.append(str(error))
    assert len(refused) > 20
    assert not any("\n" in message for message in refused)


@pytest.mark.parametrize("place", ["layers/dense/vars/0", "x"])
def test_weights_that_unpack_to_gigabytes_are_refused_before_keras_reads_them(tmp_path, place):
    """A few hundred bytes of HDF5 can stand for any number of zeros."""
    import h5py

    with h5py.File(tmp_path / "weights.h5", "w") as weights:
        weights.create_dataset(place, shape=(1 << 32,), dtype="f4", chunks=(1 << 20,), compression="gzip")
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("fer_edge.json", ModelInfo("nano", tuple("abcdefg")).to_json())
        archive.writestr("config.json", "{}")
        archive.write(tmp_path / "weights.h5", "model.weights.h5")
    assert path.stat().st_size < 20_000
    with pytest.raises(ModelFileError, match="expected weights of up to 512 MB, found 16384 MB in one array"):
        load_model(path)
