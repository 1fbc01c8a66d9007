"""A row of the list of runs, one format each: an open list draws them anew every three seconds."""

from collections.abc import Iterable

from django.utils.html import format_html
from django.utils.safestring import SafeString

from functions_app import clock
from functions_app.domain.health.stranded import Stranded
from functions_app.services.inventory.runs.run_list import RunRow
from functions_app.web.html.addresses import address
from functions_app.web.html.badges import run_status
from functions_app.web.html.breaks import breakable
from functions_app.web.html.escaped import NOTHING, known
from functions_app.web.html.icons import icon
from functions_app.web.html.times import TIME, ago, parts

ROW = (
    '<tr data-row id="run-{pk}"><th scope="row"><a class="name" href="{href}">{title}</a>'
    '<span class="place"><span>Run {pk}</span>{why}</span>{stranded}</th>'
    '<td data-h="Status">{status}</td><td data-h="Kind">{kind}</td><td data-h="Steps" class="nb">{steps}</td>'
    '<td data-h="By" class="nb">{actor}</td><td data-h="Started" class="nb">' + TIME + "</td>"
    '<td data-h="Took" class="nb">{took}</td></tr>'
)
WHY = '<span class="wrap">{}</span>'
STRANDED = ' <span class="stranded">{}{} {}</span>'


def run_rows(rows: Iterable[RunRow]) -> SafeString:
    """The runs of a page, a row each."""
    return SafeString("".join(map(_row, rows)))


def _row(row: RunRow) -> SafeString:
    return format_html(
        ROW,
        pk=known(str(row.pk)),
        href=address("run", row.pk),
        title=breakable(row.title),
        why=format_html(WHY, breakable(row.why)) if row.why else NOTHING,
        stranded=_stranded(row.stranded) if row.stranded else NOTHING,
        status=run_status(row.status),
        kind=known(row.kind),
        steps=known(row.steps),
        actor=known(row.actor),
        took=known(row.took),
        **parts(row.created_at, clock.now()),
    )


def _stranded(found: Stranded) -> SafeString:
    return format_html(STRANDED, icon("alert-triangle"), found.words, ago(found.since))
