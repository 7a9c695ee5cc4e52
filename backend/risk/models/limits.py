"""Bounds of models and of what is kept about them."""

MODEL_BYTES_MAX = 64_000_000
"""Of a model's file."""
MODEL_FEATURES_MAX = 512
MODEL_TREES_MAX = 2_000
MODEL_NODES_MAX = 1_000_000
"""Of all trees together."""
MODEL_DEPTH_MAX = 128
"""Splits on one path, five times what training grows: a runtime builds a tree by recursion, and one
of some thousand ends the process."""
MODEL_WEIGHTS_MAX = 16_000_000
"""Of all leaves together: a leaf has one for each feature on its path, and one of the base."""
MODEL_CARD_CHARS_MAX = 200_000
"""Of what a model says about itself, as JSON."""
CARD_INTEGER_MAX = 1 << 53
"""A whole number on it."""
ROWS_PER_CALL_MAX = 8_192
"""Rows that one call of the runtime scores; more are scored in turns, so memory stays bounded."""
SEED_MAX = (1 << 32) - 1
"""What scikit-learn takes for a seed."""
MODELS_PER_LIST_MAX = 500
PURPOSE_CHARS_MAX = 40
PERSON_CHARS_MAX = 64
WORDS_CHARS_MAX = 500
DRIFT_ROWS_MIN = 500
"""Decisions below which an index says nothing: a bin of a tenth would hold fewer than fifty."""
TRAINING_PAYMENTS_MAX = 2_000_000
TRAINING_LABELS_MAX = 2_000_000
