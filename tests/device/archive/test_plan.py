import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_edge.device.archive.inputs import Inputs
from fer_edge.device.archive.plan import DONE, PLAN, Manifest
from fer_edge.device.archive.store import Store
from fer_edge.device.archive.tables import FACES, FILES, Rows, read_parts, write_part
from fer_edge.errors import OutputError
from tests.device.making import LABELS, face

SETTINGS = {"every": 0, "models": ["compact"]}


class Killed(BaseException):
    """The process ends here."""


class Mortal(Store):
    """A store whose process is killed at one of its writes: before it, or when the file is there."""

    def __init__(self, place, left, is_late):
        super().__init__(place)
        self.left, self.is_late = left, is_late

    def write(self, file, data):
        self.left -= 1
        if self.left < 0 and not self.is_late:
            raise Killed
        super().write(file, data)
        if self.left < 0:
            raise Killed


def inputs(images, videos=0):
    return Inputs(tuple(f"i{at}.jpg" for at in range(images)), tuple(f"v{at}.mp4" for at in range(videos)), {})


def work(store, part):
    rows = Rows()
    for file in part.files:
        for at in range(len(file) % 3):
            rows.add_faces(file, at, at / 10, [face()], tracked=part.kind == "video")
        rows.add_file(file, part.kind, "read", frames=1)
    write_part(store, part, rows, LABELS)


def analyze(store, found):
    manifest = Manifest(store, SETTINGS)
    manifest.extend(found)
    for part in manifest.open_parts:
        work(store, part)


def rows_of(place, folder):
    store = Store(place)
    return [row for table in read_parts(store, Manifest(store, SETTINGS), folder) for row in table.to_pylist()]


@settings(max_examples=30, deadline=None)
@given(
    kills=st.lists(st.tuples(st.integers(0, 9), st.booleans()), max_size=10),
    images=st.integers(1, 200),
    videos=st.integers(0, 3),
    late=st.integers(0, 70),
)
def test_kills_neither_lose_nor_double_a_row(tmp_path_factory, kills, images, videos, late):
    """Wherever it was killed, and though images came in the meantime."""
    place, straight = (str(tmp_path_factory.mktemp(name)) for name in ("killed", "straight"))
    for left, is_late in kills:
        try:
            analyze(Mortal(place, left, is_late), inputs(images, videos))
        except Killed:
            continue
    analyze(Store(place), inputs(images, videos))
    analyze(Store(place), inputs(images + late, videos))
    analyze(Store(straight), inputs(images + late, videos))
    for folder in (FACES, FILES):
        found, wanted = (sorted(map(repr, rows_of(at, folder))) for at in (place, straight))
        assert found == wanted
    assert len({row["file"] for row in rows_of(place, FILES)}) == images + late + videos


def test_rows_without_a_record_do_not_count(tmp_path):
    store = Store(str(tmp_path))
    analyze(store, inputs(3))
    (tmp_path / DONE / "000000.json").unlink()
    assert rows_of(str(tmp_path), FILES) == []
    assert [part.name for part in Manifest(store, SETTINGS).open_parts] == ["000000"]


def test_other_settings_are_refused_by_name(tmp_path):
    analyze(Store(str(tmp_path)), inputs(1))
    with pytest.raises(OutputError, match=r"every was 0, is 2"):
        Manifest(Store(str(tmp_path)), SETTINGS | {"every": 2})


def test_a_folder_with_something_else_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(OutputError, match=r"found thesis\.tex; choose another --out"):
        Manifest(Store(str(tmp_path)), SETTINGS)


@pytest.mark.parametrize(
    "text", ["", "{}", "[1]\n", '{"schema": "fer-edge-analysis/1", "settings": {}}\n{"name": 1}\n']
)
def test_a_damaged_plan(tmp_path, text):
    (tmp_path / PLAN).write_text(text)
    with pytest.raises(OutputError, match="damaged"):
        Manifest(Store(str(tmp_path)), {})


def test_a_missing_table_is_named(tmp_path):
    analyze(Store(str(tmp_path)), inputs(1))
    (tmp_path / FACES / "000000.parquet").unlink()
    with pytest.raises(OutputError, match=r"faces/000000\.parquet.*delete done/000000\.json"):
        rows_of(str(tmp_path), FACES)


@pytest.mark.parametrize(
    "record", ["", "{", "{}", "[]", '{"files": 1, "unreadable": 0, "faces": "many", "frames": 1}', "\udcff"]
)
def test_a_damaged_record_leaves_its_part_open(tmp_path, record):
    store = Store(str(tmp_path))
    analyze(store, inputs(1))
    (tmp_path / DONE / "000000.json").write_text(record, errors="surrogateescape")
    assert [part.name for part in Manifest(store, SETTINGS).open_parts] == ["000000"]
