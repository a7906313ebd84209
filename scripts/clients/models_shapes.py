"""Pydantic models of composite values: nested objects, unions, lists, mappings, recursive models,
and settings that change the names and defaults of fields."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Annotated, Any, Generic, Literal, NamedTuple, Optional, TypeVar, Union
from uuid import UUID

from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    JsonValue,
    RootModel,
    Tag,
    computed_field,
    conlist,
    conset,
)
from pydantic.alias_generators import to_camel
from pydantic.json_schema import SkipJsonSchema
from typing_extensions import NotRequired, TypedDict

# --- nested objects --------------------------------------------------------------------------


class Coordinates(BaseModel):
    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)


class Address(BaseModel):
    """The address of a person."""

    street: str = Field(description="Street and number.", examples=["1 Main St"])
    postcode: str = Field(pattern=r"^\d{5}$")
    at: Coordinates


class Person(BaseModel):
    name: str
    home: Address
    work: Address = Field(description="Where the person works.")
    former: list[Address] = Field(max_length=3)


class Optionals(BaseModel):
    required: str
    nullable: Optional[int]
    both: Optional[str] = None
    bounded: Optional[Annotated[int, Field(gt=3, lt=5)]] = None
    model: Optional[Coordinates] = None
    listed: list[Optional[bool]] = Field(min_length=2)


class Defaults(BaseModel):
    title: str = "untitled"
    count: int = Field(default=3, ge=1)
    tags: list[str] = Field(default_factory=list)
    place: Coordinates = Coordinates(latitude=0, longitude=0)
    kind: Literal["a", "b"] = "a"


class Nothing(BaseModel):
    pass


class Deep(BaseModel):
    class Level1(BaseModel):
        class Level2(BaseModel):
            class Level3(BaseModel):
                class Level4(BaseModel):
                    leaf: bool

                four: "Deep.Level1.Level2.Level3.Level4"

            three: Level3

        two: Level2

    one: Level1
    none: Nothing


# --- unions ----------------------------------------------------------------------------------


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int = Field(ge=1, le=9)


class Dog(BaseModel):
    kind: Literal["dog", "puppy"]
    good: Literal[True]


class Bird(BaseModel):
    species: str
    wingspan: float


class Unions(BaseModel):
    scalar: Union[int, str, None]
    bounded: Union[Annotated[int, Field(gt=100)], Annotated[str, Field(min_length=5)]]
    models: Union[Cat, Bird]
    listed: list[Union[UUID, date, Coordinates]]
    nested: Union[list[int], dict[str, int]]


class Discriminated(BaseModel):
    pet: Annotated[Union[Cat, Dog], Field(discriminator="kind")]
    pets: list[Annotated[Union[Cat, Dog], Field(discriminator="kind")]] = Field(min_length=1)


def tag_of(value: Any) -> str:
    return "bird" if "species" in (value if isinstance(value, dict) else vars(value)) else "cat"


class Tagged(BaseModel):
    pet: Annotated[
        Union[Annotated[Cat, Tag("cat")], Annotated[Bird, Tag("bird")]], Discriminator(tag_of)
    ]


# --- lists, sets and tuples ------------------------------------------------------------------


class Lists(BaseModel):
    bounded: list[int] = Field(min_length=2, max_length=3)
    exact: conlist(str, min_length=4, max_length=4)
    empty: list[int] = Field(max_length=0)
    matrix: list[list[float]] = Field(min_length=2)
    sequence: Sequence[Coordinates]
    anything: list[Any]


class Weekday(Enum):
    MONDAY = "mon"
    TUESDAY = "tue"
    WEDNESDAY = "wed"


class Sets(BaseModel):
    texts: set[str] = Field(min_length=3)
    numbers: frozenset[int] = Field(min_length=2, max_length=5)
    words: set[Annotated[str, Field(pattern="^[a-z]{4}$")]] = Field(min_length=4)
    dates: set[date] = Field(min_length=2)


class ExhaustiveSets(BaseModel):
    """Sets that must contain every value of their type."""

    enums: conset(Weekday, min_length=3, max_length=3)
    narrow: set[Annotated[int, Field(ge=1, le=3)]] = Field(min_length=3)
    literals: set[Literal["x", "y"]] = Field(min_length=2)
    booleans: set[bool] = Field(min_length=2)
    pairs: set[tuple[bool, Literal["on", "off"]]] = Field(min_length=4)


class Point(NamedTuple):
    x: float
    y: float
    label: str = ""


class Tuples(BaseModel):
    pair: tuple[int, str]
    nested: tuple[Coordinates, tuple[bool, None]]
    any_length: tuple[int, ...]
    named: Point
    nothing: tuple[()]


# --- mappings --------------------------------------------------------------------------------


class Mappings(BaseModel):
    counts: dict[str, int]
    bounded: dict[str, float] = Field(min_length=2, max_length=3)
    nested: dict[str, dict[str, list[bool]]]
    models: Mapping[str, Coordinates] = Field(min_length=1)
    anything: dict[str, Any]
    bare: dict


Locale = Annotated[str, Field(pattern="^[a-z]{2}_[A-Z]{2}$")]


class Keys(BaseModel):
    by_enum: dict[Weekday, int] = Field(min_length=3)
    by_literal: dict[Literal["low", "high"], bool] = Field(min_length=2)
    by_uuid: dict[UUID, str] = Field(min_length=2)
    by_date: dict[date, float] = Field(min_length=1)
    by_pattern: dict[Locale, str] = Field(min_length=1)
    by_length: dict[Annotated[str, Field(min_length=3, max_length=3)], int] = Field(min_length=2)


class Extra(BaseModel):
    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, int]
    name: str


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")
    name: str


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    inner: Open


class Movie(TypedDict):
    title: str
    year: NotRequired[int]


@dataclass
class Size:
    width: int
    height: int = 10


class Borrowed(BaseModel):
    movie: Movie
    size: Size
    value: JsonValue
    thing: Any
    what: object


# --- recursive models ------------------------------------------------------------------------


class Tree(BaseModel):
    value: int
    children: list["Tree"]


class LinkedList(BaseModel):
    value: str
    next: Optional["LinkedList"] = None


class Employee(BaseModel):
    name: str
    department: "Department"


class Department(BaseModel):
    title: str
    staff: list[Employee] = Field(max_length=2)
    head: Optional[Employee]


class Expression(BaseModel):
    operator: Literal["+", "*"]
    operands: tuple[Union["Expression", int], Union["Expression", int]]


class Folder(BaseModel):
    name: str
    entries: dict[str, Union["Folder", str]] = Field(min_length=1)


# --- names and defaults of fields ------------------------------------------------------------


class Aliases(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel)
    first_name: str
    class_: str = Field(alias="class")
    dollar: int = Field(alias="$ref")
    odd: bool = Field(alias="a b/c~d%e")
    either: str = Field(validation_alias=AliasChoices("one", "two"))
    empty: int = Field(alias="")


class Base(BaseModel):
    id: int = Field(gt=0)
    kind: str


class Derived(Base):
    kind: Literal["derived"]  # Narrower than the inherited type.
    extra: Optional[str] = None


class Computed(Derived):
    width: int = Field(ge=1, le=10)
    secret: SkipJsonSchema[int] = 3

    @computed_field
    @property
    def area(self) -> int:
        return self.width**2


T = TypeVar("T")


class Page(BaseModel, Generic[T]):
    items: list[T] = Field(min_length=1)
    next: Optional[str]


class Generics(BaseModel):
    people: Page[Coordinates]
    numbers: Page[int]
    pages: Page[Page[str]]


class Tags(RootModel[Annotated[list[str], Field(min_length=1)]]):
    pass


class Scores(RootModel[dict[str, Annotated[int, Field(ge=0, le=5)]]]):
    pass


class Roots(BaseModel):
    tags: Tags
    scores: Scores


class Titled(BaseModel):
    model_config = ConfigDict(
        title="Titled", json_schema_extra={"examples": [{"price": 1}], "x-internal": True}
    )
    price: float = Field(title="The price", json_schema_extra={"unit": "EUR"}, deprecated=True)
    frozen: Literal["v1"] = Field("v1", frozen=True)


class Review(BaseModel):
    """A product review, as extracted from text."""

    sentiment: Literal["positive", "neutral", "negative"]
    confidence: Annotated[float, Field(ge=0, le=1, description="How certain it is.")]
    rating: Annotated[int, Field(ge=1, le=5)] | None = None
    aspects: list[str] = Field(default_factory=list, max_length=10)
    published: date | None


# Each root is an object, as OpenAI requires.
MODELS = {
    model.__name__: model
    for model in (
        *(Person, Optionals, Defaults, Nothing, Deep, Unions, Discriminated, Tagged),
        *(Lists, Sets, ExhaustiveSets, Tuples, Mappings, Keys, Extra, Open, Closed, Borrowed),
        *(Tree, LinkedList, Department, Expression, Folder),
        *(Aliases, Derived, Computed, Generics, Roots, Scores, Titled, Review),
    )
}
