"""The jobs: getting a session ready, making a driver for a game, and correcting it."""

import dagster as dg

prepare_session = dg.define_asset_job(
    "prepare_session",
    selection=dg.AssetSelection.assets("session", "frames"),
    description="Look a session through and build its frames; the sensor asks for it. One that fails stops no other.",
)

train_driver = dg.define_asset_job(
    "train_driver",
    selection=dg.AssetSelection.assets("training_set", "driver_model", "scorecard", "champion"),
    description="Index a game's sessions, train a network on them, score it, and make it champion if it is better.",
)

correct_driver = dg.define_asset_job(
    "correct_driver",
    selection=dg.AssetSelection.assets("corrections"),
    description="Let a game's champion drive new tracks while the expert says what would have been right. The sessions "
    "are found and prepared by themselves; `train_driver` learns from them. `make correct` does whole rounds of this.",
)
