"""What may be asked of the asset `training_set`, and what it says to the rest."""

import dagster as dg
import pytest

from kart_pipeline.core.edits import Edits, save_edits
from kart_pipeline.datasets.training_set import load_training_set
from kart_pipeline.orchestration.assets.training_set import training_set
from kart_pipeline.orchestration.materialise import materialise_sessions
from kart_pipeline.orchestration.resources import LogProgress


@pytest.fixture
def materialise(settings, instance, record):
    """Materialise the training set of three short sessions under a configuration."""
    for number in range(3):
        record(f"s{number}", 20, phase=float(number), track=f"track-{number % 2}")
    materialise_sessions(settings, instance=instance)

    def make(**config: object) -> dg.ExecuteInProcessResult:
        return dg.materialize_to_memory(
            [training_set],
            partition_key="drawn",
            instance=instance,
            resources={"settings": settings, "progress": LogProgress()},
            run_config={"ops": {"training_set": {"config": config}}},
            raise_on_error=False,
        )

    return make


def test_its_options_are_those_of_the_launchpad(materialise, settings):
    options = {
        "val_fraction": 0.4,
        "balance": "none",
        "hold_out": "track",
        "correction_weight": 3.0,
        "takeover_weight": 5.0,
    }
    assert materialise(**options).success
    made = load_training_set(settings.datasets / "training_sets" / "drawn" / "training_set.parquet")
    assert made.options == options
    assert len({(entry.track, entry.split) for entry in made.sessions}) == 2


def test_a_model_for_one_course_learns_from_that_course_alone(materialise, settings):
    assert materialise(course="track-0", hold_out="session").success
    made = load_training_set(settings.datasets / "training_sets" / "drawn" / "training_set.parquet")
    assert {entry.track for entry in made.sessions} == {"track-0"}


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"hold_out": "frame"}, "known from their neighbours"),
        ({"hold_out": "lap"}, "not 'lap'"),
        ({"balance": "places"}, "progress along the track"),
        ({"correction_weight": 0.0}, "above 0 and at most 100"),
        ({"course": "track-7"}, "no sessions of drawn on 'track-7'; there are some on ['track-0', 'track-1']"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(materialise, config, sentence):
    failed = materialise(**config)
    assert not failed.success
    (event,) = [event for event in failed.all_events if event.is_step_failure]
    assert sentence in event.step_failure_data.user_failure_data.description


def test_a_session_whose_labels_follow_earlier_edits_is_left_out_and_named(materialise, settings):
    save_edits(settings.recordings / "s1", Edits().with_range(3, 8), based_on=0)
    assert materialise().success
    made = load_training_set(settings.datasets / "training_sets" / "drawn" / "training_set.parquet")
    assert made.left_out.sessions == {"s1": "other steps of it were left out since; materialise its frames"}
