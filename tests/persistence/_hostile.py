"""Files that somebody made to do harm, and files that were damaged.

`CASES` has what makes the bytes of each, and what `load` must say of it. The first ones
are no files of `save` at all; the others are whole ones, with the right SHA-256, whose
JSON or arrays were changed.
"""

import copy
import io
import json
import pickle
import zipfile
from functools import cache

import numpy as np
from safetensors.numpy import save as to_safetensors
from scipy import stats
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.model_selection import RandomizedSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeRegressor

import skrnn
from skrnn._persistence import container
from skrnn._persistence.files import to_bytes

X = np.random.default_rng(0).normal(size=(12, 4, 2))
TINY = dict(units=2, epochs=1, random_state=0)


class Evil:
    def __reduce__(self):
        import os

        return os.system, ("touch /tmp/skrnn-was-here",)


@cache
def good(name="network"):
    """Return the bytes of a file that nobody touched."""
    rows, table = X[:, 0], np.array([["a"], ["b"], ["c"]] * 4, dtype=object)
    made = {
        "network": lambda: skrnn.GRURegressor(**TINY).fit(X, X[:, 0, 0]),
        "pipeline": lambda: make_pipeline(StandardScaler()).fit(rows),
        "categories": lambda: OneHotEncoder().fit(table),
        "dropped": lambda: OneHotEncoder(drop="first").fit(table),
        "counts": lambda: CountVectorizer().fit(["one two", "three two"]),
        "tree": lambda: DecisionTreeRegressor(max_depth=2).fit(rows, rows[:, 0]),
        "search": lambda: RandomizedSearchCV(
            skrnn.GRURegressor(random_state=np.random.RandomState(0)),
            {"learning_rate": stats.uniform(0, 1)},
        ),
    }
    return to_bytes(made[name]())


def rewritten(change, name="network"):
    """Change the JSON and the arrays of a file; its SHA-256 is right again."""
    described, arrays = container.from_bytes(good(name))
    described = copy.deepcopy(described)
    arrays = {key: array.copy() for key, array in arrays.items()}
    found = change(described, arrays)
    return container.to_bytes(found or described, arrays)


def with_json(text):
    """Put another text in the place of the JSON."""
    _, arrays = container.from_bytes(good())
    whole = {container.JSON: np.frombuffer(text, np.uint8)} | arrays
    digest = np.frombuffer(container._digest(whole), np.uint8)
    return to_safetensors(whole | {container.DIGEST: digest})


def state_of(described):
    return described["estimator"]["state"]


def in_state(name="network", **values):
    return lambda: rewritten(lambda d, _: state_of(d).update(values), name)


def as_estimator(node):
    return lambda: rewritten(lambda d, _: {**d, "estimator": node})


def of_class(name):
    return lambda: rewritten(lambda d, _: d["estimator"].update({"class": name}))


def in_spec(**fields):
    def change(described, _):
        state = state_of(described)
        state["_spec"] = json.dumps(json.loads(state["_spec"]) | fields)

    return lambda: rewritten(change)


def in_arrays(change, name="network"):
    def apply(_, arrays):
        key = next(key for key in sorted(arrays) if change.__name__.rstrip("_") in key)
        arrays[key] = change(arrays[key])

    return lambda: rewritten(apply, name)


def function(name):
    return in_state(loss={"type": "function", "name": name})


def header(**tensors):
    """Make a file of safetensors whose header says anything."""
    text = tensors.pop("text", None) or json.dumps(tensors).encode()
    return len(text).to_bytes(8, "little") + text + bytes(64)


def tensor(begin, end, shape=None, dtype="U8"):
    shape = [end - begin] if shape is None else shape
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def zipped(name, data, method=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as made:
        made.writestr(name, data)
    return file.getvalue()


def of_numpy(array):
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


LAMBDA = json.dumps(
    {"class_name": "Lambda", "config": {"function": "gANjb3MKc3lzdGVt"}}
)
DEEP = b"[" * 200_000 + b"]" * 200_000


def laughs(levels=40):
    """Make values that refer to each other: 2 ** levels of them if they are copied."""
    node = {"type": "bunch", "id": 1, "items": {}}
    for i in range(2, levels):
        same = {"type": "same", "id": i - 1}
        first = node if i == 2 else same
        node = {"type": "bunch", "id": i, "items": {"a": first, "b": same}}
        yield node


def many_laughs():
    return as_estimator(list(laughs()))()


def weights_of(dtype=np.float32, shape=None):
    def kernel(array):
        return np.zeros(array.shape if shape is None else shape, dtype)

    return in_arrays(kernel_(kernel))


def kernel_(change):
    def _weights(array):
        return change(array)

    return _weights


def nodes(field, change):
    def apply(described, arrays):
        tree = state_of(described)["tree_"]
        name = tree["nodes"][field]["array"]
        arrays[name] = change(arrays[name])

    return lambda: rewritten(apply, "tree")


ARRAY = {"type": "array", "dtype": "<f8", "array": "_weights[0]"}
STRANGE = "can't be loaded"
NOT_OURS = "is no file of skrnn, or was cut off or altered"
# Name -> what makes the bytes, and a part of the error.
CASES = {
    # Other kinds of files, and damaged ones.
    "empty": (lambda: b"", NOT_OURS),
    "text": (lambda: b"hello " * 100, NOT_OURS),
    "pickle": (lambda: pickle.dumps(Evil()), "a pickle, which is never loaded"),
    "old pickle": (lambda: pickle.dumps(Evil(), 0), NOT_OURS),
    "zip that leads out": (lambda: zipped("../../evil.py", "import os"), "a zip"),
    "zip bomb": (
        lambda: zipped("skrnn.json", bytes(10**7), zipfile.ZIP_DEFLATED),
        "a zip",
    ),
    "Keras' Lambda": (lambda: zipped("config.json", LAMBDA), "a zip"),
    "HDF5": (lambda: b"\x89HDF\r\n\x1a\n" + bytes(100), "an HDF5"),
    "array of objects": (lambda: of_numpy(np.array([Evil()])), "an array of NumPy"),
    "zeros": (lambda: bytes(1000), NOT_OURS),
    "endless header": (lambda: b"\xff" * 7 + b"\x7f" + b"{}", NOT_OURS),
    "100 GB": (
        lambda: header(a=tensor(0, 64, [100, 2**30], "F32")),
        NOT_OURS,
    ),
    "100 GB of offsets": (lambda: header(a=tensor(0, 10**11)), NOT_OURS),
    "sizes that overflow": (
        lambda: header(a=tensor(0, 64, [2**62, 2**62, 16], "F32")),
        NOT_OURS,
    ),
    "overlap": (lambda: header(a=tensor(0, 40), b=tensor(24, 64)), NOT_OURS),
    "gap": (lambda: header(a=tensor(0, 8), b=tensor(16, 64)), NOT_OURS),
    "negative offsets": (lambda: header(a=tensor(-8, 56)), NOT_OURS),
    "offsets the wrong way": (lambda: header(a=tensor(64, 0, [64])), NOT_OURS),
    "deep header": (lambda: header(text=b'{"a":' + DEEP + b"}"), NOT_OURS),
    "header of NaN": (lambda: header(text=b'{"a":NaN}'), NOT_OURS),
    "odd type": (lambda: header(a=tensor(0, 64, None, "O")), NOT_OURS),
    "type that NumPy lacks": (
        lambda: header(a=tensor(0, 64, [32], "BF16")),
        "is of type BF16",
    ),
    "another's safetensors": (
        lambda: to_safetensors({"a": np.zeros(3)}),
        "of safetensors, but not of skrnn",
    ),
    "no boolean": (
        lambda: header(a=tensor(0, 64, None, "BOOL")).replace(bytes(64), b"\x02" * 64),
        "no boolean",
    ),
    "one byte missing": (lambda: good()[:-1], NOT_OURS),
    "half": (lambda: good()[: len(good()) // 2], NOT_OURS),
    "begun": (lambda: good()[:5], NOT_OURS),
    "one byte more": (lambda: good() + b"\0", NOT_OURS),
    "a bit flipped": (
        lambda: good()[:-40] + bytes([good()[-40] ^ 1]) + good()[-39:],
        "altered or damaged",
    ),
    # JSON that nobody wrote.
    "no JSON": (lambda: with_json(b"\xff\xfe"), "JSON can't be read"),
    "deep JSON": (lambda: with_json(DEEP), "JSON can't be read"),
    "NaN": (lambda: with_json(b'{"format":1,"estimator":NaN}'), "no number of JSON"),
    "twice": (lambda: with_json(b'{"format":1,"format":2}'), "a name twice"),
    "long int": (
        lambda: with_json(b'{"format":1,"estimator":' + b"9" * 5000 + b"}"),
        "JSON can't be read",
    ),
    "list": (lambda: with_json(b"[1]"), "says no format"),
    "no estimator": (lambda: with_json(b'{"format":1}'), "KeyError"),
    "format of text": (
        lambda: rewritten(lambda d, _: {**d, "format": "1"}),
        "no format",
    ),
    "format 0": (lambda: rewritten(lambda d, _: {**d, "format": 0}), "format is 0"),
    "true format": (lambda: rewritten(lambda d, _: {**d, "format": True}), "no format"),
    "later format": (
        lambda: rewritten(lambda d, _: {**d, "format": 9, "skrnn": "7.0"}),
        r"skrnn 7\.0 wrote it in format 9.*knows formats up to 1",
    ),
    "nested": (as_estimator(json.loads("[" * 500 + "]" * 500)), "nested too deep"),
    # Names.
    "os.system": (of_class("os.system"), "names 'os.system', which is no class"),
    "subprocess": (of_class("subprocess.Popen"), "no class that a file may have"),
    "no estimator's class": (of_class("skrnn.save"), "no class that a file may have"),
    "a list for a class": (of_class(["skrnn"]), "no class that a file may have"),
    "private class": (of_class("skrnn._estimators.base.BaseRecurrent"), "no class"),
    "splitter": (of_class("sklearn.model_selection.KFold"), STRANGE),
    "eval": (function("builtins.eval"), "no function that a file may have"),
    "os.system as loss": (function("os.system"), "no function that a file may have"),
    "numpy.load": (function("numpy.load"), "no function that a file may have"),
    "private function": (function("numpy.__import__"), "no function"),
    "a class as function": (function("numpy.memmap"), "no function"),
    "maker of scorers": (function("sklearn.metrics.make_scorer"), STRANGE),
    "unknown kind": (as_estimator({"type": "pickle", "data": "gASV"}), "the type 'p"),
    "no type": (as_estimator({"value": 1}), "KeyError"),
    "odd type of node": (as_estimator({"type": ["list"]}), "TypeError"),
    "number": (as_estimator(1), "holds a int, and no estimator"),
    "part": (
        as_estimator({"type": "part", "class": "Numbers", "fields": {}}),
        "holds a Numbers, and no estimator",
    ),
    "Keras": (
        in_state(optimizer={"type": "keras", "class": "Lambda", "config": {}}),
        "no optimizer of Keras",
    ),
    "a wrapper": (
        as_estimator(
            {
                "type": "wrapper",
                "class": "skrnn.scikeras.KerasRegressor",
                "state": {"optimizer": {"class_name": "Lambda"}},
            }
        ),
        "a function of yours builds; hand it over",
    ),
    # It would load Keras.
    "encoder": (of_class("skrnn.scikeras._targets.LabelsEncoder"), "hand it over"),
    # Attributes.
    "__reduce__": (in_state(__reduce__=1), "no parameter or attribute '__reduce__'"),
    "__class__": (in_state(__class__="x"), "no parameter or attribute '__class__'"),
    "__setstate__": (in_state(__setstate__=1), "no parameter or attribute"),
    "method": (in_state(predict="x"), "no parameter or attribute 'predict'"),
    "private method": (in_state(_check_X=1), "is no value, but a method"),
    "property": (in_state(model_=1), "is no value, but a method"),
    "parameter that isn't": (in_state(unit=3), "no parameter or attribute 'unit'"),
    "no name": (in_state(**{"a b_": 1}), "no parameter or attribute 'a b_'"),
    "large int": (in_state(units=10**25), "more than 64 bits"),
    "no weights": (
        lambda: rewritten(lambda d, _: state_of(d).pop("_weights") and None),
        "lacks .*_weights",
    ),
    "no mark": (
        lambda: rewritten(lambda d, _: state_of(d).pop("_saved") and None),
        "another version of skrnn",
    ),
    "another state": (
        in_state(_y_scale="x"),
        "state of a fitted GRURegressor: _y_scale",
    ),
    # Networks and weights.
    "huge network": (in_spec(n_features=2**40), r"_weights\[0\] must be"),
    "layer that isn't": (in_spec(layers=[{"layer": "Lambda"}]), "_spec can't be read"),
    "spec of text": (in_state(_spec="{"), "_spec can't be read"),
    "float64": (weights_of(np.float64), r"stored as another"),
    "another shape": (weights_of(shape=(3, 3)), r"_weights\[0\] must be a float32"),
    "empty weights": (weights_of(shape=(0, 6)), r"_weights\[0\] must be a float32"),
    "NaN in weights": (
        in_arrays(kernel_(lambda a: np.full_like(a, np.nan))),
        r"_weights\[0\] contains NaN",
    ),
    "objects for weights": (
        in_state(
            _weights=[{"type": "array", "dtype": "object", "shape": [1], "items": [0]}]
        ),
        "_weights must be a list",
    ),
    "text for weights": (in_state(_weights="abc"), "_weights must be a list"),
    "lost array": (
        in_state(history_={**ARRAY, "array": "none"}),
        "lacks the array 'none'",
    ),
    "dtype of objects": (in_state(history_={**ARRAY, "dtype": "|O"}), "dtype '|O'"),
    "dtype of bytes": (in_state(history_={**ARRAY, "dtype": "|V8"}), "dtype"),
    "shape of objects": (
        in_state(
            history_={"type": "array", "dtype": "object", "shape": [2**40], "items": []}
        ),
        "hasn't as many",
    ),
    "negative shape": (
        in_state(
            history_={"type": "array", "dtype": "object", "shape": [-1], "items": [1]}
        ),
        "shape of an array of objects",
    ),
    "text as numbers": (in_state(history_={**ARRAY, "dtype": "<U900000000"}), STRANGE),
    # References.
    "refers to nothing": (in_state(loss={"type": "same", "id": 5}), "isn't there"),
    "refers to itself": (
        as_estimator(
            {"type": "bunch", "id": 1, "items": {"a": {"type": "same", "id": 1}}}
        ),
        "isn't there",
    ),
    "a billion laughs": (many_laughs, "repeats the same values too often"),
    "shares a list": (
        in_state(history_={"type": "dict", "id": 1, "items": []}),
        "shares what can't be shared",
    ),
    "unhashable key": (
        in_state(history_={"type": "dict", "items": [[[], 1]]}),
        STRANGE,
    ),
    "key twice": (
        in_state(history_={"type": "dict", "items": [["a", 1], ["a", 2]]}),
        "a key twice",
    ),
    # Values that code in C would trust.
    "zone that leads out": (
        in_state(history_={"type": "time", "unit": "ns", "value": 1, "zone": "../x"}),
        STRANGE,
    ),
    "odd frequency": (
        in_state(history_={"type": "period", "ordinal": 1, "freq": "os.system"}),
        STRANGE,
    ),
    "memory on disk": (in_state("pipeline", memory="/tmp/folder"), "memory on disk"),
    "columns that aren't": (
        in_state("categories", _n_features_outs=[2]),
        "another number of columns",
    ),
    "drop that isn't": (
        in_state("dropped", _drop_idx_after_grouping=[7], drop_idx_=[7]),
        "drop_idx_ out of range",
    ),
    "vocabulary": (
        in_state(
            "counts",
            vocabulary_={"type": "dict", "items": [["one", 0], ["two", 10**9]]},
        ),
        "doesn't count the columns",
    ),
    "node that isn't": (nodes("left_child", lambda a: a + 100), "lead to its leaves"),
    "nodes in a circle": (nodes("right_child", np.zeros_like), "lead to its leaves"),
    "feature that isn't": (nodes("feature", lambda a: a + 50), "lead to its leaves"),
    "tree of other features": (in_state("tree", n_features_in_=9), "of other features"),
    "place in a generator": (
        lambda: rewritten(
            lambda d, _: state_of(d)["estimator"]["state"]["random_state"].update(
                pos=9999
            ),
            "search",
        ),
        "RandomState is wrong",
    ),
    "distribution": (
        lambda: rewritten(
            lambda d, _: state_of(d)["param_distributions"]["items"][0][1].update(
                name="rv_continuous"
            ),
            "search",
        ),
        "names the distribution",
    ),
    "parameters of a distribution": (
        lambda: rewritten(
            lambda d, _: state_of(d)["param_distributions"]["items"][0][1].update(
                args=["x"]
            ),
            "search",
        ),
        "no numbers",
    ),
}
