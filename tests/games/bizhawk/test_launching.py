"""EmuHawk is started as a person would, and its end is told."""

import sys
from pathlib import Path

import pytest

from kart_pipeline.core.errors import KartError
from kart_pipeline.games.bizhawk import launching
from kart_pipeline.games.bizhawk.launching import EmuHawk, advice, command


@pytest.fixture
def script(tmp_path, monkeypatch):
    path = tmp_path / "kart.lua"
    path.touch()
    monkeypatch.setattr(launching, "SCRIPT", path)
    return path


def program(tmp_path, text):
    """A program that says its own arguments, written in this Python."""
    if sys.platform == "win32":
        pytest.skip("a script with a line that names its interpreter")
    path = tmp_path / "EmuHawkMono.sh"
    path.write_text(f"#!{sys.executable}\n{text}\n")
    path.chmod(0o755)
    return path


def test_the_flags_are_those_that_every_release_since_2_9_knows(script):
    assert command("EmuHawk.exe", "mk 64.z64", 43880) == [
        "EmuHawk.exe",
        "--socket_ip=127.0.0.1",
        "--socket_port=43880",
        f"--lua={script}",
        "mk 64.z64",
    ]
    assert "--socket_port=43880" in advice(43880)


def test_without_a_clone_the_script_is_the_installed_one(tmp_path, monkeypatch):
    info = tmp_path / "lib" / "kart_pipeline-0.1.0.dist-info"
    info.mkdir(parents=True)
    installed = tmp_path / "share" / "kart-pipeline" / "kart.lua"
    installed.parent.mkdir(parents=True)
    installed.touch()  # newer lists of files leave out what is not there
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: kart-pipeline\nVersion: 0.1.0\n")
    (info / "RECORD").write_text("kart_pipeline/__init__.py,,\n../share/kart-pipeline/kart.lua,,\n")
    monkeypatch.syspath_prepend(str(info.parent))
    assert launching.script() == Path(__file__).parents[3] / "lua" / "kart.lua"
    monkeypatch.setattr(launching, "_CLONE", tmp_path / "nowhere" / "kart.lua")
    assert launching.script() == installed


def test_what_is_missing_is_named(tmp_path, script):
    with pytest.raises(KartError, match=r"no BizHawk .*nowhere"):
        EmuHawk(str(tmp_path / "nowhere"), str(script), 1, tmp_path / "log")
    with pytest.raises(KartError, match=r"no ROM .*nowhere"):
        EmuHawk(str(script), str(tmp_path / "nowhere"), 1, tmp_path / "log")


def test_one_that_ends_by_itself_is_told_with_what_it_said(tmp_path, script, soon):
    log = tmp_path / "home" / "bizhawk.log"
    started = EmuHawk(str(program(tmp_path, "import sys; print(sys.argv[1:]); sys.exit(3)")), str(script), 7, log)
    soon(lambda: not started.alive)
    with pytest.raises(KartError, match=r"status 3.*bizhawk\.log"):
        started.check()
    assert "--socket_port=7" in log.read_text()
    started.close()


def test_it_ends_with_us(tmp_path, script):
    started = EmuHawk(
        str(program(tmp_path, "import time; time.sleep(60)")), str(script), 7, tmp_path / "home" / "bizhawk.log"
    )
    started.check()
    started.close()
    assert not started.alive
