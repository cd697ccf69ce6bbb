from typing import Any

import pytest

from kart_pipeline.core.errors import KartError
from kart_pipeline.learning.hyper import HyperParameters


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 0),
        ("epochs", 2.0),
        ("batch_size", True),
        ("learning_rate", 0.0),
        ("learning_rate", float("nan")),
        ("learning_rate", "fast"),
        ("dropout", 1.0),
        ("axis_loss", "euclidean"),
        ("axis_head", "mixture"),
        ("bins", 6),
        ("patience", -1),
        ("max_minutes", 0),
        ("mirror", 1.5),
        ("patches", 17),
        ("steps_per_epoch", 0),
    ],
)
def test_a_value_out_of_range_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(KartError, match=name):
        HyperParameters(**{name: value})


def test_plain_json_values_come_back_as_an_equal_object() -> None:
    hyper = HyperParameters(epochs=3, axis_loss="huber", max_minutes=1.5)
    assert HyperParameters.from_dict(hyper.to_dict()) == hyper


def test_a_misspelt_name_is_refused() -> None:
    with pytest.raises(KartError, match="learning_rte"):
        HyperParameters.from_dict({"learning_rte": 0.1})


def test_xla_and_determinism_exclude_each_other() -> None:
    with pytest.raises(KartError, match="set deterministic to false"):
        HyperParameters(xla=True)
    assert HyperParameters(xla=True, deterministic=False).xla
