"""The inputs, outputs and states of each kind of network, for a program.

Arrays are those of `Batch`, time-major.
"""

from functools import partial

from keras import ops as k

from skrnn._engine.keras.run import KerasRun, adapter
from skrnn._networks.encoder_decoder import (
    answer,
    consult,
    decode,
    decoder_input,
    encode,
    memory_of,
    states_of_layers,
)
from skrnn._networks.forward import forward, named_weights, step
from skrnn._networks.language import read
from skrnn._networks.specs import LanguageSpec, Seq2SeqSpec


class Recurrent:
    """A network that answers a sequence, or each of its steps."""

    def __init__(self, spec):
        self.spec = spec
        self._of_steps = spec.return_sequences
        # Names of arrays with an axis of steps -> the column of ``"steps"``.
        self.steps = {"x": 0}
        if self._of_steps:
            self.steps |= dict.fromkeys(["targets", "weights", "present"], 0)

    def zero_states(self, _batch):
        """Return the states before the first batch."""
        return []

    def outputs(self, weights, batch, _states, masks):
        """Return the outputs before the head's activation, and the states after."""
        given = self.spec, weights, batch["x"], batch["lengths"]
        return forward(KerasRun(masks), *given)[0], []


class Seq2Seq:
    """An encoder and a decoder.

    In training the decoder reads true outputs. Where some are unknown, or with
    `samples` (scheduled sampling, Bengio et al., 2015), it first runs step by step
    without gradients, to get its own outputs, and then over all steps.
    """

    def __init__(self, spec, samples):
        self.spec, self._samples = spec, samples
        outputs = "before", "future", "known", "targets", "weights", "present"
        self.steps = {"x": 0} | dict.fromkeys(outputs, 1)

    def zero_states(self, _batch):
        return []

    def outputs(self, weights, batch, _states, masks):
        spec, fed = self.spec, batch["before"]
        keep = self._keep(batch, masks)
        if keep is not None:
            plain = named_weights(spec, [k.stop_gradient(each) for each in weights])
            answers = self._own_answers(plain, batch, keep)
            if masks is None:
                return answers, []
            own = self._best(answers[:-1])
            fed = k.concatenate([fed[:1], _choose(keep[1:], fed[1:], own)], axis=0)
        run, w = KerasRun(masks), named_weights(spec, weights)
        memory, states = self._encode(run, w, batch)
        known = fed, batch.get("future"), states, memory, batch["output_lengths"]
        return answer(run, spec, w, decode(run, spec, w, *known)[0]), []

    def _keep(self, batch, masks):
        """Return at which steps the true output before is read; None for all steps."""
        known = batch.get("known")
        if masks is None:
            # As in prediction, numbers are predicted from predicted numbers. The
            # likelihood of a label is that after the true labels.
            forced = self.spec.n_labels is not None
            return known if forced else k.zeros_like(batch["present"])
        if not self._samples:
            return known
        drawn = masks.uniform(k.shape(batch["before"])[:2])
        coins = drawn < masks.step_inputs["teacher_forcing"]
        return coins if known is None else k.logical_and(coins, known)

    def _own_answers(self, w, batch, keep):
        """Run the decoder step by step; it reads true outputs only at `keep`."""
        spec, run, truth = self.spec, KerasRun(), batch["before"]
        memory, states = self._encode(run, w, batch)
        layers = states_of_layers(spec.decoder, states)
        if spec.keeps_place:
            layers.append((k.zeros_like(memory.places[0]),))
        first = truth[:1]
        if spec.n_labels is None:
            first = first * 0 + w["decoder/start"]
        truth = k.concatenate([first, truth[1:]], axis=0)
        keep = k.concatenate([k.ones_like(keep[:1]), keep[1:]], axis=0)
        entries = [truth, keep]
        if "future" in batch:
            entries.append(batch["future"])

        def one(_t, entries, carried):
            *states, own = carried
            truth, keep, *future = entries
            fed = _choose(keep, truth, own)
            x = decoder_input(run, spec, w, fed, future[0] if future else None, False)
            before = _nested(layers, states)
            place = before.pop()[0][None] if spec.keeps_place else None
            flow, after = step(run, spec.decoder, w, x, before)
            x, _, place = consult(run, spec, w, flow.steps[None], memory, place)
            y = answer(run, spec, w, x[0])
            after += [] if place is None else [(place[0],)]
            return y, (*_flat(after), self._best(y))

        return adapter.scan(one, (*_flat(layers), first[0]), entries)[0]

    def _best(self, outputs):
        """Return the next input: the most likely label, except the end label.

        Numbers are returned as they are.
        """
        n = self.spec.n_labels
        if n is None:
            return outputs
        return k.cast(k.argmax(outputs[..., :n], axis=-1), "int32")

    def _encode(self, run, w, batch):
        """Return the memory and last states, in the order of the batch's outputs."""
        spec, lengths, order = self.spec, batch["lengths"], batch["order"]
        outputs, states = encode(run, spec, w, batch["x"], lengths)
        memory = None
        if spec.attention is not None:
            mask = run.real_steps(outputs, lengths)
            kept = [k.take(each, order, axis=1) for each in (outputs, mask)]
            memory = memory_of(run, spec, w, *kept)
        take = partial(adapter.take_rows, ids=order)
        return memory, [tuple(map(take, layer)) for layer in states]


class Language:
    """A network that predicts the next token; its states go on from batch to batch."""

    steps = dict.fromkeys(["x", "targets", "weights", "present"], 0)

    def __init__(self, spec):
        self.spec = spec

    def zero_states(self, batch):
        n = k.shape(batch["x"])[-1]
        return [
            k.zeros((n, *shape), "float32")
            for layer in self.spec.recurrent
            for shape in layer.state_shapes
        ]

    def outputs(self, weights, batch, states, masks):
        # The first batch of an epoch starts from zeros.
        flat = [k.where(batch["begins"], k.zeros_like(s), s) for s in states]
        places = [layer.state_shapes for layer in self.spec.recurrent]
        given = batch["x"], _nested(places, flat), batch["lengths"]
        outputs, after = read(KerasRun(masks), self.spec, weights, *given)
        return outputs, [k.stop_gradient(state) for state in _flat(after)]


def topology_of(spec, *, samples=False):
    """Return the topology of a spec; decoders have `samples`."""
    if isinstance(spec, Seq2SeqSpec):
        return Seq2Seq(spec, samples)
    return (Language if isinstance(spec, LanguageSpec) else Recurrent)(spec)


def _choose(keep, truth, own):
    """Take true outputs (..., B) or (..., B, K) where `keep` (..., B) is true."""
    wide = keep[..., None] if len(truth.shape) > len(keep.shape) else keep
    return k.where(wide, truth, own)


def _flat(layers):
    """List the states of all layers that have some."""
    return [state for layer in layers if layer is not None for state in layer]


def _nested(layers, flat):
    """Undo `_flat`: `layers` tell how many states each has."""
    rest = iter(flat)
    return [
        None if layer is None else tuple(next(rest) for _ in layer) for layer in layers
    ]
