"""How a registered driver is put to the test."""

import pytest

from kart_pipeline.orchestration.judging import PAYS_FROM, Course, processes


@pytest.mark.parametrize(
    ("seeds", "network", "expected"), [(PAYS_FROM - 1, True, 1), (PAYS_FROM, True, 3), (2, False, 3)]
)
def test_networks_are_driven_in_several_processes_only_where_that_pays(seeds, network, expected):
    assert processes(Course("car_racing", tuple(range(seeds)), workers=3), network=network) == expected
