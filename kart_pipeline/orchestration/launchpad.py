"""A frozen dataclass as Dagster configuration, so that its fields and their documentation are written once."""

import re
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from inspect import cleandoc
from typing import Any, Literal, get_args, get_origin, get_type_hints

import dagster as dg
import pydantic

_ATTRIBUTE = re.compile(r"^ {4}(\w+(?:, \w+)*): (.+(?:\n {8}.+)*)", re.MULTILINE)


def config_class(of: type, name: str, description: str) -> type[dg.Config]:
    """A `dg.Config` with the fields, types and defaults of a dataclass.

    Each field is described by its entry under "Attributes:" in the docstring of `of`; a Literal becomes an Enum, which
    the launchpad completes and checks before a run starts.

    Raises:
        TypeError: `of` is no dataclass, or a field has no default or no description.
    """
    if not is_dataclass(of):
        raise TypeError(f"{of} is no dataclass.")
    told = descriptions(of)
    hints = get_type_hints(of)
    members: dict[str, Any] = {}
    for item in fields(of):
        if item.default is MISSING or item.name not in told:
            raise TypeError(f"{of.__name__}.{item.name} needs a default and a description.")
        kind, default = _kind(item, hints[item.name])
        members[item.name] = (kind, pydantic.Field(default, description=told[item.name]))
    made: type[dg.Config] = pydantic.create_model(name, __base__=dg.Config, __doc__=description, **members)
    return made


def descriptions(of: type) -> dict[str, str]:
    """What the docstring of a class says under "Attributes:", by attribute, on one line each."""
    text = cleandoc(of.__doc__ or "").partition("Attributes:\n")[2]
    return {
        name: " ".join(match.group(2).split())
        for match in _ATTRIBUTE.finditer(text)
        for name in match.group(1).split(", ")
    }


def values(config: dg.Config, of: type) -> dict[str, Any]:
    """The values of such a configuration, as the dataclass `of` wants them; what else is in it is left out."""
    given = ((item.name, getattr(config, item.name)) for item in fields(of))
    return {name: value.value if isinstance(value, Enum) else value for name, value in given}


def _kind(item: "Field[Any]", hint: Any) -> tuple[Any, Any]:
    if get_origin(hint) is not Literal:
        return hint, item.default
    choices = Enum(f"{item.name}_choices", {str(choice): choice for choice in get_args(hint)})  # type: ignore[misc]
    return choices, choices(item.default)
