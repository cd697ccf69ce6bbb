"""Between a stick that stands anywhere and a key that is up or down."""


class Pulse:
    """Presses one of two opposite keys for as much of the time as the stick is deflected: sigma-delta modulation.

    What a press gave too much or too little is owed to the next one, so the mean over a few presses is the deflection,
    however irregularly it is asked. To its middle and its ends, and to the other side, it goes at once.

    Args:
        tick_s: shortest time for which a key is pressed or up; a game that looks at it once a frame must not miss it.
        dead: up to there no key is pressed.
        full: from there on the key is held.

    Attributes:
        held: which key is to be down: -1, 0 or 1.
    """

    def __init__(self, tick_s: float, dead: float, full: float) -> None:
        self._tick_s = tick_s
        self._dead, self._full = dead, full
        self._target = 0.0
        self._owed_s = 0.0  # of a press, to the right or up where positive
        self._asked_ns = self._decided_ns = 0
        self.held = 0

    def step(self, value: float, t_ns: int) -> int:
        """What `held` is from now on.

        Args:
            value: of the stick, in [-1, 1].
            t_ns: now, of a monotonic clock.
        """
        self._owed_s += (self._target - self.held) * (t_ns - self._asked_ns) / 1e9
        # No old debts: what is more than a press would be paid when the stick has long been elsewhere.
        self._owed_s = max(-self._tick_s, min(self._tick_s, self._owed_s))
        self._asked_ns = t_ns
        self._target = value if abs(value) > self._dead else 0.0
        sign = (self._target > 0) - (self._target < 0)
        if not self.between:
            self._owed_s, self.held, self._decided_ns = 0.0, sign, t_ns
        elif self.held == -sign or t_ns - self._decided_ns >= 0.9e9 * self._tick_s:
            wanted_s = self._owed_s + self._target * self._tick_s
            self.held = sign if wanted_s * sign >= self._tick_s / 2 else 0
            self._decided_ns = t_ns
        return self.held

    @property
    def between(self) -> bool:
        """Whether the key has to go up and down from time to time."""
        return 0 < abs(self._target) < self._full
