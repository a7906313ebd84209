"""Fills every Pydantic model of the tables through instructor, in each of its modes that sends the
schema in a separate field. The other modes put it into the prompt, which mocker does not read."""

import logging
from functools import partial
from importlib.metadata import version

import instructor
from instructor import Mode
from instructor.core import InstructorRetryException
from kit import HELLO, MODEL, check, client, every, is_a, rejected, run
from models_shapes import MODELS as SHAPES
from models_values import MODELS as VALUES

# Models that mocker rejects, and a word of its reason.
REJECTED = {"Lookarounds": "look-around"}
MODES = (Mode.TOOLS, Mode.JSON_SCHEMA, Mode.RESPONSES_TOOLS)

# It also logs every error that it raises.
logging.getLogger("instructor").setLevel(logging.CRITICAL + 1)


def fill(model, mode):
    by = instructor.from_openai(client(), mode=mode)
    # No retries: a second attempt would hide an error of the first.
    asked = {"model": MODEL, "messages": HELLO, "response_model": model, "max_retries": 0}
    try:
        is_a("the parsed value", by.create(**asked), model)
    except InstructorRetryException as error:
        # Its own message repeats the whole completion.
        raise error.__cause__ or error from None


for name, model in {**VALUES, **SHAPES}.items():
    ways = {mode.name: partial(fill, model, mode) for mode in MODES}
    if word := REJECTED.get(name):
        ways = {mode: partial(rejected, fill, word) for mode, fill in ways.items()}
    check(name)(partial(every, ways))

run("instructor", f"instructor {version('instructor')}, openai {version('openai')}")
