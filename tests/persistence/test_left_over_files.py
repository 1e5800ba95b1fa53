"""What killed writers leave behind is removed, and what living ones write isn't."""

import os
import subprocess
import sys

import pytest

from skrnn._persistence import atomic
from skrnn._persistence.atomic import write_atomically

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs locks of files")

WAITS = """
import sys
from skrnn._persistence.atomic import write_atomically


def write(file):
    file.write(b"half of it")
    file.flush()
    print("begun", flush=True)
    sys.stdin.readline()


write_atomically(sys.argv[1], write)
"""


def begun(path):
    """Return a process that is in the middle of writing a file."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    child = subprocess.Popen([sys.executable, "-c", WAITS, str(path)], **pipes)
    assert child.stdout.readline() == "begun\n"
    return child


def unfinished(folder):
    return sorted(each.name for each in folder.iterdir() if each.suffix == ".tmp")


def save(path):
    write_atomically(path, lambda file: file.write(b"whole"))


def test_the_next_save_removes_what_a_killed_one_left(tmp_path):
    path = tmp_path / "model.skrnn"
    child = begun(path)
    with child:
        child.kill()
    assert len(unfinished(tmp_path)) == 1
    # Another file's isn't its business.
    save(tmp_path / "other.skrnn")
    assert len(unfinished(tmp_path)) == 1
    save(path)
    assert unfinished(tmp_path) == []


def test_what_another_process_is_writing_stays(tmp_path):
    path = tmp_path / "model.skrnn"
    with begun(path) as child:
        save(path)
        assert len(unfinished(tmp_path)) == 1
        child.communicate("go on\n")
    assert child.returncode == 0
    assert path.read_bytes() == b"half of it"
    assert unfinished(tmp_path) == []


def test_what_is_no_file_of_ours_stays(tmp_path):
    path, target = tmp_path / "model.skrnn", tmp_path / "important"
    target.write_bytes(b"important")
    name = ".model.skrnn.0123456789abcde{}.tmp"
    (tmp_path / name.format(0)).symlink_to(target)
    os.mkfifo(tmp_path / name.format(1))
    (tmp_path / name.format(2)).mkdir()
    (tmp_path / name.format("x")).write_bytes(b"another's")
    save(path)
    assert len(unfinished(tmp_path)) == 4
    assert target.read_bytes() == b"important"


def test_a_file_taken_before_its_lock_is_begun_again(tmp_path, monkeypatch):
    path, lock, taken = tmp_path / "model.skrnn", atomic._is_ours, []

    def late(descriptor):
        if not taken:
            taken.extend(unfinished(tmp_path))
            # As another writer does before this one has the lock.
            os.remove(tmp_path / taken[0])
        return lock(descriptor)

    monkeypatch.setattr(atomic, "_is_ours", late)
    save(path)
    assert taken
    assert path.read_bytes() == b"whole"
    assert unfinished(tmp_path) == []


def test_without_locks_a_file_is_written_all_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(atomic, "fcntl", None)
    save(tmp_path / "model.skrnn")
    assert (tmp_path / "model.skrnn").read_bytes() == b"whole"
    assert unfinished(tmp_path) == []
