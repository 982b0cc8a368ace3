"""Quantization-aware fine-tuning: some more training with every rounding of the int8 file in place.

The goal is the float model's own output, not the labels (quantized distillation, Polino et al. 2018,
arXiv:1802.05668, section 3): what has to be repaired is the rounding, and fine-tuning on labels makes another
model instead, which disagrees with the one that was trained on several times as many images.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_edge.convert.graph.forward import Unchanged, forward
from fer_edge.convert.graph.graph import Graph, Weights
from fer_edge.convert.quantize.fake_quant import FakeQuantization
from fer_edge.convert.quantize.ranges import Range
from fer_edge.train.augment.augmentation import Augmentation
from fer_edge.train.augment.augmenter import Augmenter
from fer_edge.train.keras_setup import load_keras
from fer_edge.train.loop.batches import EpochBatches
from fer_edge.train.loop.optimizer import make_optimizer
from fer_edge.train.loop.training_model import AugmentedModel
from fer_edge.train.recipe import Recipe

keras = load_keras()

LIGHT = Augmentation(rotation=6.0, scale=0.1, shift=0.04, contrast=0.1, erasing=0.0, mixup=0.0)
"""The weights only have to settle on their int8 grid, which they should do on pictures like the real ones."""


def fine_tuning_recipe(epochs: int, seed: int) -> Recipe:
    """Return the settings of fine-tuning: a hundredth of a training's peak rate, on a cosine to zero.

    Among 5e-6, 2e-5, 4e-5, 1e-4 and 5e-4, 2e-5 agreed best with the float model on a held-out tenth of Training.
    """
    return Recipe(
        epochs=epochs,
        learning_rate=2e-5,
        warmup_epochs=0.0,
        weight_decay=0.0,
        label_smoothing=0.0,
        ema_epochs=0.0,
        seed=seed,
        augmentation=LIGHT,
    )


REFERENCE_FAN_IN = 720
"""Products in a sum of the widest kernels of ``compact``, on which the rate was chosen."""


def step_size(kind: str, shape: tuple[int, ...]) -> float:
    """Return by how much the steps of a kernel are shortened, 1 for none: they fall with its fan-in.

    Adam moves every weight by about the rate, however small its gradient, so one step changes a sum of N products
    by N times the rate. For the same change in a wide layer the rate has to fall as 1/N (Yang et al. 2022,
    arXiv:2203.03466, table 3). With one rate for all, 65 steps quadrupled the mean square error that rounding makes
    in the dense layer of 4,608 products a sum of an undecided VGG.
    """
    fan_in = math.prod(shape[:2] if kind == "depthwise" else shape[:-1])
    return min(1.0, REFERENCE_FAN_IN / fan_in)


class FakeQuantModel(keras.Model):  # type: ignore[misc, name-defined]
    """A folded graph as a trainable Keras model from pixels 0..255 to probabilities, rounding as the file does.

    The ranges are frozen. Only the softmax's own output is not rounded: a probability rounded to zero has an
    infinite cross-entropy and no gradient.
    """

    def __init__(self, graph: Graph, ranges: Mapping[str, Range]) -> None:
        super().__init__()
        self.graph = graph
        self.hooks = FakeQuantization({name: r for name, r in ranges.items() if name != graph.output.name})
        # Adam's steps do not depend on the scale of a variable, so a kernel in larger units has shorter steps.
        self.units = {
            node.name: {k: step_size(node.kind, v.shape) if k == "kernel" else 1.0 for k, v in node.weights.items()}
            for node in graph.nodes
        }
        self.kernels_and_biases = {
            node.name: {
                key: self._variable(f"{node.name}_{key}", value / np.float32(self.units[node.name][key]))
                for key, value in node.weights.items()
            }
            for node in graph.nodes
            if node.weights
        }

    def _variable(self, name: str, value: Any) -> Any:
        return self.add_weight(shape=value.shape, initializer=lambda *_, **__: keras.ops.array(value), name=name)

    def call(self, images: Any, training: bool = False) -> Any:
        """Return class probabilities, B x classes, for float32 images of B x size x size x channels, 0..255."""
        weights = {n: {k: v.value * self.units[n][k] for k, v in w.items()} for n, w in self.kernels_and_biases.items()}
        return forward(self.graph, (images - float(self.graph.input_zero)) / 255.0, weights, self.hooks)

    def trained_graph(self) -> Graph:
        """Return the graph with the weights as they are now."""
        weights: dict[str, Weights] = {
            name: {key: v.numpy() * np.float32(self.units[name][key]) for key, v in w.items()}
            for name, w in self.kernels_and_biases.items()
        }
        return self.graph.with_weights(weights)


class Imitation(AugmentedModel):
    """Trains a fake-quantized model to answer as the float network does on the same augmented picture."""

    def __init__(self, model: FakeQuantModel, original: Graph, augmenter: Augmenter) -> None:
        super().__init__(model, augmenter, label_smoothing=0.0)
        self.original = original

    def call(self, inputs: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """Return class probabilities and, as label, those of the float network."""
        images, _ = self.augmenter(inputs["image"], inputs["targets"], training=training)
        weights = {node.name: node.weights for node in self.original.nodes}
        goal = forward(self.original, (images - float(self.original.input_zero)) / 255.0, weights, Unchanged())
        return {"probabilities": self.classifier(images, training=training), "targets": {"label": goal}}


def fine_tune(
    original: Graph,
    start: Graph,
    ranges: Mapping[str, Range],
    images: NDArray[np.uint8],
    recipe: Recipe,
    advance: Callable[[int], None],
) -> Graph:
    """Fine-tune a folded graph under fake quantization and return it with its new weights.

    Args:
        original: a folded graph; its output without rounding is the goal.
        start: the same network with the weights to begin with.
        ranges: of every quantized node, kept as they are.
        images: uint8, N x size x size; no labels are needed.
        recipe: epochs, rate, augmentation, seed.
        advance: called with the number of steps done; there are `steps_per_epoch` an epoch.
    """
    keras.utils.set_random_seed(recipe.seed)
    model = FakeQuantModel(start, ranges)
    trainer = Imitation(model, original, Augmenter(recipe.augmentation, recipe.seed))
    trainer.compile(optimizer=make_optimizer(recipe, steps_per_epoch(len(images), recipe)), jit_compile=False)

    class Steps(keras.callbacks.Callback):  # type: ignore[misc, name-defined]
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            advance(1)

    for epoch in range(recipe.epochs):
        batches = EpochBatches(images, {}, recipe.batch_size, seed=recipe.seed, epoch=epoch)
        trainer.fit(batches, verbose=0, shuffle=False, callbacks=[Steps()])
    return model.trained_graph()


def steps_per_epoch(images: int, recipe: Recipe) -> int:
    """Return the number of steps of an epoch; the last, smaller batch is left out."""
    return max(images // recipe.batch_size, 1)
