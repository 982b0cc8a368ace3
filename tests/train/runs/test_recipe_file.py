"""Recipe files: what they may hold, and errors that name the line."""

import pytest

from fer_edge.errors import ConfigError, DataError
from fer_edge.train.runs.recipe_file import find_recipe, read_recipe, shipped_recipes


@pytest.fixture
def write(tmp_path):
    def write(text, name="own"):
        path = tmp_path / f"{name}.yaml"
        path.write_text(text)
        return path

    return write


def test_a_file_of_ones_own_on_a_shipped_one(write):
    file = read_recipe(
        write("base: compact-fer2013\nepochs: 120\nlearning_rate: 5e-3\nflip: false\nneeds: {teachers: [large]}\n")
    )
    assert (file.settings["epochs"], file.settings["learning_rate"], file.settings["flip"]) == (120, 5e-3, False)
    assert file.settings["smaller"] == 0.2  # of compact-fer2013
    assert file.settings["symmetric"] is True  # of compact-start, which that is based on
    assert [path.stem for path in file.needs.teachers] == ["large"]
    assert file.needs.start is None  # needs stands for all of the base's


def test_recipes_beside_the_file_come_first(write):
    beside = write("epochs: 1\n", "teacher")
    assert read_recipe(write("needs: {start: teacher}\n")).needs.start == beside
    (beside.parent / "deeper").mkdir()
    further = write("epochs: 2\n", "deeper/other")
    assert read_recipe(write("base: deeper/other.yaml\n")).settings == {"epochs": 2}
    assert read_recipe(write("needs: {temperature: deeper/other.yaml}\n")).needs.temperature == further


def test_a_network_is_found_from_the_file(write, tmp_path):
    (tmp_path / "network.yaml").write_text("convolutions:\n  - {filters: 8}\n")
    assert read_recipe(write("model: network.yaml\n")).settings["model"] == str(tmp_path / "network.yaml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model: nano\nepocs: 3\n", "line 2: expected a setting of a recipe, found 'epocs'; did you mean 'epochs'?"),
        ("\n\nlearning-rate: 1e-3\n", "line 3: .*did you mean 'learning_rate'?"),
        ("epochs: 3\nepochs: 4\n", "line 2: expected 'epochs' once"),
        ("epochs: three\n", "line 1: `epochs`: expected a whole number of 1 or more, found 'three'"),
        ("epochs: 0\n", "line 1: `epochs`: expected a whole number of 1 or more, found '0'"),
        ("epochs: [3]\n", "line 1: expected one value for 'epochs', found a sequence"),
        ("flip: yes\n", "line 1: `flip`: expected true or false, found 'yes'"),
        ("dropout: .nan\n", "line 1: `dropout`: expected a number from 0 to below 1"),
        ("optimizer: lion\n", "line 1: `optimizer`: expected one of adamw, adam, sgd, muon, found 'lion'"),
        ("epochs: 9\nschedule: plateau\nholdout: 0\n", "line 2: `schedule` plateau follows the held-out accuracy"),
        ("- epochs\n", "line 1: expected a setting and its value a line"),
        ("epochs: 3\n  seed: 4\n", "line 2: expected YAML"),
        ("", "expected a recipe with the keys epochs, .*, needs, found an empty file"),
        ("base: compct\n", "line 1: expected a recipe, .*found 'compct'; did you mean 'compact'?"),
        ("base: own\n", "expected a base that is not based on it"),
        ("needs:\n  votes: all\n", "line 2: expected ferplus or auxiliary_ferplus or fused_ferplus for 'votes'"),
        ("needs:\n  teacher: [large]\n", "line 2: .*found 'teacher'; did you mean 'teachers'?"),
        ("needs:\n  teachers: large\n", "line 2: expected a list of recipes for 'teachers'"),
        ("needs:\n  teachers:\n    - [large]\n", "line 3: expected a recipe, shipped or beside this file"),
        ("needs: large\n", "line 1: expected a need and its value a line"),
        ("model: huge\n", "line 1: 'huge' is not in the zoo"),
        ("model: huge.yaml\n", "line 1: .*huge.yaml' is not in the zoo"),
        ("model: |\n  text\n", r"line 1: 'text\\n' is not in the zoo"),
        (f"base: {'9' * 500}\n", "line 1: expected a recipe, shipped or beside this file"),
        (f"seed: {'9' * 400}\n", "line 1: `seed`: expected a whole number from 0 to 2,000,000,000"),
        ("out: runs/x\n", "line 1: expected a setting of a recipe, found 'out'"),
    ],
)
def test_errors_name_the_line(write, text, message):
    path = write(text)
    with pytest.raises(DataError, match=message.replace("?", r"\?").replace("[", r"\[")) as caught:
        read_recipe(path)
    assert str(caught.value).startswith(str(path))


def test_a_circle_of_bases(write):
    write("base: second\n", "first")
    with pytest.raises(DataError, match="expected a base that is not based on it"):
        read_recipe(write("base: first\n", "second"))


def test_a_file_that_is_not_there_or_no_text(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        read_recipe(tmp_path / "gone.yaml")
    (tmp_path / "picture.yaml").write_bytes(b"\x89PNG\r\n\xff")
    with pytest.raises(DataError, match="expected YAML"):
        read_recipe(tmp_path / "picture.yaml")


def test_a_recipe_is_found_by_name_or_path(write):
    assert find_recipe("compact-fer2013") == shipped_recipes()["compact-fer2013"]
    assert find_recipe(str(write("epochs: 1\n"))).name == "own.yaml"
    for name in ("own.yml", "nothing", "_plain"):
        with pytest.raises(ConfigError) as caught:
            find_recipe(name)
        assert caught.value.option == "recipe"


@pytest.mark.parametrize("name", shipped_recipes())
def test_every_shipped_recipe_can_be_read(name):
    file = read_recipe(find_recipe(name))
    assert file.settings
    assert {path.stem for path in file.needs.teachers} <= shipped_recipes().keys()
