import os

import pytest

from fer_edge.device.outputs.append import write_whole
from fer_edge.errors import OutputError
from tests.device.outputs.test_jsonl import AlmostFull

BEFORE = b"precious line\n"


@pytest.fixture
def appended(tmp_path):
    """A file as a shell's ``>>`` opens it, which stands at 0 until its first write, and its path."""
    path = tmp_path / "log.txt"
    path.write_bytes(BEFORE)
    with open(path, "wb", buffering=0, opener=lambda name, _: os.open(name, os.O_WRONLY | os.O_APPEND)) as file:
        yield file, path


@pytest.mark.parametrize("room", [0, 5])
def test_what_an_appended_file_held_stays(appended, room):
    file, path = appended
    with pytest.raises(OutputError, match=r"No space left on device\); what it holds already is whole"):
        write_whole(AlmostFull(file, room), b"a new line\n", "log.txt")
    assert path.read_bytes() == BEFORE
    write_whole(file, b"later\n", "log.txt")
    assert path.read_bytes() == BEFORE + b"later\n"


def test_what_another_program_appended_meanwhile_stays(appended):
    file, path = appended

    class Shared(AlmostFull):
        def write(self, data):
            if not self._room:
                with path.open("ab") as other:
                    other.write(b"theirs\n")
            return super().write(data)

    with pytest.raises(OutputError):
        write_whole(Shared(file, 5), b"a new line\n", "log.txt")
    assert path.read_bytes() == BEFORE + b"a new" + b"theirs\n"
