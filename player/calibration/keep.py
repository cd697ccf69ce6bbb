"""What was measured, put into `pads.toml` beside what a person has written there."""

from pathlib import Path

from kart_pipeline.core.durable import replace_file
from kart_pipeline.core.errors import KartError
from kart_pipeline.desktop.response import Response
from recorder.devices.settings import FILE


def keep(home: Path, game: str, axis: str, response: Response) -> Path:
    """Set `[output.<game>]` `<axis>`; everything else in the file stays as it is, comments too.

    Returns:
        The file.

    Raises:
        KartError: it is no TOML, or cannot be written.
    """
    import tomlkit
    from tomlkit.exceptions import ParseError

    path = home / FILE
    try:
        document = tomlkit.parse(path.read_text(encoding="utf-8") if path.exists() else "")
        games = document.setdefault("output", tomlkit.table(is_super_table=True))
        settings = tomlkit.inline_table()
        for name in ("dead_zone", "curve", "inverted", "reach"):
            settings[name] = getattr(response, name)
        games.setdefault(game, tomlkit.table())[axis] = settings
        with replace_file(path) as temporary:
            temporary.write_text(tomlkit.dumps(document), encoding="utf-8")
    except (OSError, UnicodeDecodeError, ParseError) as error:
        raise KartError(f"The response could not be kept in {path}: {error}.") from error
    return path


def line(axis: str, response: Response) -> str:
    """As it stands in the file."""
    numbers = f"dead_zone = {response.dead_zone}, curve = {response.curve}"
    return f"{axis} = {{ {numbers}, inverted = {str(response.inverted).lower()}, reach = {response.reach} }}"
