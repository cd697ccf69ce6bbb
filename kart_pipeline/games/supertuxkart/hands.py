"""How the game is played on a keyboard: the keys that it has from the start, and which channel is which of them."""

from kart_pipeline.core.action import ActionSpec
from kart_pipeline.desktop.key_layout import KeyLayout
from kart_pipeline.desktop.mapping import AxisMap, PadMapping, Source

SPEC = ActionSpec(axes=("steer", "throttle"), mirrored_axes=("steer",))

# Beyond these the game has drift, nitro and fire, which no driver here uses, and its rescue.
LAYOUT = KeyLayout({"left": "left", "right": "right", "up": "up", "down": "down"}, ramp=False)
RESCUE = "back"
SENT = KeyLayout({**LAYOUT.keys, RESCUE: "backspace"}, ramp=False)

# No dead zones: a keyboard has none, and what is between its keys is pulsed.
MAPPING = PadMapping(
    SPEC,
    {"steer": AxisMap(Source("left_x")), "throttle": AxisMap(Source("right_trigger", "left_trigger"))},
    {},
)
