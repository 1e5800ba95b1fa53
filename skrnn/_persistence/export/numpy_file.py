"""The file that `predictor` reads: a program as JSON, and its arrays, in one npz."""

import io
import json
from typing import Any

import numpy as np

from skrnn._persistence.export.networks import Network, trace

FORMAT = "skrnn numpy 1"


def as_npz(network: Network) -> bytes:
    """Return the content of the file."""
    program = trace(network, best_path=True)
    content = {
        "format": FORMAT,
        "about": network.about,
        "nodes": _plain(program.nodes),
        "output": program.output.name,
    }
    if program.labels is not None:
        content["labels"] = program.labels.name
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
