"""The recipes that `benchmarks.recipes` compares: each is the base with one thing changed, and says why."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kart_pipeline.core.contract import Inset, Region

# What CarRacing's demo trains with: its light never changes, and small batches hold more steps in a minute.
BASE: Mapping[str, Any] = {"batch_size": 32, "brightness": 0.0, "patches": 0, "shift": 0.0}


@dataclass(frozen=True, slots=True)
class Recipe:
    """One way to train.

    Attributes:
        why: what is changed, and what for.
        hyper: hyper-parameters.
        contract: fields of the contract.
        training_set: options of `build_training_set`.
        sessions: learn from the first so many sessions only.
        start: the recipe whose network this one begins with; it is trained first, with as many steps.
    """

    why: str
    hyper: Mapping[str, Any] = field(default_factory=dict)
    contract: Mapping[str, Any] = field(default_factory=dict)
    training_set: Mapping[str, Any] = field(default_factory=dict)
    sessions: int | None = None
    start: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "hyper", {**BASE, **self.hyper})


RECIPES: Mapping[str, Recipe] = {
    "base": Recipe("PilotNet, regression, one frame"),
    "unbalanced": Recipe("every row counts the same", training_set={"balance": "none"}),
    "unmirrored": Recipe("no mirrored rows", {"mirror": 0.0}),
    "hardened": Recipe("all augmentation on", {"brightness": 0.2, "patches": 1, "shift": 0.04}),
    "shifted": Recipe("a little sideways shift", {"shift": 0.04}),
    "huber": Recipe("errors beyond a quarter of the stick count linearly", {"axis_loss": "huber"}),
    "constant-rate": Recipe("the learning rate does not fall", {"final_learning_rate": 1.0}),
    "stack2": Recipe("two frames, 0.1 s apart: speed can be seen", contract={"stack": 2, "stride": 5}),
    "stack4": Recipe("four frames, 0.08 s apart", contract={"stack": 4, "stride": 4}),
    "grey": Recipe(
        "84x84 grey without any instrument, four frames: another view",
        contract={"crop": Region(0, 0, 1, 0.875), "width": 84, "height": 84, "colour": "grey", "stack": 4, "stride": 4},
    ),
    "unmasked": Recipe("the instruments can be seen: they show the last action", contract={"masks": ()}),
    "inset": Recipe(
        "the speed bar enlarged in a tile of its own, instead of a few pixels at the edge",
        contract={
            "crop": Region(0, 0, 1, 0.875),
            "height": 84,
            "inset": Inset(Region(0.125, 0.875, 0.16, 1), width=24, height=24),
        },
    ),
    "few": Recipe("six sessions instead of all", sessions=6),
    "warm": Recipe("all sessions, begun with the network of `few`: a warm start in place of a restart", start="few"),
    "bins": Recipe("axes as distributions over 21 bins", {"axis_head": "bins"}),
    "residual": Recipe("the small residual network", {"network": "residual"}),
    "residual-bins": Recipe("both", {"network": "residual", "axis_head": "bins"}),
    "recurrent": Recipe("a GRU over four frames", {"network": "recurrent"}, {"stack": 4, "stride": 4}),
}
