"""Saving under faults: what is on disk is the file before or the file after, whole."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from _children import run
from _tables import LONG

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

SAVES = """
import pathlib, resource
import skrnn
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skrnn import GRURegressor, SequenceWise

# Python warns of fork itself.
warnings.simplefilter("ignore")
folder = pathlib.Path(sys.argv[1])
X = rng.normal(size=(20, 6, 2))
y = X[:, -1, 0]
# They take 50 and 200 kB, more than is written at once.
sizes = {"one": 60, "other": 120}
models = {
    name: make_pipeline(
        SequenceWise(StandardScaler()), GRURegressor(units=n, epochs=1, random_state=0)
    ).fit(X, y)
    for name, n in sizes.items()
}
answers = {name: model.predict(X) for name, model in models.items()}
path = folder / "model.skrnn"


def which():
    "Return the name of the model that the file holds."
    found = skrnn.load(path).predict(X)
    return next(name for name in answers if np.array_equal(answers[name], found))
"""

KILLED = """
def save_for_ever(n=sys.maxsize):
    for _ in range(n):
        for model in models.values():
            skrnn.save(model, path)


skrnn.save(models["other"], path)
# What two saves take in a child, whose first one is the slowest.
began = time.monotonic()
child = os.fork()
if not child:
    save_for_ever(3)
    os._exit(0)
os.waitpid(child, 0)
seconds = (time.monotonic() - began) / 3
found, random_moment = [], random.Random(0)
for _ in range(int(sys.argv[2])):
    child = os.fork()
    if not child:
        save_for_ever()
    time.sleep(random_moment.uniform(0, 2 * seconds))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    found.append(which())
# What the killed ones left of files that they hadn't finished.
left = [name for name in os.listdir(folder) if name != path.name]
skrnn.save(models["one"], path)
print(json.dumps({
    "found": found, "left": len(left), "last": which(),
    "after": [name for name in os.listdir(folder) if name != path.name],
}))
"""


def test_a_save_that_is_killed_leaves_the_file_before_or_after(tmp_path):
    rounds = 2000 if LONG else 200
    found = json.loads(run(SAVES + KILLED, tmp_path, rounds, seconds=280))
    assert len(found["found"]) == rounds
    # It was killed at many moments: both are there.
    assert set(found["found"]) == {"one", "other"}
    assert found["last"] == "one"
    # A save that isn't killed removes what the killed ones left.
    assert found["after"] == []
    print(found["left"], "unfinished files were left")


# What goes wrong in the middle of a save -> what brings it about, and what ends it.
FULL = """
skrnn.save(models["one"], path)
before = path.read_bytes()
others = sorted(os.listdir(folder))
said = []


def try_to_save(model, target):
    try:
        skrnn.save(model, target)
    except OSError as error:
        said.append([type(error).__name__, error.errno, str(error)])
    else:
        said.append("nothing")
    assert sorted(os.listdir(folder)) == others, os.listdir(folder)
    assert path.read_bytes() == before
    assert which() == "one"
"""
SPACE = """
# As much as leaves no room for a second file.
filler = folder / "filler"
with open(filler, "wb", buffering=0) as file:
    try:
        while True:
            file.write(bytes(4096))
    except OSError:
        pass
os.truncate(filler, filler.stat().st_size - 30_000)
others = sorted(os.listdir(folder))
try_to_save(models["other"], path)
try_to_save(models["other"], folder / "new.skrnn")
filler.unlink()
skrnn.save(models["other"], path)
assert which() == "other"
print(json.dumps(said))
"""
SIZE = """
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
for limit in (0, 1, 4096, 30_000):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, unlimited[1]))
    try_to_save(models["other"], path)
    try_to_save(models["other"], folder / "new.skrnn")
resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
skrnn.save(models["other"], path)
assert which() == "other"
print(json.dumps(said))
"""


def assert_told(said, errno):
    for name, number, message in said:
        assert (name, number) == ("OSError", errno)
        assert ".skrnn" in message


def test_a_file_that_may_not_grow_leaves_the_one_before(tmp_path):
    said = json.loads(run(SAVES + FULL + SIZE, tmp_path))
    assert len(said) == 8
    # EFBIG: a limit of files' sizes.
    assert_told(said, 27)


@pytest.fixture
def full_disk(tmp_path):
    """Return a folder on a file system of 700 kB, and how to run a program there."""
    if sys.platform != "linux" or not shutil.which("mount"):
        pytest.skip("needs mount of Linux")
    mount = ["mount", "-t", "tmpfs", "-o", "size=700k", "skrnn", str(tmp_path)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("may not mount a file system here")
    yield tmp_path
    subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


def test_a_full_disk_leaves_the_file_before(full_disk):
    said = json.loads(run(SAVES + FULL + SPACE, full_disk))
    assert len(said) == 2
    # ENOSPC: no space left.
    assert_told(said, 28)
