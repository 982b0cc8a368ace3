"""AdamW on a cosine with warm-up, and an exponential moving average of the weights beside it."""

from __future__ import annotations

from typing import Any

from fer_edge.train.keras_setup import load_keras
from fer_edge.train.recipe import Recipe

keras = load_keras()


class AveragingAdamW(keras.optimizers.AdamW):  # type: ignore[misc, name-defined]
    """AdamW whose averaged weights stay beside the trained ones until they are asked for.

    Keras puts the averages into the model at the end of every ``fit``; as each epoch is a ``fit`` of its
    own here, training would go on from the averages.
    """

    def finalize_variable_values(self, var_list: Any) -> None:
        """Leave the trained weights in place."""

    def put_averages(self, variables: Any) -> None:
        """Overwrite `variables`, the trained ones in their order, by their averages."""
        if self.use_ema:
            super().finalize_variable_values(variables)


def make_optimizer(recipe: Recipe, steps_per_epoch: int) -> Any:
    """Return the optimizer of a recipe whose epochs have `steps_per_epoch` steps."""
    total = recipe.epochs * steps_per_epoch
    warmup = min(round(recipe.warmup_epochs * steps_per_epoch), total // 2)
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=recipe.learning_rate * 0.01 if warmup else recipe.learning_rate,
        decay_steps=max(total - warmup, 1),
        warmup_target=recipe.learning_rate if warmup else None,
        warmup_steps=warmup,
    )
    # The average starts at the initial weights, so a short run needs a shorter memory to be rid of them.
    ema_steps = min(recipe.ema_epochs, recipe.epochs / 10) * steps_per_epoch
    optimizer = AveragingAdamW(
        schedule,
        weight_decay=recipe.weight_decay,
        use_ema=ema_steps > 0,
        ema_momentum=max(1 - 1 / ema_steps, 0.0) if ema_steps else 0.99,
    )
    # Decay pulls towards zero; scales, offsets and biases have no reason to be there.
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer
