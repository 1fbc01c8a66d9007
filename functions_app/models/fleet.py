"""Image functions with their versions and aliases, as Lambda last showed them.

What the functions page sorts and filters by is kept ready in columns of Function (the snapshot's function_summaries
writes them), so that any page of ten thousand functions costs a constant number of queries.
"""

from typing import Any

from django.db import models

from functions_app.domain.bases.freshness import Freshness

FACETS = ("account", "region", "state", "freshness", "base_name", "overdue_on")
# what the overview counts by, read from one index
NEEDS = (
    "account", "freshness", "base_name", "state", "problem_rank", "drifted", "partly_read", "unruled", "overdue_on",
    "end_of_life_on",
)  # fmt: skip

NAMED: tuple[tuple[str, dict[str, Any], tuple[str, ...]], ...] = (
    ("functions_broken", {}, ("-problem_rank",)),
    ("functions_inactive", {"state": "Inactive"}, ()),
    ("functions_overdue", {"overdue_on__isnull": False}, ("overdue_on",)),
    ("functions_moved", {"drifted": True}, ()),
    ("functions_partly_read", {"partly_read": True}, ()),
    ("functions_unruled", {"unruled": True}, ()),
)


class Function(models.Model):
    """An image function. Environment values never come here: keys only."""

    gone_at = models.DateTimeField(null=True)
    search_text = models.TextField(blank=True, help_text="lower case: name, aliases, digests, tags, owner, base")
    account = models.ForeignKey("Account", models.CASCADE, related_name="functions")
    region = models.CharField(max_length=30)
    name = models.CharField(max_length=140)
    arn = models.CharField(max_length=300, unique=True)
    description = models.CharField(max_length=300, blank=True)
    architecture = models.CharField(max_length=20)
    memory_mb = models.IntegerField()
    timeout_s = models.IntegerField()
    ephemeral_mb = models.IntegerField(default=512)
    role_arn = models.CharField(max_length=700, blank=True, help_text="its path alone may have 512 characters")
    log_group = models.CharField(max_length=520, blank=True)
    env_keys = models.JSONField(default=list)
    image_settings = models.JSONField(default=dict, help_text="ImageConfig overrides: entrypoint, command, workdir")
    features = models.JSONField(
        default=dict, help_text="of Managed Instances, durable, tenant-isolated, with a GPU: domain.fleet.functions"
    )
    tags = models.JSONField(default=dict)
    last_modified = models.DateTimeField()
    revision_id = models.CharField(max_length=60)
    digest = models.CharField(max_length=80, db_index=True, help_text="what $LATEST runs")
    image_uri = models.CharField(max_length=600, blank=True, help_text="as deployed: by tag or by digest")
    detailed_revision = models.CharField(max_length=60, blank=True, help_text="revision GetFunction was last read at")

    # the worst of what calls reach: every version has a state of its own
    state = models.CharField(max_length=20, blank=True)
    state_reason = models.CharField(max_length=500, blank=True)
    state_reason_code = models.CharField(max_length=60, blank=True)
    last_update_status = models.CharField(max_length=20, blank=True)
    last_update_reason = models.CharField(max_length=500, blank=True)
    last_update_reason_code = models.CharField(max_length=60, blank=True)

    # When the reading began that the columns are from; one that began earlier never overwrites them.
    synced_at = models.DateTimeField()
    detailed_at = models.DateTimeField(null=True, help_text="of $LATEST: state, tags and image URI (GetFunction)")
    aliases_synced_at = models.DateTimeField(null=True)
    missed = models.JSONField(
        default=dict,
        help_text="parts that the last attempt did not get, with why: domain.fleet.parts",
    )
    partly_read = models.BooleanField(default=True, help_text="some part is missing, or was never read")
    histories_from = models.DateTimeField(
        null=True, help_text="another function of this name was known before: what is older is not this one's"
    )

    # ready for the list: the worst of what is live (aliases' versions; $LATEST where there is no alias)
    freshness = models.CharField(max_length=12, choices=Freshness.choices(), default=Freshness.UNKNOWN.value)
    freshness_reason = models.CharField(max_length=300, blank=True)
    releases_behind = models.IntegerField(default=0)
    days_behind = models.IntegerField(default=0)
    overdue_on = models.DateField(null=True, help_text="the day from which its base is overdue by the policy that fits")
    unruled = models.BooleanField(default=False, help_text="its base is stale or over, and no policy speaks of it")
    end_of_life_on = models.DateField(null=True, help_text="first end of runtime or OS among what is live")
    base_name = models.CharField(max_length=120, blank=True, help_text="stream of the worst live image: python:3.12")
    runtime = models.CharField(max_length=70, blank=True, help_text="that image's, as its base tells it: python3.12")
    problem_rank = models.IntegerField(default=0, help_text="worst first: domain.fleet.states")
    problem = models.CharField(max_length=300, blank=True, help_text="the one line that says what is wrong")
    alias_chips = models.JSONField(
        default=list, help_text="[{name, version, digest, freshness, reason, overdue_on, second_..., drifted}]"
    )
    drifted = models.BooleanField(default=False, help_text="a tag it was deployed by points elsewhere now")
    owner = models.CharField(max_length=120, blank=True)
    managed_by = models.CharField(max_length=40, blank=True, help_text="terraform, cloudformation, serverless or empty")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "region", "name"], name="one_function")]
        # Each order carries the facets' columns at its end, so that any filter is decided within the index.
        indexes = [
            models.Index(
                fields=["gone_at", "-problem_rank", "name", "id", *FACETS, "runtime"], name="functions_by_problem"
            ),
            models.Index(fields=["gone_at", "name", "id", *FACETS, "runtime"], name="functions_by_name"),
            models.Index(fields=["gone_at", "-last_modified", "id", *FACETS, "runtime"], name="functions_by_change"),
            models.Index(fields=["gone_at", "-days_behind", "name", "id", *FACETS, "runtime"], name="functions_by_age"),
            models.Index(fields=["gone_at", *FACETS, "runtime"], name="functions_by_facet"),
            models.Index(fields=["gone_at", "owner", *FACETS], name="functions_by_owner"),
            models.Index(fields=["gone_at", "managed_by", *FACETS], name="functions_by_tool"),
            models.Index(fields=["gone_at", *NEEDS], name="functions_by_need"),
            # The few that the overview names of each kind; the account lets one account's be told within the index.
            # A column that is null is no order to PostgreSQL: what is gone is left out by the condition.
            *(
                models.Index(
                    fields=[*order, "name", "id", "account"], condition=models.Q(gone_at=None, **kind), name=name
                )
                for name, kind, order in NAMED
            ),
        ]

    def __str__(self) -> str:
        return self.arn


class Version(models.Model):
    """A published version, or $LATEST, and the digest it runs. A published version's code never changes."""

    function = models.ForeignKey(Function, models.CASCADE, related_name="versions")
    number = models.CharField(max_length=20, help_text='"$LATEST", "$LATEST.PUBLISHED" or digits')
    ordinal = models.BigIntegerField(help_text="the number; $LATEST is 0, $LATEST.PUBLISHED -1")
    digest = models.CharField(max_length=80, db_index=True)
    image = models.ForeignKey("Image", models.SET_NULL, null=True, related_name="versions")
    image_uri = models.CharField(
        max_length=600, blank=True, help_text="as AWS gives it for this version; empty: GetFunction was not asked yet"
    )
    deployed_tag = models.CharField(
        max_length=300, blank=True, help_text="the tag it was chosen by in Drydock, which deploys the digest alone"
    )
    description = models.CharField(max_length=300, blank=True)
    last_modified = models.DateTimeField()
    configuration = models.JSONField(
        null=True, help_text="domain.fleet.configurations, of variables the names alone; null: no listing told it yet"
    )

    # Its own state, last update and image_uri: GetFunction with the version as qualifier.
    state = models.CharField(max_length=20, blank=True)
    state_reason = models.CharField(max_length=500, blank=True)
    state_reason_code = models.CharField(max_length=60, blank=True)
    last_update_status = models.CharField(max_length=20, blank=True)
    last_update_reason = models.CharField(max_length=500, blank=True)
    last_update_reason_code = models.CharField(max_length=60, blank=True)
    detailed_at = models.DateTimeField(null=True, help_text="when the reading of these began; null: not known")
    detail_problem = models.JSONField(null=True, help_text="why they could not be read the last time")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["function", "number"], name="one_version")]
        indexes = [
            # Asked of every function, had by few: PostgreSQL looked through all versions.
            models.Index(
                fields=["function"], condition=models.Q(number="$LATEST.PUBLISHED"), name="published_versions"
            ),
            models.Index(fields=["image", "function"], name="versions_by_image"),
        ]

    def __str__(self) -> str:
        return f"{self.function.name}:{self.number}"


class Alias(models.Model):
    """An alias: one version, or two with the second's weight (0 to 1)."""

    function = models.ForeignKey(Function, models.CASCADE, related_name="aliases")
    name = models.CharField(max_length=130)
    description = models.CharField(max_length=300, blank=True)
    version = models.CharField(max_length=20)
    second_version = models.CharField(max_length=20, blank=True)
    second_weight = models.FloatField(default=0)
    revision_id = models.CharField(max_length=60)
    synced_at = models.DateTimeField()
    # ready for the overview: services.snapshot.rollback_targets writes them with the function's summary
    rollback_targets = models.IntegerField(null=True, help_text="versions it could go back to now; null: not counted")
    rollback_lost = models.IntegerField(default=0, help_text="earlier versions it can't go back to any more")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["function", "name"], name="one_alias")]
        indexes = [
            models.Index(
                fields=["rollback_lost", "name"],
                condition=models.Q(rollback_targets=0),
                name="aliases_with_no_way_back",
            )
        ]

    def __str__(self) -> str:
        return f"{self.function.name}:{self.name}"


class FunctionTriggers(models.Model):
    """What calls a function, by which qualifier: as AWS told it when somebody asked, or a sync in turn."""

    function = models.OneToOneField(Function, models.CASCADE, related_name="triggers")
    read_at = models.DateTimeField(help_text="when the reading began")
    found = models.JSONField(help_text="domain.fleet.triggers.Triggers, with why parts could not be read")

    def __str__(self) -> str:
        return f"triggers of {self.function_id}"


class AliasMove(models.Model):
    """One state an alias was seen in or put into: the history that rollback chooses from."""

    function = models.ForeignKey(Function, models.CASCADE, related_name="alias_moves")
    alias = models.CharField(max_length=130)
    version = models.CharField(max_length=20, help_text="what it points to since then; empty: alias deleted")
    second_version = models.CharField(max_length=20, blank=True)
    second_weight = models.FloatField(default=0)
    at = models.DateTimeField()
    run = models.ForeignKey("Run", models.SET_NULL, null=True, related_name="alias_moves")

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["at", "id"], name="alias_moves_by_time")]

    def __str__(self) -> str:
        return f"{self.function.name}:{self.alias} -> {self.version}"
