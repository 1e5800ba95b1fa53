"""Files that are written whole or not at all, whatever stops the writer."""

import errno
import os
import re
import secrets
import stat
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Any

fcntl: Any
try:
    import fcntl
except ImportError:
    # Windows: a file that is open has a lock of another kind.
    fcntl = None

_END = ".tmp"


def name_of_file(path: str | os.PathLike[str], called: str = "path") -> str:
    """Return a path as text.

    Parameters
    ----------
    path : str, bytes or path-like
    called : str, default="path"
        What the user knows it by.

    Raises
    ------
    TypeError, ValueError
        If it can't be the name of a file. The system's own errors don't tell which
        argument that was.
    """
    try:
        name = os.fsdecode(path)
    except TypeError:
        raise TypeError(
            f"{called} must be a str or a path, the name of a file; got one of type "
            f"{type(path).__name__}."
        ) from None
    try:
        os.fsencode(name)
    except UnicodeEncodeError:
        raise ValueError(
            f"{called} must be the name of a file, of characters that the system has; "
            f"got {name[:60]!r}."
        ) from None
    if "\0" in name:
        raise ValueError(
            f"{called} must be the name of a file, which has no null characters; got "
            f"{name[:60]!r}."
        )
    return name


def write_atomically(
    path: str | os.PathLike[str], write: Callable[[IO[bytes]], object]
) -> None:
    """Write a file so that its name always stands for a whole file.

    The bytes go to a new file in the same folder, and reach the disk before that file
    takes the name: a crash, a kill, a full disk or Ctrl-C leaves the old file as it
    was. A kill may leave the new file behind under its temporary name,
    ``.<name>.<number>.tmp``. The next writer of that name removes it, where the system
    has locks of files (not on Windows): a writer locks its own file as long as it
    lives.

    Parameters
    ----------
    path : str or path-like
        Where to write the file. A symbolic link stays, and its target is replaced. The
        permissions of an existing file are kept.
    write : callable
        ``write(file)`` writes to a file that is open for bytes.

    Raises
    ------
    OSError
        If the file can't be written. Then, as after an error in `write`, the old file
        is whole, and no other file is left.
    """
    # Otherwise the link itself would be replaced.
    name = name_of_file(path)
    if name.endswith(os.sep):
        # The real path has no slash at its end.
        raise IsADirectoryError(f"{name} names a folder; give the name of a file.")
    path = os.path.realpath(name)
    mode = _mode_of(path)
    folder, name = os.path.split(path)
    beginning = f".{name[:32]}."
    _remove_left_over(folder or ".", beginning)
    unfinished = ""
    try:
        unfinished, file = _begin(os.path.join(folder, beginning))
        with file:
            if mode is not None and hasattr(os, "fchmod"):
                os.fchmod(file.fileno(), mode)
            write(file)
            file.flush()
            os.fsync(file.fileno())
            if fcntl is not None:
                # Before the lock goes with the open file.
                os.replace(unfinished, path)
        if fcntl is None:
            os.replace(unfinished, path)
    except BaseException as error:
        _remove(unfinished)
        if isinstance(error, OSError) and error.errno:
            _name_target(error, path, beginning)
        raise
    _sync_folder(folder)


def _begin(beginning):
    """Open a new file that no writer mistakes for a leftover; return its name too."""
    while True:
        name = f"{beginning}{secrets.token_hex(8)}{_END}"
        # "x": never a file of somebody else.
        file = open(name, "xb")  # noqa: SIM115
        if _is_ours(file.fileno()) and os.path.exists(name):
            return name, file
        # Another writer took it for a leftover before it was locked.
        file.close()


def _is_ours(descriptor):
    """Lock an open file; False if another one has its lock."""
    try:
        if fcntl is not None:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        # A file system without locks: nobody takes it for a leftover either.
        return True
    return True


def _remove_left_over(folder, beginning):
    """Remove what killed writers of a file left behind."""
    if fcntl is None:
        return
    whole = re.compile(re.escape(beginning) + "[0-9a-f]{16}" + re.escape(_END))
    try:
        names = [name for name in os.listdir(folder) if whole.fullmatch(name)]
    except OSError:
        return
    for name in names:
        with suppress(OSError):
            _remove_if_left_over(os.path.join(folder, name))


def _remove_if_left_over(path):
    # Neither a link nor a pipe: in a folder for everybody these may be a trap.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.remove(path)
    finally:
        os.close(descriptor)


def _name_target(error, path, beginning):
    """Let an error name the file that was asked for, or its folder if that isn't one.

    The error of a full disk names no file, and users don't know the temporary name.
    """
    folder = os.path.dirname(path)
    if os.path.basename(error.filename or beginning).startswith(beginning):
        error.filename = path if os.path.isdir(folder) else folder
        # None would be written as a second name.
        del error.filename2


def _mode_of(path):
    """Return the permissions of an existing file, or None."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(f"{path} is a folder; give the name of a file in it.")
    if not stat.S_ISREG(found.st_mode):
        # A device would be replaced by a file.
        raise OSError(f"{path} is no regular file: it can't be replaced by one.")
    return stat.S_IMODE(found.st_mode)


def _remove(path):
    # It may have its new name already, or was never made.
    with suppress(FileNotFoundError):
        os.remove(path)


def _sync_folder(folder):
    """Put the new name on the disk too; Windows does so by itself."""
    if os.name != "posix":
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:
        # One may write to it, and not list it: the file is already in its place.
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some file systems can't do this.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)
