"""Python ends while a thread fits: neither a crash nor a hang, and no noise."""

import pytest
from _children import finish, start
from _instances import needs
from _tables import LONG

ENDS = """
from skrnn import LSTMRegressor

engine, units, how, seconds = sys.argv[1], int(sys.argv[2]), *sys.argv[3:]
X = rng.normal(size=(256, 20, 2)).astype(np.float32)
y = X[:, -1, 0]
begun = threading.Event()


class Begun:
    "Stands for rows: `fit` looks at them just before it trains."

    def __array__(self, dtype=None, copy=None):
        begun.set()
        return np.array(y, dtype=dtype)


def train():
    options = dict(units=units, epochs=10**8, batch_size=256, random_state=0)
    LSTMRegressor(**options, engine=engine).fit(X, Begun())


if engine == "keras":
    LSTMRegressor(units=units, epochs=1, batch_size=256, engine=engine).fit(X, y)
for _ in range(2):
    threading.Thread(target=train, daemon=True).start()
begun.wait()
time.sleep(float(seconds))
signal.alarm(20)
if how == "exit":
    sys.exit(0)
if how == "error":
    raise SystemExit("the end")
"""


def ends(engine, units, how="", seconds=0.2, **environment):
    child = start(ENDS, engine, units, how, seconds, **environment)
    if how != "error":
        assert finish(child) == ""
        return
    _, errors = child.communicate(timeout=60)
    assert (child.returncode, errors) == (1, "the end\n")


SECONDS = [i / 50 for i in range(50)] if LONG else [0.0, 0.11]


# A large network is trained by more than one thread.
@pytest.mark.parametrize("units", [2, 160])
@pytest.mark.parametrize("seconds", SECONDS)
def test_python_ends_during_a_fit_on_the_cpu_engine(units, seconds):
    ends("cpu", units, seconds=seconds)


@pytest.mark.parametrize("how", ["exit", "error"])
def test_a_program_is_left_during_a_fit(how):
    ends("cpu", 160, how)


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_python_ends_during_a_fit_on_the_keras_engine(backend):
    needs(backend)
    for _ in range(5 if LONG else 1):
        ends("keras", 8, KERAS_BACKEND=backend)
