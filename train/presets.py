"""The settings of published systems, as far as their publications print them, for ``fer-edge train --preset``.

What a publication does not say is left at the value that changes least: no averaging of weights, no label
smoothing, a constant rate. Each entry names the options of ``fer-edge train`` that differ from its defaults;
options given by hand win.
"""

from __future__ import annotations

from typing import Any

_PLAIN: dict[str, Any] = {
    "optimizer": "adam",
    "schedule": "constant",
    "weight_decay": 0.0,
    "label_smoothing": 0.0,
    "ema_epochs": 0.0,
    "flip": False,
    "rotation": 0.0,
    "scale": 0.0,
    "shift": 0.0,
    "contrast": 0.0,
    "erasing": 0.0,
    "mixup": 0.0,
    "learning_rate": 1e-3,
    "batch_size": 64,
}

PRESETS: dict[str, dict[str, Any]] = {
    # Jain, California State University, Long Beach: Adam 0.001, batch 64, 50 epochs; rotation, scaling, translation.
    "jain": _PLAIN | {"model": "deep-cnn", "epochs": 50, "dropout": 0.25, "rotation": 10.0, "scale": 0.1, "shift": 0.1},
    # Khopkar and Saxena: the same network, 15 epochs, mirrored images, the rate reduced on a plateau.
    "khopkar": _PLAIN | {"model": "deep-cnn", "epochs": 15, "dropout": 0.25, "flip": True, "schedule": "plateau"},
    # Gaballa and Tantawy, AUC Cairo: the VGG, Adam 0.0001, early stopping after 10 epochs.
    "aucairo": _PLAIN | {"model": "vgg", "epochs": 100, "patience": 10, "learning_rate": 1e-4, "dropout": 0.5},
    # Ioannou, City College of New York: 48 epochs, Adam 0.0002, dropout 0.6, all classes over-sampled.
    "ioannou": _PLAIN | {"model": "cnn-lstm", "epochs": 48, "learning_rate": 2e-4, "dropout": 0.6, "resample": "ros"},
    # Alizadeh and Fazel, Stanford (arXiv:1704.06756): rate 0.01, mirrored images.
    "stanford": _PLAIN
    | {"model": "deep-cnn", "epochs": 36, "optimizer": "sgd", "learning_rate": 0.01, "dropout": 0.25, "flip": True},
}
"""Name -> option -> value."""
