"""Tables in which token ids are looked up."""

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
        Whether the next layer may project the table, and look up what comes of it: that
        is the same and saves products, where tokens are many and kinds of them few.
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
        from keras import layers, ops  # noqa: PLC0415
        from keras.initializers import RandomUniform  # noqa: PLC0415

        parts = []
        for channel, shape in enumerate(zip(self.sizes, self.dims, strict=True)):
            initializer = RandomUniform(seed=next(seeds))
            table = layers.Embedding(
                *shape,
                embeddings_initializer=initializer,
                name=self.tables[channel].replace("/", "_"),
            )
            table.trainable = self.trainable
            parts.append(
                table(flow.steps[..., channel] if self.channels else flow.steps)
            )
        joined = parts[0] if len(parts) == 1 else ops.concatenate(parts, axis=-1)
        return replace(flow, steps=joined)
