"""Tenant isolation: who must name a tenant in a call, and who must not."""

from __future__ import annotations

from sandbox.core.protocol import Call
from sandbox.lambda_.image_rules import invalid
from sandbox.lambda_.model import Function


def check_tenant(call: Call, function: Function) -> None:
    """A tenant-isolated function needs a tenant's id, any other takes none. Raises InvalidParameterValueException.

    Source: "Tenant isolation", Lambda developer guide; the words of the messages are not documented [i].
    """
    isolated = "TenancyConfig" in function.latest.settings.extras
    if isolated and not call.get("TenantId"):
        raise invalid("The invoked function is enabled with tenancy configuration. Add a valid tenant ID.")
    if call.get("TenantId") and not isolated:
        raise invalid("The invoked function is not enabled with tenancy configuration. Remove the tenant ID.")
