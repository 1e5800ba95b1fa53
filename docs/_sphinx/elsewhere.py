"""Names of other packages, and where their own documentation has them.

Inventories of whole packages would have to be fetched for each build. These are of the
names that the pages cite, and made here.
"""

import zlib
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms import SphinxTransform

SITES = {
    "sklearn": "https://scikit-learn.org/stable/",
    "keras": "https://keras.io/",
    "numpy": "https://numpy.org/doc/stable/",
    "pandas": "https://pandas.pydata.org/docs/",
}
# Package -> where the page of a name is.
PAGES = {
    "sklearn": "modules/generated/{name}.html#{name}",
    "numpy": "reference/generated/{name}.html#{name}",
    "pandas": "reference/api/{name}.html#{name}",
}
# Module -> what the pages cite of it.
NAMES = {
    "sklearn.base": "BaseEstimator clone",
    "sklearn.calibration": "CalibratedClassifierCV",
    "sklearn.compose": "ColumnTransformer TransformedTargetRegressor",
    "sklearn.decomposition": "PCA",
    "sklearn.ensemble": """
        BaggingClassifier BaggingRegressor HistGradientBoostingClassifier
        HistGradientBoostingRegressor IsolationForest StackingClassifier
        StackingRegressor VotingClassifier VotingRegressor
        """,
    "sklearn.exceptions": """
        ConvergenceWarning InconsistentVersionWarning NotFittedError
        """,
    "sklearn.feature_extraction.text": "CountVectorizer TfidfVectorizer",
    "sklearn.frozen": "FrozenEstimator",
    "sklearn.inspection": "permutation_importance",
    "sklearn.linear_model": """
        LogisticRegression Ridge RidgeCV SGDClassifier SGDRegressor
        """,
    "sklearn.metrics": """
        accuracy_score f1_score log_loss make_scorer mean_absolute_error
        mean_absolute_percentage_error mean_pinball_loss r2_score
        """,
    "sklearn.model_selection": """
        FixedThresholdClassifier GridSearchCV HalvingGridSearchCV KFold
        RandomizedSearchCV ShuffleSplit TimeSeriesSplit TunedThresholdClassifierCV
        cross_val_predict cross_val_score cross_validate learning_curve
        permutation_test_score validation_curve
        """,
    "sklearn.multiclass": "OneVsOneClassifier OneVsRestClassifier",
    "sklearn.multioutput": "MultiOutputRegressor RegressorChain",
    "sklearn.pipeline": "FeatureUnion Pipeline make_pipeline",
    "sklearn.preprocessing": """
        FunctionTransformer MinMaxScaler OrdinalEncoder PowerTransformer StandardScaler
        TargetEncoder
        """,
    "sklearn.utils": "Bunch check_array",
    "sklearn.utils.estimator_checks": "check_estimator",
    "numpy": "asarray concatenate memmap ndarray unique",
    "pandas": "DataFrame DatetimeIndex Index MultiIndex Series concat read_csv",
}
# NumPy's generators of random numbers share pages with what they are made of.
RANDOM = {
    "Generator": "reference/random/generator.html#numpy.random.Generator",
    "RandomState": "reference/random/legacy.html#numpy.random.RandomState",
}
# Keras has no inventory, and no page for each name.
KERAS = {
    "Model": "api/models/model/",
    "Sequential": "api/models/sequential/",
    "callbacks.BackupAndRestore": "api/callbacks/backup_and_restore/",
    "callbacks.EarlyStopping": "api/callbacks/early_stopping/",
    "callbacks.ModelCheckpoint": "api/callbacks/model_checkpoint/",
    "callbacks.TensorBoard": "api/callbacks/tensorboard/",
    "layers.BatchNormalization": "api/layers/normalization_layers/batch_normalization/",
    "layers.Bidirectional": "api/layers/recurrent_layers/bidirectional/",
    "layers.LayerNormalization": "api/layers/normalization_layers/layer_normalization/",
    "layers.Masking": "api/layers/core_layers/masking/",
    "layers.SimpleRNN": "api/layers/recurrent_layers/simple_rnn/",
    "losses": "api/losses/",
    "losses.Loss": "api/losses/",
    "models.load_model": "api/models/model_saving_apis/model_saving_and_loading/",
    "ops": "api/ops/",
    "optimizers": "api/optimizers/",
    "optimizers.schedules": "api/optimizers/learning_rate_schedules/",
    "utils.pad_sequences": "api/data_loading/timeseries/",
    "utils.set_random_seed": "api/utils/python_utils/",
    "utils.timeseries_dataset_from_array": "api/data_loading/timeseries/",
}


def pages():
    """Return package -> full name -> its page, below the package's site."""
    found = {package: {} for package in SITES}
    for module, names in NAMES.items():
        package = module.partition(".")[0]
        for name in (f"{module}.{each}" for each in names.split()):
            found[package][name] = PAGES[package].format(name=name)
    found["numpy"] |= {f"numpy.random.{name}": page for name, page in RANDOM.items()}
    found["keras"] = {f"keras.{name}": page for name, page in KERAS.items()}
    return found


def write_inventories(folder):
    """Write an inventory for each package; return what intersphinx maps."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    mapping = {}
    for package, names in pages().items():
        lines = "".join(f"{name} py:class 1 {at} -\n" for name, at in names.items())
        header = "# Sphinx inventory version 2\n# Project: {}\n# Version: \n{}\n"
        says = "# The remainder of this file is compressed using zlib."
        path = Path(folder) / f"{package}.inv"
        content = header.format(package, says).encode() + zlib.compress(lines.encode())
        path.write_bytes(content)
        mapping[package] = SITES[package], str(path.absolute())
    return mapping


def written():
    """Return each way to write a name -> the full name."""
    ways = {}
    for package, names in pages().items():
        for name in names:
            ways[name] = name
            last = name.rpartition(".")[2]
            # np.asarray, pd.concat, but no bare ``Index`` or ``losses``.
            short = {"numpy": "np", "pandas": "pd"}.get(package)
            if short:
                ways[name.replace(package, short, 1)] = name
            elif not (package == "keras" and last.islower() and "_" not in last):
                ways[last] = name
    return ways


class LinksElsewhere(SphinxTransform):
    """Make links of names of other packages that stand in text as code."""

    default_priority = 400

    def apply(self, **kwargs):
        ways = written()
        for node in [*self.document.findall(nodes.literal)]:
            name = ways.get(node.astext().removesuffix("()"))
            no_place = nodes.reference, addnodes.pending_xref, nodes.title
            if name and not isinstance(node.parent, no_place):
                link = addnodes.pending_xref(
                    "", node.deepcopy(), refdomain="py", reftype="obj", reftarget=name
                )
                node.parent.replace(node, link)
