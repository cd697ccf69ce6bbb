"""What may become a folder, a column or a network head."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.names import checked_channel, checked_id, new_session_id


@pytest.mark.parametrize(
    "name",
    ["../x", "..", ".", "", "a/b", "a\\b", "a:b", "a b", "-x", "_x", "x" * 65, "é", "NUL", "com1", "x\n", None, 7],
)
def test_a_name_that_could_leave_its_folder_or_fail_on_some_system_is_refused(name: str) -> None:
    with pytest.raises(KartError, match="cannot be a session id: use 1 to 64 letters"):
        checked_id(name)


@given(st.text(max_size=70))
def test_whatever_is_accepted_is_one_path_component(name: str) -> None:
    try:
        checked_id(name)
    except KartError:
        return
    assert re.fullmatch(r"[0-9A-Za-z_-]+", name)
    assert Path("store", name).parts == ("store", name)


@pytest.mark.parametrize("name", ["steer angle", "2nd", "", "a" * 33, "a.b"])
def test_a_channel_must_be_able_to_name_a_column_and_a_head(name: str) -> None:
    with pytest.raises(KartError, match="cannot name an axis"):
        checked_channel(name)


def test_new_ids_are_valid_and_do_not_repeat() -> None:
    ids = {new_session_id("car_racing") for _ in range(100)}
    assert len(ids) == 100
    assert all(checked_id(name) for name in ids)
