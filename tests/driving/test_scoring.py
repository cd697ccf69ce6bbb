import os
import signal
import subprocess
import sys
import time
from functools import partial

import pytest

from kart_pipeline.core.errors import KartError
from kart_pipeline.driving.drivers import make_driver
from kart_pipeline.driving.scoring import score
from kart_pipeline.games.registry import make_game

CAR_RACING = partial(make_game, "car_racing")
EXPERT = partial(make_driver, "expert")


def values(card):
    return [(drive.seed, drive.track, drive.steps, drive.score) for drive in card.drives]


def test_every_seed_is_driven_once_in_order_in_one_game(make_line):
    games = []

    def make():
        games.append(make_line())
        return games[-1]

    seen = []
    card = score(make, partial(make_driver, "straight-ahead"), [5, 3, 5], progress=seen.append)
    assert (card.game, card.driver) == ("line", "straight-ahead")
    assert [drive.seed for drive in card.drives] == [5, 3, 5]
    assert tuple(seen) == card.drives
    assert len(games) == 1
    assert games[0].log[-1] == "close"


def test_processes_give_the_same_scores_in_the_same_order_as_one():
    seeds = [11, 12, 13]
    alone = score(CAR_RACING, EXPERT, seeds, max_steps=25)
    seen = []
    shared = score(CAR_RACING, EXPERT, seeds, max_steps=25, workers=2, progress=seen.append)
    assert values(shared) == values(alone)
    assert (shared.game, shared.driver) == (alone.game, alone.driver) == ("car_racing", "expert")
    assert sorted(drive.seed for drive in seen) == seeds


def test_a_mistake_in_a_worker_arrives_as_its_sentence():
    with pytest.raises(KartError, match="no driver 'ghost'"):
        score(CAR_RACING, partial(make_driver, "ghost"), [1, 2], workers=2)


def test_a_fault_in_a_worker_arrives_with_its_traceback():
    with pytest.raises(RuntimeError, match="ValueError: invalid literal"):
        score(partial(int, "x"), EXPERT, [1, 2], workers=2)


def test_a_worker_that_dies_is_noticed():
    with pytest.raises(KartError, match="ended by itself"):
        score(partial(os._exit, 3), EXPERT, [1, 2], workers=2)


@pytest.mark.parametrize(("seeds", "workers", "words"), [([], 1, "one seed"), ([1], 0, "one worker")])
def test_scoring_nothing_or_by_nobody_is_refused(make_line, seeds, workers, words):
    with pytest.raises(KartError, match=words):
        score(make_line, partial(make_driver, "straight-ahead"), seeds, workers=workers)


@pytest.mark.e2e
@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot send Ctrl-C to a single process group from here")
def test_ctrl_c_ends_all_workers_at_once(tmp_path):
    script = tmp_path / "scoring.py"
    script.write_text(
        "from functools import partial\n"
        "from kart_pipeline.driving.drivers import make_driver\n"
        "from kart_pipeline.driving.scoring import score\n"
        "from kart_pipeline.games.registry import make_game\n"
        "if __name__ == '__main__':\n"
        "    score(partial(make_game, 'car_racing'), partial(make_driver, 'expert'), range(1000), workers=2,\n"
        "          max_steps=20, progress=lambda drive: print('driven', flush=True))\n"
    )
    parent = subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert parent.stdout is not None
    assert parent.stdout.readline() == "driven\n"
    begin = time.monotonic()
    os.killpg(parent.pid, signal.SIGINT)  # as the terminal does: to the workers too
    _, errors = parent.communicate(timeout=20)
    assert time.monotonic() - begin < 10
    assert parent.returncode == -signal.SIGINT
    assert errors.count("KeyboardInterrupt") == 1  # the parent's own
    with pytest.raises(ProcessLookupError):  # soon nobody of the group is left
        while time.monotonic() - begin < 10:
            os.killpg(parent.pid, 0)
            time.sleep(0.05)
