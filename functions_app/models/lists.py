"""What people keep of lists: functions they chose, and views they come back to."""

import uuid

from django.conf import settings
from django.db import models


class Selection(models.Model):
    """Functions that somebody chose, as they were found at that moment: no filter is asked again."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="selections")
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    functions = models.JSONField(help_text="keys of functions, in the order of the list")

    def __str__(self) -> str:
        return f"selection of {len(self.functions)} functions"


class SavedView(models.Model):
    """A filter of the functions list with its order and columns, under a name."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="views")
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=4000, blank=True, help_text="as in the list's address")
    shared = models.BooleanField(default=False, help_text="everybody sees it")
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [models.UniqueConstraint(fields=["person", "name"], name="one_view_of_a_name")]

    def __str__(self) -> str:
        return f"view {self.name}"


class DefaultView(models.Model):
    """The view that a person's list opens with."""

    person = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="default_view")
    view = models.ForeignKey(SavedView, models.CASCADE, related_name="+")

    def __str__(self) -> str:
        return f"{self.person} opens with {self.view}"
