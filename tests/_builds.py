"""What is shipped and how it is installed: built once, from a copy, without network."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import venv
import zipfile
from functools import cache, partial
from pathlib import Path

import pytest
import setuptools

ROOT = Path(__file__).parent.parent
FOLDERS = ["benchmarks", "docs", "examples", "skrnn", "tests"]
# Made by Python, by compilers and by the documentation, or hidden.
GENERATED = {"__pycache__", "_build", "build", "gallery", "generated"}

# Older ones can't read our pyproject.toml; the extra `test` asks for one that can.
needs_setuptools = pytest.mark.skipif(
    int(setuptools.__version__.partition(".")[0]) < 77, reason="needs setuptools>=77"
)
# One worker builds.
in_one_worker = pytest.mark.xdist_group("builds")


def sources():
    """List the files of the project by their names within it."""
    found = [path for path in ROOT.glob("*") if path.is_file()]
    for folder in FOLDERS:
        found += (path for path in (ROOT / folder).rglob("*") if path.is_file())
    names = (path.relative_to(ROOT) for path in found)
    return sorted(
        name.as_posix()
        for name in names
        if not any(part in GENERATED or part[0] == "." for part in name.parts)
        and name.suffix not in (".so", ".pyd", ".pyc")
        and name.name
        not in ("PKG-INFO", "setup.cfg", "demo.png", "sg_execution_times.rst")
    )


@cache
def _folder():
    folder = tempfile.TemporaryDirectory(prefix="skrnn-builds-")
    return folder, Path(folder.name)


def here(name):
    """Return a new folder that is removed when Python ends."""
    path = _folder()[1] / name
    path.mkdir()
    return path


def environment(**changes):
    """Return the environment of a process that finds no other copy of skrnn."""
    hidden = {"PYTHONPATH", "MYPYPATH", "VIRTUAL_ENV"}
    return {k: v for k, v in os.environ.items() if k not in hidden} | changes


def _build(source, hook, *, kernels=False):
    """Call a hook of the build system in a folder, and return the file it makes."""
    target = here(f"{hook}{'_with_kernels' * kernels}")
    code = f"from setuptools import build_meta as b; b.{hook}({str(target)!r})"
    # There is no such compiler: kernels are optional, and take a while.
    env = environment(**{} if kernels else {"CC": "false", "LDSHARED": "false"})
    run([sys.executable, "-c", code], cwd=source, env=env)
    (made,) = target.iterdir()
    return made


def run(command, **options):
    """Return what a process prints, which must not fail."""
    done = subprocess.run(command, capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@cache
def sdist():
    """Build a source distribution of a copy of the project."""
    copy = here("copy")
    for name in sources():
        target = copy / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / name).read_bytes())
    return _build(copy, "build_sdist")


@cache
def unpacked():
    """Unpack the source distribution."""
    target = here("unpacked")
    with tarfile.open(sdist()) as archive:
        archive.extractall(target, filter="data")
    (folder,) = target.iterdir()
    return folder


@cache
def wheel():
    """Build a wheel, without kernels, of the source distribution."""
    return _build(unpacked(), "build_wheel")


@cache
def wheel_with_kernels():
    """Build a wheel of a copy of the source distribution: what is built stays there.

    Kernels that were compiled for these tests are taken as they are.
    """
    copy = here("copy_with_kernels")
    shutil.copytree(unpacked(), copy, dirs_exist_ok=True)
    built = f"lib.{sysconfig.get_platform()}-{sys.implementation.cache_tag}"
    for compiled in (ROOT / "skrnn").rglob("*.abi3.so"):
        target = copy / "build" / built / compiled.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(compiled, target)
    return _build(copy, "build_wheel", kernels=True)


def tool(name):
    """Run a program that stands beside Python, or anywhere else; None without it."""
    places = os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]])
    path = shutil.which(name, path=places)
    return path and partial(run, env=environment(PATH=places), executable=path)


@cache
def manylinux_wheel():
    """Return the wheel with kernels, with a tag for all Linux that it runs on.

    WHEEL in the environment is one that was made already, as `make wheel` does.
    """
    if made := os.environ.get("WHEEL"):
        return Path(made).absolute()
    target = here("manylinux_wheel")
    repair = ["auditwheel", "repair", "--wheel-dir", target, wheel_with_kernels()]
    tool("auditwheel")(repair)
    (made,) = target.iterdir()
    return made


@cache
def editable_wheel():
    """Build what makes an editable installation of the source distribution."""
    return _build(unpacked(), "build_editable")


WITHOUT_KERNELS = {"editable": editable_wheel, "ordinary": wheel}
INSTALLATIONS = WITHOUT_KERNELS | {"manylinux": manylinux_wheel}


@cache
def python_with(installation):
    """Make an environment with skrnn and all that is here; return its Python."""
    folder = here(installation)
    venv.create(folder, symlinks=os.name != "nt", with_pip=False)
    scheme = "nt_venv" if os.name == "nt" else "posix_venv"
    variables = {"base": str(folder), "platbase": str(folder)}
    packages = Path(sysconfig.get_path("purelib", scheme, variables))
    with zipfile.ZipFile(INSTALLATIONS[installation]()) as archive:
        archive.extractall(packages)
    # Behind what is installed here; hooks of that environment aren't read.
    others = sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
    others += [path for path in sys.path if path.endswith("site-packages")]
    (packages / "others.pth").write_text("\n".join(dict.fromkeys(others)) + "\n")
    return Path(sysconfig.get_path("scripts", scheme, variables), "python")
