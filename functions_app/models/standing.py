"""Rows that stand ready for lists and pages: the snapshot makes them of the fleet's, and AWS is not asked for any."""

from django.db import models

from functions_app.domain.fleet.tags import LISTED
from functions_app.models.fleet import FACETS, Function


class FunctionSearch(models.Model):
    """What a search reads of a function that is there: a narrow copy of the columns it filters, counts and orders by.

    Triggers on Function keep it, whoever writes there: services.snapshot.search_index.
    """

    function = models.OneToOneField(Function, models.CASCADE, primary_key=True, related_name="+")
    search_text = models.TextField(blank=True)
    account = models.ForeignKey("Account", models.CASCADE, related_name="+", db_index=False)
    region = models.CharField(max_length=30)
    state = models.CharField(max_length=20, blank=True)
    freshness = models.CharField(max_length=12)
    base_name = models.CharField(max_length=120, blank=True)
    overdue_on = models.DateField(null=True)
    end_of_life_on = models.DateField(null=True)
    problem_rank = models.IntegerField()
    drifted = models.BooleanField()
    partly_read = models.BooleanField()
    unruled = models.BooleanField()
    name = models.CharField(max_length=140)
    last_modified = models.DateTimeField()
    days_behind = models.IntegerField()
    owner = models.CharField(max_length=120, blank=True)
    managed_by = models.CharField(max_length=40, blank=True)
    runtime = models.CharField(max_length=70, blank=True)

    def __str__(self) -> str:
        return self.name


class FunctionCount(models.Model):
    """How many functions of an account stand so, ready for the overview: services.snapshot.function_counts keeps it."""

    account = models.ForeignKey("Account", models.CASCADE, related_name="+", db_index=False)
    what = models.CharField(max_length=20, help_text="function_counts.What")
    name = models.CharField(max_length=300, blank=True, help_text="a freshness, a base, or a reason, by `what`")
    day = models.DateField(null=True, help_text="on which it begins or ends, where that is counted")
    number = models.IntegerField()

    class Meta:
        indexes = [models.Index(fields=["what", "account", "day", "name", "number"], name="counts_by_what")]

    def __str__(self) -> str:
        return f"{self.what} {self.name}: {self.number}"


class AliasStanding(models.Model):
    """How an alias stands, in the columns that the functions list filters and counts by: snapshot.alias_standings."""

    function = models.ForeignKey(Function, models.CASCADE, related_name="standings", db_index=False)
    account = models.ForeignKey("Account", models.CASCADE, related_name="+", db_index=False)
    region = models.CharField(max_length=30)
    alias = models.CharField(max_length=130)
    state = models.CharField(max_length=20, blank=True)
    freshness = models.CharField(max_length=12)
    base_name = models.CharField(max_length=120, blank=True)
    overdue_on = models.DateField(null=True)
    runtime = models.CharField(max_length=70, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["alias", *FACETS, "function"], name="standings_by_alias"),
            # Without the function: PostgreSQL keeps equal rows once then, and counts by a twelfth of the pages.
            models.Index(fields=["alias", *FACETS], name="standings_to_count"),
            models.Index(fields=["alias", "runtime", *FACETS, "function"], name="standings_by_runtime"),
            models.Index(fields=["function", "alias", *FACETS, "runtime"], name="standings_of_function"),
        ]

    def __str__(self) -> str:
        return f"{self.function_id}:{self.alias} {self.freshness}"


class FunctionTag(models.Model):
    """A tag of a function (team=red), in the columns that the list filters and counts by: snapshot.function_tags."""

    function = models.ForeignKey(Function, models.CASCADE, related_name="tag_rows", db_index=False)
    name = models.CharField(max_length=LISTED, help_text="KEY=VALUE: AWS allows 128 and 256 characters")
    account = models.ForeignKey("Account", models.CASCADE, related_name="+", db_index=False)
    region = models.CharField(max_length=30)
    state = models.CharField(max_length=20, blank=True)
    freshness = models.CharField(max_length=12)
    base_name = models.CharField(max_length=120, blank=True)
    overdue_on = models.DateField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["name", *FACETS, "function"], name="function_tags_by_name"),
            models.Index(fields=["function", "name"], name="function_tags_of_one"),
        ]

    def __str__(self) -> str:
        return f"{self.function_id}: {self.name}"


class BaseUse(models.Model):
    """Something live on a base: a function's version under an alias; who stands on a golden image, on each base of it.

    Ready for the pages of bases, with what they sort and group by: the snapshot's base_use_rows writes it.
    """

    stream = models.ForeignKey("BaseStream", models.CASCADE, related_name="uses", db_index=False)
    release = models.ForeignKey(
        "BaseRelease", models.CASCADE, null=True, related_name="+", db_index=False, help_text="null: an unknown one"
    )
    nearest = models.ForeignKey(
        "BaseRelease", models.CASCADE, null=True, related_name="+", db_index=False, help_text="the image's own base"
    )
    function = models.ForeignKey(Function, models.CASCADE, related_name="base_uses")
    account = models.ForeignKey("Account", models.CASCADE, related_name="+", db_index=False)
    name = models.CharField(max_length=140, help_text="the function's")
    region = models.CharField(max_length=30)
    owner = models.CharField(max_length=120, blank=True)
    alias = models.CharField(max_length=130, blank=True, help_text="empty: calls go to $LATEST")
    version = models.CharField(max_length=20)
    overdue_on = models.DateField(null=True)

    class Meta:
        # Everything a page reads of a stream's users, in the order it shows them, from one index.
        indexes = [
            models.Index(
                fields=[
                    "stream", "name", "function", "version", "alias", "release", "nearest", "overdue_on",
                    "account", "region", "owner",
                ],
                name="base_uses_by_name",
            ),
            models.Index(fields=["stream", "function", "release", "nearest", "overdue_on"], name="base_uses_to_count"),
            # Who runs one release: counted, and the first few named.
            models.Index(
                fields=["stream", "release", "name", "function", "version", "overdue_on", "account"],
                name="base_uses_by_release",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.function_id}:{self.alias or self.version} on {self.stream_id}"


class FleetRevision(models.Model):
    """One row that counts the visible changes of the fleet: open pages compare it and read themselves anew."""

    revision = models.BigIntegerField(default=0)
    at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return str(self.revision)
