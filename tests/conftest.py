"""What holds for all tests."""

from hypothesis import settings

# A property holds or not; how fast it is checked depends on what else the machine does.
settings.register_profile("kart", deadline=None)
settings.load_profile("kart")
