"""The browser's colours and distances, written from tokens.json: `python -m resources.tokens_css` renews web/tokens.css."""

import json
from pathlib import Path
from typing import Any

import resources

_HEAD = "/* Written from tokens.json by `python -m resources.tokens_css`; a test holds the two together. */\n"


def tokens_css() -> str:
    """The style sheet: light by default, dark by the system's wish or by `<html data-theme>`."""
    tokens: dict[str, Any] = json.loads(resources.text("tokens.json"))
    light, dark = (_colours(tokens[theme]) for theme in ("light", "dark"))
    sizes = [f"  --space-{name}: {px}px;" for name, px in tokens["space"].items()]
    sizes += [f"  --radius-{name}: {px}px;" for name, px in tokens["radius"].items()]
    sizes += [f"  --type-{name}: {factor}rem;" for name, factor in tokens["type"].items()]
    sizes += [f"  --size-{_css(name)}: {px}px;" for name, px in tokens["size"].items()]
    indented = dark.replace("  --", "    --")
    return (
        f"{_HEAD}:root {{\n  color-scheme: light dark;\n{light}\n" + "\n".join(sizes) + "\n}\n"
        f":root[data-theme='light'] {{\n  color-scheme: light;\n}}\n"
        f":root[data-theme='dark'] {{\n  color-scheme: dark;\n{dark}\n}}\n"
        f"@media (prefers-color-scheme: dark) {{\n  :root:not([data-theme='light']) {{\n{indented}\n  }}\n}}\n"
    )


def _colours(theme: dict[str, str]) -> str:
    return "\n".join(f"  --{_css(name)}: {value};" for name, value in theme.items())


def _css(name: str) -> str:
    return name.replace("_", "-")


if __name__ == "__main__":
    Path(resources.path("web/tokens.css")).write_text(tokens_css(), encoding="utf-8")
