from kart_pipeline.core.action import ActionSpec
from kart_pipeline.core.frame import Choice
from kart_pipeline.driving.drivers import Constant
from kart_pipeline.driving.restraint import Restrained

SPEC = ActionSpec(axes=("steer",), buttons=("A", "start"), mirrored_axes=("steer",))


def test_a_button_that_is_held_up_is_never_pressed_and_the_rest_stays(line):
    wants = Constant(SPEC.action(steer=0.5, A=True, start=True), "model")
    driver = Restrained(wants, {"start"})
    driver.reset()
    choice: Choice = driver.act(line.reset(1))
    assert choice.action == SPEC.action(steer=0.5, A=True)
    assert (driver.name, choice.actor) == ("model", "constant")
