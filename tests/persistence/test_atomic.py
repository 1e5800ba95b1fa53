"""A file is whole or the one before is: crashes, kills, full disks, odd paths."""

import errno
import io
import os
import stat
import subprocess
import sys
import time

import pytest

import skrnn
from skrnn._persistence.atomic import name_of_file, write_atomically
from skrnn._persistence.checkpoint_file import write_tree
from skrnn.persistence import export, load_network


def write(data):
    return lambda file: file.write(data)


@pytest.fixture
def old(tmp_path):
    path = tmp_path / "old.skrnn"
    path.write_bytes(b"old")
    return path


def names(path):
    return sorted(each.name for each in path.parent.iterdir())


def test_a_file_is_made_and_replaced(tmp_path):
    path = tmp_path / "new.skrnn"
    for data in (b"one", b"two", b""):
        write_atomically(path, write(data))
        assert path.read_bytes() == data
        assert names(path) == ["new.skrnn"]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt, SystemExit, MemoryError])
def test_an_error_leaves_the_old_file_and_nothing_else(old, error):
    def fail(file):
        file.write(b"half of it")
        raise error("no more")

    with pytest.raises(error, match="no more"):
        write_atomically(old, fail)
    assert old.read_bytes() == b"old"
    assert names(old) == ["old.skrnn"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_an_error_of_the_system_leaves_the_old_file(old, monkeypatch, step):
    def fail(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(old, write(b"new"))
    monkeypatch.undo()
    assert old.read_bytes() == b"old"
    assert names(old) == ["old.skrnn"]


def test_the_bytes_are_on_the_disk_before_they_have_the_name(old, monkeypatch):
    done = []
    fsync, replace = os.fsync, os.replace

    def synced(descriptor):
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        done.append("folder" if is_folder else "file")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", lambda *a: (done.append("name"), replace(*a)))
    write_atomically(old, write(b"new"))
    assert done == ["file", "name", "folder"]


def test_a_file_system_without_fsync_of_folders(old, monkeypatch):
    fsync = os.fsync

    def synced(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", synced)
    write_atomically(old, write(b"new"))
    assert old.read_bytes() == b"new"


def test_a_folder_that_may_not_be_listed(old, monkeypatch):
    open_ = os.open

    def opened(path, flags, *mode):
        if os.path.isdir(path):
            raise PermissionError(errno.EACCES, "Permission denied")
        return open_(path, flags, *mode)

    monkeypatch.setattr(os, "open", opened)
    write_atomically(old, write(b"new"))
    assert old.read_bytes() == b"new"


def test_the_name_of_a_folder_that_is_not_there_makes_no_file(tmp_path):
    with pytest.raises(IsADirectoryError, match="names a folder"):
        write_atomically(f"{tmp_path / 'new'}{os.sep}", write(b"new"))
    assert not list(tmp_path.iterdir())


def test_rights_and_links_stay(old, tmp_path):
    old.chmod(0o640)
    link = tmp_path / "link.skrnn"
    link.symlink_to(old)
    write_atomically(link, write(b"new"))
    assert link.is_symlink()
    assert old.read_bytes() == b"new"
    assert stat.S_IMODE(old.stat().st_mode) == 0o640


def test_what_is_no_regular_file_is_refused(tmp_path):
    with pytest.raises(IsADirectoryError, match="is a folder"):
        write_atomically(tmp_path, write(b"new"))
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="no regular file"):
        write_atomically(tmp_path / "pipe", write(b"new"))
    with pytest.raises(OSError, match="no regular file"):
        write_atomically(os.devnull, write(b"new"))
    with pytest.raises(FileNotFoundError) as missing:
        write_atomically(tmp_path / "none" / "file", write(b"new"))
    # And not the file under its own name, which nobody knows.
    assert missing.value.filename == str(tmp_path / "none")
    assert str(missing.value).endswith(f"directory: '{tmp_path / 'none'}'")


def test_a_name_may_be_as_long_as_names_can_be(tmp_path):
    path = tmp_path / ("ä" * 120)
    write_atomically(path, write(b"new"))
    assert path.read_bytes() == b"new"


def test_a_path_may_be_bytes(tmp_path):
    path = tmp_path / "ä 名.skrnn"
    skrnn.save(skrnn.GRURegressor(units=3), os.fsencode(path))
    assert skrnn.load(os.fsencode(path)).units == skrnn.load(path).units == 3
    with pytest.raises(ValueError, match=r"no network .*\(no npz file, or one cut off"):
        load_network(os.fsencode(path))


ODD_PATHS = [3, None, io.BytesIO(), ["a"], "a\0b", b"a\0b", "\ud800"]
WITH_PATHS = {
    "save": lambda path: skrnn.save(skrnn.GRURegressor(), path),
    "load": skrnn.load,
    "export": lambda path: export(skrnn.GRURegressor(), path, format="numpy"),
    "load_network": load_network,
    "checkpoint_path": lambda path: name_of_file(path, "checkpoint_path"),
}


@pytest.mark.parametrize("path", ODD_PATHS, ids=lambda path: repr(path)[:11])
@pytest.mark.parametrize("key", WITH_PATHS)
def test_an_odd_path_is_told_from_other_arguments(key, path):
    called = key if key == "checkpoint_path" else "path"
    told = f"{called} must be .*the name of a file.*got"
    with pytest.raises((TypeError, ValueError), match=told):
        WITH_PATHS[key](path)


@pytest.mark.parametrize("trusted", [None, len, "abc", 3, ["GRURegressor"], [3]])
def test_odd_values_of_trusted_are_told(trusted, tmp_path):
    path = tmp_path / "model.skrnn"
    skrnn.save(skrnn.GRURegressor(), path)
    with pytest.raises(TypeError, match=r"trusted must (be a list|have functions)"):
        skrnn.save(skrnn.GRURegressor(), tmp_path / "new", trusted=trusted)
    with pytest.raises(TypeError, match=r"trusted must (be a list|have functions)"):
        skrnn.load(path, trusted=trusted)
    assert names(path) == ["model.skrnn"]


def test_a_checkpoint_is_no_saved_estimator(tmp_path):
    write_tree(tmp_path / "fit.checkpoint", {"seed": 0})
    with pytest.raises(ValueError, match="is a checkpoint: give it to fit"):
        skrnn.load(tmp_path / "fit.checkpoint")


KILLED = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("atomic", sys.argv[1])
atomic = importlib.util.module_from_spec(spec)
spec.loader.exec_module(atomic)
print("begun", flush=True)
n = 0
while True:
    n += 1
    atomic.write_atomically(sys.argv[2], lambda f: f.write(b"%06d" % n * 20_000))
"""


def test_a_kill_at_any_moment_leaves_a_whole_file(old):
    source = sys.modules["skrnn._persistence.atomic"].__file__
    for wait in (0.0, 0.003, 0.01, 0.03, 0.05):
        command = [sys.executable, "-I", "-c", KILLED, source, old]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout.readline() == "begun\n"
            time.sleep(wait)
            process.kill()
        data = old.read_bytes()
        assert data == b"old" or data == data[:6] * 20_000
