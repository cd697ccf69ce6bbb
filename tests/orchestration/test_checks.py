"""Verdicts as asset checks."""

import dagster as dg
import pytest

from kart_pipeline.core.errors import KartError
from kart_pipeline.datasets.health import check_session
from kart_pipeline.datasets.health_frames import check_frames
from kart_pipeline.datasets.health_pictures import check_pictures
from kart_pipeline.datasets.verdict import broken, sound, warning
from kart_pipeline.orchestration import checks


def _one() -> None:
    """The first line is for people.

    The rest is not.
    """


def _two() -> None:
    """Another."""


@pytest.fixture
def context() -> dg.AssetExecutionContext:
    return dg.build_asset_context(partition_key="a")


def test_what_is_declared_is_what_the_datasets_check(record, tmp_path):
    """A check that was added there and not here would fail every session."""
    from kart_pipeline.core.contract import Contract
    from kart_pipeline.datasets.frames import build_frames

    session = record("a")
    contract = Contract(session.manifest.spec, session.manifest.rate_hz)
    found = [*check_session(session), *check_pictures(session, contract)]
    assert [verdict.name for verdict in found] == [check.__name__ for check in checks.OF_SESSION]
    info = build_frames(session, contract, tmp_path)
    assert [verdict.name for verdict in check_frames(info, contract)] == [check.__name__ for check in checks.OF_FRAMES]


def test_a_declaration_takes_name_and_description_from_the_check():
    (spec,) = checks.specs("session", [_one])
    assert (spec.name, spec.description, spec.blocking) == ("_one", "The first line is for people.", True)


def test_severity_and_cause_are_the_verdicts(context):
    verdicts = [broken("_one", "It is torn.", {"share": 0.5}), warning("_two", "It is dull.", {})]
    first, second = checks.results(context, verdicts, [_one, _two])
    assert (first.passed, first.severity, first.description) == (False, dg.AssetCheckSeverity.ERROR, "It is torn.")
    assert first.metadata["share"].value == 0.5
    assert (second.passed, second.severity) == (False, dg.AssetCheckSeverity.WARN)


def test_what_could_not_be_checked_says_why_and_does_not_block(context):
    _, second = checks.results(context, [broken("_one", "It is torn.", {})], [_one, _two])
    assert (second.passed, second.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert second.description == "Not checked, because _one failed."


def test_a_check_that_found_nothing_passes(context):
    (result,) = checks.results(context, [sound("_one", "All is well.", {})], [_one])
    assert (result.passed, result.description) == (True, "All is well.")


def test_a_mistake_becomes_a_failure_with_its_sentence_that_is_not_retried():
    with pytest.raises(dg.Failure) as caught, checks.sentences():
        raise KartError("Plug the pad in.")
    assert (caught.value.description, caught.value.allow_retries) == ("Plug the pad in.", False)


def test_any_other_error_stays_what_it_is():
    with pytest.raises(ZeroDivisionError), checks.sentences():
        1 / 0  # noqa: B018
