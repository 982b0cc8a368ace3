"""What a training leaves beside the model and says once it is over."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fer_edge.files import write_atomically
from fer_edge.train.data.dataset import PUBLIC_TEST, Dataset
from fer_edge.train.evaluate.evaluation import evaluate_models
from fer_edge.train.evaluate.plots import plot_curves
from fer_edge.train.keras_model import load_model
from fer_edge.train.loop.history import Epoch, best_epoch
from fer_edge.train.loop.run_folder import METADATA, MODEL, read_metadata
from fer_edge.train.runs.diagram import draw_model, write_summary


@dataclasses.dataclass(frozen=True)
class Outcome:
    """Of a finished run.

    Attributes:
        model: path of the kept model.
        epochs: trained.
        planned: length of the schedule.
        kept: the epoch whose weights the model has.
        calibration: of the run card, or None.
        leaky_accuracy: on a test split that holds copies of training images, or None.
    """

    model: Path
    epochs: int
    planned: int
    kept: Epoch
    calibration: dict[str, Any] | None
    leaky_accuracy: float | None

    @classmethod
    def of(cls, out: Path, history: Sequence[Epoch], planned: int, leaky: Dataset | None) -> Outcome:
        """Draw the curves and the network of the run in `out` and gather what is to be said.

        Args:
            out: its folder.
            history: its epochs.
            planned: length of its schedule.
            leaky: the data set with the leaky test split to measure on, or None.
        """
        plot_curves(list(history), out / "curves.png")
        network = load_model(out / MODEL).model
        write_summary(network, out / "model.txt")
        draw_model(network, out / "model.png")
        accuracy = _leaky_accuracy(out, leaky) if leaky else None
        calibration = read_metadata(out).get("calibration")
        return cls(out / MODEL, len(history), planned, best_epoch(history), calibration, accuracy)

    def to_json(self) -> str:
        """Return it for a script."""
        result: dict[str, Any] = {"model": str(self.model), "epochs": self.epochs, "kept_epoch": self.kept.epoch}
        if self.kept.holdout_accuracy is not None:
            result["holdout_accuracy"] = self.kept.holdout_accuracy
        if self.calibration:
            result["calibration"] = self.calibration
        if self.leaky_accuracy is not None:
            result["leaky_test_accuracy"] = self.leaky_accuracy
        return json.dumps(result)

    def to_text(self) -> str:
        """Return it for a reader."""
        accuracy = self.kept.holdout_accuracy
        held = f", {accuracy:.1%} on the held-out part" if accuracy is not None else ""
        early = f", stopped early of {self.planned}" if self.epochs < self.planned else ""
        lines = [f"{self.model}: epoch {self.kept.epoch} of {self.epochs}{early}{held}"]
        if (found := self.calibration) and not found.get("found", True):
            lines.append(
                f"no temperature found on {found['images']} held-out images, so that the probabilities stay as they "
                f"are (calibration error there {found['error_before']:.1%}); many held-out images find one"
            )
        elif found:
            there = f"on what run {found['run']} held out" if "run" in found else "there"
            lines.append(
                f"temperature {found['temperature']:.2f}; calibration error {there} {found['error_before']:.1%}, "
                f"{found['error_after']:.1%} with it (fitted to these images)"
            )
        if self.leaky_accuracy is not None:
            lines.append(
                f"{self.leaky_accuracy:.1%} on the leaky test split. WARNING: that split holds copies of "
                "training images; measure the model with 'fer-edge evaluate' on images it has not seen"
            )
        return "\n".join(lines)


def _leaky_accuracy(out: Path, dataset: Dataset) -> float:
    """Measure on the leaky test split and write the figure, with its warning, into the run card."""
    accuracy = evaluate_models([out / MODEL], dataset, PUBLIC_TEST).metrics.top1
    card = read_metadata(out)
    card["leaky_test_accuracy"] = {"top1": accuracy, "warning": dataset.notes[-1]}
    write_atomically(out / METADATA, json.dumps(card, indent=1).encode())
    return accuracy
