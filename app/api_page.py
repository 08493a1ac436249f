"""The API's documentation as one page that loads nothing: made of what /openapi.json says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
}
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem; }
h2 { font: 600 1rem ui-monospace, monospace; border-top: 1px solid #8886; padding-top: 1rem; }
table { border-collapse: collapse; } td { padding: .1rem 1rem .1rem 0; vertical-align: top; }
code { font-family: ui-monospace, monospace; } :root { color-scheme: light dark; }
"""


def page_of(schema: Mapping[str, Any]) -> str:
    """Return the page for an OpenAPI schema."""
    info = schema["info"]
    body = "".join(
        _operation(schema, f"{method.upper()} {path}", told)
        for path, methods in schema["paths"].items()
        for method, told in methods.items()
    )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(info["title"])}'
        f"</title><style>{STYLE}</style><h1>{escape(info['title'])}</h1>"
        f"<p>{escape(info['summary'])} Whatever cannot be answered is told as "
        "<code>{&quot;error&quot;: &quot;...&quot;}</code>. The same for machines: "
        f'<a href="/openapi.json">/openapi.json</a>.</p>{body}</html>'
    )


def _operation(schema: Mapping[str, Any], name: str, told: Mapping[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(name)}</code>{' *' if needed else ''}</td>"
        f"<td>{escape(_kind(form))}</td><td>{escape(form.get('description', ''))}</td></tr>"
        for name, form, needed in _inputs(schema, told)
    )
    table = f"<table>{rows}</table>" if rows else ""
    return f"<h2>{escape(name)}</h2><p>{escape(told.get('description', ''))}</p>{table}"


def _inputs(
    schema: Mapping[str, Any], told: Mapping[str, Any]
) -> Iterator[tuple[str, Mapping[str, Any], bool]]:
    """Yield what an operation takes: name, schema, whether it must be given."""
    for parameter in told.get("parameters", ()):
        form = {**parameter["schema"], "description": parameter.get("description", "")}
        yield parameter["name"], form, parameter["required"]
    for content in told.get("requestBody", {}).get("content", {}).values():
        body = schema["components"]["schemas"][content["schema"]["$ref"].rsplit("/", 1)[1]]
        for name, form in body["properties"].items():
            yield name, form, name in body.get("required", ())


def _kind(form: Mapping[str, Any]) -> str:
    choices = [choice for choice in form.get("anyOf", [form]) if choice.get("type") != "null"]
    is_file = any("contentMediaType" in choice or "format" in choice for choice in choices)
    kinds = ["file" if is_file else str(choice.get("type", "")) for choice in choices]
    default = form.get("default")
    return " or ".join(kinds) + (f", else {default}" if default not in (None, "") else "")
