"""What a training run can be told, in one frozen object whose field comments are the documentation."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from kart_pipeline.core.errors import KartError

AxisHead = Literal["regression", "bins"]
AxisLoss = Literal["mse", "huber", "mae"]
Precision = Literal["float32", "mixed_bfloat16", "mixed_float16"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HyperParameters:
    """Settings of one training run; the defaults suit a few ten thousand frames on a CPU.

    Attributes:
        network: name in `networks.NETWORKS`.
        epochs: most passes over the training rows.
        batch_size: rows per gradient step.
        learning_rate: of Adam, at the start.
        final_learning_rate: what is left of it at the end, in fractions of `learning_rate`; it falls along half a
            cosine (Loshchilov & Hutter, 2017, arXiv:1608.03983) over the epochs or the minutes, whichever ends first.
            1 keeps it.
        dropout: share of a dense layer's outputs that is dropped while training; 0 is PilotNet as published.
        axis_head: "regression" (each axis is one number) or "bins" (a distribution over `bins` values, of which driving
            takes the likeliest place: it chooses left or right where regression drives straight on between them).
        bins: of each axis's head where `axis_head` is "bins", equally spaced from -1 to 1; an odd number has one at 0.
        axis_loss: of "regression", bins learn by cross-entropy: "mse" (squared), "huber" (squared up to an error of
            0.25 of the stick's half range, linear beyond) or "mae" (absolute: learns the median, so it ignores rare
            taps).
        button_loss_weight: of each button's cross-entropy beside each axis's loss. At 1 a few surprising releases of
            the accelerator outweigh all steering, also in choosing the best epoch. Beside bins, whose loss is a
            cross-entropy too, 1 is the even measure.
        patience: epochs without a better validation loss until training stops.
        seed: of the initial weights, the shuffling, the augmentation and the dropout.
        steps_per_epoch: gradient steps between two validations; None is one pass over the rows.
        max_minutes: wall-clock budget; the running epoch is cut short, validated and training ends. None has no limit.
            A budget that is reached makes the result depend on the machine's speed.
        deterministic: two runs of the same seed on the same CPU give equal weights; False lets TensorFlow reorder
            sums and fill batches in parallel.
        precision: what layers compute in while training; weights, heads and the network that drives are float32 in
            each. "mixed_float16" is for GPUs with tensor cores, "mixed_bfloat16" for TPUs and the newest CPUs;
            elsewhere both are slower.
        xla: compile the training step with XLA: some seconds before the first one, then faster on most GPUs. XLA has
            no deterministic mode, so `deterministic` must be False.
        mirror: probability of showing a row mirrored left to right, with its labels mirrored.
        shift: largest sideways shift, in fractions of the input's width.
        shift_correction: what is added to every mirrored axis per input width of shift to the right: the picture of a
            kart that stands too far left, which must steer right. 0 leaves labels alone.
        brightness: largest relative change of brightness.
        hue: largest turn of the colours about grey, in half circles: 1 makes any colour any other, so that a road is
            known by its shape. Grey pictures have none.
        patches: how many grey rectangles hide parts of the picture, so that no small part (the HUD) decides.
        patch_size: largest edge of such a rectangle, in fractions of the input's.
        history_dropout: probability that the newest frame of a row's stack takes the place of the older ones, against
            reading the last action off the motion between frames.
    """

    network: str = "pilotnet"
    epochs: int = 40
    batch_size: int = 64
    learning_rate: float = 1e-3
    final_learning_rate: float = 0.02
    dropout: float = 0.0
    axis_head: AxisHead = "regression"
    bins: int = 21
    axis_loss: AxisLoss = "mse"
    button_loss_weight: float = 0.1
    patience: int = 8
    seed: int = 0
    steps_per_epoch: int | None = None
    max_minutes: float | None = None
    deterministic: bool = True
    precision: Precision = "float32"
    xla: bool = False
    mirror: float = 0.5
    shift: float = 0.04
    shift_correction: float = 0.0
    brightness: float = 0.2
    hue: float = 0.0
    patches: int = 1
    patch_size: float = 0.25
    history_dropout: float = 0.0

    def __post_init__(self) -> None:
        for name, choices in (
            ("axis_head", get_args(AxisHead)),
            ("axis_loss", get_args(AxisLoss)),
            ("precision", get_args(Precision)),
        ):
            if getattr(self, name) not in choices:
                raise KartError(f"{name} is one of {', '.join(choices)}, not {getattr(self, name)!r}.")
        if self.xla and self.deterministic:
            raise KartError("xla has no deterministic mode; set deterministic to false with it.")
        for name, least, most in (
            ("epochs", 1, 100_000),
            ("batch_size", 1, 65_536),
            ("bins", 7, 1001),  # with fewer, a window around a mode reaches from one side to the other
            ("patience", 1, 100_000),
            ("seed", 0, 2**31 - 1),
            ("steps_per_epoch", 1, 10_000_000),
            ("patches", 0, 16),
        ):
            self._check_whole(name, least, most)
        for name, low, high in (
            ("learning_rate", 1e-8, 1.0),
            ("final_learning_rate", 0.0, 1.0),
            ("dropout", 0.0, 0.95),
            ("button_loss_weight", 0.0, 1000.0),
            ("max_minutes", 0.01, 1e6),
            ("mirror", 0.0, 1.0),
            ("shift", 0.0, 0.5),
            ("shift_correction", 0.0, 100.0),
            ("brightness", 0.0, 0.95),
            ("hue", 0.0, 1.0),
            ("patch_size", 0.01, 1.0),
            ("history_dropout", 0.0, 1.0),
        ):
            self._check_number(name, low, high)

    @property
    def axis_bins(self) -> int | None:
        """Units of an axis's head where it is a distribution, else None."""
        return self.bins if self.axis_head == "bins" else None

    def _check_whole(self, name: str, least: int, most: int) -> None:
        value = getattr(self, name)
        if value is None and name == "steps_per_epoch":
            return
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise KartError(f"{name} is a whole number from {least} to {most}, not {value!r}.")

    def _check_number(self, name: str, least: float, most: float) -> None:
        value = getattr(self, name)
        if value is None and name == "max_minutes":
            return
        if not isinstance(value, int | float) or not math.isfinite(value) or not least <= value <= most:
            raise KartError(f"{name} is a number from {least:g} to {most:g}, not {value!r}.")

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; `from_dict` gives an equal object back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "HyperParameters":
        """Raises KartError for a name that is no hyper-parameter, or a value out of range."""
        unknown = sorted(set(data) - {field.name for field in fields(cls)})
        if unknown:
            raise KartError(f"No such hyper-parameter: {', '.join(unknown)}.")
        return cls(**data)
