"""Which seeds are for what: tracks to learn from, tracks to choose the champion by, tracks that nobody has seen.

            0 ..   499_999   recording, freely chosen
      500_000 ..   999_999   corrections: where a model drives and a teacher says what would have been right
    1_000_000 .. 1_999_999   the pipeline's scorecard, by which a model becomes champion
    2_000_000 .. 2_999_999   the player: not even the choice of the champion has seen these

Nothing is ever recorded for training on a reserved seed, so a score on one is a score on an unseen track.
"""

from kart_pipeline.core.errors import KartError

RECORDING = range(500_000)
CORRECTION = range(500_000, 1_000_000)
RESERVED = range(1_000_000, 3_000_000)
PROMOTION = range(1_000_000, 2_000_000)
PLAYER = range(2_000_000, 3_000_000)

CORRECTIONS_PER_MODEL = 500


def correction_seeds(version: int, first: int, count: int) -> range:
    """The tracks of a model's corrections `first` to `first + count - 1`: always the same for the same model.

    Each version has a block of its own within `CORRECTION`; after 1000 versions the blocks begin anew.

    Args:
        version: of the registered model, from 1.
        first: number of the first correction, from 0.
        count: how many.

    Raises:
        KartError: more corrections than a model's block holds.
    """
    if version < 1 or first < 0 or count < 1 or first + count > CORRECTIONS_PER_MODEL:
        raise KartError(
            f"A model is corrected on its tracks 0 to {CORRECTIONS_PER_MODEL - 1}; {count} from {first} on are not "
            f"among them (version {version}). Train another model first."
        )
    blocks = len(CORRECTION) // CORRECTIONS_PER_MODEL
    start = CORRECTION.start + (version - 1) % blocks * CORRECTIONS_PER_MODEL + first
    return range(start, start + count)


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
