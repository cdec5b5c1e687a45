"""What a tool is: its inputs, its effect, the endpoints it calls, and the schemas the model sees.

Name and description come from the class's name and docstring, scopes from the endpoints it uses.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from inspect import get_annotations
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationError,
    ValidationInfo,
)
from pydantic_core.core_schema import CoreSchema, with_info_after_validator_function

from insights_mcp.answer import FULL, SUMMARY, Answer, Table
from insights_mcp.answer.pieces import PIECE, pieces_table
from insights_mcp.answer.results import Readable
from insights_mcp.client import Client
from insights_mcp.computation import Watch
from insights_mcp.endpoint import Effect, Endpoint
from insights_mcp.errors import InvalidInput
from insights_mcp.recent import Recent
from insights_mcp.references import References
from insights_mcp.scopes import Scope, fewest
from insights_mcp.text import clean, counted, meant

LEAST = 500  # tokens of an answer; one that is shorter says nothing


@dataclass(frozen=True)
class Work:
    """What a tool works with: the client, how references are found, who waits, and what was fetched a moment ago."""

    client: Client
    references: References
    watch: Watch = field(default_factory=Watch)
    recent: Recent = field(default_factory=Recent)


class Tool(BaseModel):
    """Base of every tool: fields are its inputs, `run` does the work."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: ClassVar[str]
    effect: ClassVar[Effect] = Effect.READ
    idempotent: ClassVar[bool] = True
    tabular: ClassVar[bool] = False  # its answer may hold a table
    uses: ClassVar[tuple[type[Endpoint[Any]], ...]]  # it cannot work without these
    may_use: ClassVar[tuple[type[Endpoint[Any]], ...]] = ()  # it works better, or more of it works, with these

    @classmethod
    def tool_name(cls) -> str:
        """The class's name in snake_case."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()

    @classmethod
    def scopes(cls) -> tuple[Scope, ...]:
        """The scopes without which the tool is hidden."""
        return fewest(e.route.scope for e in cls.uses if e.route.scope is not None)

    @property
    def budget(self) -> int:
        """The answer's size at most, in tokens."""
        return SUMMARY

    @property
    def notes(self) -> tuple[str, ...]:
        """What was made of arguments that were not taken as they were."""
        return tuple(note for name in type(self).model_fields for note in getattr(getattr(self, name), "notes", ()))

    async def run(self, work: Work) -> Answer:
        """Do it. Every foreseen failure is an InsightsError."""
        raise NotImplementedError


class Taken(int):
    """A number that can be held; `notes` say so where another was asked for."""

    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Within:
    """Bounds of a number. One beyond becomes the nearest within: refusing would cost the caller another call."""

    least: int
    most: int

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """After the number is read."""
        return with_info_after_validator_function(self._taken, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """The bounds, as any others."""
        return handler(schema) | {"minimum": self.least, "maximum": self.most}

    def _taken(self, asked: int | None, about: ValidationInfo[Any]) -> Taken | None:
        if asked is None:
            return None
        number = Taken(min(max(asked, self.least), self.most))
        if number != asked:
            number.notes = (f"{about.field_name} is {self.least} to {self.most:,}: {number:,} taken.",)
        return number


Size = Annotated[int | None, Within(LEAST, FULL), Field(description="Size at most.")]


class Sized(Tool):
    """A tool whose answer's size is the caller's choice."""

    tabular: ClassVar[bool] = True

    max_tokens: Size = None

    @property
    def budget(self) -> int:
        """The answer's size at most, in tokens."""
        return self.max_tokens or SUMMARY


class Detailed(Sized):
    """A tool whose reply may be larger than an answer: it can be paged through, whole."""

    detail: Annotated[Literal["summary", "full"], Field(description="full: all of it, as JSON.")] = "summary"
    offset: Annotated[int, Field(ge=0, description="Rows to skip.")] = 0

    @property
    def budget(self) -> int:
        """The answer's size at most, in tokens."""
        return self.max_tokens or (FULL if self.detail == "full" else SUMMARY)

    def pieces(self, whole: dict[str, Any]) -> Table:
        """What is there of a reply, as JSON pieces from the offset on, each of a size that fits."""
        size = min(PIECE, self.budget)
        return pieces_table({k: v for k, v in whole.items() if v is not None}, size).after(self.offset)

    def table(self, found: Readable) -> Table | None:
        """What says most of a result; with an offset, all of it from there on."""
        if "offset" not in self.model_fields_set or found.whole is None:
            return found.picked
        return found.whole.after(self.offset)

    def more(self) -> str:
        """The call that goes on, with `{offset}` where its place goes; pages are read, not looked at."""
        given = {k: v for k, v in self.model_dump(exclude_defaults=True).items() if k not in ("offset", "chart")}
        shown = ", ".join(f"{k}={_shown(v)}" for k, v in given.items())
        return f"{self.tool_name()}({shown.replace('{', '{{').replace('}', '}}')}, offset={{offset}})"


def given(**fields: Any) -> dict[str, Any]:
    """The fields that were given: a null sent to the API is a value, not an absence."""
    return {name: value for name, value in fields.items() if value is not None}


def _shown(value: Any) -> str:
    """An argument in a call that is suggested; what is too much to repeat is left to the reader."""
    if isinstance(value, str):
        return repr(clean(value, 80))
    return repr(value) if isinstance(value, int) and abs(value) < 10**9 else "…"


def _reference(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


InsightReference = Annotated[
    str, BeforeValidator(_reference), Field(max_length=2000, description="Number, short_id, URL or name.")
]
DashboardReference = Annotated[str, BeforeValidator(_reference)]


def several(value: Any) -> Any:
    """A list: of one where that was given alone, or out of its JSON text."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        with suppress(ValueError, RecursionError):
            return json.loads(value)
    return [value] if isinstance(value, str | int) and not isinstance(value, bool) else value


Texts = Annotated[list[str], BeforeValidator(several)]
Dashboards = Annotated[list[DashboardReference], BeforeValidator(several)]


def parse(tool: type[Tool], arguments: dict[str, Any]) -> Tool:
    """The call, typed. InvalidInput lists every mistake: where, what was given, what is allowed."""
    try:
        return tool.model_validate(arguments)
    except ValidationError as error:
        found = [dict(each) for each in error.errors(include_url=False)]
        raise _refusal(tool, found) from None


def _refusal(tool: type[Tool], found: list[dict[str, Any]]) -> InvalidInput:
    """All that is wrong; the mistakes of a query, which may be many, each on a line."""
    causes = [each.get("ctx", {}).get("error") for each in found]
    lines = [str(mistake) for cause in causes if cause for mistake in getattr(cause, "mistakes", ())]
    mistakes = [_mistake(tool, e) for e, cause in zip(found, causes, strict=True) if not hasattr(cause, "mistakes")]
    if lines:
        mistakes.insert(0, f"{counted(len(lines), 'mistake')} in the query.")
    refusal = InvalidInput(f"Nothing was done. {tool.tool_name()}: {' '.join(mistakes[:8])}")
    if lines:
        refusal.details = tuple(lines)
        refusal.next_step = "Mend all of it and call again; describe_query shows what a query may hold."
    return refusal


def _mistake(tool: type[Tool], error: dict[str, Any]) -> str:
    where = ".".join(str(part) for part in error["loc"] if part != "function-before[_reference(), str]")
    if error["type"] == "extra_forbidden":
        names = list(input_schema(tool)["properties"])
        return (
            f"unknown argument '{clean(where, 60)}'{meant(where, names) or ', arguments are ' + ', '.join(names) + '.'}"
        )
    if error["type"] == "missing":
        return f"'{where}' is missing."
    message = error["msg"].removeprefix("Value error, ").replace(" after validation", "")
    if error["type"] == "too_short" and _is_secret(tool, str(error["loc"][0])):
        return f"'{clean(where, 60)}': at least {error['ctx']['min_length']} characters."
    given = "" if _is_secret(tool, str(error["loc"][0])) else f", given {clean(repr(error.get('input')), 60)}"
    return f"'{clean(where, 60)}': {message[:1].lower()}{message[1:]}{given}."


def _is_secret(tool: type[Tool], name: str) -> bool:
    return name in tool.model_fields and "SecretStr" in repr(tool.model_fields[name].annotation)


@cache
def input_schema(tool: type[Tool]) -> dict[str, Any]:
    """The JSON Schema of a tool's inputs: an object without references, titles or null alternatives."""
    schema = tool.model_json_schema()
    definitions = schema.pop("$defs", {})
    slim: dict[str, Any] = _slim(schema, definitions)
    slim.pop("description", None)
    properties = slim.get("properties", {})
    own_first = [name for kind in tool.__mro__ for name in get_annotations(kind) if name in properties]
    return {"type": "object"} | slim | {"properties": {name: properties[name] for name in own_first}}


# What guards the server and tells a model nothing: beyond these limits it is refused here, with the reason.
GUARDS = frozenset({"additionalProperties", "maxLength"})
LEAST_OF_ALL = frozenset({"minimum", "minLength", "minItems"})  # of what nobody gives less than one


def _slim(schema: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(schema, list):
        return [_slim(item, definitions) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        target = definitions[schema["$ref"].rsplit("/", 1)[-1]]
        return _slim({k: v for k, v in target.items() if k != "description"} | _without(schema, "$ref"), definitions)
    if alternatives := schema.get("anyOf"):
        real = [a for a in alternatives if a != {"type": "null"}]
        merged = real[0] if len(real) == 1 else {"anyOf": real}
        return _slim(merged | _without(schema, "anyOf"), definitions)
    return {
        key: {k: _slim(v, definitions) for k, v in value.items()} if key == "properties" else _slim(value, definitions)
        for key, value in schema.items()
        if key != "title" and not (key == "default" and value in (None, False))
        and key not in GUARDS and not (key in LEAST_OF_ALL and value in (0, 1))
    }  # fmt: skip


def _without(schema: dict[str, Any], key: str) -> dict[str, Any]:
    return {k: v for k, v in schema.items() if k != key}


# What a program may rely on; an answer holds more (project, digest, notes, facts), and each listing costs every user.
OUTPUT: dict[str, Any] = {"type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"]}
TABLE = {
    "columns": {"type": "array", "items": {"type": "string"}},
    "rows": {"type": "array", "items": {"type": "array", "items": {}}},
}
OUTPUT_WITH_TABLE: dict[str, Any] = OUTPUT | {"properties": OUTPUT["properties"] | TABLE}
