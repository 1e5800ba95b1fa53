"""Tables in which token ids are looked up, or ids among numbers."""

from dataclasses import dataclass, replace

from skrnn._networks.layers.base import BaseLayer, Flow, Lookup
from skrnn._networks.weights import Weight


@dataclass(frozen=True)
class Embedding(BaseLayer):
    """Vectors of token ids (T, B), or of those of several channels (T, B, C).

    Attributes
    ----------
    sizes, dims : tuple of int
        Rows and columns of the table of each channel.
    channels : bool
        Whether ids have an axis of channels, whose vectors stand side by side.
    trainable : bool
        Whether training changes the tables.
    late : bool
        Whether the next layer may project the table first and look up rows of the
        result. That is the same, and saves products if there are more tokens than ids.
    """

    sizes: tuple[int, ...]
    dims: tuple[int, ...]
    channels: bool = False
    trainable: bool = True
    late: bool = False

    parameter = "embedding_dim"
    parameters = {
        "sizes": "vocabulary_size",
        "dims": "embedding_dim",
        "channels": None,
        "trainable": None,
        "late": None,
    }

    def without_rates(self):
        return replace(self, trainable=True)

    @property
    def tables(self):
        """Names of the tables."""
        if not self.channels:
            return [self.name]
        return [f"{self.name}_{i}/embeddings" for i in range(len(self.sizes))]

    def names_of(self, weight):
        if self.channels:
            name, _, _ = weight.name.partition("/")
            return name, "embeddings"
        return self.label, "embeddings"

    def weights(self, width):
        shapes = zip(self.tables, self.sizes, self.dims, strict=True)
        table = [
            Weight(name, (size, dim), "uniform", self.trainable)
            for name, size, dim in shapes
        ]
        return table, sum(self.dims)

    def forward(self, run, w, flow, lengths):
        ids = flow.steps
        if self.channels:
            parts = [
                run.take_rows(w[name], ids[..., channel])
                for channel, name in enumerate(self.tables)
            ]
            return Flow(run.ops.concatenate(parts, axis=-1))
        if self.late and lengths is not None:
            return Flow(Lookup(w[self.name], ids))
        return Flow(run.take_rows(w[self.name], ids))

    def keras(self, flow, seeds):
        # Deferred, as in all layers: only a model of Keras needs it.
        from keras import ops  # noqa: PLC0415

        parts = []
        for channel, shape in enumerate(zip(self.sizes, self.dims, strict=True)):
            table = _keras_table(self, channel, shape, seeds)
            parts.append(
                table(flow.steps[..., channel] if self.channels else flow.steps)
            )
        joined = parts[0] if len(parts) == 1 else ops.concatenate(parts, axis=-1)
        return replace(flow, steps=joined)


@dataclass(frozen=True)
class Categories(BaseLayer):
    """Vectors of the ids in some channels of x (T, B, F), and the other channels.

    They are concatenated: the vectors of each channel of ids, and then the numbers.

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

    def fit(self, n_channels):
        """Whether the number of channels is right, each of them ids or numbers."""
        n = {len(self.columns), len(set(self.columns)), len(self.sizes), len(self.dims)}
        places = all(0 <= column < n_channels for column in self.columns)
        return n == {n_channels - self.n_numbers} and places

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
        from keras import ops  # noqa: PLC0415

        parts = []
        for place, column in enumerate(self.columns):
            shape = self.sizes[place], self.dims[place]
            table = _keras_table(self, place, shape, seeds)
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


def _keras_table(layer, place, shape, seeds):
    """Return one table of a layer as a layer of Keras."""
    from keras import layers  # noqa: PLC0415
    from keras.initializers import RandomUniform  # noqa: PLC0415

    table = layers.Embedding(
        *shape,
        embeddings_initializer=RandomUniform(seed=next(seeds)),
        name=layer.tables[place].replace("/", "_"),
    )
    table.trainable = layer.trainable
    return table
