"""The file that `predictor` reads: a program as JSON, and its arrays, in one npz."""

import io
import json
from typing import Any

import numpy as np

FORMAT = "skrnn numpy 1"


def as_npz(network: Any) -> bytes:
    """Return the content of the file."""
    program = network.trace(["best_labels"])
    content = {
        "format": FORMAT,
        "about": network.about,
        "nodes": _plain(program.nodes),
        "outputs": {port.name: port.inner for port in program.outputs},
    }
    text = np.frombuffer(json.dumps(content).encode(), np.uint8)
    file = io.BytesIO()
    arrays: dict[str, Any] = program.arrays | {"program": text}
    np.savez(file, **arrays)
    return file.getvalue()


def _plain(nodes):
    """Return nodes as lists, those inside of others too."""
    found = []
    for node in nodes:
        options = dict(node.options)
        if "nodes" in options:
            options["nodes"] = _plain(options["nodes"])
        found.append([node.operation, node.inputs, options, node.outputs])
    return found
