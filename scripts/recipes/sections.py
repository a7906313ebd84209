"""Parser of docs/recipes: the sections of its files, with their requirements and commands."""

import re
import shlex
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
RECIPES = ROOT / "docs" / "recipes"


class Broken(Exception):
    """A recipe that can't be run as it is written, with the line and the reason."""


class Section:
    """A section of a recipe: its requirements, and its blocks with the number of their first
    line."""

    def __init__(self, path, heading, line):
        self.path, self.line = path, line
        self.name = path.stem + "/" + re.sub(r"[^a-z0-9]+", "-", heading.lower()).strip("-")
        self.prose = ""
        self.scripts, self.jobs = [], []

    def at(self, line):
        return f"{self.path.relative_to(ROOT)}:{line}"

    def called(self, name):
        return name in (self.path.stem, self.name, self.name.partition("/")[2])

    def needs(self):
        """Returns [(installer, packages)] from `pip install NAME` and the like in the section's
        text."""
        asked = re.findall(r"`(apt-get|pip|npm) install ([^`]+)`", self.prose.replace("\n", " "))
        return [(installer, sorted(shlex.split(packages))) for installer, packages in asked]

    def commands(self):
        return "\n".join(line for _, block in self.scripts + self.jobs for line in block)


def read_recipes():
    sections = []
    for path in sorted(RECIPES.glob("*.md")):
        if path.name == "README.md":
            continue
        section = language = block = None
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if language is not None:
                if line == "```":
                    language = None
                else:
                    block.append(line)
            elif line.startswith("```"):
                language = line[3:].strip()
                block = []
                kinds = {"sh": section and section.scripts, "yaml": section and section.jobs}
                if kinds.get(language) is None:
                    where = f"{path.relative_to(ROOT)}:{number}"
                    sys.exit(f"check-recipes: {where}: only `sh` and `yaml` in a section are run")
                kinds[language].append((number + 1, block))
            elif line.startswith("## "):
                section = Section(path, line[3:], number)
                sections.append(section)
            elif section:
                section.prose += line + "\n"
    return sections
