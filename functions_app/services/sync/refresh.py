"""Read one function anew, now: before and after a change of it."""

from django.db.models import Q

from functions_app.domain.bases.detection import is_of_an_unread
from functions_app.domain.errors import DrydockError
from functions_app.domain.refs import repository_of
from functions_app.models import Function, Image, Repository, Run
from functions_app.services.bases.verdicts import judge_images
from functions_app.services.snapshot.function_summaries import refresh_summaries
from functions_app.services.snapshot.scope_reading import ScopeRead
from functions_app.services.sync.functions import read_one
from functions_app.services.sync.images import inspect_new, read_repository
from functions_app.services.sync.scopes import opened
from functions_app.services.sync.version_images import link_versions


def refresh_function(function: Function, run: Run | None = None) -> Function:
    """Read one function with its versions and aliases now and bring its row up to date; `run` is who moved aliases.

    Raises DrydockError; NOT_FOUND where the function is gone, which its row then says.
    """
    scope = opened(function.account, function.region, True)
    read_one(function, scope, run)
    link_versions(scope, function_id=function.pk)
    _read_pushed_since(function.pk, scope)
    _judge_read(function.pk, scope)
    refresh_summaries([function.pk])
    return Function.objects.get(pk=function.pk)


def _read_pushed_since(function_id: int, scope: ScopeRead) -> None:
    """What $LATEST runs may have been pushed after the last sync: then its repository is read. Where a sync that is at
    it has listed the image and not read it yet, that alone is.
    """
    row = Function.objects.get(pk=function_id)
    latest = row.versions.filter(ordinal=0, image__isnull=False).select_related("image").first()
    if latest is not None and latest.image is not None:
        if latest.image.inspected_at is None:
            inspect_new(scope, Q(pk=latest.image.pk))
        return
    own = Repository.objects.filter(account=row.account, region=row.region, gone_at=None)
    repository = own.filter(uri=repository_of(row.image_uri)).first()
    if repository is None:
        return
    try:
        read_repository(scope, repository)
    except DrydockError as error:
        scope.fail(error)  # ECR may be closed to us: the function's own facts are stored all the same
        return
    link_versions(scope, function_id=function_id)


def _judge_read(function_id: int, scope: ScopeRead) -> None:
    """What was read just now tells its base on the pages at once, also where a sync read it that judges at its end."""
    read = Image.objects.filter(inspected_at__isnull=False, inspect_problem__isnull=True, base_stream=None)
    rows = read.filter(versions__function=function_id).values_list("pk", "base_evidence")
    if unjudged := {*scope.images, *(pk for pk, evidence in rows if is_of_an_unread(evidence))}:
        judge_images(unjudged)
