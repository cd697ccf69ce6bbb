"""Models ready to be loaded: one for all courses, or one for each, as `models:/NAME@course` asks for.

Which model is for which course is said by aliases in MLflow's registry: `course-luigi-raceway` is the one for Luigi
Raceway. The course that is driven is what the game says at the start of each drive.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from kart_pipeline.core.errors import KartError
from kart_pipeline.core.frame import RGB, Choice, Frame
from kart_pipeline.core.settings import Settings
from kart_pipeline.driving.drivers import Driver
from kart_pipeline.games.base import Game
from kart_pipeline.learning.package import DriverPackage, read_package
from player.locate import Located, locate, locate_aliases
from player.policy import Policy, open_policy
from player.runtimes import Chosen, choose
from player.stages import Stages

PREFIX = "course-"
_EACH = "@course"


@dataclass(frozen=True, slots=True)
class Model:
    """A model that was looked through; nothing of it is loaded.

    Attributes:
        located, package, chosen: its files and what will run it; with several, those of the first.
        courses: where each course has a model of its own, these by course.
    """

    located: Located
    package: DriverPackage
    chosen: Chosen
    courses: Mapping[str, "Model"] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """For scorecards."""
        return f"{self.located.name.rpartition(' ')[0]}, by course" if self.courses else self.located.name

    def described(self) -> dict[str, str]:
        """As it is told to people and programs, and in the manifests of its drives."""
        return {
            "uri": self.located.uri,
            "name": self.name,
            "id": "" if self.courses else self.located.model_id,
            "contract": self.package.contract.hash,
            "runtime": self.chosen.runtime.name,
        }

    def each(self) -> Iterator["Model"]:
        """All models that this one stands for."""
        yield from self.courses.values() or (self,)


def find_model(uri: str, settings: Settings, *, runtime: str, trust_remote: bool = False) -> Model:
    """Find a model, or all models of `models:/NAME@course`, and look through them.

    Args:
        uri: as for `locate`, or `models:/NAME@course`.
        settings: name the tracking store.
        runtime: that a person wishes for.
        trust_remote: also from other machines.

    Raises:
        KartError: as for `locate`, or no course has a model, or the models give different actions.
    """

    def ready(located: Located) -> Model:
        package = read_package(located.folder)
        return Model(located, package, choose(runtime, package, settings))

    if not (uri.startswith("models:") and uri.endswith(_EACH)):
        return ready(locate(uri, settings, trust_remote=trust_remote))
    found = locate_aliases(uri.removesuffix(_EACH), PREFIX, settings, trust_remote=trust_remote)
    courses = {alias.removeprefix(PREFIX): ready(located) for alias, located in found.items()}
    first = next(iter(courses.values()))
    for model in courses.values():
        if model.package.contract.spec != first.package.contract.spec:
            raise KartError(f"{model.name} and {first.name} of {uri} give different actions.")
    return Model(replace(first.located, uri=uri), first.package, first.chosen, courses)


def of_course(uri: str, course: str = "") -> str:
    """The URI of one model, where `uri` may be `models:/NAME@course` and the course is known beforehand.

    Raises:
        KartError: it is, and the course is not.
    """
    if not (uri.startswith("models:") and uri.endswith(_EACH)):
        return uri
    name = uri.removesuffix(_EACH)
    if not course:
        raise KartError(
            f"{uri} is a model for each course, and nothing says which course is meant; name one model, as "
            f"{name}@{PREFIX}luigi-raceway, or the course with --track where there is one."
        )
    return f"{name}@{PREFIX}{course}"


def open_driver(model: Model, game: Game, stages: Stages | None = None) -> Driver:
    """The model as a driver of `game`.

    Args:
        model: is loaded now; where each course has its own, when its course comes.
        game: names the course.
        stages: gets the times of the policy's drives.

    Raises:
        KartError: as for `open_policy`.
    """
    if not model.courses:
        return open_policy(model.name, model.package, stages=stages, chosen=model.chosen)
    return ByCourse(model, game, stages)


class ByCourse:
    """Drives each course with the model that is for it.

    Args:
        model: with courses.
        game: names the course.
        stages: gets the times of all of them.
    """

    def __init__(self, model: Model, game: Game, stages: Stages | None = None) -> None:
        self.name = model.name
        self._model = model
        self._game = game
        self._stages = stages
        self._policies: dict[str, Policy] = {}
        self._policy: Policy | None = None

    def reset(self) -> None:
        """A new drive begins, perhaps on another course.

        Raises:
            KartError: no model is for it, or the one that is cannot be loaded.
        """
        course = self._game.track
        model = self._model.courses.get(course)
        if model is None:
            known = ", ".join(sorted(self._model.courses))
            raise KartError(
                f"No model is for the course {course}; there are some for {known}. Give one the alias {PREFIX}{course} "
                "in MLflow, or name a model for all courses."
                if course
                else f"The game does not tell which course is driven, so none of the models ({known}) can be chosen; "
                "name a model for all courses."
            )
        if course not in self._policies:
            self._policies[course] = open_policy(model.name, model.package, stages=self._stages, chosen=model.chosen)
        self._policy = self._policies[course]
        self._policy.reset()

    def act(self, frame: Frame) -> Choice:
        """What the course's model says."""
        if self._policy is None:
            raise KartError("A model by course drives after its reset only.")
        return self._policy.act(frame)

    @property
    def seen(self) -> RGB | None:
        """As of `Policy`."""
        return None if self._policy is None else self._policy.seen
