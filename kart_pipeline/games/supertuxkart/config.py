"""The files that SuperTuxKart reads at its start: light graphics, no network, no question to answer."""

from pathlib import Path
from xml.etree import ElementTree as ET

FOLDER = Path("supertuxkart", "config-0.10")  # below XDG_CONFIG_HOME, as of SuperTuxKart 1.4
MOST_FPS = 60

# Light enough for a processor that draws; "effecs" is the game's own spelling. With its own default the first start
# compresses every texture, for half a minute or more.
_GROUPS: dict[str, dict[str, object]] = {
    "Audio": {"sfx_on": False, "music_on": False},
    "Video": {
        "fullscreen": False,
        "max_fps": MOST_FPS,
        "enable_texture_compression": False,
        "enable_dynamic_lights": False,
        "enable_bloom": False,
        "enable_glow": False,
        "enable_dof": False,
        "enable_light_shaft": False,
        "scale_rtts_factor": 1.0,
        "max_texture_size": 128,
        "render_driver": "gl",
    },
    "GFX": {
        "particles-effecs": 0,
        "animated-characters": False,
        "geometry_level": 2,
        "anisotropic": 0,
        "swap-interval": 0,
        "motionblur_enabled": False,
        "mlaa": False,
        "ssao": False,
        "shadows_resolution": 0,
    },
    "HWReport": {"hw-report-enabled": False},
}
_VALUES: dict[str, object] = {
    "discord_client_id": -1,
    "enable_internet": 2,  # the game's number for "no, and do not ask"
    "always_show_login_screen": False,
    "language": "en",
}


def write_config(folder: Path, width: int, height: int) -> None:
    """Write `config.xml` and `players.xml`; what they do not name keeps the game's default.

    Args:
        folder: XDG_CONFIG_HOME of the game.
        width: of its picture, in pixels.
        height: likewise.
    """
    config = ET.Element("stkconfig", version="8")
    for name, values in _GROUPS.items():
        ET.SubElement(config, name, {key: _text(value) for key, value in values.items()})
    video = config.find("Video")
    if video is not None:
        size = {"width": width, "height": height, "real_width": width, "real_height": height}
        video.attrib.update({key: _text(value) for key, value in size.items()})
    for name, value in _VALUES.items():
        ET.SubElement(config, name, value=_text(value))
    players = ET.Element("players", version="1")
    ET.SubElement(players, "current", player="kart")
    player = ET.SubElement(players, "player", {"name": "kart", "guest": "false", "unique-id": "1"})
    ET.SubElement(player, "story-mode", {"first-time": "false", "finished": "false"})
    where = folder / FOLDER
    where.mkdir(parents=True, exist_ok=True)
    for element, file in ((config, "config.xml"), (players, "players.xml")):
        ET.ElementTree(element).write(where / file, encoding="utf-8", xml_declaration=True)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
