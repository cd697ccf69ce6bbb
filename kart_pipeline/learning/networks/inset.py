"""The contract's inset as networks see it: a tile cut out of the input, with a small branch of its own."""

from typing import Any

from kart_pipeline.core.contract import Contract, Inset

_CONVOLUTIONS = ((16, 3, 2), (32, 3, 2))  # (filters, kernel edge, stride)
_DENSE = 32


def split(x: Any, contract: Contract, inset: Inset) -> tuple[Any, Any]:
    """Main picture `(N, height, width, c)` and tile `(N, inset.height, inset.width, c)` of an input with an inset."""
    import keras

    left = (contract.width - inset.width) // 2
    right = contract.width - inset.width - left
    main = keras.layers.Cropping2D(((0, inset.height), (0, 0)), name="input-main")(x)
    tile = keras.layers.Cropping2D(((contract.height, 0), (left, right)), name="input-tile")(x)
    return main, tile


def look(tile: Any) -> Any:
    """Features `(N, 32)` of a tile, over all frames of a stack at once."""
    import keras

    x = tile
    for number, (filters, kernel, stride) in enumerate(_CONVOLUTIONS, 1):
        x = keras.layers.Conv2D(filters, kernel, stride, "same", activation="elu", name=f"tile-conv{number}")(x)
    x = keras.layers.Flatten(name="tile-flat")(x)
    return keras.layers.Dense(_DENSE, activation="elu", name="tile-dense")(x)
