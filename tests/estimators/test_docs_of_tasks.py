"""Documentation by attributes of a task's mixin: names of classes are free."""

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest
from numpydoc.docscrape import NumpyDocString
from sklearn.base import OutlierMixin

import skrnn
from skrnn._estimators.base import BaseRecurrent
from skrnn._estimators.docs.recurrent import PARAMETERS, recurrent_estimator
from skrnn._estimators.seq2seq import BaseSeq2Seq
from skrnn._estimators.tasks import (
    Seq2SeqClassifierMixin,
    SequenceClassifierMixin,
    SequenceRegressorMixin,
)
from skrnn._estimators.tasks.documentation import LABELS, NUMBERS, TaskDocs
from skrnn._sklearn import Share


@dataclass(kw_only=True, eq=False, repr=False)
class DetectorMixin(OutlierMixin):
    """A task that isn't one of ours."""

    contamination: float = 0.1

    _task_docs: ClassVar[TaskDocs] = TaskDocs(
        parameters={
            "loss": ("str", "What is minimised by the detector."),
            "validation_split": NUMBERS.parameters["validation_split"],
            "contamination": ("float in (0, 1)", "Share of outliers in training."),
        },
        attributes="offset_ : float\n    Scores below it are those of outliers.\n",
        counterpart="SequenceClassifier",
        counterparts={"gru": "GRUClassifier"},
        relation="Learns from labels what is an outlier.",
        example=">>> {name}(units=2).units\n2",
    )
    _task_constraints = {"contamination": [Share(zero=False)]}


@recurrent_estimator
class SequenceOutlierDetector(DetectorMixin, BaseRecurrent):
    """Recurrent network that finds sequences unlike the others."""

    cell: str = "lstm"


@recurrent_estimator
class Watchdog(DetectorMixin, BaseRecurrent):
    """The same with one cell."""

    cell = "gru"


def docs(cls):
    return NumpyDocString(cls.__doc__)


def see_also(cls):
    """Return the only name of "See Also", and what is said of it."""
    ((names, text),) = docs(cls)["See Also"]
    return names[0][0], " ".join(text)


@pytest.mark.parametrize("cls", [SequenceOutlierDetector, Watchdog])
def test_a_task_of_any_name_has_its_documentation(cls):
    found = docs(cls)
    described = {
        row.name: (row.type, " ".join(row.desc)) for row in found["Parameters"]
    }
    kind, text = described["contamination"]
    assert (kind, text) == (
        "float in (0, 1), default=0.1",
        "Share of outliers in training.",
    )
    assert described["loss"][1] == "What is minimised by the detector."
    names = list(described)
    assert names.index("contamination") == names.index("callbacks") - 1
    assert "class_weight" not in names
    learnt = [row.name for row in found["Attributes"]]
    assert learnt[:2] == ["offset_", "history_"]
    assert "classes_" not in learnt
    assert found["Examples"] == [
        f">>> {cls.__name__}(units=2).units",
        "2",
    ]


def test_the_counterpart_is_what_the_task_says():
    relation = "Learns from labels what is an outlier."
    assert see_also(SequenceOutlierDetector) == ("SequenceClassifier", relation)
    assert see_also(Watchdog) == ("GRUClassifier", relation)


def estimator(name, mixin, base, **attributes):
    members = {"__doc__": "Summary.", "__module__": __name__} | attributes
    return recurrent_estimator(type(name, (mixin, base), members))


def test_known_tasks_have_their_documentation_under_other_names():
    for name, mixin, base, known in [
        # Names that promise another task.
        ("Seq2SeqTagger", SequenceClassifierMixin, BaseRecurrent, "GRUClassifier"),
        ("LabelClassifier", SequenceRegressorMixin, BaseRecurrent, "GRURegressor"),
        ("Speller", Seq2SeqClassifierMixin, BaseSeq2Seq, "Seq2SeqClassifier"),
    ]:
        options = {"cell": "gru"} if base is BaseRecurrent else {}
        made, known = estimator(name, mixin, base, **options), getattr(skrnn, known)
        ours, others = made.__doc__, known.__doc__.replace(known.__name__, name)
        sections = ours[ours.index("Parameters\n") :]
        assert sections == others[others.index("Parameters\n") :]


def test_a_cell_without_a_counterpart_refers_to_the_estimator_of_any_cell():
    made = estimator("Unlike", SequenceRegressorMixin, BaseRecurrent, cell="indrnn")
    assert see_also(made)[0] == "SequenceClassifier"


def test_counterparts_are_public_and_point_at_each_other():
    pairs = {}
    for name in skrnn.__all__:
        cls = getattr(skrnn, name)
        if hasattr(cls, "_task_docs"):
            pairs[name] = see_also(cls)[0]
    # It has no task beside it, and points at what predicts the same series.
    assert pairs.pop("SequenceOutlierDetector") == "SequenceRegressor"
    assert len(pairs) == 12
    assert all(pairs[other] == name for name, other in pairs.items())
    for one, other in pairs.items():
        kinds = {getattr(skrnn, each)._task_docs is LABELS for each in (one, other)}
        assert kinds == {True, False} or one.startswith("Seq2Seq")


def test_a_parameter_that_nobody_describes_is_told():
    @dataclass(kw_only=True, eq=False, repr=False)
    class Forgetful(SequenceRegressorMixin):
        forgotten: int = 0

    with pytest.raises(LookupError, match=r"Careless has parameters .*'forgotten'"):
        estimator("Careless", Forgetful, BaseRecurrent, cell="gru")


def test_what_only_tasks_and_kinds_of_networks_describe_is_described_by_them():
    own = set()
    for name in skrnn.__all__:
        cls = getattr(skrnn, name)
        if hasattr(cls, "_task_docs"):
            own |= cls._network_docs.keys() | cls._task_docs.parameters.keys()
    assert {name for name, row in PARAMETERS.items() if row is None} <= own


def test_no_documentation_reads_the_name_of_a_class():
    rooms = Path(skrnn.__file__).parent
    for path in [*rooms.rglob("_estimators/**/*.py"), *rooms.rglob("scikeras/*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            # A name is told to people, and decides nothing.
            parts = []
            if isinstance(node, ast.Compare):
                parts = [node.left, *node.comparators]
            elif isinstance(node, ast.Subscript):
                parts = [node.value]
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                parts = [node.func.value]
            names = [p.value for p in parts if getattr(p, "attr", "") == "__name__"]
            assert not [n for n in names if ast.unparse(n) in ("cls", "type(self)")]
