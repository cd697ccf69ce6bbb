"""The player as a person or a program starts it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import pytest

from kart_pipeline.core.store import Store
from player.cli import main

WATCHED = """
import sys
from pathlib import Path
from kart_pipeline.games import car_racing, registry
from player.cli import main

class Watched(car_racing.CarRacing):
    def neutral(self):
        super().neutral()
        with Path(sys.argv[1]).open("a") as file:
            file.write(f"{self._sent.axes}\\n")

info = registry.GAMES["car_racing"]
registry.GAMES = {"car_racing": registry.GameInfo(info.description, Watched, info.contract)}
sys.exit(main(sys.argv[2:]))
"""


@pytest.fixture
def home(shelf, monkeypatch):
    monkeypatch.setenv("KART_HOME", str(shelf.settings.home))
    yield shelf.settings.home
    shutil.rmtree(shelf.settings.home / "sessions", ignore_errors=True)


def arguments(shelf, *wishes: str) -> list[str]:
    return ["--model-uri", shelf.driver.uri, "--game", "car_racing", *wishes]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_kart_that_gets_nowhere_is_backed_out_where_that_is_wished(shelf, home, capfd, workers):
    wishes = arguments(shelf, "--seeds", "1", "--max-steps", "60", "--json", "--workers", workers)
    recoveries = []
    for wish in ([], ["--unstick", "0.4"]):
        assert main([*wishes, *wish]) == 0
        ((drive,),) = [card["drives"] for card in json.loads(capfd.readouterr().out)["scorecards"]]
        recoveries.append(drive["recoveries"])
    assert recoveries[0] == 0
    assert recoveries[1] > 0


def test_json_is_all_that_reaches_standard_output(shelf, home, tmp_path, capfd):
    video = tmp_path / "x.mp4"
    wishes = ["--seeds", "2", "--max-steps", "12", "--json", "--record", "--video", str(video), "--compare", "straight"]
    assert main(arguments(shelf, *wishes)) == 0
    told = json.loads(capfd.readouterr().out)
    assert told["seeds"] == [2_000_000, 2_000_001]
    assert told["model"]["id"] == shelf.driver.model_id
    assert told["interrupted"] is False
    assert [card["driver"] for card in told["scorecards"]] == [told["model"]["name"], "straight-ahead"]
    assert [drive["steps"] for card in told["scorecards"] for drive in card["drives"]] == [12] * 4
    assert [item["with"] for item in told["comparisons"]] == ["straight-ahead"]
    # two of the same second are in no order
    assert sorted(told["sessions"]) == Store(home / "sessions").ids()
    assert told["video"] == {"path": str(video), "frames": 6 + 2, "dropped": 0}
    assert {stage: figures["count"] for stage, figures in told["stages"].items()} == dict.fromkeys(
        ("prepare", "infer", "apply", "record and film", "next frame"), 24
    )
    driver = Store(home / "sessions").manifest(told["sessions"][0]).driver
    assert (driver["kind"], driver["uri"]) == ("policy", shelf.driver.uri)


def test_a_person_gets_tables_and_the_places_of_what_was_kept(shelf, home, tmp_path, capfd):
    video = tmp_path / "x.mp4"
    wishes = [
        "--seeds",
        "7,8",
        "--max-steps",
        "8",
        "--record",
        "--video",
        str(video),
        "--compare",
        "straight,untrained",
    ]
    assert main(arguments(shelf, *wishes)) == 0
    out = capfd.readouterr().out
    for text in ("mean score", "straight-ahead", "untrained", "step limit", "p99", "infer", str(video), "against"):
        assert text in out
    for session_id in Store(home / "sessions").ids():
        assert session_id in out


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"--model-uri": "models:/nobody@champion"}, "these exist: models:/kart-car_racing@champion"),
        ({"--seeds": "none"}, "Seeds are a count"),
        ({"--video": "x.avi"}, r"named *.mp4"),
        ({"--compare": "luigi"}, "--compare takes"),
    ],
)
def test_a_mistake_ends_with_status_2_and_one_sentence(shelf, home, capfd, changes, sentence):
    wishes = {"--model-uri": shelf.driver.uri, "--game": "car_racing", "--seeds": "1"} | changes
    assert main([word for pair in wishes.items() for word in pair]) == 2
    out, err = capfd.readouterr()
    assert sentence in err
    assert len(err.strip().splitlines()) == 1
    assert out == ""


def test_a_model_for_other_controls_is_refused_before_anything_is_loaded(shelf, home, tmp_path, capfd):
    folder = shutil.copytree(shelf.folder, tmp_path / "model")
    path = folder / "driver" / "contract.json"
    contract = json.loads(path.read_text())
    contract["spec"] = {"axes": ["x", "y"], "buttons": [], "mirrored_axes": ["x"], "mirrored_buttons": []}
    path.write_text(json.dumps(contract))
    (folder / "driver" / "about.json").unlink()  # as models were before they named their game
    assert main(["--model-uri", str(folder), "--game", "car_racing", "--video", str(tmp_path / "x.mp4")]) == 2
    assert "was trained for the actions x, y; car_racing takes steer, throttle" in capfd.readouterr().err
    assert not (tmp_path / "x.mp4").exists()


def test_a_model_for_another_game_is_refused_although_the_controls_are_the_same(shelf, home, tmp_path, capfd):
    folder = shutil.copytree(shelf.folder, tmp_path / "model")
    (folder / "driver" / "about.json").write_text('{"game": "mario_kart_64"}')
    assert main(["--model-uri", str(folder), "--game", "car_racing"]) == 2
    assert "was trained to drive mario_kart_64, and this is car_racing" in capfd.readouterr().err


def test_without_a_name_the_game_is_the_one_that_the_model_learned(shelf, home, tmp_path, capfd):
    assert main(["--model-uri", shelf.driver.uri, "--seeds", "7,", "--max-steps", "2", "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["scorecards"][0]["game"] == "car_racing"
    folder = shutil.copytree(shelf.folder, tmp_path / "model")
    about = folder / "driver" / "about.json"
    about.write_text('{"game": "mario_kart_64"}')
    for game in ("mario_kart_64", "not known"):
        assert main(["--model-uri", str(folder)]) == 2
        err = capfd.readouterr().err
        assert f"The model's game is {game}; name one that drives by itself with --game: bizhawk" in err
        assert "with --window TITLE" in err
        about.unlink(missing_ok=True)  # as models were before they named their game


def test_it_starts_without_dagster_and_without_waiting_for_tensorflow():
    code = (
        "import sys; sys.modules['dagster'] = None; import player.__main__, player.play\n"
        "assert not {'tensorflow', 'keras', 'mlflow', 'av', 'gymnasium'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "KART_HOME": str(home)}


@pytest.mark.e2e
@pytest.mark.skipif(os.name == "nt", reason="a console's Ctrl-C cannot be sent to one process on Windows")
def test_ctrl_c_lets_go_of_the_controls_and_keeps_session_and_video(shelf, home, tmp_path):
    released, video, script = tmp_path / "released", tmp_path / "x.mp4", tmp_path / "watched.py"
    script.write_text(WATCHED)
    command = [sys.executable, script, released, *arguments(shelf, "--json", "--record", "--video", str(video))]
    player = subprocess.Popen(command, env=environment(home), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 120
        while not list(home.glob("sessions/*/recording.arrows")):
            assert player.poll() is None, player.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        time.sleep(1.0)
        player.send_signal(signal.SIGINT)
        out, err = player.communicate(timeout=60)
    finally:
        player.kill()
    assert player.returncode == 130
    assert err.strip().endswith("Stopped: 0 of 5 drives are done.")
    assert not [word for word in ("Traceback", "oneDNN", "cuda", "INFO") if word in err]
    told = json.loads(out)
    assert told["interrupted"] is True
    assert released.read_text() == "(0.0, 0.0)\n"
    store = Store(home / "sessions")
    assert store.ids() == told["sessions"]
    assert store.unfinished() == []
    assert store.manifest(told["sessions"][0]).ended == "stopped"
    store.open(told["sessions"][0]).verify()
    with av.open(str(video)) as file:
        assert sum(1 for _ in file.decode(video=0)) == told["video"]["frames"] > 2


@pytest.mark.e2e
def test_several_processes_give_the_same_scores_as_one(shelf, home, capfd):
    def scores(out: str | bytes) -> list[float]:
        drives = json.loads(out)["scorecards"][0]["drives"]
        assert [drive["seed"] for drive in drives] == [2_000_000, 2_000_001, 2_000_002]
        return [drive["score"] for drive in drives]

    wishes = arguments(shelf, "--seeds", "3", "--max-steps", "25", "--json")
    command = [sys.executable, "-m", "player", *wishes, "--workers", "2"]
    done = subprocess.run(command, env=environment(home), check=True, capture_output=True, timeout=240)
    assert main(wishes) == 0
    assert scores(done.stdout) == pytest.approx(scores(capfd.readouterr().out), abs=1e-6)
