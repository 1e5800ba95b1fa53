"""Reading exported networks: what the tests of several kinds of them share."""

import json
from importlib.util import find_spec

HAS_ONNX = all(map(find_spec, ("onnx", "onnxruntime")))


def run_onnx(path):
    """Return what a file of ONNX tells of itself, and a function that runs it."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path)
    names = [each.name for each in session.get_outputs()]
    about = session.get_modelmeta().custom_metadata_map

    def run(**given):
        return dict(zip(names, session.run(None, given), strict=True))

    return {name: json.loads(value) for name, value in about.items()}, run
