"""Where games keep what: our tables, what a person adds in bizhawk.toml, and which table suits a ROM."""

import pytest

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.names import checked_id
from kart_pipeline.games.bizhawk.tables import FILE, find_table, load_tables

MARIO_KART_64_USA = "579C48E211AE952530FFC8738709F078D5DD215E"


@pytest.fixture
def own(tmp_path):
    """Writes a person's own file and reads all tables."""

    def load(text):
        (tmp_path / FILE).write_text(text, encoding="utf-8")
        return load_tables(tmp_path)

    return load


def test_mario_kart_64_and_super_mario_kart_are_known(tmp_path):
    tables = load_tables(tmp_path)
    assert {table.system for table in tables.values()} == {"N64", "SNES"}
    for table in tables.values():
        names = {value.name for value in table.values}
        assert {"speed", "lap", "course", "off_track", "collision", "x", "y"} <= names
        assert table.progress is not None
        assert all(value.source and value.meaning for value in table.values)


def test_the_addresses_of_neuralkart_count_as_used_and_those_read_in_the_sources_as_unverified(tmp_path):
    values = {value.name: value for value in load_tables(tmp_path)["mario_kart_64"].values}
    assert values["laps_driven"].places == (0x1644D0,)
    assert values["speed"].places == (0x0F6BBC,)
    assert {name for name, value in values.items() if value.unverified} == {"lap", "off_track", "collision"}


def test_every_course_has_a_name_that_files_and_aliases_may_have(tmp_path):
    names = {value.name: value.names for value in load_tables(tmp_path)["mario_kart_64"].values}["course"]
    assert len(set(names)) == 21
    assert names[8] == "luigi-raceway"
    assert all(checked_id(name) == name for name in names)


def test_a_rom_is_known_by_either_hash_however_it_is_written(tmp_path):
    tables = load_tables(tmp_path)
    for told in (MARIO_KART_64_USA, MARIO_KART_64_USA.lower(), "3A67D9986F54EB282924FCA4CD5F6DFF"):
        table, why = find_table(tables, "N64", told)
        assert table is tables["mario_kart_64"]
        assert why == ""


def test_another_rom_of_a_known_system_is_told_apart_in_a_sentence_that_says_what_to_do(tmp_path):
    table, why = find_table(load_tables(tmp_path), "N64", "A729039453210B84F17019DDA3F248D5888F7690")
    assert table is None
    assert "not the one whose memory is known (Mario Kart 64 (USA))" in why
    assert 'roms = ["A729039453210B84F17019DDA3F248D5888F7690"] under [mario_kart_64] in bizhawk.toml' in why


def test_a_system_without_tables_is_said_to_have_none(tmp_path):
    table, why = find_table(load_tables(tmp_path), "GBA", "00")
    assert table is None
    assert "on GBA" in why


def test_a_person_adds_a_rom_as_the_sentence_says(own):
    tables = own('[mario_kart_64]\nroms = ["AB12"]')
    assert find_table(tables, "N64", "ab12")[0] is tables["mario_kart_64"]
    assert find_table(tables, "N64", MARIO_KART_64_USA)[0] is tables["mario_kart_64"]


def test_a_person_changes_one_value_and_the_others_stay(own):
    table = own("[mario_kart_64.values.speed]\nscale = 1.0\nhigh = 9")["mario_kart_64"]
    values = {value.name: value for value in table.values}
    assert (values["speed"].scale, values["speed"].high, values["speed"].places) == (1.0, 9, (0x0F6BBC,))
    assert values["race_s"].places == (0x0DC598,)


def test_a_person_adds_a_game(own):
    tables = own(
        """
        [diddy_kong_racing]
        title = "Diddy Kong Racing"
        system = "N64"
        roms = ["CD34"]
        order = "big"
        progress = { lap = "done", laps = 3 }
        search = { held = ["A"], steers = 7 }

        [diddy_kong_racing.values.done]
        address = 0x10
        type = "f32"
        """
    )
    table, _ = find_table(tables, "N64", "CD34")
    assert table.title == "Diddy Kong Racing"
    assert (table.search.steers, table.search.held) == (7, ("A",))


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("[mario_kart_64", "no TOML"),
        ("mario_kart_64 = 3", r"section \[mario_kart_64\]: a game is a section"),
        ('["mario kart"]\nroms = []', "mario kart"),
        ("[mario_kart_64.values.speed]\nadress = 3", "a value speed has no adress; it has"),
        ('[mario_kart_64.values.speed]\ntype = "f64"', "speed has the type 'f64'; there are u8"),
        ("[mario_kart_64.values.speed]\naddresses = [1, 2]", "speed needs an address, or a list"),
        ("[mario_kart_64.values.speed]\naddress = -4", "speed needs an address"),
        ('[mario_kart_64.values.new]\ntype = "u8"\naddresses = [1, 2]', "say with all_in or any_bits"),
        ('[mario_kart_64]\norder = "middle"', "it is big or little"),
        ('[mario_kart_64]\nprogress = { lap = "miles", laps = 3 }', "progress of mario_kart_64 is"),
        ('[mario_kart_64]\nprogress = { lap = "lap", laps = 0 }', "progress of mario_kart_64 is"),
        ("[mario_kart_64]\nsearch = { stears = 9 }", "a search has no stears"),
        ('[other]\ntitle = "Other"', "system"),
    ],
)
def test_a_mistake_in_the_file_is_named_with_its_place(own, text, match):
    with pytest.raises(KartError, match=match) as raised:
        own(text)
    assert FILE in str(raised.value)
