"""The file itself: one safetensors file, with JSON in it.

A file of ``skrnn.save``, or a checkpoint, is a safetensors file. One of its arrays, of
bytes, is the JSON that describes the estimator, another one is the SHA-256 of all the
others; the rest are weights and other numbers. A zip has more ways to be wrong: paths
that lead out of it, entries that unpack to gigabytes, duplicate names, and two lists of
contents. This format has none of these, and safetensors' own reader refuses sizes that
don't add up, gaps and overlaps. The JSON is an array rather than safetensors' metadata,
so the same checks cover it, and it isn't JSON within JSON. The file is read as bytes,
not mapped: truncating a mapped file while it is read would end the process.

This layout is for all versions of the format: so every version can tell which one
wrote a file.
"""

import hashlib
import json
import os
import stat
from typing import Any

import numpy as np
from safetensors import SafetensorError, deserialize
from safetensors.numpy import save as to_safetensors


class UnreadableError(Exception):
    """The message says what is wrong with a file."""


JSON, DIGEST = "skrnn.json", "skrnn.sha256"
# safetensors' name of a type -> NumPy's.
_TYPES = {
    "BOOL": "|b1", "U8": "|u1", "I8": "|i1", "U16": "<u2", "I16": "<i2", "U32": "<u4",
    "I32": "<i4", "U64": "<u8", "I64": "<i8", "F16": "<f2", "F32": "<f4", "F64": "<f8",
}  # fmt: skip
# What other files begin with -> what they are.
_OTHERS = {
    b"PK": "a zip: what numpy, Keras and skops write",
    b"\x80": "a pickle, which is never loaded here",
    b"\x89HDF": "an HDF5 file",
    b"\x93NUMPY": "an array of NumPy",
}


def to_bytes(described: dict[str, Any], arrays: dict[str, np.ndarray]) -> bytes:
    """Return the file of a description and its arrays."""
    text = json.dumps(described, allow_nan=False, separators=(",", ":"))
    whole = {JSON: np.frombuffer(text.encode("ascii"), np.uint8)} | arrays
    digest = np.frombuffer(_digest(whole), np.uint8)
    # For readers that have only safetensors. Several names would come in any order.
    return to_safetensors(whole | {DIGEST: digest}, metadata={"format": "skrnn"})


def from_bytes(data: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return the description and the arrays of a file.

    Raises
    ------
    UnreadableError
        If it isn't such a file, or not as it was written.
    """
    try:
        found = deserialize(data)
    except SafetensorError as error:
        # Not before: a file of ours begins with a number, which may look like these.
        for start, what in _OTHERS.items():
            if data.startswith(start):
                raise UnreadableError(f"it is {what}") from error
        raise UnreadableError(
            f"it is no file of skrnn, or was cut off or altered ({error})"
        ) from error
    arrays = {name: _as_array(name, tensor) for name, tensor in found}
    if JSON not in arrays or DIGEST not in arrays:
        raise UnreadableError("it is a file of safetensors, but not of skrnn")
    if arrays.pop(DIGEST).tobytes() != _digest(arrays):
        raise UnreadableError("it was altered or damaged: its SHA-256 is another one")
    return _parsed(arrays.pop(JSON).tobytes()), arrays


def _as_array(name, tensor):
    dtype = _TYPES.get(tensor["dtype"])
    if dtype is None:
        raise UnreadableError(f"the array {name!r:.60} is of type {tensor['dtype']}")
    raw = np.frombuffer(tensor["data"], np.uint8)
    if dtype == "|b1" and (raw > 1).any():
        raise UnreadableError(f"the array {name!r:.60} has what is no boolean")
    return raw.view(dtype).reshape(tensor["shape"])


def _digest(arrays):
    """Return the SHA-256 of names, types, shapes and bytes, by name."""
    found = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        array = np.asarray(array, order="C")
        head = json.dumps([name, array.dtype.str, list(array.shape)])
        found.update(head.encode("ascii") + b"\n")
        found.update(array.reshape(-1).view(np.uint8).data)
    return found.digest()


def _parsed(data):
    def refuse(word):
        raise UnreadableError(f"its JSON has {word}, which is no number of JSON")

    try:
        found = json.loads(data, parse_constant=refuse, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise UnreadableError(f"its JSON can't be read ({error})") from error
    if type(found) is not dict or type(found.get("format")) is not int:
        raise UnreadableError("its JSON says no format")
    return found


def _unique(pairs):
    found = dict(pairs)
    if len(found) != len(pairs):
        raise UnreadableError("its JSON has a name twice")
    return found


def read_file(path: str | os.PathLike[str]) -> bytes:
    """Return the bytes of a regular file.

    Raises
    ------
    OSError
        If there is none, or it can't be read.
    UnreadableError
        For a folder, a pipe or a device: some of these never end.
    """
    # To open a pipe would wait for somebody who writes.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise UnreadableError("it is no regular file")
        with open(descriptor, "rb", closefd=False) as file:
            return file.read()
    finally:
        os.close(descriptor)
