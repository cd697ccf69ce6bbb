"""Are the pictures of this session fit to learn from? Verdicts on frames as the network sees them."""

from collections.abc import Sequence

import numpy as np

from kart_pipeline.core.contract import Contract
from kart_pipeline.core.frame import RGB
from kart_pipeline.datasets.frames import MOST_LEFT_OUT
from kart_pipeline.datasets.frames_info import FramesInfo
from kart_pipeline.datasets.labels import Ints
from kart_pipeline.datasets.verdict import Verdict, broken, sound, warning

SAMPLES = 256  # spread over the session: enough to see 1 % of bad frames with 92 % certainty, in a few ms

# Two captured pictures of a moving game are never the same to the last bit; a menu, a pause or a stalled capture is.
MOST_FROZEN = 0.1
# The loading screen and the countdown of a race take a few seconds, less than this of a drive of a minute.
MOST_BLANK = 0.05
# So much of either, and the capture never showed the game (another window, a minimised one, a protected surface).
CAPTURE_FAILED = 0.9

FLAT = 2.0  # of 255: deviation within a picture of one colour, noise of a JPEG or a capture card included


def check_frames(info: FramesInfo, contract: Contract, *, simulated: bool = False) -> list[Verdict]:
    """All verdicts on built frames; a sample of them is read. `simulated`: the game itself gave the pictures."""
    frames = info.open()
    return [left_out(info), frozen(frames, simulated=simulated), blank(frames, contract)]


def left_out(info: FramesInfo) -> Verdict:
    """Every step has a frame."""
    count = len(info.left_out)
    figures = {"frames": info.frames, "left_out": count, "share": count / max(1, count + info.frames)}
    if not count:
        return sound("left_out", f"All {info.frames} pictures could be used.", figures)
    steps = ", ".join(str(item.step) for item in info.left_out[:10]) + (", …" if count > 10 else "")
    reasons = "; ".join(f"{times} x {reason}" for reason, times in info.left_out_reasons().items())
    cause = f"{count} pictures could not be used (steps {steps}): {reasons}"
    return (broken if figures["share"] > MOST_LEFT_OUT else warning)("left_out", cause, figures)


def frozen(frames: Sequence[RGB] | RGB, *, simulated: bool = False) -> Verdict:
    """Pictures `(N, H, W, C)`, of which a sample is read, change from step to step.

    Of a simulated game they may all be the same: a bad driver stands still, and is to be corrected just there.
    """
    if len(frames) < 2:
        return sound("frozen", "A single frame cannot be frozen.", {"share": 0.0})
    pairs = _spread(len(frames) - 1)
    same = np.array([np.array_equal(frames[place], frames[place + 1]) for place in pairs])
    share = float(same.mean())
    figures = {"share": share, "compared": len(pairs)}
    said = f"{share:.0%} of the frames are identical to the one before"
    if share > CAPTURE_FAILED and not simulated:
        return broken("frozen", f"{said}: the capture stood still; record again.", figures)
    if share > MOST_FROZEN:
        first = int(pairs[int(same.argmax())])
        return warning(
            "frozen", f"{said}, first near frame {first}: a pause or menu, or a game slower than the recorder.", figures
        )
    return sound("frozen", f"{said}.", figures)


def blank(frames: Sequence[RGB] | RGB, contract: Contract) -> Verdict:
    """Pictures `(N, H, W, C)` show something: not all pixels have one colour."""
    places = _spread(len(frames))
    # one by one: as floats, all of them at once would be large
    looks = np.array([_look(frames[place], contract) for place in places])
    share = float((looks[:, 1] < FLAT).mean())
    brightness, deviation = looks.mean(axis=0).tolist()
    figures = {"share": share, "brightness": brightness, "deviation": deviation, "looked_at": len(places)}
    said = f"{share:.0%} of the frames have a single colour, the mean brightness is {brightness:.0f} of 255"
    if share > CAPTURE_FAILED:
        return broken("blank", f"{said}: the capture does not show the game; check window and region.", figures)
    if share > MOST_BLANK:
        return warning("blank", f"{said}: loading screens, or the window was covered for a while.", figures)
    return sound("blank", f"{said}.", figures)


def _look(frame: RGB, contract: Contract) -> tuple[float, float]:
    """Brightness of a frame `(H, W, C)`, and the deviation within its most varied channel; both of 255."""
    # luminance, where it is a channel of its own; else the mean of red, green and blue is near enough
    light = frame if contract.colour == "rgb" else frame[:, :, 0]
    return float(light.mean()), float(frame.std(axis=(0, 1)).max())


def _spread(count: int) -> Ints:
    """At most `SAMPLES` positions below `count`, evenly spread, both ends included."""
    return np.unique(np.linspace(0, count - 1, min(count, SAMPLES)).round().astype(np.int64))
