"""All the choices of a training run, as data that goes into its run card."""

from __future__ import annotations

import dataclasses
from typing import Any

from fer_edge.train.augment.augmenter import Augmentation


@dataclasses.dataclass(frozen=True)
class Distillation:
    """How to learn from teachers (Hinton et al. 2015, arXiv:1503.02531).

    Attributes:
        teachers: hash of each teacher's file, so that runs with other teachers are other runs.
        share: weight of the teachers in the loss; the labels have the rest.
        temperature: by which the teachers' and the student's logits are divided.
        views: augmented views of the training images that the teachers look at; the epochs take them in turn.
        mixed: share of a view's images that are mixed with another one before the teachers look.
    """

    teachers: tuple[str, ...]
    share: float = 0.7
    temperature: float = 2.0
    views: int = 16
    mixed: float = 0.0


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How to train.

    Attributes:
        epochs: length of the schedule.
        batch_size: images a step.
        optimizer: ``adamw`` (Loshchilov and Hutter 2019, arXiv:1711.05101), ``adam``, ``sgd`` (Nesterov, 0.9), or
            ``muon`` (`fer_edge.train.loop.optimizer.AveragingMuon`), whose best rates are several times those of AdamW.
        learning_rate: peak rate.
        schedule: after the warm-up the rate falls to zero on a ``cosine``, falls on a ``plateau`` of the
            holdout accuracy (times 0.75 after 5 epochs without a better one, as Khaireddin and Chen 2021,
            arXiv:2105.03588, section 4.3), or stays ``constant``.
        warmup_epochs: epochs over which the rate rises linearly to its peak, on the cosine.
        weight_decay: decoupled, on kernels only; not with ``adam``.
        sam: radius of sharpness-aware minimization (Foret et al. 2021, arXiv:2010.01412); 0 is off; TensorFlow only.
        label_smoothing: share of each target spread over all classes.
        auxiliary_share: weight of a second output's loss, where the training images have something for it to learn.
        fused_share: share of FER+ votes in the targets, beside FER2013's labels, where these are mixed.
        class_weighting: exponent of the classes' inverse frequency as weight in the loss; 1 weighs all
            classes alike, 0 all images.
        ema_epochs: time constant, in epochs, of the exponential moving average of the weights that is
            evaluated and kept, at most a tenth of the run; 0 keeps the last weights.
        dropout: rate before the last layer.
        patience: epochs without a better holdout accuracy before stopping; 0 never stops early.
        holdout: share of Training that decides when to stop and which epoch to keep; 0 trains on all of it
            and keeps the last epoch.
        drop_leaks: leave out training images that also occur in a test split.
        resample: method of `fer_edge.train.data.balance.resample` that balances what is trained on, or "" for none.
        protocol: ``clean``, or the one under which the data set was made before training saw it, with its method.
        contrast: normalisation of every input, see `fer_edge.model_file.ModelInfo`; it stays with the model.
        clean: leave out training images that are blank or occur again under another label.
        draw_labels: learn one label an image, drawn anew from its votes every epoch (the *probability* training of
            Barsoum et al. 2016, arXiv:1608.01041, section 3), in place of the votes' shares.
        symmetric: tie the weights so that an image and its mirror image get the same
            (`fer_edge.train.loop.mirror_equivariance`).
        precision: ``float32`` or ``bfloat16``, what the layers compute in; weights are float32 in both.
        seed: of initialization, order and augmentation.
        augmentation: what is done to the images.
        distillation: teachers to learn from, or None.
        start: hash of the file whose weights training begins with, or "" for random ones.
    """

    epochs: int = 60
    batch_size: int = 64
    optimizer: str = "adamw"
    learning_rate: float = 2e-3
    schedule: str = "cosine"
    warmup_epochs: float = 2.0
    weight_decay: float = 0.01
    sam: float = 0.0
    label_smoothing: float = 0.1
    auxiliary_share: float = 0.0
    fused_share: float = 0.0
    class_weighting: float = 0.0
    ema_epochs: float = 2.0
    dropout: float = 0.2
    patience: int = 0
    holdout: float = 0.1
    drop_leaks: bool = True
    resample: str = ""
    protocol: str = "clean"
    contrast: str = "none"
    clean: bool = False
    draw_labels: bool = False
    symmetric: bool = False
    precision: str = "float32"
    seed: int = 1
    augmentation: Augmentation = dataclasses.field(default_factory=Augmentation)
    distillation: Distillation | None = None
    start: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary."""
        settings = dataclasses.asdict(self)
        if not self.distillation:
            del settings["distillation"]
        elif not self.distillation.mixed:
            del settings["distillation"]["mixed"]
        for name in ("auxiliary_share", "fused_share"):
            if not settings[name]:
                del settings[name]
        if self.protocol == "clean":
            del settings["protocol"]
        if not self.start:
            del settings["start"]
        for name in ("draw_labels", "symmetric"):
            if not settings[name]:
                del settings[name]
        return settings
