"""A Pydantic model with every kind of field that people use in structured outputs, and the plain
schema of a function. Any value that fits is accepted."""

import json
from datetime import datetime
from enum import Enum
from typing import Literal, Optional
from uuid import UUID

from kit import is_a, same
from pydantic import BaseModel, ConfigDict, Field


class Fitted(BaseModel):
    # An additional key is an error, which Pydantic would ignore by default.
    model_config = ConfigDict(extra="forbid")


class Colour(Enum):
    RED = "red"
    GREEN = "green"


class Part(Fitted):
    name: str
    price: float = Field(ge=0.5, le=99.5)
    colour: Colour


class Comment(Fitted):
    text: str
    reply: Optional["Comment"]


class PlainOrder(Fitted):
    id: UUID
    at: datetime
    title: str = Field(min_length=3, max_length=20)
    count: int = Field(gt=4, lt=9)
    ratio: float
    done: bool
    state: Literal["open", "closed"]
    tags: list[str] = Field(min_length=2, max_length=4)
    parts: list[Part]
    best: Part
    note: Optional[str]
    size: int | str


class Order(PlainOrder):
    comment: Comment


# Its field names are not valid in Python and not ASCII, so that no client builds a model from it.
LOOKUP_SCHEMA = {
    "type": "object",
    "properties": {
        "naïve-name": {"type": "string", "enum": ["à la carte", 'quo"ted']},
        "$how many": {"type": "integer", "minimum": 3, "maximum": 5},
        "optional": {"type": "boolean"},
    },
    "required": ["naïve-name", "$how many"],
    "additionalProperties": False,
}


def good_order(text: str):
    """Validates strictly: by default, Pydantic would accept 1 for true or "1" for 1."""
    Order.model_validate_json(text, strict=True)


def good_lookup(text: str):
    found = json.loads(text)
    same("keys too many or missing", set(found) - {"optional"}, {"naïve-name", "$how many"})
    same("naïve-name is in the enum", found["naïve-name"] in ["à la carte", 'quo"ted'], True)
    is_a("$how many", found["$how many"], int)
    same("$how many is in its range", 3 <= found["$how many"] <= 5, True)
    is_a("optional", found.get("optional", True), bool)
