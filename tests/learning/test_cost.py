import logging
from dataclasses import replace

import pytest

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.contract import Contract
from kart_pipeline.core.errors import KartError
from kart_pipeline.learning.cost import network_cost
from kart_pipeline.learning.networks import NETWORKS, build_network

PUBLISHED = Contract(ActionSpec(("steer",)), 10)


def test_pilotnet_costs_what_its_paper_says() -> None:
    cost = network_cost(build_network("pilotnet", PUBLISHED), PUBLISHED)
    assert cost.parameters == 252_219
    # "about 27 million connections and 250 thousand parameters", each connection a multiplication and an addition
    assert cost.flops / 2 == pytest.approx(27e6, rel=0.01)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_has_a_cost_and_percentiles_in_their_order(name: str) -> None:
    contract = replace(PUBLISHED, width=64, height=62, stack=2)
    cost = network_cost(build_network(name, contract), contract)
    assert cost.flops > 2 * 1_000_000
    assert 0 < cost.latency_p50_ms <= cost.latency_p99_ms
    assert set(cost.metrics()) == {f"cost/{key}" for key in ("parameters", "flops", "latency_p50_ms", "latency_p99_ms")}


def test_sums_of_a_recurrent_network_grow_with_its_stack() -> None:
    few, many = (
        network_cost(build_network("recurrent", contract), contract).flops
        for contract in (replace(PUBLISHED, width=40, height=40, stack=stack) for stack in (2, 4))
    )
    assert many / few == pytest.approx(2, rel=0.02)


def test_a_network_of_another_contract_is_refused() -> None:
    with pytest.raises(KartError, match="train it again"):
        network_cost(build_network("pilotnet", PUBLISHED), replace(PUBLISHED, width=100))


def test_measuring_leaves_the_log_as_it_was() -> None:
    logger = logging.getLogger("tensorflow")
    before = logger.level
    network_cost(build_network("pilotnet", PUBLISHED), PUBLISHED)
    assert logger.level == before
