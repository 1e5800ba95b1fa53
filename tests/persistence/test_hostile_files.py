"""Files that were made to do harm do none: one clear error, no code, no memory."""

import os

import numpy as np
import pytest
from _hostile import CASES, good
from _instances import in_new_process

import skrnn


@pytest.mark.parametrize("name", CASES)
def test_hostile_files_are_refused(name, tmp_path):
    make, expected = CASES[name]
    path = tmp_path / "model.skrnn"
    path.write_bytes(make())
    with pytest.raises(ValueError, match=r"model\.skrnn can't be loaded: ") as caught:
        skrnn.load(path)
    assert caught.match(expected)


def test_there_are_many():
    assert len(CASES) >= 80


WATCHED = """
import os, resource, sys
import skrnn
folder = sys.argv[1]
# All that loading needs is there then.
skrnn.load(os.path.join(folder, "good"))
seen, allowed = [], set(os.listdir(folder))
BAD = ("os.", "subprocess.", "pickle.", "shutil.", "socket.", "ctypes.", "tempfile.")
FINE = ("os.listdir", "os.scandir")

def watch(event, args):
    written = event == "open" and args[1] not in ("r", "rb", None)
    own = event == "open" and os.path.basename(str(args[0])) in allowed
    if (event.startswith(BAD) and event not in FINE) or (written and not own):
        seen.append((event, args))

sys.addaudithook(watch)
start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with open("/proc/self/statm") as file:
    used = int(file.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2**28, used + 2**28))
for name in sorted(allowed - {"good"}):
    try:
        skrnn.load(os.path.join(folder, name))
    except ValueError:
        continue
    sys.exit(name)
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - start
assert not seen, seen
assert grown < 60_000, grown
print(len(allowed))
"""


def test_nothing_is_run_and_no_memory_is_used(tmp_path):
    for i, name in enumerate(sorted(CASES)):
        (tmp_path / f"{i}").write_bytes(CASES[name][0]())
    (tmp_path / "good").write_bytes(good())
    printed = in_new_process(WATCHED, tmp_path)
    assert int(printed) == len(CASES) + 1
    assert not os.path.exists("/tmp/skrnn-was-here")


def test_what_is_no_regular_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, "/dev/zero", "/dev/null"):
        with pytest.raises(ValueError, match="can't be loaded: it is no regular file"):
            skrnn.load(path)
    with pytest.raises(FileNotFoundError, match=r"none\.skrnn"):
        skrnn.load(tmp_path / "none.skrnn")
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(OSError, match="loop"):
        skrnn.load(loop)


def test_a_link_to_a_file_is_followed(tmp_path):
    (tmp_path / "model.skrnn").write_bytes(good())
    (tmp_path / "link").symlink_to(tmp_path / "model.skrnn")
    assert isinstance(skrnn.load(tmp_path / "link"), skrnn.GRURegressor)


def test_cut_off_anywhere(tmp_path):
    path, data = tmp_path / "model.skrnn", good()
    for length in np.linspace(0, len(data) - 1, 60, dtype=int):
        path.write_bytes(data[:length])
        with pytest.raises(ValueError, match="cut off or altered"):
            skrnn.load(path)
