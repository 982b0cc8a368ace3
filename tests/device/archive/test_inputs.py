import os

import pytest

from fer_edge.device.archive.inputs import find_inputs
from fer_edge.errors import SourceError


def named(inputs, folder):
    return [[os.path.relpath(path, folder) for path in paths] for paths in (inputs.images, inputs.videos)]


def test_a_folder_with_all_that_is_in_it(archive):
    inputs = find_inputs([archive])
    assert named(inputs, archive) == [["a.jpg", "b.png", "damaged.jpg", "empty.png"], ["films/clip.mkv"]]
    assert inputs.others == {".md": 1}


def test_each_file_once_in_the_order_in_which_they_were_named(archive):
    inputs = find_inputs([archive / "empty.png", archive, archive / "a.jpg"])
    assert named(inputs, archive)[0] == ["empty.png", "a.jpg", "b.png", "damaged.jpg"]


def test_a_glob(archive):
    assert named(find_inputs([f"{archive}/**/*.mkv"]), archive) == [[], ["films/clip.mkv"]]


def test_a_list_is_relative_to_itself(archive):
    listed = archive.parent / "list.txt"
    listed.write_text(f"# images\n{archive.name}/a.jpg\n\n{archive}/films\n{archive.name}/gone.jpg\n")
    assert named(find_inputs([listed]), archive) == [["a.jpg", "gone.jpg"], ["films/clip.mkv"]]


def test_a_name_with_brackets_is_not_taken_for_a_glob(archive, tmp_path):
    path = tmp_path / "me [1].jpg"
    path.write_bytes((archive / "a.jpg").read_bytes())
    assert find_inputs([path]).images == (str(path),)


def test_an_address(archive):
    inputs = find_inputs([f"file://{archive}"])
    assert [path.rpartition("/")[2] for path in inputs.images] == ["a.jpg", "b.png", "damaged.jpg", "empty.png"]
    assert all(path.startswith("file://") for path in inputs.images + inputs.videos)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("nothing-here.jpg", "nothing-here.jpg: expected an image, a video, a folder, a glob or a list"),
        ("nothing-*.jpg", "found nothing"),
        ("file:///nothing/here/*.jpg", "expected files, found none"),
        ("gopher-mail://somewhere", "gopher-mail"),
    ],
)
def test_a_name_without_files(path, said):
    with pytest.raises(SourceError, match=said.replace("*", r"\*")):
        find_inputs([path])


def test_nothing_that_could_be_analyzed(tmp_path):
    (tmp_path / "notes.md").write_text("")
    with pytest.raises(SourceError, match=r"found 1 files of other kinds \(\.md\)"):
        find_inputs([tmp_path])
