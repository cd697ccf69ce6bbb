"""What the game is told by its files."""

from pathlib import Path
from xml.etree import ElementTree as ET

from kart_pipeline.games.supertuxkart.config import write_config


def read(folder: Path, file: str) -> ET.Element:
    return ET.parse(folder / "supertuxkart" / "config-0.10" / file).getroot()  # noqa: S314 - what we have just written


def test_the_game_starts_without_network_sound_and_texture_compression(tmp_path: Path) -> None:
    write_config(tmp_path, 640, 480)
    config = read(tmp_path, "config.xml")
    video, audio, internet = config.find("Video"), config.find("Audio"), config.find("enable_internet")
    assert video is not None
    assert audio is not None
    assert internet is not None
    assert config.attrib["version"] == "8"
    assert video.attrib["enable_texture_compression"] == "false"
    assert (video.attrib["width"], video.attrib["real_height"]) == ("640", "480")
    assert audio.attrib == {"sfx_on": "false", "music_on": "false"}
    assert internet.attrib["value"] == "2"


def test_somebody_has_played_before_so_that_nothing_is_asked(tmp_path: Path) -> None:
    write_config(tmp_path, 320, 240)
    players = read(tmp_path, "players.xml")
    current, player, story = players.find("current"), players.find("player"), players.find("player/story-mode")
    assert current is not None
    assert player is not None
    assert story is not None
    assert current.attrib["player"] == player.attrib["name"]
    assert story.attrib["first-time"] == "false"
