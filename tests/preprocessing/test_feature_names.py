"""Names of columns go through pipelines of texts and of sequences."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skrnn import GRUClassifier, GRURegressor, LSTMClassifier
from skrnn.preprocessing import (
    SequencePadder,
    SequenceWise,
    SlidingWindow,
    TextSequencer,
    WordFeaturizer,
)

N = 8
SMALL = dict(units=2, epochs=1, random_state=0)
ids = GRUClassifier(embedding_dim=2, **SMALL)
numbers = GRURegressor(**SMALL)
both_ways = LSTMClassifier(embedding_dim=2, bidirectional=True, **SMALL)
one_hot = SequenceWise(OneHotEncoder(sparse_output=False))
y = np.arange(N) % 2
FRAME = pd.DataFrame(
    {
        "text": ["good wine", "bad food", "bad wine", "good food"] * 2,
        "words": [["Good", "wine"], ["Bad"], ["Bad", "wine"], ["good"]] * 2,
        "a": np.arange(N) * 1.0,
        "b": np.arange(N) % 3 * 1.0,
    }
)
RAGGED = [np.ones((1 + i % 3, 2)) * i for i in range(N)]
UNIVARIATE = [np.arange(1.0 + i % 3) for i in range(N)]
NETWORK = ["gruregressor0", "gruregressor1"]
OF_IDS = ["gruclassifier0", "gruclassifier1"]

# Name -> X, the steps, and the names of what they return.
PIPELINES = {
    "texts": (FRAME["text"], [TextSequencer(), ids], OF_IDS),
    "padded texts": (FRAME["text"], [TextSequencer(padding="post"), ids], OF_IDS),
    "texts alone": (FRAME["text"], [TextSequencer()], ["tokens"]),
    "padded texts alone": (
        FRAME["text"],
        [TextSequencer(padding="pre")],
        ["token0", "token1"],
    ),
    "texts, padded": (
        FRAME["text"],
        [TextSequencer(), SequencePadder(3)],
        ["step0", "step1", "step2"],
    ),
    "texts, padded, network": (
        FRAME["text"],
        [TextSequencer(), SequencePadder(3), ids],
        OF_IDS,
    ),
    "both directions": (
        FRAME["text"],
        [TextSequencer(), both_ways],
        [f"lstmclassifier{i}" for i in range(4)],
    ),
    "one-hot texts": (FRAME["text"], [TextSequencer(), one_hot, numbers], NETWORK),
    "words": (
        FRAME["words"],
        [WordFeaturizer(("lower", "suffix2"), min_df=1)],
        ["lower", "suffix2"],
    ),
    "words, network": (
        FRAME["words"],
        [WordFeaturizer(("lower", "shape"), min_df=1), SequencePadder(), ids],
        OF_IDS,
    ),
    "windows": (FRAME[["a", "b"]], [SlidingWindow(3)], ["a", "b"]),
    "scaled windows": (
        FRAME[["a", "b"]],
        [SlidingWindow(3), SequenceWise(StandardScaler())],
        ["a", "b"],
    ),
    "windows, network": (
        FRAME[["a", "b"]],
        [StandardScaler(), SlidingWindow(3), numbers],
        NETWORK,
    ),
    "windows, network, components": (
        FRAME[["a", "b"]],
        [StandardScaler(), SlidingWindow(3), numbers, PCA(1)],
        ["pca0"],
    ),
    "a table": (FRAME[["a", "b"]], [SequencePadder()], ["a", "b"]),
    "a longer table": (
        FRAME[["a", "b"]],
        [SequencePadder(3)],
        ["step0", "step1", "step2"],
    ),
    "a table, network": (FRAME[["a", "b"]], [SequencePadder(3), numbers], NETWORK),
    "sequences": (RAGGED, [SequencePadder()], ["x0", "x1"]),
    "sequences, network": (RAGGED, [SequencePadder(), numbers], NETWORK),
    "sequences of numbers": (UNIVARIATE, [SequencePadder(2)], ["step0", "step1"]),
    "sequences of numbers, network": (UNIVARIATE, [SequencePadder(), numbers], NETWORK),
}


@pytest.mark.parametrize("key", PIPELINES)
def test_names_go_through_pipelines(key):
    X, steps, expected = PIPELINES[key]
    model = make_pipeline(*map(clone, steps))
    with pytest.raises(NotFittedError):
        model.get_feature_names_out()
    model.fit(X, y)
    names = model.get_feature_names_out()
    assert names.dtype == object
    assert names.tolist() == expected
    result = model.transform(X)
    if result.ndim == 2:
        assert result.shape[1] == len(names)


@pytest.mark.parametrize("key", [key for key in PIPELINES if "table" not in key])
def test_a_column_has_any_name(key):
    X, steps, expected = PIPELINES[key]
    model = make_pipeline(*map(clone, steps)).fit(X, y)
    given = ["a", "b"] if "windows" in key else ["a column"]
    assert model.get_feature_names_out(given).tolist() == expected


def test_names_go_through_column_transformers():
    columns = make_column_transformer(
        (make_pipeline(TextSequencer(), ids), "text"),
        (make_pipeline(WordFeaturizer(min_df=1), ids), "words"),
        (make_pipeline(SlidingWindow(2), numbers), ["a", "b"]),
        verbose_feature_names_out=False,
    )
    names = [*OF_IDS, *OF_IDS, *NETWORK]
    columns.set_params(verbose_feature_names_out=True)
    prefixes = ["pipeline-1"] * 2 + ["pipeline-2"] * 2 + ["pipeline-3"] * 2
    expected = [f"{a}__{b}" for a, b in zip(prefixes, names, strict=True)]
    found = columns.set_output(transform="pandas").fit_transform(FRAME, y)
    assert found.columns.tolist() == expected
    assert columns.get_feature_names_out().tolist() == expected


def test_names_go_through_unions():
    union = FeatureUnion(
        [
            ("gru", make_pipeline(TextSequencer(), ids)),
            ("lstm", make_pipeline(TextSequencer(padding="post"), both_ways)),
        ]
    ).fit(FRAME["text"], y)
    names = union.get_feature_names_out(["text"]).tolist()
    assert names[:2] == ["gru__gruclassifier0", "gru__gruclassifier1"]
    assert names[2:] == [f"lstm__lstmclassifier{i}" for i in range(4)]


@pytest.mark.parametrize("names", [["b", "a"], ["a"]])
@pytest.mark.parametrize(
    "steps",
    [[numbers], [SequencePadder(3)], [SlidingWindow(2)]],
    ids=["network", "padder", "windows"],
)
def test_names_of_a_table_must_be_its_own(steps, names):
    model = make_pipeline(*map(clone, steps)).fit(FRAME[["a", "b"]], y)
    with pytest.raises(ValueError, match="input_features is not equal to feature_name"):
        model.get_feature_names_out(names)


def test_names_of_a_frame_of_ids_must_be_its_own():
    X = TextSequencer(padding="post").set_output(transform="pandas")
    X = X.fit_transform(FRAME["text"])
    model = clone(ids).fit(X, y)
    assert model.get_feature_names_out(["token0", "token1"]).tolist() == OF_IDS
    with pytest.raises(ValueError, match="input_features is not equal to feature_name"):
        model.get_feature_names_out(["token1", "token0"])
