"""What is in a source distribution and in a wheel."""

import re
import sys
import tarfile
import tomllib
import zipfile
from pathlib import PurePosixPath

import _builds
import pytest

pytestmark = [_builds.needs_setuptools, _builds.in_one_worker]


def names_in_sdist():
    with tarfile.open(_builds.sdist()) as archive:
        names = [PurePosixPath(file.name) for file in archive if file.isfile()]
    return {str(PurePosixPath(*name.parts[1:])) for name in names}


def names_in_wheel():
    with zipfile.ZipFile(_builds.wheel()) as archive:
        return set(archive.namelist())


def test_an_sdist_has_all_that_tests_and_documentation_read():
    missing = {*_builds.sources()} - names_in_sdist()
    assert not missing


def test_an_sdist_has_nothing_that_was_made_from_it():
    for name in map(PurePosixPath, names_in_sdist()):
        assert not _builds.GENERATED & {*name.parts[:-1]}
        assert name.suffix not in (".so", ".pyd", ".pyc", ".o")


def test_a_folder_that_is_not_known_is_noticed():
    known = {*_builds.FOLDERS, *_builds.GENERATED, "dist"}
    folders = {path.name for path in _builds.ROOT.iterdir() if path.is_dir()}
    others = {name for name in folders - known if name[0] != "."}
    assert not {name for name in others if not name.endswith(".egg-info")}


def test_tests_are_found_in_an_unpacked_sdist():
    source = _builds.unpacked()
    options = ["-q", "--collect-only", "-p", "no:cacheprovider"]
    command = [_builds.python_with("editable"), "-m", "pytest", *options]
    files = ["tests/test_versions.py", "docs/getting_started.rst"]
    found = _builds.run([*command, *files], cwd=source, env=_builds.environment())
    assert "test_it_tells_what_is_here" in found
    assert "getting_started.rst" in found


def test_a_wheel_has_the_package_and_nothing_else():
    package = {name for name in _builds.sources() if name.startswith("skrnn/")}
    package -= {name for name in package if name.endswith((".c", ".h"))}
    found = {name for name in names_in_wheel() if ".dist-info/" not in name}
    assert found == package
    assert {"skrnn/py.typed", "skrnn/_engine/cpu/kernels/_kernels.pyi"} <= found


def test_a_wheel_without_kernels_is_one_for_any_platform():
    assert _builds.wheel().name.endswith("-py3-none-any.whl")
    (info,) = (name for name in names_in_wheel() if name.endswith("/WHEEL"))
    with zipfile.ZipFile(_builds.wheel()) as archive:
        assert "Root-Is-Purelib: true" in archive.read(info).decode()


def test_a_wheel_with_kernels_serves_every_python_of_a_platform():
    wheel = _builds.wheel_with_kernels()
    assert re.search(r"-cp311-abi3-(?!any)", wheel.name)
    with zipfile.ZipFile(wheel) as archive:
        compiled = [
            name for name in archive.namelist() if name.endswith((".so", ".pyd"))
        ]
    assert len(compiled) == 1


@pytest.mark.parametrize("installation", _builds.WITHOUT_KERNELS)
def test_what_is_installed_is_used_and_says_that_it_has_no_kernels(
    installation, tmp_path
):
    code = "import skrnn; print(skrnn.__file__); skrnn.show_versions()"
    command = [_builds.python_with(installation), "-c", code]
    found = _builds.run(command, cwd=tmp_path, env=_builds.environment())
    home = {"editable": _builds.unpacked(), "ordinary": _builds.python_with("ordinary")}
    at = home[installation]
    at = at if installation == "editable" else at.parent.parent
    assert found.startswith(str(at))
    assert "kernels in C: no: " in found


needs_auditwheel = pytest.mark.skipif(
    sys.platform != "linux" or not all(map(_builds.tool, ("auditwheel", "patchelf"))),
    reason="needs Linux, auditwheel and patchelf",
)


@needs_auditwheel
def test_a_manylinux_wheel_runs_on_old_systems():
    # Glibc 2.28 is that of 2018; the symbols that the kernels use are older.
    tags = re.search(r"-cp311-abi3-(.*)\.whl", _builds.manylinux_wheel().name)[1]
    assert min(int(v) for v in re.findall(r"manylinux_2_(\d+)_", tags)) <= 28


@pytest.mark.skipif(not _builds.tool("abi3audit"), reason="needs abi3audit")
@needs_auditwheel
def test_a_manylinux_wheel_keeps_to_the_stable_abi():
    _builds.tool("abi3audit")(["abi3audit", "--strict", _builds.manylinux_wheel()])


USE = """
import pickle, sys
import numpy as np
import skrnn
from skrnn import GRURegressor
X = np.random.default_rng(0).normal(size=(200, 8, 2))
y = X[:, -3:, 0].sum(axis=1)
model = GRURegressor(units=8, epochs=40, learning_rate=0.01, random_state=0).fit(X, y)
assert model.score(X, y) > 0.9
skrnn.save(model, "model.skrnn")
loaded = skrnn.load("model.skrnn")
assert (loaded.predict(X) == model.predict(X)).all()
assert "tensorflow" not in sys.modules
print(skrnn.__file__)
skrnn.show_versions()
"""


@needs_auditwheel
def test_a_manylinux_wheel_trains_in_an_empty_folder(tmp_path):
    python = _builds.python_with("manylinux")
    found = _builds.run([python, "-c", USE], cwd=tmp_path, env=_builds.environment())
    assert found.startswith(str(python.parent.parent))
    assert "kernels in C: yes" in found


def test_type_checkers_can_follow_an_editable_installation():
    # A hook in Python, which a checker doesn't run, would be a module beside the path.
    with zipfile.ZipFile(_builds.editable_wheel()) as archive:
        names = [name for name in archive.namelist() if ".dist-info/" not in name]
        (name,) = names
        assert archive.read(name).decode().strip() == str(_builds.unpacked())


def test_what_the_tests_need_is_asked_for():
    project = tomllib.loads((_builds.ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = {re.split(r"[^\w-]", name)[0] for name in extras["test"]}
    assert {"basedpyright", "mypy", "pytest", "setuptools"} <= wanted
    assert {"skrnn[onnx]", "skrnn[jax]"} <= {*extras["test"]}
