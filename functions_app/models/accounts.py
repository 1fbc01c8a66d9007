"""AWS accounts and what the last sync of each account and region found."""

from django.db import models

from functions_app.domain.changes.approvals import Approval


class Account(models.Model):
    """An AWS account Drydock looks after, by its own credentials or through a role it assumes."""

    name = models.CharField(max_length=80, unique=True)
    account_id = models.CharField(max_length=12, unique=True)
    colour = models.CharField(max_length=16, default="blue", help_text="a Tabler colour name: blue, red, teal ...")
    regions = models.JSONField(default=list, help_text='["eu-west-1", "us-east-1"]')
    role_arn = models.CharField(max_length=200, blank=True, help_text="empty: the environment's own credentials")
    external_id = models.CharField(max_length=200, blank=True)
    enabled = models.BooleanField(default=True)
    production_aliases = models.JSONField(
        default=list, help_text='["live", "prod*"]: which of its aliases carry production traffic; []: the default'
    )
    approval = models.CharField(
        max_length=10,
        choices=[(each.value, each.label) for each in Approval],
        default=Approval.BOTS,
        help_text="whose changes of those an approver has to agree to",
    )

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return f"{self.name} ({self.account_id})"


class Scope(models.Model):
    """One account in one region: the unit of sync, with its age and what went wrong last."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="scopes")
    region = models.CharField(max_length=30)
    attempted_at = models.DateTimeField(null=True)
    synced_at = models.DateTimeField(null=True, help_text="when the last sync that succeeded ended")
    problem = models.JSONField(null=True, help_text="domain.errors.Problem of the last attempt, or null")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "region"], name="one_scope")]

    def __str__(self) -> str:
        return f"{self.account.name} {self.region}"
