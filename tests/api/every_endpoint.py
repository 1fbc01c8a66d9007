"""Every endpoint of the API, a line each: who may, with which scopes, and what they are answered.

An endpoint without a line fails a test, and so does a line without one (tests/api/test_endpoints.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from functions_app.api import urls
from functions_app.domain.tokens import TokenScope

LOOKS, OPERATES, APPROVES, ITS_MAKER, ADMINISTERS = "viewer", "operator", "approver", "its maker", "administrator"
MAY: Mapping[str, frozenset[str]] = {
    LOOKS: frozenset({"viewer", "operator", "approver", "administrator"}),
    OPERATES: frozenset({"operator", "approver", "administrator"}),
    APPROVES: frozenset({"approver", "administrator"}),
    ITS_MAKER: frozenset({"operator"}),
    ADMINISTERS: frozenset({"administrator"}),
}
READ = frozenset({TokenScope.READ})
CHANGES = frozenset(TokenScope) - {TokenScope.READ, TokenScope.APPROVE}
NONPROD, PATCHES = frozenset({TokenScope.DEPLOY_NONPROD}), frozenset({TokenScope.PATCH})
PROD = frozenset({TokenScope.DEPLOY_PROD})
INVOKES = frozenset({TokenScope.INVOKE})
SETTLES = frozenset({TokenScope.ADMIN})
ANY = frozenset(TokenScope)
ACCOUNT = {"name": "new", "account_id": "9" * 12, "regions": ["eu-west-1"]}


@dataclass(frozen=True)
class Endpoint:
    """Whose person may, which scope (any of these) lets a token in, and the status then; what is sent."""

    who: str
    scopes: frozenset[TokenScope]
    status: int
    thing: str = ""
    body: Mapping[str, Any] = field(default_factory=dict)
    query: str = ""
    refused: int = 403  # others'


ENDPOINTS: dict[tuple[str, str], Endpoint] = {
    ("GET", "list_functions"): Endpoint(LOOKS, READ, 200),
    ("GET", "get_function"): Endpoint(LOOKS, READ, 200, "function"),
    ("GET", "list_versions"): Endpoint(LOOKS, READ, 200, "function"),
    ("GET", "list_aliases"): Endpoint(LOOKS, READ, 200, "function"),
    ("GET", "list_ways_back"): Endpoint(LOOKS, READ, 200, "function"),
    ("GET", "get_patch_targets"): Endpoint(LOOKS, READ, 200, "function"),
    ("GET", "get_configuration"): Endpoint(LOOKS, READ, 200, "function"),
    ("POST", "compare_configurations"): Endpoint(OPERATES, CHANGES, 200, "function"),
    ("GET", "get_triggers"): Endpoint(LOOKS, READ, 200, "function"),
    ("POST", "read_triggers"): Endpoint(OPERATES, CHANGES, 200, "function"),
    ("GET", "get_activity"): Endpoint(LOOKS, READ, 200, "function"),
    ("GET", "search_images"): Endpoint(LOOKS, READ, 200, query="?search=latest"),
    ("GET", "list_image_users"): Endpoint(LOOKS, READ, 200, "image"),
    ("GET", "get_artifacts"): Endpoint(LOOKS, READ, 200, "repository"),
    ("GET", "get_comparison"): Endpoint(LOOKS, READ, 200, "stream"),
    ("GET", "get_image_comparison"): Endpoint(LOOKS, READ, 200, "image", query="?find=2"),
    ("GET", "get_unread"): Endpoint(LOOKS, READ, 200),
    ("POST", "make_selection"): Endpoint(LOOKS, READ, 201),
    ("GET", "get_selection"): Endpoint(ITS_MAKER, READ, 200, "selection"),
    ("POST", "sync_selection"): Endpoint(ITS_MAKER, CHANGES, 202, "selection"),
    ("GET", "list_views"): Endpoint(LOOKS, READ, 200),
    ("POST", "keep_view"): Endpoint(LOOKS, SETTLES, 201, body={"name": "mine"}),
    ("PUT", "open_with_view"): Endpoint(LOOKS, SETTLES, 200, body={"view": None}),
    ("DELETE", "remove_view"): Endpoint(LOOKS, SETTLES, 200, "its view"),
    ("GET", "list_stale"): Endpoint(LOOKS, READ, 200),
    ("GET", "list_at_risk"): Endpoint(LOOKS, READ, 200),
    ("GET", "get_smoke_test"): Endpoint(LOOKS, READ, 200, "function"),
    ("PUT", "keep_smoke_test"): Endpoint(OPERATES, NONPROD, 200, "function", {"status": 200}),
    ("DELETE", "remove_smoke_test"): Endpoint(OPERATES, NONPROD, 200, "function"),
    ("GET", "list_runs"): Endpoint(LOOKS, READ, 200),
    ("GET", "get_run"): Endpoint(LOOKS, READ, 200, "run"),
    ("GET", "get_log"): Endpoint(LOOKS, READ, 200, "run"),
    ("GET", "get_run_events"): Endpoint(LOOKS, READ, 200, "run"),
    ("GET", "list_events"): Endpoint(LOOKS, READ, 200),
    ("POST", "ask_of_run"): Endpoint(OPERATES, PROD, 202, "signal"),  # what the run itself needed
    ("POST", "start_deployment"): Endpoint(
        OPERATES, NONPROD, 200, body={"function": "app:staging", "image": "2"}, query="?dry_run=true"
    ),
    ("POST", "start_rollback"): Endpoint(
        OPERATES, NONPROD, 200, body={"function": "app:staging", "version": "2"}, query="?dry_run=true"
    ),
    ("POST", "start_patch"): Endpoint(OPERATES, CHANGES, 202, body={"function": "app"}),
    ("POST", "start_undo"): Endpoint(OPERATES, PATCHES, 200, "patched", query="?dry_run=true"),
    ("POST", "start_invocation"): Endpoint(OPERATES, INVOKES, 202, body={"function": "app"}),
    ("POST", "start_sync"): Endpoint(OPERATES, CHANGES, 202),
    ("GET", "get_plan"): Endpoint(ITS_MAKER, READ, 200, "plan"),
    ("POST", "apply_plan"): Endpoint(ITS_MAKER, NONPROD, 202, "plan"),
    ("GET", "list_plans"): Endpoint(LOOKS, READ, 200),
    ("POST", "approve_plan"): Endpoint(APPROVES, frozenset(), 202, "waiting"),  # approve, and what the change needs
    ("POST", "reject_plan"): Endpoint(ITS_MAKER, CHANGES, 200, "waiting"),
    ("GET", "list_push_rules"): Endpoint(LOOKS, READ, 200),
    ("POST", "make_push_rule"): Endpoint(OPERATES, NONPROD, 201, body={"function": "app:dev", "image": "main"}),
    ("POST", "remove_push_rule"): Endpoint(OPERATES, NONPROD, 200, "push rule"),
    ("GET", "list_repositories"): Endpoint(LOOKS, READ, 200),
    ("GET", "get_repository"): Endpoint(LOOKS, READ, 200, "repository"),
    ("GET", "list_images"): Endpoint(LOOKS, READ, 200, "repository"),
    ("GET", "get_forecast"): Endpoint(LOOKS, READ, 200, "repository"),
    ("POST", "start_forecast"): Endpoint(OPERATES, CHANGES, 202, "repository"),
    ("POST", "sync_repository"): Endpoint(OPERATES, CHANGES, 202, "repository"),
    ("GET", "get_image"): Endpoint(LOOKS, READ, 200, "image"),
    ("GET", "get_image_files"): Endpoint(LOOKS, READ, 200, "image"),
    ("POST", "read_image_files"): Endpoint(OPERATES, CHANGES, 202, "image"),
    ("GET", "get_scan"): Endpoint(LOOKS, READ, 200, "image"),
    ("POST", "read_scan"): Endpoint(OPERATES, CHANGES, 200, "image"),
    ("GET", "list_bases"): Endpoint(LOOKS, READ, 200),
    ("GET", "get_base"): Endpoint(LOOKS, READ, 200, "stream"),
    ("POST", "start_poll"): Endpoint(OPERATES, CHANGES, 202),
    ("POST", "add_base"): Endpoint(OPERATES, SETTLES, 201, body={"reference": "ghcr.io/acme/base:1"}),
    ("GET", "get_base_settings"): Endpoint(LOOKS, READ, 200, "stream"),
    ("PATCH", "change_base"): Endpoint(OPERATES, SETTLES, 200, "stream", {"enabled": False}),
    ("GET", "list_releases"): Endpoint(LOOKS, READ, 200, "stream"),
    ("POST", "read_release_files"): Endpoint(OPERATES, CHANGES, 202, "stream"),  # sent: releases of the stage
    ("POST", "make_patch_list"): Endpoint(OPERATES, PATCHES, 201),  # sent: the stage's stream
    ("GET", "get_patch_list"): Endpoint(LOOKS, READ, 200, "patch"),
    ("POST", "ask_rebuild"): Endpoint(OPERATES, PATCHES, 422, body={"function": "app"}),  # no pipeline is set
    ("POST", "retry_run"): Endpoint(OPERATES, CHANGES, 202, "failed"),
    ("POST", "invoke_again"): Endpoint(OPERATES, INVOKES, 202, "unsent"),
    ("GET", "list_policies"): Endpoint(LOOKS, READ, 200),
    ("POST", "add_policy"): Endpoint(OPERATES, SETTLES, 201, body={"max_days": 7, "tag_key": "team"}),
    ("GET", "get_policy"): Endpoint(LOOKS, READ, 200, "policy"),
    ("PATCH", "change_policy"): Endpoint(OPERATES, SETTLES, 200, "policy", {"max_days": 7}),
    ("DELETE", "remove_policy"): Endpoint(OPERATES, SETTLES, 200, "policy"),
    ("GET", "list_accounts"): Endpoint(LOOKS, READ, 200),
    ("GET", "get_account"): Endpoint(LOOKS, READ, 200, "account id"),
    ("POST", "add_account"): Endpoint(ADMINISTERS, SETTLES, 201, body=ACCOUNT),
    ("PATCH", "change_account"): Endpoint(ADMINISTERS, SETTLES, 200, "account id", {"colour": "red"}),
    ("GET", "list_people"): Endpoint(ADMINISTERS, frozenset(), 200),
    ("GET", "get_person"): Endpoint(ADMINISTERS, frozenset(), 200, "person"),
    ("PATCH", "change_person"): Endpoint(ADMINISTERS, SETTLES, 200, "person", {"group": "viewer"}),
    ("POST", "sign_out"): Endpoint(ADMINISTERS, SETTLES, 200, "person"),
    ("GET", "list_sessions"): Endpoint(ADMINISTERS, frozenset(), 200),
    ("POST", "end_session"): Endpoint(ADMINISTERS, SETTLES, 200, "session"),
    ("GET", "get_overview"): Endpoint(LOOKS, READ, 200),
    ("GET", "get_last_day"): Endpoint(LOOKS, READ, 200),
    ("GET", "search"): Endpoint(LOOKS, READ, 200, query="?q=app"),
    ("GET", "look_at_own_parts"): Endpoint(ADMINISTERS, frozenset(), 200),
    ("POST", "examine"): Endpoint(ADMINISTERS, SETTLES, 200),
    ("GET", "list_audit"): Endpoint(LOOKS, READ, 200),
    ("GET", "list_tokens"): Endpoint(LOOKS, READ, 200),
    ("GET", "get_token"): Endpoint(LOOKS, READ, 200, "its own"),
    ("POST", "make_token"): Endpoint(
        LOOKS, frozenset({TokenScope.ADMIN}), 201, body={"name": "x", "scopes": ["admin"]}
    ),
    ("POST", "rotate_token"): Endpoint(LOOKS, ANY, 201, "its own"),
    ("POST", "revoke_token"): Endpoint(LOOKS, ANY, 200, "its own"),
    ("POST", "say"): Endpoint(LOOKS, READ, 200, body={"text": "list", "user": "U1"}),
    ("GET", "list_chat_links"): Endpoint(LOOKS, READ, 200),
    ("POST", "unlink_chat_user"): Endpoint(LOOKS, frozenset({TokenScope.ADMIN}), 200, "its link"),
}


@cache
def served() -> dict[tuple[str, str], str]:
    """The method and the name of every endpoint that there is, and its address."""
    paths = urls.API.get_openapi_schema(path_prefix=f"/{urls.PREFIX}")["paths"]
    return {
        (method.upper(), operation["operationId"]): path
        for path, methods in paths.items()
        for method, operation in methods.items()
    }
