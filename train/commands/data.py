"""``fer-edge data``: look at a data set before training on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fer_edge.train.commands.idle import UNDONE
from fer_edge.train.commands.options import DATA, FERPLUS, MAP, SEED
from fer_edge.train.commands.train import train

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from fer_edge.train.data.dataset import Dataset

PNG = click.Path(dir_okay=False, path_type=Path)
ELEMENTS = (
    *("flip", "rotation", "scale", "smaller", "shift", "contrast", "glasses", "shear", "vignette", "sharpness"),
    *("light", "blur", "noise", "erasing", "mixup", "cutmix"),
)
"""Elements of `fer_edge.train.augment.augmenter.Augmentation`; they have train's options."""
NORMALISATION = "contrast_normalisation"
"""The option of train that is no augmentation, but decides what is augmented."""
SHEET = 64  # pictures on a contact sheet of blank or conflicting images


@click.group()
def data() -> None:
    """Inspect a data set; preview its augmented images."""


@data.command()
@DATA
@FERPLUS
@MAP
@click.option("--plots", type=click.Path(file_okay=False, path_type=Path), help="Folder for PNG plots.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def inspect(
    data: str, ferplus: Path | None, mapping: tuple[tuple[str, str], ...], plots: Path | None, as_json: bool
) -> None:
    """Report counts per class, split and source, duplicates, leaks between splits, label conflicts and blank images."""
    import dataclasses

    from fer_edge.train.data.duplicates import find_faults
    from fer_edge.train.data.load import load_dataset

    dataset = load_dataset(data, ferplus, mapping=dict(mapping))
    counts = {name: _counts(dataset, [split.labels]) for name, split in dataset.splits.items()}
    names = [name if dataset.sources.count(name) == 1 else f"{name} ({i})" for i, name in enumerate(dataset.sources, 1)]
    sources = {name: _counts(dataset, _labels_from(dataset, i)) for i, name in enumerate(names)}
    faults = find_faults(dataset)
    if plots:
        _draw(dataset, plots)
    if as_json:
        result: dict[str, Any] = {"name": dataset.name, "fingerprint": dataset.fingerprint, "counts": counts}
        result |= {"sources": sources, "notes": dataset.notes, "faults": dataclasses.asdict(faults)}
        click.echo(json.dumps(result))
        return
    click.echo(f"{dataset.name}: {sum(len(split) for split in dataset.splits.values())} images")
    for note in dataset.notes:
        click.echo(f"- {note}")
    columns = list(counts.items()) + list(sources.items())
    widths = [max(12, len(name) + 2) for name, _ in columns]
    first = max(12, *(len(label) + 2 for label in dataset.labels))
    lines = [["class", *(name for name, _ in columns)]]
    lines += [[label, *(str(column[label]) for _, column in columns)] for label in dataset.labels]
    lines += [["all", *(str(sum(column.values())) for _, column in columns)]]
    click.echo()
    for name, *cells in lines:
        click.echo(f"{name:{first}}" + "".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True)))
    click.echo(f"\n{faults.surplus:6} surplus exact duplicates (images that repeat an earlier one)")
    click.echo(f"{faults.crossing:6} groups of equal images that cross splits (training drops its side of them)")
    click.echo(f"{faults.conflicting:6} groups of equal images with conflicting labels")
    click.echo(f"{faults.blank:6} blank images (standard deviation under 1)")


def _counts(dataset: Dataset, labels: Sequence[NDArray[np.int64]]) -> dict[str, int]:
    import numpy as np

    counts = np.bincount(np.concatenate(labels), minlength=len(dataset.labels))
    return dict(zip(dataset.labels, counts.tolist(), strict=True))


def _labels_from(dataset: Dataset, source: int) -> list[NDArray[np.int64]]:
    return [split.labels[split.sources == source] for split in dataset.splits.values()]


def _draw(dataset: Dataset, folder: Path) -> None:
    import numpy as np

    from fer_edge.train.data.duplicates import blank, conflicting
    from fer_edge.train.evaluate.plots import plot_distribution, plot_sheet

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
@FERPLUS
@MAP
@click.option("--out", required=True, type=PNG, help="The PNG file to write.")
@click.option(
    "--seed", default=1, show_default=True, type=SEED, help="Of the choice of images and of the augmentation."
)
def preview(
    data: str, ferplus: Path | None, mapping: tuple[tuple[str, str], ...], out: Path, seed: int, **elements: Any
) -> None:
    """Draw images of each class beside augmented versions of them, as training with the same options sees them."""
    if out.suffix.lower() != ".png":  # matplotlib would choose the format by it, or add it
        raise click.BadParameter(f"'{out}': expected a name that ends in .png", param_hint="--out")
    import numpy as np

    from fer_edge.preprocess import normalise
    from fer_edge.train.augment.augmenter import Augmentation, Augmenter
    from fer_edge.train.data.load import load_dataset
    from fer_edge.train.evaluate.plots import plot_sheet

    columns = 8
    dataset = load_dataset(data, ferplus, mapping=dict(mapping))
    split = dataset.split("Training")
    rng = np.random.default_rng(seed)
    present = [label for label in range(len(dataset.labels)) if (split.labels == label).any()]
    chosen = np.array([rng.choice(np.flatnonzero(split.labels == label)) for label in present])
    normalisation = elements.pop(NORMALISATION)
    if normalisation != "none":
        elements |= dict.fromkeys(UNDONE, 0.0)
    augment = Augmenter(Augmentation(**elements), seed)
    batch = normalise(split.images[chosen], normalisation)[..., None].astype(np.float32)
    # A batch a column, of all classes, so that mixing has others to mix with.
    targets = np.zeros((len(chosen), 1), np.float32)
    augmented = [np.asarray(augment(batch, targets, training=True)[0])[..., 0] for _ in range(columns - 1)]
    pictures = np.stack([split.images[chosen], *(column.round().astype(np.uint8) for column in augmented)], axis=1)
    captions = [
        dataset.labels[label] if column == 0 else "" for label in split.labels[chosen] for column in range(columns)
    ]
    title = f"{dataset.name}: original, then augmented"
    plot_sheet(pictures.reshape(-1, *split.images.shape[1:]), captions, title, out, columns)
    click.echo(out)


preview.params += [option for option in train.params if option.name in (*ELEMENTS, NORMALISATION)]
