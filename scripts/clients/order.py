"""A Pydantic model with every kind of field that people ask structured answers for, and the plain
schema of a function. What an answer holds is free; that it fits is checked."""

import json
from datetime import datetime
from enum import Enum
from typing import Literal, Optional
from uuid import UUID

from kit import is_a, same
from pydantic import BaseModel, ConfigDict, Field


class Fitted(BaseModel):
    # A key too many is a mistake of the answer; Pydantic would let it pass.
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


# The names of its fields are no Python and no ASCII, so that no client makes up a model for it.
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
    """Strictly: a 1 for true or a "1" for 1 would pass as what Pydantic makes of it."""
    Order.model_validate_json(text, strict=True)


def good_lookup(text: str):
    found = json.loads(text)
    same("keys too many or missing", set(found) - {"optional"}, {"naïve-name", "$how many"})
    same("naïve-name is in the enum", found["naïve-name"] in ["à la carte", 'quo"ted'], True)
    is_a("$how many", found["$how many"], int)
    same("$how many is in its range", 3 <= found["$how many"] <= 5, True)
    is_a("optional", found.get("optional", True), bool)
