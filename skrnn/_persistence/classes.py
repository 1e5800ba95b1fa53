"""Which classes a file may name: the tables, and the look-up by name.

A name that isn't in a table is refused before anything is imported. The classes of
scikit-learn are estimators that predict by NumPy and SciPy alone; where compiled code
trusts an attribute, `checks` tests it first.
"""

import importlib
from typing import Any

from skrnn._persistence.container import UnreadableError
from skrnn._persistence.nodes import full_name

# Module -> the public classes of it.
OURS = {
    "skrnn": (
        "GRUClassifier GRURegressor LSTMClassifier LSTMRegressor RNNClassifier"
        " RNNRegressor Seq2SeqClassifier Seq2SeqRegressor SequenceClassifier"
        " SequenceOutlierDetector SequenceRegressor TransformerClassifier"
        " TransformerRegressor"
    ),
    "skrnn.preprocessing": (
        "SequencePadder SequenceWise SlidingWindow TextSequencer WordFeaturizer"
    ),
    "skrnn.text": "TextGenerator",
    "skrnn.forecasting": "Forecaster WindowSplit",
}
OF_SKLEARN = {
    "sklearn.pipeline": "FeatureUnion Pipeline",
    "sklearn.compose": (
        "ColumnTransformer TransformedTargetRegressor make_column_selector"
    ),
    "sklearn.model_selection": (
        "FixedThresholdClassifier GridSearchCV GroupKFold GroupShuffleSplit KFold"
        " LeaveOneGroupOut LeaveOneOut LeavePGroupsOut LeavePOut PredefinedSplit"
        " RandomizedSearchCV ShuffleSplit"
        " StratifiedGroupKFold StratifiedKFold StratifiedShuffleSplit TimeSeriesSplit"
        " TunedThresholdClassifierCV"
    ),
    "sklearn.frozen": "FrozenEstimator",
    "sklearn.calibration": "CalibratedClassifierCV",
    "sklearn.isotonic": "IsotonicRegression",
    "sklearn.multioutput": (
        "ClassifierChain MultiOutputClassifier MultiOutputRegressor RegressorChain"
    ),
    "sklearn.ensemble": (
        "AdaBoostClassifier AdaBoostRegressor BaggingClassifier BaggingRegressor"
        " ExtraTreesClassifier ExtraTreesRegressor"
        " GradientBoostingClassifier GradientBoostingRegressor"
        " HistGradientBoostingClassifier HistGradientBoostingRegressor IsolationForest"
        " RandomForestClassifier RandomForestRegressor StackingClassifier"
        " StackingRegressor VotingClassifier VotingRegressor"
    ),
    "sklearn.tree": (
        "DecisionTreeClassifier DecisionTreeRegressor ExtraTreeClassifier"
        " ExtraTreeRegressor"
    ),
    "sklearn.preprocessing": (
        "Binarizer FunctionTransformer KBinsDiscretizer LabelBinarizer LabelEncoder"
        " MaxAbsScaler MinMaxScaler Normalizer OneHotEncoder OrdinalEncoder"
        " PolynomialFeatures PowerTransformer QuantileTransformer RobustScaler"
        " StandardScaler TargetEncoder"
    ),
    "sklearn.impute": "MissingIndicator SimpleImputer",
    "sklearn.decomposition": "PCA TruncatedSVD",
    "sklearn.feature_selection": (
        "RFE SelectFromModel SelectKBest SelectPercentile VarianceThreshold"
    ),
    "sklearn.feature_extraction.text": (
        "CountVectorizer TfidfTransformer TfidfVectorizer"
    ),
    "sklearn.linear_model": (
        "ARDRegression BayesianRidge ElasticNet ElasticNetCV HuberRegressor Lasso"
        " LassoCV LassoLars Lars LinearRegression LogisticRegression"
        " OrthogonalMatchingPursuit QuantileRegressor Ridge RidgeCV RidgeClassifier"
        " RidgeClassifierCV SGDClassifier SGDRegressor TheilSenRegressor"
    ),
    "sklearn.svm": "LinearSVC LinearSVR NuSVC NuSVR SVC SVR",
    "sklearn.neighbors": "KNeighborsClassifier KNeighborsRegressor",
    "sklearn.neural_network": "MLPClassifier MLPRegressor",
    "sklearn.cluster": "KMeans MiniBatchKMeans",
    "sklearn.kernel_ridge": "KernelRidge",
    "sklearn.multiclass": "OneVsOneClassifier OneVsRestClassifier",
    "sklearn.discriminant_analysis": "LinearDiscriminantAnalysis",
    "sklearn.cross_decomposition": "PLSRegression",
    "sklearn.naive_bayes": "BernoulliNB ComplementNB GaussianNB MultinomialNB",
    "sklearn.dummy": "DummyClassifier DummyRegressor",
}
# The wrappers, and the encoders of y that they keep.
OF_SCIKERAS = {
    "skrnn.scikeras": "KerasClassifier KerasRegressor",
    "skrnn.scikeras._targets": "LabelsEncoder NumbersEncoder",
    "scikeras.utils.transformers": "TargetReshaper",
}
# What estimators of ours are made of: frozen dataclasses. Files keep these names when
# the classes move.
_READING = "_estimators.forecasting.reading"
_FORECASTING = "_estimators.forecasting"
PARTS = {
    "Aligned": f"{_FORECASTING}.layouts",
    "Calibration": f"{_FORECASTING}.intervals",
    "Columns": f"{_READING}.columns",
    "Dependence": f"{_FORECASTING}.sampling",
    "Direct": f"{_FORECASTING}.members",
    "Drawn": f"{_FORECASTING}.answers",
    "Ensemble": f"{_FORECASTING}.ensemble",
    "EnsemblePlan": f"{_FORECASTING}.ensemble",
    "Feature": f"{_READING}.columns",
    "Folded": f"{_FORECASTING}.layouts",
    "Frequency": f"{_READING}.frequency",
    "History": "_data.rows.history",
    "Layout": f"{_FORECASTING}.layouts",
    "Member": f"{_FORECASTING}.members",
    "Model": f"{_FORECASTING}.model",
    "Numbers": f"{_FORECASTING}.answers",
    "Panel": f"{_FORECASTING}.panel",
    "Quantiles": f"{_FORECASTING}.answers",
    "RowLabels": "_data.rows.labels",
    "Shifts": f"{_FORECASTING}.intervals",
    "Symbols": "_data.tokens.symbols",
    "TargetForm": f"{_READING}.columns",
    "TargetTransform": f"{_FORECASTING}.transforms",
    "Vocabulary": "_estimators.language.vocabulary",
}
_MODULES = {
    f"{module}.{name}": module
    for table in (OURS, OF_SKLEARN, OF_SCIKERAS)
    for module, names in table.items()
    for name in names.split()
}


def public_name(cls: type) -> str | None:
    """Return the name by which files know a class; None if they don't."""
    parts = cls.__module__.split(".")
    for n in range(len(parts), 0, -1):
        name = ".".join([*parts[:n], cls.__name__])
        if name in _MODULES and found(name) is cls:
            return name
    # Ours are defined in private rooms.
    for module, names in OURS.items() if parts[0] == "skrnn" else ():
        if cls.__name__ in names.split() and found(f"{module}.{cls.__name__}") is cls:
            return f"{module}.{cls.__name__}"
    return None


def found(name: str) -> Any:
    """Return the class of a name in the tables."""
    module = importlib.import_module(_MODULES[name])
    return getattr(module, name.rpartition(".")[2])


def is_wrapper(cls: type) -> bool:
    """Whether a class is a wrapper of ``skrnn.scikeras``, or derives from one."""
    return any(base.__module__ == "skrnn.scikeras._base" for base in cls.__mro__)


def class_named(name: Any, trusted: dict[str, Any]) -> Any:
    """Return the class that a file names.

    Raises
    ------
    UnreadableError
        If it isn't one that a file may name.
    """
    if type(name) is str and name in _MODULES:
        if _MODULES[name] in OF_SCIKERAS and not trusted:
            # It loads a backend, which no file may do alone.
            raise UnreadableError(
                f"{name} needs a network that a function of yours builds; hand it "
                "over: load(path, trusted=[...])"
            )
        return found(name)
    own = trusted.get(name) if type(name) is str else None
    if not isinstance(own, type):
        raise UnreadableError(
            f"it names {name!r:.80}, which is no class that a file may have; if it is "
            "one of your own, hand it over: load(path, trusted=[...])"
        )
    return own


def part_named(name: Any) -> Any:
    """Return the dataclass of ours that a file names."""
    if type(name) is not str or name not in PARTS:
        raise UnreadableError(f"it names {name!r:.80}, which is no part of ours")
    return getattr(importlib.import_module(f"skrnn.{PARTS[name]}"), name)


def part_name(cls: type) -> str | None:
    """Return the name by which files know a dataclass of ours, or None."""
    name = cls.__name__
    is_part = name in PARTS and cls.__module__ == f"skrnn.{PARTS[name]}"
    return name if is_part else None


def own_name(cls: type, trusted: dict[str, Any]) -> str | None:
    """Return the name of a class that the user vouches for, or None."""
    name = full_name(cls)
    return name if trusted.get(name) is cls else None
