"""An OpenAPI document in, a page for people out, which fetches nothing from elsewhere. Pure."""

from collections.abc import Iterator
from html import escape
from typing import Any

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%}"
    "td,th{border-top:1px solid #ccc;padding:.25rem .5rem;text-align:left;vertical-align:top}"
    "code{font-family:ui-monospace,monospace}"
)
_TOKENS = (
    "<p>Every call needs a token of role producer, as <code>Authorization: Bearer</code>. "
    'For programs: <a href="openapi.json">openapi.json</a>.</p>'
)


def page(document: dict[str, Any]) -> str:
    """Return the page of a document: every route, what it takes, every answer."""
    told = document["info"]
    operations = (
        _operation(path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    )
    return "\n".join(
        [
            '<!doctype html><html lang="en"><meta charset="utf-8">',
            f"<title>{escape(told['title'])}</title><style>{_STYLE}</style>",
            f"<h1>{escape(told['title'])}</h1><p>{escape(told['description'])}</p>",
            _TOKENS,
            *("\n".join(lines) for lines in operations),
            "</html>",
        ]
    )


def _operation(path: str, method: str, operation: dict[str, Any]) -> Iterator[str]:
    yield f"<h2><code>{method.upper()} {escape(path)}</code></h2>"
    yield f"<p>{escape(operation['summary'])}</p><table>"
    for parameter in operation["parameters"]:
        yield _row(f"{parameter['in']} {parameter['name']}", parameter["description"])
    for kind in operation.get("requestBody", {"content": {}})["content"]:
        yield _row("body", kind)
    for status, answer in operation["responses"].items():
        yield _row(status, answer["description"])
    yield "</table>"


def _row(name: str, text: str) -> str:
    return f"<tr><th><code>{escape(name)}</code></th><td>{escape(text)}</td></tr>"
