"""Configuration made from a dataclass."""

from dataclasses import dataclass, fields
from typing import Literal

import dagster as dg
import pytest

from kart_pipeline.learning.hyper import HyperParameters
from kart_pipeline.orchestration.assets.driver_model import TrainingConfig
from kart_pipeline.orchestration.launchpad import config_class, descriptions, values


@dataclass(frozen=True)
class Recipe:
    """How to bake.

    Attributes:
        minutes: in the oven, at a
            moderate heat.
        width, height: of the tin, cm.
        top: "none" or "nuts".
        salt: a pinch; None leaves it out.
    """

    minutes: float = 20.0
    width: int = 10
    height: int = 5
    top: Literal["none", "nuts"] = "nuts"
    salt: float | None = None


Config = config_class(Recipe, "RecipeConfig", "A cake.")


def test_fields_defaults_and_descriptions_are_those_of_the_dataclass():
    assert values(Config(), Recipe) == {"minutes": 20.0, "width": 10, "height": 5, "top": "nuts", "salt": None}
    told = {name: field.description for name, field in Config.model_fields.items()}
    assert told["minutes"] == "in the oven, at a moderate heat."
    assert told["width"] == told["height"] == "of the tin, cm."


seen: dict[str, object] = {}


@dg.asset
def cake(config: Config) -> None:  # type: ignore[valid-type]
    seen.clear()
    seen.update(values(config, Recipe))


def bake(**config: object) -> dg.ExecuteInProcessResult:
    return dg.materialize(
        [cake], run_config={"ops": {"cake": {"config": config}}}, instance=dg.DagsterInstance.ephemeral()
    )


def test_dagster_hands_the_values_over():
    assert bake(minutes=5, top="none", salt=0.1).success
    assert Recipe(**seen) == Recipe(minutes=5, top="none", salt=0.1)


@pytest.mark.parametrize("config", [{"top": "cream"}, {"minutes": "long"}, {"unknown": 1}])
def test_a_run_with_a_value_that_cannot_be_is_refused_before_it_starts(config):
    with pytest.raises(dg.DagsterInvalidConfigError):
        bake(**config)


def test_a_field_without_a_description_is_a_mistake_of_ours():
    @dataclass
    class Silent:
        """Says nothing.

        Attributes:
            told: this one.
        """

        told: int = 1
        untold: int = 2

    with pytest.raises(TypeError, match="untold needs a default and a description"):
        config_class(Silent, "SilentConfig", "")


def test_every_hyper_parameter_is_in_the_launchpad_with_its_description():
    names = [field.name for field in fields(HyperParameters)]
    assert list(TrainingConfig.model_fields) == [*names, "warm_start"]
    assert HyperParameters(**values(TrainingConfig(), HyperParameters)) == HyperParameters()
    told = descriptions(HyperParameters)
    assert all(len(told[name]) > 5 for name in names)
