"""``fer-edge data``: look at a data set before training on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fer_edge.train.commands.options import DATA

if TYPE_CHECKING:
    from fer_edge.train.data.dataset import Dataset

PNG = click.Path(dir_okay=False, path_type=Path)
SHEET = 64  # pictures on a contact sheet of blank or conflicting images


@click.group()
def data() -> None:
    """Inspect a data set; preview its augmented images."""


@data.command()
@DATA
@click.option("--plots", type=click.Path(file_okay=False, path_type=Path), help="Folder for PNG plots.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def inspect(data: str, plots: Path | None, as_json: bool) -> None:
    """Report counts per class and split, duplicates, leaks between splits, label conflicts and blank images."""
    import dataclasses

    import numpy as np

    from fer_edge.train.data.duplicates import find_faults
    from fer_edge.train.data.load import load_dataset

    dataset = load_dataset(data)
    classes = len(dataset.labels)
    counts = {
        name: dict(zip(dataset.labels, np.bincount(split.labels, minlength=classes).tolist(), strict=True))
        for name, split in dataset.splits.items()
    }
    faults = find_faults(dataset)
    if plots:
        _draw(dataset, plots)
    if as_json:
        result: dict[str, Any] = {"name": dataset.name, "fingerprint": dataset.fingerprint, "counts": counts}
        click.echo(json.dumps(result | {"faults": dataclasses.asdict(faults)}))
        return
    click.echo(f"{dataset.name}: {sum(len(split) for split in dataset.splits.values())} images\n")
    click.echo(f"{'class':12}" + "".join(f"{name:>12}" for name in counts))
    for label in dataset.labels:
        click.echo(f"{label:12}" + "".join(f"{column[label]:12}" for column in counts.values()))
    click.echo(f"{'all':12}" + "".join(f"{sum(column.values()):12}" for column in counts.values()))
    click.echo(f"\n{faults.surplus:6} surplus exact duplicates (images that repeat an earlier one)")
    click.echo(f"{faults.crossing:6} groups of equal images that cross splits (training drops its side of them)")
    click.echo(f"{faults.conflicting:6} groups of equal images with conflicting labels")
    click.echo(f"{faults.blank:6} blank images (standard deviation under 1)")


def _draw(dataset: Dataset, folder: Path) -> None:
    import numpy as np

    from fer_edge.train.data.duplicates import blank, conflicting
    from fer_edge.train.plots import plot_distribution, plot_sheet

    folder.mkdir(parents=True, exist_ok=True)
    plot_distribution(dataset, folder / "classes.png")
    for fault, find in (("blank", blank), ("conflicting", conflicting)):
        images, captions = [], []
        for name, split in dataset.splits.items():
            found = np.flatnonzero(find(split))
            found = found[np.argsort(split.hashes()[found], kind="stable")]  # equal pictures side by side
            images += list(split.images[found])
            captions += [f"{name} {split.rows[i]}\n{dataset.labels[split.labels[i]]}" for i in found]
        if images:
            plot_sheet(np.stack(images[:SHEET]), captions[:SHEET], f"{dataset.name}: {fault}", folder / f"{fault}.png")


@data.command()
@DATA
@click.option("--out", required=True, type=PNG, help="The PNG file to write.")
@click.option("--seed", default=1, show_default=True, help="Of the choice of images and of the augmentation.")
def preview(data: str, out: Path, seed: int) -> None:
    """Draw images of each class beside augmented versions of them, as training sees them by default."""
    import numpy as np

    from fer_edge.train.augment import Augmentation, Augmenter
    from fer_edge.train.data.load import load_dataset
    from fer_edge.train.plots import plot_sheet

    columns = 8
    dataset = load_dataset(data)
    split = dataset.split("Training")
    rng = np.random.default_rng(seed)
    present = [label for label in range(len(dataset.labels)) if (split.labels == label).any()]
    chosen = np.array([rng.choice(np.flatnonzero(split.labels == label)) for label in present])
    augment = Augmenter(Augmentation(mixup=0.0), seed)
    rows = []
    for index in chosen:
        batch = np.repeat(split.images[index][None, ..., None].astype(np.float32), columns, axis=0)
        augmented, _ = augment(batch, np.zeros((columns, 1), np.float32), training=True)
        batch[1:] = np.asarray(augmented)[1:]
        rows.append(batch[..., 0].round().astype(np.uint8))
    captions = [
        dataset.labels[label] if column == 0 else "" for label in split.labels[chosen] for column in range(columns)
    ]
    plot_sheet(np.concatenate(rows), captions, f"{dataset.name}: original, then augmented", out, columns)
    click.echo(out)
