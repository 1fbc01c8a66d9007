"""Stored state, one file per family of tables."""

from functions_app.models.access import ApiToken, AuditEntry, BrowserSession, GridChoice, KeptAnswer
from functions_app.models.accounts import Account, Scope
from functions_app.models.bases import BaseRelease, BaseStream, FreshnessDay, FreshnessPolicy, LayerFiles
from functions_app.models.chat import ChatLink, LinkCode, PlanCode
from functions_app.models.events import Event
from functions_app.models.fleet import Alias, AliasMove, Function, FunctionTriggers, Version
from functions_app.models.images import Image, ImageScan, LifecycleForecast, Repository, Tag, TagMove
from functions_app.models.lists import DefaultView, SavedView, Selection
from functions_app.models.push_rules import PushRule
from functions_app.models.runs import LogLine, Plan, RebuildRequest, Run, RunStep, Signal, SmokeTest
from functions_app.models.standing import (
    AliasStanding,
    BaseUse,
    FleetRevision,
    FunctionCount,
    FunctionSearch,
    FunctionTag,
)

__all__ = [
    "Account",
    "Alias",
    "AliasMove",
    "AliasStanding",
    "ApiToken",
    "AuditEntry",
    "BaseRelease",
    "BaseStream",
    "BaseUse",
    "BrowserSession",
    "ChatLink",
    "DefaultView",
    "Event",
    "FleetRevision",
    "FreshnessDay",
    "FreshnessPolicy",
    "Function",
    "FunctionCount",
    "FunctionSearch",
    "FunctionTag",
    "FunctionTriggers",
    "GridChoice",
    "Image",
    "ImageScan",
    "KeptAnswer",
    "LayerFiles",
    "LifecycleForecast",
    "LinkCode",
    "LogLine",
    "Plan",
    "PlanCode",
    "PushRule",
    "RebuildRequest",
    "Repository",
    "Run",
    "RunStep",
    "SavedView",
    "Scope",
    "Selection",
    "Signal",
    "SmokeTest",
    "Tag",
    "TagMove",
    "Version",
]
