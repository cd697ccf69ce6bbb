"""How far the demo has come."""

import pytest

from kart_pipeline.core.errors import KartError
from kart_pipeline.demo import plan
from kart_pipeline.demo.plan import Plan


def test_the_first_round_wants_so_many_sessions_more(tmp_path):
    assert plan.begin(tmp_path / "demo.json", recorded=2, episodes=3) == Plan(1, 5, trained=False, done=False)


def test_a_round_that_broke_off_goes_on_as_it_was_planned(tmp_path):
    begun = plan.save(tmp_path / "demo.json", plan.begin(tmp_path / "demo.json", recorded=0, episodes=3), trained=True)
    assert plan.begin(tmp_path / "demo.json", recorded=1, episodes=3) == begun


def test_after_a_round_comes_the_next(tmp_path):
    plan.save(tmp_path / "demo.json", plan.begin(tmp_path / "demo.json", recorded=0, episodes=3), done=True)
    assert plan.begin(tmp_path / "demo.json", recorded=3, episodes=3) == Plan(2, 6, trained=False, done=False)


@pytest.mark.parametrize("text", ["{", '{"lap": 1}', "[1]"])
def test_a_damaged_plan_says_what_to_do(tmp_path, text):
    (tmp_path / "demo.json").write_text(text, encoding="utf-8")
    with pytest.raises(KartError, match="delete it to begin anew"):
        plan.load(tmp_path / "demo.json")
