"""Each format is read as it was written, and damage is one line of error."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fer_edge.errors import DataError
from fer_edge.train.faces.data.formats import read_annotations

whole = st.integers(0, 400)
boxes = st.tuples(whole, whole, st.integers(1, 300), st.integers(1, 300))
content = st.dictionaries(
    st.from_regex(r"[a-z]{1,8}\.png", fullmatch=True), st.lists(st.tuples(boxes, st.booleans()), max_size=4), min_size=1
)
same_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)


def found(data):
    return {
        item.path.name: [
            (tuple(box.round(3).tolist()), bool(certain)) for box, certain in zip(item.boxes, item.certain, strict=True)
        ]
        for item in read_annotations(data)
    }


@given(content)
@same_folder
def test_wider(tmp_path, faces):
    lines = []
    for name, rows in faces.items():
        lines += [name, str(len(rows))]
        lines += [" ".join(map(str, (*box, 0, 0, 0, int(not certain), 0, 0))) for box, certain in rows]
        lines += [] if rows else ["0 0 0 0 0 0 0 0 0 0"]
    (tmp_path / "wider.txt").write_text("\n".join(lines) + "\n")
    assert found(tmp_path / "wider.txt") == faces


@given(content)
@same_folder
def test_coco(tmp_path, faces):
    images = [{"id": index, "file_name": name} for index, name in enumerate(faces)]
    annotations = [
        {"image_id": index, "bbox": box, "iscrowd": int(not certain), "category_id": 1}
        for index, rows in enumerate(faces.values())
        for box, certain in rows
    ]
    (tmp_path / "coco.json").write_text(json.dumps({"images": images, "annotations": annotations}))
    assert found(tmp_path / "coco.json") == faces


@given(content)
@same_folder
def test_voc(tmp_path, faces):
    for old in tmp_path.glob("*.xml"):
        old.unlink()
    for name, rows in faces.items():
        objects = "".join(
            f"<object><name>face</name><difficult>{int(not certain)}</difficult>"
            f"<bndbox><xmin>{x}</xmin><ymin>{y}</ymin><xmax>{x + w}</xmax><ymax>{y + h}</ymax></bndbox></object>"
            for (x, y, w, h), certain in rows
        )
        (tmp_path / name).with_suffix(".xml").write_text(
            f"<annotation><filename>{name}</filename>{objects}</annotation>"
        )
    assert found(tmp_path) == faces


@given(st.lists(boxes, max_size=4))
@same_folder
def test_yolo(tmp_path, rows):
    (tmp_path / "images").mkdir(exist_ok=True)
    (tmp_path / "labels").mkdir(exist_ok=True)
    cv2.imwrite(str(tmp_path / "images/a.png"), np.zeros((80, 120), np.uint8))
    text = [f"0 {(x + w / 2) / 120:.9f} {(y + h / 2) / 80:.9f} {w / 120:.9f} {h / 80:.9f}" for x, y, w, h in rows]
    (tmp_path / "labels/a.txt").write_text("\n".join(text))
    (image,) = read_annotations(tmp_path)
    assert image.boxes == pytest.approx(np.array(rows, float).reshape(-1, 4), abs=1e-3)
    assert image.certain.all()


@given(st.lists(st.tuples(boxes, st.floats(0.75, 1)), max_size=4))
@same_folder
def test_json_lines(tmp_path, rows):
    teacher = [[*box, score, *range(10)] for box, score in rows]
    (tmp_path / "annotations.jsonl").write_text(json.dumps({"file": "set/a.jpg", "teacher": teacher}) + "\n")
    (image,) = read_annotations(tmp_path)
    assert image.path == tmp_path / "set/a.jpg"
    assert image.boxes.tolist() == [list(box) for box, _ in rows]
    assert image.certain.all()
    assert (image.landmarks == np.arange(10).reshape(5, 2)).all()


DAMAGED = {
    "wider.txt": ["a.png\n", "a.png\nmany\n", "a.png\n1\n1 2 3\n", "a.png\n-1\n", "a.png\n2\n1 1 5 5 0 0 0 0 0 0\n"],
    "coco.json": ["{", "[]", '{"images": 3, "annotations": []}', '{"images": [], "annotations": [{}]}'],
    "rows.jsonl": [
        "{",
        "3\n",
        '{"file": 3}',
        '{"file": "a", "boxes": [[1, 2, 3]]}',
        '{"file": "a", "boxes": 7}',
        '{"file": "a", "boxes": [[1, 2, NaN, 4]]}',
        '{"file": "a", "teacher": [[1, 2, 3, 4, 0.9]]}',
    ],
    "a.xml": ["<annotation>", "<annotation></annotation>", "<annotation><filename>a</filename><object/></annotation>"],
}


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in DAMAGED.items() for text in texts])
def test_damage_is_one_line(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(DataError, match=f"^[^\n]*{name}[^\n]*expected[^\n]*$"):
        read_annotations(tmp_path if name.endswith(".xml") else path)


@pytest.mark.parametrize("name", ["", "nothing.txt", "rows.csv"])
def test_what_is_no_data_set_is_refused(tmp_path, name):
    (tmp_path / "rows.csv").write_text("x")
    with pytest.raises(DataError, match="expected"):
        read_annotations(tmp_path / name)


def test_a_file_without_images_is_refused(tmp_path):
    (tmp_path / "empty.txt").write_text("\n")
    with pytest.raises(DataError, match="found none"):
        read_annotations(tmp_path / "empty.txt")


@pytest.mark.parametrize("line", ["0 0.5 0.5 0.1", "0 a 0.5 0.1 0.1", "0 nan 0.5 0.1 0.1", "0 0.5 0.5 1e30 1"])
def test_damaged_yolo(tmp_path, line):
    (tmp_path / "images").mkdir()
    (tmp_path / "labels").mkdir()
    cv2.imwrite(str(tmp_path / "images/a.png"), np.zeros((80, 120), np.uint8))
    (tmp_path / "labels/a.txt").write_text(line)
    with pytest.raises(DataError, match=r"a\.txt: expected"):
        read_annotations(tmp_path)


def test_yolo_needs_the_image_to_know_pixels(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "labels").mkdir()
    (tmp_path / "images/a.png").write_bytes(b"no image")
    (tmp_path / "labels/a.txt").write_text("0 0.5 0.5 0.1 0.1")
    with pytest.raises(DataError, match=r"a\.png: expected an image"):
        read_annotations(tmp_path)


def test_images_lie_in_their_own_folder(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "wider.txt").write_text("0--Parade/a.png\n0\n0 0 0 0 0 0 0 0 0 0\n")
    (image,) = read_annotations(tmp_path / "wider.txt")
    assert image.path == Path(tmp_path / "images/0--Parade/a.png")
