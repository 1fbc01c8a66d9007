"""A page of a list: its rows one below the other, and how to get the next."""

from collections.abc import Callable, Iterable, Mapping

from drydock_cli.failures import Document
from drydock_cli.text import table
from drydock_cli.verbs import Context, Option

CURSOR = Option("cursor", "the page after another, by the cursor that it told", "CURSOR")


def show_page(
    context: Context, path: str, query: Mapping[str, list[str]], rows: str, row: Callable[[Document], Iterable[str]]
) -> None:
    """Show the rows of a list's page."""
    cursor = {"cursor": context.given.cursor} if context.given.cursor else {}
    found = context.server.get(path, {**query, **cursor})
    context.screen.answer(found, table([tuple(row(each)) for each in found[rows]]))
    if found["next"] and not context.screen.as_json:
        context.screen.note(f"{len(found[rows])} of {found['total']}. The next page: --cursor {found['next']}")
