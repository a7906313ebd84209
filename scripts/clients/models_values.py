"""Pydantic models of single values: strings, patterns, formats, times and numbers. Each row becomes
a model with those fields that forbids all others."""

import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
)
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    UUID1,
    UUID3,
    UUID4,
    UUID5,
    UUID6,
    UUID7,
    UUID8,
    AnyUrl,
    AwareDatetime,
    Base64Bytes,
    Base64Str,
    Base64UrlBytes,
    Base64UrlStr,
    BaseModel,
    ByteSize,
    ConfigDict,
    EmailStr,
    Field,
    HttpUrl,
    IPvAnyAddress,
    IPvAnyInterface,
    IPvAnyNetwork,
    Json,
    NameEmail,
    NegativeFloat,
    NegativeInt,
    NonNegativeInt,
    NonPositiveFloat,
    PositiveFloat,
    PositiveInt,
    SecretBytes,
    SecretStr,
    StringConstraints,
    condecimal,
    confloat,
    conint,
    constr,
    create_model,
)
from pydantic_extra_types.color import Color
from pydantic_extra_types.payment import PaymentCardBrand
from pydantic_extra_types.s3 import S3Path
from pydantic_extra_types.timezone_name import TimeZoneName


def matching(pattern: str, **more: Any) -> Any:
    """Returns the type of a string that matches `pattern`."""
    return Annotated[str, Field(pattern=pattern, **more)]


def bounded(kind: Any, **bounds: Any) -> Any:
    return Annotated[kind, Field(**bounds)]


class Level(IntEnum):
    LOW = 1
    HIGH = 10


class Unit(str, Enum):
    GRAM = "g"
    POUND = "lb"


class Mixed(Enum):
    WORD = "word"
    NUMBER = 7
    FRACTION = 0.5


TEXTS = {
    "Texts": {"any": str, "empty": Literal[""], "any_of_two": Literal["one", "two"]},
    "TextLengths": {
        "short": bounded(str, min_length=1, max_length=3),
        "exact": constr(min_length=12, max_length=12),
        "long": bounded(str, min_length=300),
        "at_most": bounded(str, max_length=2),
        "nothing": bounded(str, max_length=0),
    },
    "StrippedTexts": {
        "name": Annotated[str, StringConstraints(strip_whitespace=True, min_length=3)],
        "code": Annotated[str, StringConstraints(to_upper=True, max_length=8)],
    },
    "Literals": {
        "one": Literal["only"],
        "mixed": Literal["text", 3, True, None],
        "numbers": Literal[1, 2, 3],
        "quoted": Literal['say "hi"', "back\\slash", "naïve ☕", "line\nbreak"],
    },
    "Enums": {"level": Level, "unit": Unit, "mixed": Mixed, "levels": list[Level]},
    "LargeEnums": {"zone": TimeZoneName, "brand": PaymentCardBrand},
}

PATTERNS = {
    "Codes": {
        "sku": matching(r"^[A-Z]{3}-\d{4}$"),
        "slug": matching(r"^[a-z0-9]+(?:-[a-z0-9]+)*$"),
        "iso_country": matching(r"^[A-Z]{2}$"),
        "plate": matching(r"^[A-Z]{1,3}-[A-Z]{1,2} [1-9]\d{0,3}[EH]?$"),
        "iban": matching(r"^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$"),
    },
    "PhoneNumbers": {
        "e164": matching(r"^\+[1-9]\d{1,14}$"),
        "us": matching(r"^\(?\d{3}\)?[-. ]?\d{3}[-. ]?\d{4}$"),
        "loose": matching(r"^\+?[0-9 ()-]{7,20}$"),
    },
    "Colours": {
        "hex": matching(r"^#[0-9a-fA-F]{6}$"),
        "short_or_long": matching(r"^#(?:[0-9a-f]{3}){1,2}$"),
        "rgb": matching(r"^rgb\(\d{1,3}, \d{1,3}, \d{1,3}\)$"),
    },
    "Versions": {
        "simple": matching(r"^\d+\.\d+\.\d+$"),
        "semver": matching(
            r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
            r"(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)"
            r"(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?"
            r"(?:\+([0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?$"
        ),
        "tag": matching(r"^v\d{1,2}(\.\d{1,2}){0,2}$"),
    },
    "Unanchored": {
        "contains": matching(r"\d{3}"),
        "starts": matching(r"^https?://"),
        "ends": matching(r"\.(png|jpe?g|gif)$"),
        "letters": matching(r"[a-z]+"),
    },
    "Alternations": {
        "size": matching(r"^(XS|S|M|L|XL)$"),
        "grouped": matching(r"^(?:north|south)-(?:east|west)$"),
        "loose": matching(r"^left$|^right$"),
        "nested": matching(r"^(a|b(c|d(e|f)))+$"),
    },
    "Classes": {
        "word": matching(r"^\w{5}$"),
        "spaced": matching(r"^\S+\s\S+$"),
        "negated": matching(r"^[^@\s]+@[^@\s]+$"),
        "printable": matching(r"^[ -~]{4}$"),
        "escaped": matching(r"^[\w.+\-\[\]]{3,6}$"),
        "any": matching(r"^.{5}$"),
        "hex": matching(r"^\x41\u0042[\x43-\x45]$"),
    },
    "UnicodeClasses": {
        "letters": matching(r"^\p{L}+$"),
        "capital": matching(r"^\p{Lu}\p{Ll}+$"),
        "not_number": matching(r"^\P{N}{3}$"),
        "cyrillic": matching(r"^[а-яё]{2,4}$"),
        "emoji": matching(r"^[\u{1F600}-\u{1F64F}]$"),
    },
    "PatternsWithLengths": {
        "username": matching(r"^[a-z][a-z0-9_]*$", min_length=6, max_length=8),
        "long": matching(r"^[A-Z]+$", min_length=50),
        "pieces": matching(r"^(?:[a-z]{2}-?)+$", min_length=7, max_length=7),
        "contains": matching(r"-", min_length=10, max_length=10),
        "padded": matching(r"^x?[0-9]*y?$", min_length=4, max_length=4),
    },
    "Quantifiers": {
        "optional": matching(r"^https?$"),
        "lazy": matching(r"^<.+?>$"),
        "exactly": matching(r"^(?:ab){3}$"),
        "at_least": matching(r"^z{4,}$"),
        "none": matching(r"^(?:)$"),
    },
    "Storage": {"path": S3Path, "digits": matching(r"^[0-9]{12,19}$")},
}

# Patterns that Pydantic's default engine rejects and Python's accepts. mocker rejects them too.
LOOKAROUNDS = {
    "password": matching(r"^(?=.*[A-Z])(?=.*\d)[A-Za-z\d]{8,}$"),
    "not_zero": matching(r"^(?!0+$)\d{3}$"),
    "behind": matching(r"^\d+(?<!0)$"),
    "referred": matching(r"^(['\"])quoted\1$"),
    "edges": matching(r"^\bword\b$"),
}

FORMATS = {
    "Uuids": {"any": UUID, "one": UUID1, "three": UUID3, "four": UUID4, "five": UUID5},
    "NewUuids": {"six": UUID6, "seven": UUID7, "eight": UUID8},
    "Emails": {"email": EmailStr, "named": NameEmail, "several": list[EmailStr]},
    "Urls": {"any": AnyUrl, "http": HttpUrl, "short": bounded(HttpUrl, max_length=40)},
    "Addresses": {"four": IPv4Address, "six": IPv6Address, "any": IPvAnyAddress},
    "Networks": {"four": IPv4Network, "six": IPv6Network, "any": IPvAnyNetwork},
    "Interfaces": {"four": IPv4Interface, "six": IPv6Interface, "any": IPvAnyInterface},
    "Encoded": {
        "bytes": Base64Bytes,
        "text": Base64Str,
        "url_bytes": Base64UrlBytes,
        "url_text": Base64UrlStr,
        "raw": bytes,
    },
    "JsonTexts": {"any": Json, "numbers": Json[list[int]], "texts": Json[dict[str, str]]},
    "Secrets": {"text": SecretStr, "bytes": SecretBytes, "long": bounded(SecretStr, min_length=12)},
    "Others": {"path": Path, "size": ByteSize, "pattern": re.Pattern},
    "ColourNames": {"colour": Color},
}

TIMES = {
    "Dates": {"day": date, "days": list[date], "maybe": date | None},
    "Datetimes": {"at": datetime, "aware": AwareDatetime},
    "TimesOfDay": {"time": time, "opening": tuple[time, time]},
    "Durations": {"duration": timedelta, "maybe": timedelta | None},
    "AnyTime": {"when": datetime | date | time, "or_text": date | Literal["unknown"]},
}

NUMBERS = {
    "IntegerBounds": {
        "gt": bounded(int, gt=10),
        "ge": bounded(int, ge=10, le=10),
        "lt": bounded(int, lt=-5),
        "between": bounded(int, gt=3, lt=5),
        "negative": bounded(int, ge=-20, le=-10),
    },
    "FloatBounds": {
        "gt": bounded(float, gt=0, lt=1),
        "narrow": bounded(float, gt=0.1, lt=0.10001),
        "percent": bounded(float, ge=0, le=100),
        "large": bounded(float, ge=1e20),
        "tiny": bounded(float, gt=0, le=1e-9),
        "negative": bounded(float, lt=-0.5),
    },
    "Multiples": {
        "five": bounded(int, multiple_of=5),
        "seven": bounded(int, multiple_of=7, gt=100, lt=110),
        "cents": bounded(float, multiple_of=0.01),
        "quarters": bounded(float, multiple_of=0.25, gt=3.3, lt=3.7),
        "even": conint(multiple_of=2, ge=3),
    },
    "Extremes": {
        "int64": bounded(int, ge=-(2**63), le=2**63 - 1),
        "largest": bounded(int, ge=2**63 - 1, le=2**63 - 1),
        "smallest": bounded(int, ge=-(2**63), le=-(2**63)),
        "safe": bounded(int, ge=2**53 - 1, le=2**53),
    },
    "BeyondInt64": {
        "unsigned": bounded(int, ge=2**63, le=2**64 - 1),
        "larger": bounded(int, gt=2**64),
    },
    "NamedNumbers": {
        "positive": PositiveInt,
        "negative": NegativeInt,
        "natural": NonNegativeInt,
        "positive_float": PositiveFloat,
        "negative_float": NegativeFloat,
        "debt": NonPositiveFloat,
        "con": confloat(ge=1.5, le=1.5),
    },
    # Pydantic allows strings too, whose bounds are not in the schema: only the first branch, the
    # number, is certain to fit.
    "Decimals": {
        "any": Decimal,
        "price": bounded(Decimal, gt=0, max_digits=6, decimal_places=2),
        "rate": condecimal(ge=Decimal("0.1"), le=Decimal("0.9")),
        "step": bounded(Decimal, multiple_of=Decimal("0.05"), ge=0, le=1),
    },
    "Booleans": {"yes": bool, "always": Literal[True], "maybe": bool | None},
}


def model(name: str, fields: dict[str, Any], **config: Any) -> type[BaseModel]:
    closed = ConfigDict(extra="forbid", **config)
    return create_model(name, __config__=closed, **{n: (t, ...) for n, t in fields.items()})


ROWS = {**TEXTS, **PATTERNS, **FORMATS, **TIMES, **NUMBERS}
MODELS = {name: model(name, fields) for name, fields in ROWS.items()}
MODELS["Lookarounds"] = model("Lookarounds", LOOKAROUNDS, regex_engine="python-re")
