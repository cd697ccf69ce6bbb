"""What kind of desktop session the programs run in."""

from collections.abc import Mapping


def wayland(environ: Mapping[str, str]) -> bool:
    """Whether it is Wayland, which keeps pictures and keys of other programs from us."""
    return bool(environ.get("WAYLAND_DISPLAY")) or environ.get("XDG_SESSION_TYPE") == "wayland"
