"""Which seeds are for what: tracks to learn from, tracks to choose the champion by, tracks that nobody has seen.

    0 ..                     recording, freely chosen
    1_000_000 .. 1_999_999   the pipeline's scorecard, by which a model becomes champion
    2_000_000 .. 2_999_999   the player: not even the choice of the champion has seen these

Nothing is ever recorded for training on a reserved seed, so a score on one is a score on an unseen track.
"""

from kart_pipeline.core.errors import KartError

RESERVED = range(1_000_000, 3_000_000)
PROMOTION = range(1_000_000, 2_000_000)
PLAYER = range(2_000_000, 3_000_000)


def parse_seeds(text: str, block: range = PLAYER) -> list[int]:
    """Seeds from what a person types: `5` is the first five of `block`, `7,8` or `7,` are these very seeds.

    Raises:
        KartError: neither a count nor a list of whole numbers of at least 0, or more than the block holds.
    """
    parts = [part.strip() for part in text.split(",")]
    listed = len(parts) > 1
    if parts[-1] == "":
        parts.pop()
    if not parts or not all(part.isascii() and part.isdigit() for part in parts):
        raise KartError(f"Seeds are a count such as 5, or a list such as 1000000,1000001; not {text!r}.")
    numbers = [int(part) for part in parts]
    if listed:
        if max(numbers) >= 2**31:
            raise KartError(f"A seed is below {2**31}; {max(numbers)} is not.")
        if len(set(numbers)) != len(numbers):
            raise KartError(f"The list of seeds {text} names one twice.")
        return numbers
    if not 1 <= numbers[0] <= len(block):
        raise KartError(
            f"{numbers[0]} is not a count of seeds from 1 to {len(block)}; "
            f"to drive on seed {numbers[0]} itself, write a comma after it."
        )
    return list(block[: numbers[0]])
