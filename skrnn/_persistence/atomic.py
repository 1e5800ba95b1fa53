"""Files that are there whole or not at all, whatever stops the writer."""

import errno
import os
import secrets
import stat
from collections.abc import Callable
from typing import IO


def write_atomically(
    path: str | os.PathLike[str], write: Callable[[IO[bytes]], object]
) -> None:
    """Write a file so that its name always stands for a whole file.

    The bytes go to a new file in the same folder. They are on the disk before that
    file takes the name: a crash, a kill, a full disk or Ctrl-C leaves what was there
    before. A kill, after which nothing can be tidied up, may leave the new file under
    its own name, ``.<name>.<number>.tmp``.

    Parameters
    ----------
    path : str or path-like
        Where the file shall be. A symbolic link stays, and what it points to is
        replaced. The rights of a file that is there are kept.
    write : callable
        ``write(file)`` writes to a file that is open for bytes.

    Raises
    ------
    OSError
        If the file can't be written. The one before is whole then, as after an error
        in `write`, and no other file is left.
    """
    # Otherwise the link itself would be replaced.
    path = os.path.realpath(os.fspath(path))
    mode = _mode_of(path)
    folder, name = os.path.split(path)
    unfinished = os.path.join(folder, f".{name[:32]}.{secrets.token_hex(8)}.tmp")
    try:
        # "x": never a file of somebody else.
        with open(unfinished, "xb") as file:
            if mode is not None and hasattr(os, "fchmod"):
                os.fchmod(file.fileno(), mode)
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    except BaseException as error:
        _remove(unfinished)
        if isinstance(error, OSError) and error.errno:
            _name_target(error, path, unfinished)
        raise
    _sync_folder(folder)


def _name_target(error, path, unfinished):
    """Let an error tell the file that was asked for, or its folder if that isn't one.

    A full disk doesn't tell which file it had no room for, and of the new file under
    its own name nobody knows.
    """
    folder = os.path.dirname(path)
    if error.filename in (None, "", unfinished):
        error.filename = path if os.path.isdir(folder) else folder
        error.filename2 = None


def _mode_of(path):
    """Return the rights of a file that is there, or None."""
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
    try:
        os.remove(path)
    except FileNotFoundError:
        # It has its new name already, or was never made.
        return


def _sync_folder(folder):
    """Put the new name on the disk too; Windows does so by itself."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # A file system may not have that, and the file is in its place.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)
