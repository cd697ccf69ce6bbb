"""The command line: help, mistakes, and a start without anything heavy."""

import subprocess
import sys
from pathlib import Path

import pytest


def test_alone_it_shows_its_commands_and_examples(run) -> None:
    status, out, _ = run()
    assert status == 0
    for command in ("capture", "list", "info", "repair", "delete", "import", "export"):
        assert command in out
    assert "python -m recorder capture --game car_racing" in out


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (("capture", "--game", "no_such_game"), "There is no game 'no_such_game'"),
        (("capture", "--game", "car_racing", "--seed", "-1"), "Choose others with --seed"),
        (("capture", "--game", "car_racing", "--seed", "499999", "--episodes", "2"), "for correcting and scoring"),
        (("capture", "--game", "car_racing", "--driver", "keyboard", "--workers", "2"), "one game at a time"),
        (("capture", "--game", "car_racing", "--driver", "keyboard", "--noise", "0.5"), "disturbs the expert only"),
        (("capture", "--game", "car_racing", "--driver", "keyboard"), "There is no screen here"),
        (("capture", "--game", "car_racing", "--driver", "gamepad"), "There is no screen here"),
        (("capture", "--game", "car_racing", "--driver", "person"), "--driver person is for BizHawk"),
        (("capture", "--game", "car_racing", "--launch", "EmuHawk", "mk64.z64"), "car_racing does not run in it"),
        (("capture", "--game", "bizhawk", "--driver", "gamepad"), "pad that you have set up there"),
        (("capture", "--game", "bizhawk", "--noise", "0.5"), "--noise is for --driver expert"),
        (("capture", "--game", "bizhawk", "--preview"), "BizHawk shows the game"),
        (("capture", "--game", "bizhawk", "--option", "game=zelda"), "no game 'zelda' of BizHawk"),
        (("capture", "--game", "bizhawk", "--option", "frames=0"), "1 to 60 emulated frames, not 0"),
        (("capture", "--game", "bizhawk", "--option", "states=nowhere.State"), "no save state nowhere.State"),
        (("capture", "--game", "bizhawk", "--launch", "nowhere", "mk64.z64"), "There is no BizHawk nowhere"),
        (("list", "--store", "nosuch://bucket"), "cannot be opened"),
        (("info", "s1"), "There is no finished session s1"),
        (("info", "../s1"), "cannot be a session id"),
        (("repair", "s1"), "There is no session s1"),
        (("repair", "../s1"), "cannot be a session id"),
        (("delete", "s1"), "There is no session s1"),
        (("import", "tensorkart", "nowhere"), "nowhere holds no data.csv"),
    ],
)
def test_a_mistake_is_answered_by_one_sentence(run, argv: tuple[str, ...], sentence: str) -> None:
    status, out, err = run(*argv)
    assert status == 2
    assert sentence in err
    assert err.count("\n") == 1
    assert out == ""


@pytest.mark.parametrize(
    "argv",
    [
        ("capture", "--game", "car_racing", "--noise", "1.5"),
        ("capture", "--game", "car_racing", "--noise", "nan"),
        ("capture", "--game", "car_racing", "--episodes", "0"),
        ("capture", "--game", "car_racing", "--workers", "two"),
        ("capture", "--game", "car_racing", "--codec", "bmp"),
        ("import", "tensorkart", ".", "--rate", "0"),
        ("import", "tensorkart", ".", "--rate", "inf"),
        ("import",),
        ("repair",),
    ],
)
def test_an_option_out_of_range_is_refused(run, argv: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as exit_:
        run(*argv)
    assert exit_.value.code == 2


def test_a_file_in_place_of_the_store_is_refused(run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    status, _, err = run("list", "--store", tmp_path / "file")
    assert status == 2
    assert "is a file; name a folder" in err


@pytest.mark.e2e
@pytest.mark.parametrize(
    "argv", [["list"], ["devices"], ["info", "s1"], ["import", "tensorkart", "nowhere"], ["repair", "--all"]]
)
def test_it_starts_where_only_the_core_is_installed(home: Path, argv: list[str]) -> None:
    absent = [
        "tensorflow",
        "keras",
        "dagster",
        "mlflow",
        "gymnasium",
        "pygame",
        "mss",
        "inputs",
        "pynput",
        "Xlib",
        "av",
        "pandas",
        "matplotlib",
    ]
    program = (
        "import sys\n"
        f"sys.modules.update(dict.fromkeys({absent}))\n"  # None: importing it raises ImportError
        "from recorder.__main__ import main\n"
        f"sys.exit(main({argv}))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert "Traceback" not in done.stderr
    assert done.returncode == (0 if argv[0] in ("list", "repair") else 2)
