"""What docs/commands.md says of every command."""

import json
import re
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parents[3] / "docs" / "commands.md"
_HEADING = re.compile(r"^### `connector ([a-z][a-z -]*[a-z])((?: (?:\[?[A-Z0-9_]+\]?(?:\.\.\.)?))*)`$", re.MULTILINE)
_OPTION = re.compile(r"^\| `(--[a-z-]+)", re.MULTILINE)
_EXAMPLE = re.compile(r"^```json\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def sections() -> dict[str, tuple[str, str]]:
    """Return the arguments and the text of every command's section, by the command's name."""
    text = PAGE.read_text(encoding="utf-8")
    found = list(_HEADING.finditer(text))
    ends = [match.start() for match in found[1:]] + [len(text)]
    return {match[1]: (match[2].strip(), text[match.end() : end]) for match, end in zip(found, ends, strict=True)}


def options(text: str) -> set[str]:
    return set(_OPTION.findall(text))


def examples(text: str) -> list[Any]:
    return [json.loads(example) for example in _EXAMPLE.findall(text)]
