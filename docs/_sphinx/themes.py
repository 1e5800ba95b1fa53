"""The parameters of an estimator by theme: a table before their descriptions.

numpydoc knows one list of parameters, in the order of the signature. Of forty, a reader
wants to see those of one theme.
"""

import inspect

# Theme -> its parameters, of whatever estimator has them.
THEMES = {
    "data and windows": "lookback horizon gap n_windows past_features future_features "
    "static_features calendar seasonal_periods impute normalize difference "
    "target_transform categorical_features normalize_y scored_steps contamination",
    "text": "analyzer lowercase strip_accents tokenizer stop_words token_pattern "
    "ngram_range min_df max_df max_features min_count vocabulary handle_unknown oov "
    "maxlen padding truncating",
    "embedding": "embedding_dim embedding_matrix embedding_trainable tie_weights",
    "network": "estimator method strategy n_members cell units activation "
    "bidirectional return_sequences timescales memory latent_dim d_model n_heads "
    "n_layers dim_feedforward positional causal pooling layer_norm attention "
    "dense_units",
    "convolutions": "conv_filters conv_kernel_size conv_pool_size conv_padding",
    "labels": "class_weight crf illegal_transitions",
    "uncertainty": "quantile quantiles distribution calibration_size",
    "decoding": "teacher_forcing n_beams max_length length_penalty",
    "against overfitting": "dropout recurrent_dropout early_stopping validation_split "
    "patience",
    "optimizer": "loss optimizer learning_rate learning_rate_schedule warmup_steps "
    "clipnorm global_clipnorm",
    "the fit": "epochs batch_size shuffle warm_start random_state callbacks "
    "checkpoint_path engine verbose",
}
# Fewer are read faster as they are.
ENOUGH = 10


def parameters_of(cls):
    """Return the names in a constructor."""
    return [name for name in inspect.signature(cls).parameters if name != "kwargs"]


def by_theme(names):
    """Return theme -> those of the names that belong to it."""
    themes = {
        theme: [name for name in known.split() if name in names]
        for theme, known in THEMES.items()
    }
    return {theme: found for theme, found in themes.items() if found}


def add_themes(app, what, name, obj, options, lines):
    """Put a class's parameters by theme before their descriptions."""
    if what != "class" or ":Parameters:" not in lines:
        return
    names = parameters_of(obj)
    known = {each for found in by_theme(names).values() for each in found}
    if len(names) <= ENOUGH or known != {*names}:
        return
    table = [".. list-table:: Parameters by theme", "   :widths: 22 78", ""]
    for theme, found in by_theme(names).items():
        table.append(f"   * - {theme}")
        table.append(f"     - {', '.join(f'``{each}``' for each in found)}")
    at = lines.index(":Parameters:")
    lines[at:at] = [*table, ""]
