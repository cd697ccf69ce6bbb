import numpy as np
import pytest
from gymnasium.envs.box2d.car_racing import CarRacing as Official

from kart_pipeline.games.car_racing_env import make_env


@pytest.mark.parametrize("seed", [0, 7])
def test_every_pixel_and_reward_is_that_of_the_official_environment(seed):
    official, ours = Official(render_mode="rgb_array"), make_env()
    first, _ = official.reset(seed=seed)
    assert np.array_equal(ours.reset(seed=seed)[0], first)
    rng = np.random.default_rng(seed)
    for step in range(100):  # two seconds: the camera's first zoom, the road, then the grass
        command = np.array([rng.uniform(-0.3, 0.3), 0.6, 0], np.float32)
        theirs, mine = official.step(command), ours.step(command)
        assert np.array_equal(theirs[0], mine[0]), f"step {step}"
        assert theirs[1:] == mine[1:]
    assert np.array_equal(official.render(), ours.render())


def test_it_draws_all_that_the_far_corners_of_the_field_show():
    official, ours = Official(render_mode="rgb_array"), make_env()
    for env in (official, ours):
        env.reset(seed=5)
    for x, y, angle in [(330, 330, 0.4), (-330, 100, 2.0), (0, -330, 4.0), (120, 40, 5.5)]:
        for env in (official, ours):
            env.car.hull.position, env.car.hull.angle = (x, y), angle
        assert np.array_equal(official.render(), ours.render())
