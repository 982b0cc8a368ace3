"""What is known of a network on a microcontroller."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping


@dataclasses.dataclass(frozen=True)
class MicroReport:
    """What `fer_edge.convert.micro.export.export_micro` wrote and measured.

    Attributes:
        folder: of the sources.
        flash_bytes: of the weights: the flatbuffer.
        arena_bytes: of working memory, as TensorFlow Lite Micro allocates it on a 64-bit machine; a 32-bit one takes
            no more.
        operators: to register, by their TFLite names.
        data: what it was compared on.
        images: how many.
        agreement: share of images, in 0..1, that both put in the same class; of a network of the face detector, whose
            outputs are alike up to one step.
        largest_difference: of one output, in int8 steps.
        largest_margin: greatest lead, in int8 steps, of a class that changed; 0 if none did.
        reference_agreement: `agreement` with TFLite's own reference kernels, which round as a microcontroller's do.
        sections: compiler -> bytes of text, data and bss of the compiled sources; empty where there is no compiler.
    """

    folder: str
    flash_bytes: int
    arena_bytes: int
    operators: tuple[str, ...]
    data: str
    images: int
    agreement: float
    largest_difference: int
    largest_margin: int
    reference_agreement: float
    sections: Mapping[str, Mapping[str, int]]

    def rows(self) -> list[tuple[str, str]]:
        """Return what a table says, line by line: a name and its value."""
        compiled = [
            (f"compiled, {name}", ", ".join(f"{section} {size:,}" for section, size in sizes.items()) + " bytes")
            for name, sizes in self.sections.items()
        ]
        lead = f", the others within {self.largest_margin} steps of a tie" if self.agreement < 1 else ""
        return [
            ("microcontroller", self.folder),
            ("flash", f"{self.flash_bytes / 1024:.1f} KB of weights"),
            ("arena", f"{self.arena_bytes / 1024:.1f} KB of working memory"),
            ("operators to register", ", ".join(self.operators)),
            ("same class in TFLM", f"{self.agreement:.2%} of {self.images} images of {self.data}{lead}"),
            ("same class, reference", f"{self.reference_agreement:.2%} with TFLite's reference kernels"),
            ("largest difference", f"{self.largest_difference} of 256 steps"),
            *compiled,
        ]
