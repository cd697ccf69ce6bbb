import builtins
import subprocess
import sys

import pytest

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.names import checked_id
from kart_pipeline.games.registry import (
    GAMES,
    default_contract,
    find_game,
    game_options,
    launched,
    make_game,
    openable,
    session_name,
)


@pytest.mark.parametrize("name", GAMES)
def test_every_game_opens_under_its_name_and_agrees_with_its_contract(name, request):
    if name == "supertuxkart":
        request.getfixturevalue("supertuxkart")
    with make_game(name) as game:
        contract = default_contract(name)
        assert game.name == checked_id(session_name(name, {}), "game")
        assert game.spec == contract.spec
        assert game.rate_hz == contract.rate_hz
        assert game.simulated == GAMES[name].simulated


def test_a_game_in_real_time_is_played_by_one_process():
    assert GAMES["car_racing"].workers(2) == 2
    assert GAMES["supertuxkart"].workers(2) == 1
    assert GAMES["bizhawk"].workers(2) == 1


def test_a_game_of_bizhawk_opens_under_its_own_name_once_it_is_said_how_to_launch_it(home):
    assert find_game("mario_kart_64") is None
    home.mkdir()
    (home / "bizhawk.toml").write_text('[mario_kart_64.launch]\ncore = "Ares64"\n')
    assert "mario_kart_64" in openable()
    info = find_game("mario_kart_64")
    assert info.emulated
    assert info.contract == GAMES["bizhawk"].contract
    with make_game("mario_kart_64") as game:
        assert game.name == "mario_kart_64"


def test_what_is_launched_is_an_option_of_the_emulator_and_of_no_other_game():
    given = launched("bizhawk", {"frames": 3}, ["EmuHawk", "mk64.z64"])
    assert given == {"frames": 3, "emuhawk": "EmuHawk", "rom": "mk64.z64"}
    assert launched("car_racing", {}, None) == {}
    with pytest.raises(KartError, match="car_racing does not run in it"):
        launched("car_racing", {}, ["EmuHawk", "mk64.z64"])


def test_options_are_read_as_a_person_types_them():
    assert game_options(["track=hacienda", "laps=3", "disturbed=false", "kart="]) == {
        "track": "hacienda",
        "laps": 3,
        "disturbed": False,
        "kart": "",
    }


@pytest.mark.parametrize("texts", [["laps"], ["=3"], ["laps=1", "laps=2"]])
def test_options_that_are_none_are_refused(texts):
    with pytest.raises(KartError, match="NAME=VALUE"):
        game_options(texts)


def test_an_unknown_game_is_answered_with_the_known_ones():
    with pytest.raises(KartError, match="car_racing"):
        make_game("f_zero")
    with pytest.raises(KartError, match="car_racing"):
        default_contract("f_zero")


def test_an_unknown_option_is_refused():
    with pytest.raises(KartError, match="tyres"):
        make_game("car_racing", tyres="soft")


@pytest.mark.parametrize("game", ["car_racing", "car_racing_keys"])
@pytest.mark.parametrize("package", ["gymnasium", "Box2D", "pygame"])
def test_a_missing_package_is_answered_with_what_to_install(game, package, monkeypatch):
    for name in list(sys.modules):
        if name.split(".")[0] in ("gymnasium", package):  # Box2D breaks where it is loaded a second time
            monkeypatch.delitem(sys.modules, name)
    real_import = builtins.__import__

    def without_it(name, *args, **kwargs):
        if name.split(".")[0] == package:
            raise ModuleNotFoundError(f"No module named {package!r}", name=package)
        return real_import(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_it)
    with pytest.raises(KartError, match=r"pip install 'kart-pipeline\[games\]'"):
        make_game(game)


def test_the_registry_is_read_without_importing_any_game_package():
    code = (
        "import sys; import kart_pipeline.games.registry; "
        "print(sorted({'gymnasium', 'pygame', 'Box2D', 'tensorflow'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
