"""Tables in which some channels are looked up, beside channels of numbers."""

from dataclasses import dataclass, replace

from skrnn._networks.layers.base import BaseLayer, Flow
from skrnn._networks.weights import Weight


@dataclass(frozen=True)
class Categories(BaseLayer):
    """Vectors of the ids in some channels of x (T, B, F), and the other channels.

    They stand side by side: the vectors of each channel of ids, and then the numbers.

    Attributes
    ----------
    columns : tuple of int
        The channels of ids, in the order of the tables.
    sizes, dims : tuple of int
        Rows and columns of the table of each of them.
    n_numbers : int
        How many channels are numbers.
    trainable : bool
        Whether training changes the tables.
    """

    columns: tuple[int, ...]
    sizes: tuple[int, ...]
    dims: tuple[int, ...]
    n_numbers: int
    trainable: bool = True

    # There is a size for each channel, even if only one of them is ids.
    channels = True
    parameter = "categorical_features"
    parameters = {
        "columns": "categorical_features",
        "sizes": "vocabulary_size",
        "dims": "embedding_dim",
        "n_numbers": None,
        "trainable": None,
    }

    def without_rates(self):
        return replace(self, trainable=True)

    @property
    def tables(self):
        """Names of the tables."""
        return [f"{self.name}_{i}/embeddings" for i in range(len(self.sizes))]

    @property
    def numbers(self):
        """The channels of numbers."""
        n_channels = self.n_numbers + len(self.columns)
        return [i for i in range(n_channels) if i not in self.columns]

    def names_of(self, weight):
        name, _, _ = weight.name.partition("/")
        return name, "embeddings"

    def weights(self, width):
        shapes = zip(self.tables, self.sizes, self.dims, strict=True)
        rows = [
            Weight(name, (size, dim), "uniform", self.trainable)
            for name, size, dim in shapes
        ]
        return rows, sum(self.dims) + self.n_numbers

    def forward(self, run, w, flow, lengths):
        x, pairs = flow.steps, zip(self.tables, self.columns, strict=True)
        parts = [run.take_rows(w[name], run.as_ids(x[..., i])) for name, i in pairs]
        # Side by side, slice by slice: channels of numbers often are neighbours.
        parts += [x[..., first:last] for first, last in _runs(self.numbers)]
        return Flow(run.ops.concatenate(parts, axis=-1))

    def keras(self, flow, seeds):
        # Deferred, as in all layers: only a model of Keras needs it.
        from keras import layers, ops  # noqa: PLC0415
        from keras.initializers import RandomUniform  # noqa: PLC0415

        parts = []
        for place, column in enumerate(self.columns):
            table = layers.Embedding(
                self.sizes[place],
                self.dims[place],
                embeddings_initializer=RandomUniform(seed=next(seeds)),
                name=self.tables[place].replace("/", "_"),
            )
            table.trainable = self.trainable
            parts.append(table(ops.cast(flow.steps[..., column], "int32")))
        parts += [flow.steps[..., first:last] for first, last in _runs(self.numbers)]
        joined = parts[0] if len(parts) == 1 else ops.concatenate(parts, axis=-1)
        return replace(flow, steps=joined)


def _runs(places):
    """Return the first place and the one after the last of each run of neighbours."""
    runs: list[list[int]] = []
    for place in places:
        if runs and runs[-1][1] == place:
            runs[-1][1] = place + 1
        else:
            runs.append([place, place + 1])
    return runs
