"""Rows of a run's log: a thousand of six variables would be most of the page's time in a template."""

from collections.abc import Iterable

from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString

from functions_app.services.inventory.runs.run_log import LogRow
from functions_app.web.html.escaped import NOTHING, known

ROW = (
    '<li class="ln {css}" id="L{number}" data-n="{number}">'
    '<a class="no" href="#L{number}" tabindex="-1">{number}</a>'
    '<time title="{exact}">{clock}</time>{level}<span>{text}</span></li>\n'
)


def log_rows(rows: Iterable[LogRow]) -> SafeString:
    """Each line as one line of HTML."""
    return SafeString("".join(map(_row, rows)))


def _row(row: LogRow) -> SafeString:
    return format_html(
        ROW,
        css=known(row.css),
        number=SafeString(row.sequence),  # digits, as the times are
        exact=SafeString(row.exact),
        clock=SafeString(row.clock),
        level=format_html("<b>{}</b>", row.level) if row.level else NOTHING,
        text=conditional_escape(row.text),
    )
