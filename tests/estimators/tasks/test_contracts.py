"""The hooks between tasks and networks: those of the protocols, and no others."""

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import skrnn
from skrnn._estimators import base, going_on, network_base, seq2seq, streaming, tasks
from skrnn._estimators.base import BaseRecurrent
from skrnn._estimators.outliers import SequenceOutlierDetector
from skrnn._estimators.recurrent import GRURegressor
from skrnn._estimators.seq2seq import BaseSeq2Seq
from skrnn._estimators.tasks import contracts, contracts_of_outliers

ROOT = Path(skrnn.__file__).parents[1]
TASKS = Path(tasks.__file__).parent
MIXINS = [getattr(tasks, name) for name in tasks.__all__]
# What a mixin derives from -> the protocol, and the hooks that have a default.
PROTOCOLS = {
    "SequenceContract": (contracts.SequenceTask, contracts.OptionalHooks),
    "LabelContract": (contracts.LabelTask, contracts.OptionalHooks),
    "Seq2SeqContract": (contracts.Seq2SeqTask, contracts.OptionalSeq2SeqHooks),
    "OutlierContract": (contracts_of_outliers.OutlierTask, contracts.OptionalHooks),
}
CONTRACTS = contracts.__name__, contracts_of_outliers.__name__
NETWORKS = [
    (BaseRecurrent, contracts.SequenceNetwork),
    (BaseRecurrent, contracts.OptionalHooks),
    (BaseSeq2Seq, contracts.Seq2SeqNetwork),
    (BaseSeq2Seq, contracts.OptionalSeq2SeqHooks),
    (SequenceOutlierDetector, contracts_of_outliers.OutlierNetwork),
    (SequenceOutlierDetector, contracts.OptionalHooks),
]
every_mixin = pytest.mark.parametrize("mixin", MIXINS, ids=lambda cls: cls.__name__)


def protocols_of(mixin):
    """Return the protocols that a mixin says it has."""
    tree = ast.parse(inspect.getsource(mixin))
    names = [node.id for node in tree.body[0].bases if isinstance(node, ast.Name)]
    (name,) = set(names) & PROTOCOLS.keys()
    return PROTOCOLS[name]


def members(protocol):
    """Return the members of a protocol: methods, and names of attributes alone."""
    found = {}
    for cls in reversed(protocol.__mro__):
        if cls.__module__ in CONTRACTS:
            found |= dict.fromkeys(inspect.get_annotations(cls))
            found |= {k: v for k, v in vars(cls).items() if is_hook(k, v)}
    return found


def is_hook(name, value):
    return not name.startswith("__") and (
        inspect.isfunction(value) or isinstance(value, property)
    )


def arguments(method):
    """Return what a method is called with: how many by position, and if any by name."""
    parameters = [*inspect.signature(method).parameters.values()]
    kinds = [parameter.kind for parameter in parameters]
    by_name = inspect.Parameter.VAR_KEYWORD in kinds
    needed = [p for p in parameters if p.default is p.empty and p.kind < p.KEYWORD_ONLY]
    return len([kind for kind in kinds if kind < 2]), len(needed), by_name


def takes(method, hook):
    """Whether a method can be called as a hook is."""
    own, wanted = arguments(method), arguments(hook)
    # It may have more parameters, with defaults.
    return own[0] >= wanted[0] >= own[1] and own[2] >= wanted[2]


def has(cls, name):
    static = inspect.getattr_static(cls, name, None)
    fields = {name for each in cls.__mro__ for name in inspect.get_annotations(each)}
    return static is not None or name in fields


@every_mixin
def test_a_mixin_has_all_hooks_of_its_contract(mixin):
    protocol, _ = protocols_of(mixin)
    for name, hook in members(protocol).items():
        assert has(mixin, name), f"{mixin.__name__} has no {name}"
        if hook is not None:
            assert takes(getattr(mixin, name), hook), f"{mixin.__name__}.{name}"


@every_mixin
def test_hooks_that_a_mixin_need_not_have_are_called_alike(mixin):
    _, optional = protocols_of(mixin)
    for name, hook in members(optional).items():
        if hook is not None and hasattr(mixin, name):
            assert takes(getattr(mixin, name), hook)


@pytest.mark.parametrize(("network", "protocol"), NETWORKS)
def test_a_network_has_what_its_tasks_ask_it_for(network, protocol):
    for name, hook in members(protocol).items():
        # What training sets, and what a task sets of strings, is no part of a class.
        assert has(network, name) or name in ("_spec", "_weights", "_vocabulary")
        if inspect.isfunction(hook):
            assert takes(getattr(network, name), hook)


def test_a_contract_is_no_base_at_run_time():
    for mixin in MIXINS:
        modules = {cls.__module__ for cls in mixin.__mro__}
        assert not modules & set(CONTRACTS)

    class Headless(GRURegressor):
        @property
        def _head(self):
            raise AttributeError("there is no _head")

    with pytest.raises(AttributeError, match="no _head"):
        Headless(units=2, epochs=1).fit(np.zeros((4, 3, 1)), np.arange(4.0))


# Names


def names_of(paths):
    """List what modules use of an estimator, and what they define or set."""
    used, defined = set(), set()
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                defined.add(node.name)
            if isinstance(node, ast.AnnAssign | ast.Assign):
                targets = getattr(node, "targets", [getattr(node, "target", None)])
                defined |= {each.id for each in targets if isinstance(each, ast.Name)}
            if not isinstance(node, ast.Attribute):
                continue
            if getattr(node.value, "id", "") in ("self", "estimator"):
                is_set = isinstance(node.ctx, ast.Store)
                (defined if is_set else used).add(node.attr)
            elif ast.unparse(node.value) == "super()":
                used.add(node.attr)
    return {name for name in used if not name.startswith("__")}, defined


def names_in(*protocols):
    return {name for protocol in protocols for name in members(protocol)}


def test_networks_ask_tasks_for_nothing_else():
    modules = base, going_on, network_base, seq2seq, streaming
    used, defined = names_of(Path(module.__file__) for module in modules)
    promised = names_in(contracts.LabelTask, contracts.Seq2SeqTask)
    # What everyone reads X with; scikit-learn's; the user's.
    others = {"_form", "_validate_params", "_n_features_out", "predict"}
    assert {n for n in used - defined - others if n.startswith("_")} <= promised


def test_tasks_ask_networks_for_nothing_else():
    used, defined = names_of(TASKS.glob("*.py"))
    networks = contracts.SequenceNetwork, contracts.Seq2SeqNetwork
    networks = *networks, contracts_of_outliers.OutlierNetwork
    # By its base, scikit-learn's mixin.
    assert used - defined <= names_in(*networks)


def test_every_mixin_of_the_room_is_known():
    found = {
        node.name
        for path in TASKS.glob("*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ClassDef)
        and any(ast.unparse(base).endswith("Contract") for base in node.bases)
    }
    assert found == set(tasks.__all__)


def test_hooks_are_documented():
    for name, protocol in (vars(contracts) | vars(contracts_of_outliers)).items():
        if getattr(protocol, "_is_protocol", False) and name != "Protocol":
            assert protocol.__doc__
            hooks = members(protocol).items()
            missing = [
                n for n, hook in hooks if inspect.isfunction(hook) and not hook.__doc__
            ]
            assert not missing


# Types

SCRIPT = """
from skrnn._estimators.tasks.contracts import SequenceContract, Seq2SeqContract


class Right(SequenceContract):
    def _decode(self, answers):
        return answers


class Wrong(SequenceContract):
    def _decode(self):
        return 0


class AlsoWrong(Seq2SeqContract):
    def _head(self) -> int:
        return 3
"""


def test_type_checkers_hold_mixins_to_their_contracts(tmp_path):
    pytest.importorskip("mypy")
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    # With the cache of `make types`, which then is told of most modules: without one
    # it takes a minute.
    options = ["--config-file", ROOT / "pyproject.toml"]
    options += ["--cache-dir", ROOT / ".mypy_cache"]
    options += ["--no-error-summary", "--hide-error-context"]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *map(str, options), str(script)],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    errors = [line for line in done.stdout.splitlines() if ": error:" in line]
    lines = SCRIPT.splitlines()
    told = [int(error.split("script.py:")[1].split(":")[0]) for error in errors]
    assert [lines[line - 1].strip() for line in told] == [
        "def _decode(self):",
        "def _head(self) -> int:",
    ], done.stdout + done.stderr
