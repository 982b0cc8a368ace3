"""How wrong the networks of the face detector are."""

from __future__ import annotations

from typing import Any

from fer_edge.faces.grid import CELLS, CHANNELS
from fer_edge.train.faces.targets import BOX, BOX_WEIGHT, SCORE, WEIGHT

BACKGROUND = 0.6
"""How much a cell of background counts beside one of a face, both by how wrong they are (focal loss)."""
SMOOTH = 0.1
LABEL_SMOOTHING = 0.005
PIXEL_KNEE = 1.0
PLACE = 0.15
"""How much a pixel of displacement counts beside the score of the refiner."""


def proposer_loss(targets: Any, output: Any) -> Any:
    """Return the loss of a batch: a focal one of the scores and a smooth one of the squares, per face.

    Args:
        targets: B x cells x 6, see `fer_edge.train.faces.targets`.
        output: B x (cells * 4) of the network.
    """
    import tensorflow as tf

    values = tf.reshape(output, (-1, len(CELLS), CHANNELS))
    logits, wanted = values[..., 0], targets[..., SCORE]
    score = tf.sigmoid(logits)
    entropy = tf.nn.sigmoid_cross_entropy_with_logits(wanted, logits)
    focus = tf.where(wanted > 0, tf.square(1 - score), BACKGROUND * tf.square(score))
    faces = tf.maximum(tf.reduce_sum(wanted), 1.0)
    boxes = smooth_l1(values[..., 1:] - targets[..., BOX]) * targets[..., BOX_WEIGHT, None]
    return (tf.reduce_sum(focus * entropy * targets[..., WEIGHT]) + tf.reduce_sum(boxes)) / faces


def smooth_l1(error: Any, knee: float = SMOOTH) -> Any:
    """Return the absolute error, squared (and of the same slope) below `knee`."""
    import tensorflow as tf

    size = tf.abs(error)
    return tf.where(size < knee, size * size / (2 * knee), size - knee / 2)


def refiner_loss(targets: Any, output: Any) -> Any:
    """Return the loss of a batch: cross-entropy of the scores, and a smooth one of square and landmarks.

    Args:
        targets: B x 16: score 0 or 1, 13 values of the face, weight of the square, weight of the landmarks.
        output: B x 14 of the network.
    """
    import tensorflow as tf

    wanted = targets[:, 0]
    smoothed = wanted * (1 - 2 * LABEL_SMOOTHING) + LABEL_SMOOTHING
    score = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(smoothed, output[:, 0]))
    error = smooth_l1(output[:, 1:] - targets[:, 1:14], PIXEL_KNEE)
    square = tf.reduce_mean(error[:, :3], 1) * targets[:, 14]
    landmarks = tf.reduce_mean(error[:, 3:], 1) * targets[:, 15]
    faces = tf.maximum(tf.reduce_sum(wanted), 1.0)
    return score + PLACE * tf.reduce_sum(square + landmarks) / faces
