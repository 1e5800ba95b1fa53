"""What the kernels in C are given: what they can't read is refused at the door."""

import numpy as np
import pytest
from _instances import in_new_process

from skrnn import GRUClassifier, GRURegressor, LSTMRegressor, RNNRegressor
from skrnn._engine.cpu.kernels import _kernels
from skrnn._engine.cpu.kernels.layer import KERNEL_ACTIVATIONS
from skrnn._networks.losses import LOSSES

F, N, L = np.float32, np.int32, np.int64
EMPTY = np.zeros((1, 0), F)


def layer_arguments(cell=2, steps=2, n=3, units=2):
    gates = (1, 4, 3)[cell]
    whole, states = np.zeros((steps, n, units), F), np.zeros((steps + 1, n, units), F)
    return {
        "cell": cell, "activation": 0, "steps": steps, "sequences": n, "units": units,
        "first": 0, "last": n, "active": np.full(steps, n, N),
        "z": np.zeros((steps, n, gates * units), F), "h": states, "c": states.copy(),
        "extra": whole, "kernel": np.zeros((units, gates * units), F), "bias": None,
        "mask": None, "table": None, "ids": None, "resets": None, "y": None, "dy": None,
        "dh": None, "dc": None,
    }  # fmt: skip


def train_arguments(stride=1):
    sizes = np.array([2 * 2, 2 * 2, 2, 2 * 1, 1])
    n = sizes.sum()
    return {
        "cell": 0, "activation": 0, "loss": 0, "parameter": 0.5, "steps": 2, "units": 2,
        "features": 2, "outputs": 1, "stride": stride, "counts": np.array([2], L),
        "starts": np.array([[0, 1]], L), "values": np.ones((4, 2), F),
        "targets": np.ones((1, 2, 1), F), "weights": np.ones((1, 2), F),
        "w": np.ones(n, F), "g": np.ones(n, F), "m": np.zeros(n, F),
        "v": np.zeros(n, F), "ends": np.cumsum(sizes, dtype=L),
        "space": np.zeros(1000, F), "rates": np.full(1, 0.1),
        "recurrent_masks": np.ones((1, 2, 2), F), "masks": None, "clipnorm": 1.0,
        "global_clipnorm": 1.0, "keep_1": 0.9, "keep_2": 0.999, "epsilon": 1e-7,
        "n_done": 0,
    }  # fmt: skip


SHAPE = {"steps": 3, "sequences": 2, "channels": 2}
WINDOWS = {
    "steps": 3, "sequences": 2, "features": 2, "size": 2, "filters": 5, "dilation": 1,
    "before": 0, "lengths": np.array([3, 1], N),
}  # fmt: skip
RECTIFIED = {
    "pool": 2, "first": 0, "last": 2, "real": None, "x": np.ones((3, 2, 2), F),
    "mean": np.ones(2, F), "factor": np.ones(2, F), "beta": np.ones(2, F),
}  # fmt: skip
# Kernel -> arguments that it takes, by name and in order.
GOOD = {
    "layer": layer_arguments(),
    "project": {
        "steps": 1, "sequences": 2, "active": np.full(1, 2, N), "a": np.ones((2, 3), F),
        "k": 3, "b": np.ones((3, 4), F), "transposed": 0, "n": 4, "bias": None,
        "c": np.zeros((2, 4), F),
    },
    "narrow": {
        "m": 2, "k": 3, "a": np.ones((2, 3), F), "b": np.ones((3, 4), F), "n": 4,
        "bias": None, "c": np.zeros((2, 4), F),
    },
    "stacked": {
        "stack": 2, "m": 2, "k": 3, "a": np.ones((2, 2, 3), F),
        "b": np.ones((2, 4, 3), F), "n": 4, "c": np.zeros((2, 2, 4), F),
    },
    "outer": {
        "steps": 1, "sequences": 2, "active": np.full(1, 2, N), "b": np.ones((2, 4), F),
        "ldb": 4, "first": 0, "n": 4, "column": 0, "ldout": 4, "total": None,
        "a": np.ones((2, 3), F), "m": 3, "out": np.zeros((3, 4), F), "other": None,
        "other_m": 0, "mask": None, "other_out": None,
    },
    "train": train_arguments(),
    "clip": {"x": np.ones(4, F), "ends": np.array([1, 4], L), "limit": 1.0},
    "adam": {
        "w": np.ones(4, F), "g": np.ones(4, F), "m": np.zeros(4, F),
        "v": np.zeros(4, F), "rate": 0.1, "keep_1": 0.9, "keep_2": 0.9, "epsilon": 1e-7,
    },
    "scatter": {
        "ids": np.zeros(3, N), "rows": np.ones((3, 2), F), "n": 3, "width": 2,
        "first": 0, "last": 2, "out": np.zeros((2, 2), F),
    },
    "crossentropy": {
        "z": np.zeros((2, 3), F), "targets": np.zeros(2, N), "losses": np.zeros(2, F),
        "first": 0, "last": 2, "n": 3, "scale": 1.0,
    },
    "convolve": WINDOWS | {
        "first": 0, "last": 2, "x": np.ones((3, 2, 2), F),
        "kernel": np.ones((2, 2, 5), F), "bias": None, "out": np.zeros((3, 2, 5), F),
    },
    "convolve_back": WINDOWS | {
        "first": 0, "last": 5, "x": np.ones((3, 2, 2), F), "g": np.ones((3, 2, 5), F),
        "d_kernel": np.zeros((2, 2, 5), F), "d_bias": np.zeros(5, F),
    },
    "statistics": SHAPE | {
        "first": 0, "last": 2, "real": None, "n_real": 6, "x": np.ones((3, 2, 2), F),
        "mean": np.zeros(2, F), "variance": np.zeros(2, F),
    },
    "rectify": SHAPE | RECTIFIED | {"y": np.zeros((2, 2, 2), F)},
    "rectify_back": SHAPE | RECTIFIED | {
        "inverse": np.ones(2, F), "n_real": 6, "g": np.ones((2, 2, 2), F),
        "dx": np.zeros((3, 2, 2), F), "d_gamma": np.zeros(2, F),
        "d_beta": np.zeros(2, F),
    },
}  # fmt: skip
# Kernel -> arguments that it writes to.
WRITTEN = {
    "layer": ["z", "h", "c", "extra"],
    "project": ["c"],
    "narrow": ["c"],
    "stacked": ["c"],
    "outer": ["out"],
    "train": ["w", "g", "m", "v", "space"],
    "clip": ["x"],
    "adam": ["w", "m", "v"],
    "scatter": ["out"],
    "crossentropy": ["z", "losses"],
    "convolve": ["out"],
    "convolve_back": ["d_kernel", "d_bias"],
    "statistics": ["mean", "variance"],
    "rectify": ["y"],
    "rectify_back": ["dx", "d_gamma", "d_beta"],
}
# These tell how much there is to do: it may be nothing.
COUNTED = {("train", "counts"), ("clip", "ends"), ("adam", "w")}
ARRAYS = [
    (kernel, name)
    for kernel, arguments in GOOD.items()
    for name, value in arguments.items()
    if isinstance(value, np.ndarray)
]


def call(kernel, /, **changes):
    arguments = {
        name: value.copy() if isinstance(value, np.ndarray) else value
        for name, value in GOOD[kernel].items()
    }
    return getattr(_kernels, kernel)(*(arguments | changes).values())


def misaligned(array):
    room = np.zeros(array.nbytes + 1, np.uint8)
    return room[1:].view(array.dtype).reshape(array.shape)


def read_only(array):
    array = array.copy()
    array.flags.writeable = False
    return array


@pytest.mark.parametrize("kernel", GOOD)
def test_good_arguments_are_taken(kernel):
    call(kernel)


@pytest.mark.parametrize(("kernel", "name"), ARRAYS)
def test_arrays_of_another_kind_are_refused(kernel, name):
    array = GOOD[kernel][name]
    other = np.float16 if array.dtype != F else np.float64
    with pytest.raises(
        (TypeError, ValueError), match=r"where 'd?f?i?l?q?' is|of another"
    ):
        call(kernel, **{name: array.astype(other)})
    with pytest.raises(
        (TypeError, ValueError), match=r"where 'd?f?i?l?q?' is|of another"
    ):
        call(kernel, **{name: array.astype(array.dtype.newbyteorder())})
    if name != "values":
        # Where the values of sequences stand is told by their strides.
        with pytest.raises(ValueError, match=r"aligned|of another"):
            call(kernel, **{name: misaligned(array)})
        apart = np.repeat(array[..., None], 2, axis=-1)[..., 0]
        if array.size > 1:
            with pytest.raises((ValueError, BufferError), match="contiguous"):
                call(kernel, **{name: apart})
    if (kernel, name) not in COUNTED:
        with pytest.raises((ValueError, IndexError), match=r"\w"):
            call(kernel, **{name: array.ravel()[:0]})


@pytest.mark.parametrize(("kernel", "name"), ARRAYS)
def test_none_is_no_array(kernel, name):
    if (kernel, name) in [("layer", "c"), ("train", "recurrent_masks")]:
        # A GRU has none; nothing is dropped.
        call(kernel, **{name: None})
        return
    with pytest.raises((TypeError, ValueError), match=r"None|needs|bytes-like"):
        call(kernel, **{name: None})


@pytest.mark.parametrize(("kernel", "name"), ARRAYS)
def test_only_what_is_written_to_must_be_writable(kernel, name):
    array = read_only(GOOD[kernel][name])
    if name in WRITTEN[kernel]:
        with pytest.raises((ValueError, BufferError), match=r"read-only|writable"):
            call(kernel, **{name: array})
    else:
        call(kernel, **{name: array})


@pytest.mark.parametrize(
    ("kernel", "changes"),
    [
        ("layer", {"cell": 99}),
        ("layer", {"kernel": None}),
        ("layer", {"cell": -1}),
        ("layer", {"activation": len(KERNEL_ACTIVATIONS)}),
        ("layer", {"activation": -1}),
        ("layer", {"steps": -1, "sequences": -3}),
        ("layer", {"units": 0}),
        ("layer", {"units": -2}),
        ("layer", {"first": 2, "last": 1}),
        ("layer", {"first": -1}),
        ("layer", {"last": 4}),
        ("layer", {"active": np.array([3, 4], N)}),
        ("layer", {"cell": 1, "extra": None, "z": np.zeros((2, 3, 8), F)}),
        ("layer", {"table": np.zeros((1, 6), F)}),
        ("layer", {"dy": np.zeros((2, 3, 2), F)}),
        ("project", {"steps": -1, "sequences": -2}),
        ("project", {"k": -1, "n": -1}),
        ("project", {"active": np.array([3], N)}),
        ("narrow", {"m": -1, "k": -1}),
        ("stacked", {"stack": -1, "m": -2}),
        ("stacked", {"k": -3}),
        ("stacked", {"m": 2**40, "k": 0, "n": 0, "a": EMPTY, "b": EMPTY, "c": EMPTY}),
        ("outer", {"first": 1}),
        ("outer", {"column": -1}),
        ("outer", {"m": -1, "ldout": -4}),
        ("outer", {"other": np.ones((2, 3), F), "other_m": 3}),
        ("train", {"loss": len(LOSSES)}),
        ("train", {"loss": 2}),
        ("train", {"m": None}),
        ("train", {"m": None, "v": None, "rates": np.full(2, 0.1)}),
        ("train", {"activation": len(KERNEL_ACTIVATIONS)}),
        ("train", {"stride": -1}),
        ("train", {"steps": 0}),
        ("train", {"units": -2}),
        ("train", {"outputs": -1}),
        ("train", {"counts": np.array([3], L)}),
        ("train", {"starts": np.array([[0, 3]], L)}),
        ("train", {"starts": np.array([[0, -1]], L)}),
        ("train", {"ends": np.array([4, 8, 10, 12, 12], L)}),
        ("train", {"values": np.ones(4, F)}),
        ("clip", {"ends": np.array([-1, 4], L)}),
        ("clip", {"ends": np.array([3, 2], L)}),
        ("clip", {"ends": np.array([5], L)}),
        ("scatter", {"n": -1, "width": -2}),
        ("scatter", {"last": 3}),
        ("crossentropy", {"last": -1}),
        ("crossentropy", {"first": 2, "last": 1}),
        ("crossentropy", {"n": 0}),
        ("convolve", {"steps": -1, "sequences": -2}),
        ("convolve", {"size": 0}),
        ("convolve", {"dilation": 0}),
        ("convolve", {"dilation": 2**62}),
        ("convolve", {"before": -1}),
        ("convolve", {"before": 3}),
        ("convolve", {"lengths": np.array([4, 1], N)}),
        ("convolve", {"lengths": np.array([3, -1], N)}),
        ("convolve", {"last": 3}),
        ("convolve_back", {"first": -1}),
        ("convolve_back", {"last": 6}),
        ("convolve_back", {"filters": -5}),
        ("statistics", {"steps": 0}),
        ("statistics", {"last": 3}),
        ("rectify", {"pool": 0}),
        ("rectify", {"pool": 2**40}),
        ("rectify", {"first": 2, "last": 1}),
        ("rectify", {"real": np.ones(5, bool)}),
        ("rectify_back", {"channels": -2}),
        ("rectify_back", {"pool": 1}),
    ],
)
def test_numbers_that_make_no_sense_are_refused(kernel, changes):
    with pytest.raises(ValueError, match=r"\w"):
        call(kernel, **changes)


# Arrays that lie in memory as no array of NumPy's own making does -> how they are made.
def packed_structure(x):
    fields = np.zeros(x.shape[:2], [("flag", "u1"), ("x", F, x.shape[2])])
    fields["x"] = x
    return fields["x"]


def offset_by_a_byte(x):
    copied = misaligned(x)
    copied[...] = x
    return copied


FORMS = {
    "packed": packed_structure,
    "packed and reversed": lambda x: packed_structure(x[:, :, ::-1])[:, :, ::-1],
    "misaligned": offset_by_a_byte,
    "reversed in time": lambda x: packed_structure(x[:, ::-1])[:, ::-1],
    "another byte order": lambda x: x.astype(">f4"),
    "read-only": read_only,
    "Fortran's order": np.asfortranarray,
}
ESTIMATORS = {
    "gru": GRURegressor(units=2, epochs=2, random_state=0),
    "rnn": RNNRegressor(units=2, epochs=2, random_state=0),
    "classifier": GRUClassifier(units=2, epochs=2, random_state=0),
    "no plain steps": LSTMRegressor(
        units=2, epochs=2, random_state=0, bidirectional=True, return_sequences=True
    ),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ESTIMATORS)
def test_any_layout_of_X_gives_the_same_network(name, form):
    x = np.random.default_rng(0).normal(size=(12, 4, 3)).astype(F)
    model = ESTIMATORS[name]
    y = x[:, :, 0] if model.return_sequences else x[:, 0, 0]
    y = (y > 0).astype(int) if name == "classifier" else y
    plain = model.fit(x, y)
    expected, weights = plain.predict(x), plain._weights
    other = model.fit(FORMS[form](x), y)
    for one, two in zip(other._weights, weights, strict=True):
        np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(other.predict(FORMS[form](x)), expected)


def test_misaligned_rows_of_a_list_are_read():
    x = np.random.default_rng(0).normal(size=(12, 4, 3)).astype(F)
    model = GRURegressor(units=2, epochs=1, random_state=0).fit(list(x), x[:, 0, 0])
    np.testing.assert_array_equal(
        model.predict([offset_by_a_byte(each) for each in x]), model.predict(list(x))
    )


def test_every_instruction_set_refuses_the_same():
    code = """
    import numpy as np
    from skrnn._engine.cpu.kernels import _kernels
    for name in ("plain", "avx2", "avx512"):
        try:
            _kernels.use(name)
        except ValueError:
            continue
        try:
            _kernels.adam(*[np.zeros(3)] * 4, 0.1, 0.9, 0.9, 1e-7)
        except TypeError:
            print("refused")
    """
    assert set(in_new_process(code.replace("\n    ", "\n")).split()) == {"refused"}
