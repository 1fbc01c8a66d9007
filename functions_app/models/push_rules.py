"""Rules that deploy what is pushed: one for an alias of a function, for the person who made it."""

from django.conf import settings
from django.db import models


class PushRule(models.Model):
    """When this tag of this repository moves, its image is planned for an alias, or deployed to it."""

    class Mode(models.TextChoices):
        """How far it goes by itself."""

        PLAN = "plan"  # somebody looks at the plan, and applies it
        DEPLOY = "deploy"

    function = models.ForeignKey("Function", models.CASCADE, related_name="push_rules")
    alias = models.CharField(max_length=128)
    repository = models.ForeignKey("Repository", models.CASCADE, related_name="push_rules")
    tag = models.CharField(max_length=128)
    mode = models.CharField(max_length=10, choices=Mode.choices)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="push_rules")
    person_name = models.CharField(max_length=150, help_text="kept when the person is deleted")
    via = models.CharField(max_length=80, blank=True, help_text="what its maker came through: Actor.via")
    scopes = models.JSONField(default=list, help_text="domain.tokens.TokenScope: what that was made for")
    accounts = models.JSONField(null=True, help_text="AWS's numbers of the accounts that got to; null: all")
    functions = models.JSONField(null=True, help_text="names with * and ? of the functions that got to; null: all")
    confirmed = models.CharField(
        max_length=128, blank=True, help_text="what its maker typed for production; '' nothing"
    )
    created_at = models.DateTimeField()
    digest = models.CharField(max_length=80, blank=True, help_text="what the tag named at the last push carried out")
    turn = models.IntegerField(default=0, help_text="pushes carried out: the next one's plan is made once")
    wanted_at = models.DateTimeField(null=True, db_index=True, help_text="from when on somebody is to look at the tag")
    tries = models.IntegerField(default=0, help_text="refusals of this push that may pass by themselves")
    held_until = models.DateTimeField(null=True, help_text="a worker is at it, or died by then")
    told = models.CharField(max_length=500, blank=True, help_text="what became of the last push")
    told_at = models.DateTimeField(null=True)
    plan = models.ForeignKey("Plan", models.SET_NULL, null=True, related_name="+", help_text="of the last push")
    stopped_at = models.DateTimeField(
        null=True, help_text="its person, or its token, may not change functions any more"
    )

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["function", "alias"], name="one_push_rule_of_an_alias")]

    def __str__(self) -> str:
        return f"push rule {self.pk}: {self.repository.name}:{self.tag} to {self.function.name}:{self.alias}"
