"""The optimizers, their schedules, and an exponential moving average of the weights beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fer_edge.train.keras_setup import load_keras
from fer_edge.train.recipe import Recipe

keras = load_keras()
ops = keras.ops

PLATEAU_FACTOR, PLATEAU_PATIENCE = 0.75, 5
"""Khaireddin and Chen 2021, arXiv:2105.03588, section 4.3."""


class _Averaging:
    """An optimizer whose averaged weights stay beside the trained ones until they are asked for.

    Keras puts the averages into the model at the end of every ``fit``; as each epoch is a ``fit`` of its
    own here, training would go on from the averages. Gradients of constrained weights are projected by the constraint,
    of which there are linear ones only (`fer_edge.train.loop.mirror_equivariance`), so that momentum has nothing that
    the weights may not have.
    """

    def apply(self, grads: Any, trainable_variables: Any = None) -> Any:
        """Take a step."""
        variables = self._trainable_variables if trainable_variables is None else trainable_variables  # type: ignore[attr-defined]
        grads = [g if v.constraint is None else v.constraint(g) for g, v in zip(grads, variables, strict=True)]
        return super().apply(grads, trainable_variables)  # type: ignore[misc]

    def finalize_variable_values(self, var_list: Any) -> None:
        """Leave the trained weights in place."""

    def put_averages(self, variables: Any) -> None:
        """Overwrite `variables`, the trained ones in their order, by their averages."""
        if self.use_ema:  # type: ignore[attr-defined]
            super().finalize_variable_values(variables)  # type: ignore[misc]


class AveragingAdamW(_Averaging, keras.optimizers.AdamW):  # type: ignore[misc, name-defined]
    """AdamW, or Adam where the decay is 0."""


class AveragingSGD(_Averaging, keras.optimizers.SGD):  # type: ignore[misc, name-defined]
    """Stochastic gradient descent."""


class AveragingMuon(_Averaging, keras.optimizers.Muon):  # type: ignore[misc, name-defined]
    """Muon on the kernels, those of convolutions included; AdamW on the last layer, scales, offsets and biases.

    Momentum whose singular values are all made about 1 before each step, so that no direction of a kernel is learned
    much faster than the others (Jordan et al. 2024, kellerjordan.github.io/posts/muon). The step's size is that of
    AdamW at the same rate (Liu et al. 2025, arXiv:2502.16982, section 2.2). Keras has it for matrices; a convolution's
    kernel is one here, products of a sum x output channels. A depthwise one is no matrix, and left to AdamW.
    """

    def _should_use_adamw(self, variable: Any) -> bool:
        return (
            len(variable.shape) < 2
            or variable.shape[-1] == 1
            or any(name in variable.path for name in ("logits", "auxiliary"))
        )

    def _muon_update_step(self, gradient: Any, variable: Any, lr: Any, m: Any) -> None:
        self.assign_add(m, ops.add(gradient, m * (self.momentum - 1)))
        ahead = ops.reshape(ops.add(gradient, self.momentum * m), (-1, variable.shape[-1]))
        step = self.lr_adjust(self.zeropower_via_newtonschulz5(ahead, self.ns_steps))
        self.assign_sub(variable, lr * ops.reshape(step, variable.shape))


def make_optimizer(recipe: Recipe, steps_per_epoch: int) -> Any:
    """Return the optimizer of a recipe whose epochs have `steps_per_epoch` steps."""
    # The average starts at the initial weights, so a short run needs a shorter memory to be rid of them.
    ema_steps = min(recipe.ema_epochs, recipe.epochs / 10) * steps_per_epoch
    averaging = {"use_ema": ema_steps > 0, "ema_momentum": max(1 - 1 / ema_steps, 0.0) if ema_steps else 0.99}
    rate = _cosine(recipe, steps_per_epoch) if recipe.schedule == "cosine" else recipe.learning_rate
    decay = recipe.weight_decay
    if recipe.optimizer == "muon":
        optimizer = AveragingMuon(
            rate, weight_decay=decay, adam_weight_decay=decay, adam_lr_ratio=1, momentum=0.95, rms_rate=0.2, **averaging
        )
    elif recipe.optimizer == "sgd":
        optimizer = AveragingSGD(rate, momentum=0.9, nesterov=True, weight_decay=decay, **averaging)
    else:
        optimizer = AveragingAdamW(rate, weight_decay=decay if recipe.optimizer == "adamw" else 0.0, **averaging)
    # Decay pulls towards zero; scales, offsets and biases have no reason to be there.
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


def plateau_rate(recipe: Recipe, accuracies: Sequence[float]) -> float:
    """Return the rate of the next epoch on the ``plateau`` schedule, from the accuracies of all epochs so far."""
    rate, best, waited = recipe.learning_rate, -1.0, 0
    for accuracy in accuracies:
        waited = 0 if accuracy > best else waited + 1
        best = max(best, accuracy)
        if waited == PLATEAU_PATIENCE:
            rate, waited = rate * PLATEAU_FACTOR, 0
    return rate


def _cosine(recipe: Recipe, steps_per_epoch: int) -> Any:
    total = recipe.epochs * steps_per_epoch
    warmup = min(round(recipe.warmup_epochs * steps_per_epoch), total // 2)
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=recipe.learning_rate * 0.01 if warmup else recipe.learning_rate,
        decay_steps=max(total - warmup, 1),
        warmup_target=recipe.learning_rate if warmup else None,
        warmup_steps=warmup,
    )
