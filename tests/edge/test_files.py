"""Files are written whole or not at all, and what cannot be written is found out before the work."""

import errno
import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from fer_edge.errors import OutputError
from fer_edge.files import check_writable, locked_folder, write_atomically, write_result


def test_a_place_that_can_be_written_passes_and_is_left_as_it_was(tmp_path):
    check_writable(tmp_path / "model.tflite", 1000)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_does_not_exist(tmp_path):
    with pytest.raises(OutputError, match="expected an existing folder"):
        check_writable(tmp_path / "absent" / "model.tflite", 1)


def test_a_folder_or_a_pipe_is_no_place_for_a_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(OutputError, match="found a device, pipe or folder"):
            check_writable(path)


def test_a_disk_that_is_too_small(tmp_path):
    with pytest.raises(OutputError, match=r"expected 1125899906842624 KB of free space, found \d+ KB"):
        check_writable(tmp_path / "model.tflite", 1 << 60)


@pytest.mark.skipif(not os.access("/proc/self", os.F_OK), reason="needs /proc, where nobody can create a file")
def test_a_folder_that_takes_no_files():
    from pathlib import Path

    with pytest.raises(OutputError, match="cannot be written"):
        check_writable(Path("/proc/self/model.tflite"), 1)
    with pytest.raises(OutputError, match="cannot be written"):
        write_result(Path("/proc/self/model.tflite"), b"x")


def test_a_failed_write_keeps_the_old_file(tmp_path):
    target = tmp_path / "model.tflite"
    target.mkdir()  # a rename onto a folder fails at the last moment
    with pytest.raises(OutputError, match="expected a file to write"):
        write_result(target, b"new")
    assert list(tmp_path.iterdir()) == [target]


def test_a_link_stays_and_its_file_is_written(tmp_path):
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    write_atomically(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


def test_devices_pipes_and_folders_are_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "folder"):
        with pytest.raises(OutputError, match=f"{name}: expected a file to write"):
            write_atomically(tmp_path / name, b"x")
    assert (tmp_path / "pipe").is_fifo()


def test_nothing_is_left_when_writing_fails(tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"old")

    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomically(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.fixture
def events(monkeypatch):
    """What reaches the disk, in its order: sizes of files, ``folder``, and ``name`` for a file that gets its name."""
    seen, fsync, replace = [], os.fsync, Path.replace

    def watched_fsync(descriptor):
        status = os.fstat(descriptor)
        seen.append("folder" if stat.S_ISDIR(status.st_mode) else status.st_size)
        fsync(descriptor)

    def watched_replace(path, target):
        seen.append("name")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", watched_fsync)
    monkeypatch.setattr(Path, "replace", watched_replace)
    return seen


def test_the_content_is_on_the_disk_before_its_name_and_the_name_before_the_end(tmp_path, events):
    write_atomically(tmp_path / "file", b"new")
    assert events == [3, "name", "folder"]


def failing_fsync(monkeypatch, number, folders):
    fsync = os.fsync

    def failing(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode) == folders:
            raise OSError(number, os.strerror(number))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", failing)


def test_a_disk_that_refuses_the_content_at_last_keeps_the_old_file(tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"old")
    failing_fsync(monkeypatch, errno.ENOSPC, folders=False)
    with pytest.raises(OutputError, match="No space left on device"):
        write_result(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_file_system_that_cannot_sync_folders_is_no_error(tmp_path, monkeypatch):
    failing_fsync(monkeypatch, errno.EINVAL, folders=True)
    write_atomically(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"new"


def test_a_disk_that_loses_names_is_one(tmp_path, monkeypatch):
    failing_fsync(monkeypatch, errno.EIO, folders=True)
    with pytest.raises(OSError, match="Input/output error"):
        write_atomically(tmp_path / "file", b"new")


def test_processes_of_one_number_write_beside_each_other(tmp_path, monkeypatch):
    """Two containers that share a folder have them, and a process has threads."""
    monkeypatch.setattr(os, "getpid", lambda: 7)
    began, go_on, sync = threading.Event(), threading.Event(), os.fsync

    def slow(descriptor):
        began.set()
        go_on.wait(10)
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", slow)
    first = threading.Thread(target=write_atomically, args=(tmp_path / "file", b"first, and longer"))
    first.start()
    began.wait(10)
    monkeypatch.setattr(os, "fsync", sync)
    write_atomically(tmp_path / "file", b"second")
    assert (tmp_path / "file").read_bytes() == b"second"
    go_on.set()
    first.join()
    assert (tmp_path / "file").read_bytes() == b"first, and longer"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_link_in_the_place_of_the_unfinished_file_is_not_followed(tmp_path):
    (tmp_path / "theirs").write_bytes(b"theirs")
    (tmp_path / f".file.{os.getpid()}.part").symlink_to("theirs")
    write_atomically(tmp_path / "file", b"ours")
    assert (tmp_path / "theirs").read_bytes() == b"theirs"


HOLD = """
import sys, time
from pathlib import Path
from fer_edge.files import locked_folder
with locked_folder(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    with subprocess.Popen([sys.executable, "-c", HOLD, tmp_path / "run"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_folder_in_use_is_refused_with_who_uses_it_since_when(tmp_path, holder):
    found = rf"another process at work in it \(process {holder.pid}, since 20\d\d-\d\d-\d\dT[\d:]+\+00:00\)"
    with pytest.raises(OutputError, match=found), locked_folder(tmp_path / "run"):
        raise AssertionError("both are in")


def test_a_folder_that_a_stopped_process_holds_is_still_in_use(tmp_path, holder):
    holder.send_signal(signal.SIGSTOP)
    with pytest.raises(OutputError, match=f"process {holder.pid}"), locked_folder(tmp_path / "run"):
        raise AssertionError("both are in")
    holder.send_signal(signal.SIGCONT)


def test_a_killed_process_leaves_no_lock(tmp_path, holder):
    holder.kill()
    holder.wait()
    assert (tmp_path / "run" / ".lock").exists()
    with locked_folder(tmp_path / "run"):
        pass
    assert not list((tmp_path / "run").iterdir())


def test_a_folder_that_was_not_needed_is_not_left_behind(tmp_path):
    with pytest.raises(KeyError), locked_folder(tmp_path / "a" / "b"):
        raise KeyError
    assert not list(tmp_path.iterdir())
    with locked_folder(tmp_path / "a" / "b"):
        (tmp_path / "a" / "b" / "model").touch()
    assert [path.name for path in (tmp_path / "a" / "b").iterdir()] == ["model"]


def test_who_waited_for_a_lock_does_not_take_one_that_is_gone(tmp_path, monkeypatch):
    """The holder removes the file between the other's opening and its locking: the other opens the new one."""
    import fcntl

    lock, calls = fcntl.flock, []

    def late(descriptor, how):
        if not calls:
            (tmp_path / ".lock").unlink()
        calls.append(descriptor)
        lock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with locked_folder(tmp_path):
        assert "process" in (tmp_path / ".lock").read_text()
    assert len(calls) == 2
