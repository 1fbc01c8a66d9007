"""Repositories, images and tags as ECR last showed them, with the verdict on each image's base."""

from django.db import models

from functions_app.domain.bases.freshness import Freshness


class Repository(models.Model):
    """An ECR repository."""

    account = models.ForeignKey("Account", models.CASCADE, related_name="repositories")
    region = models.CharField(max_length=30)
    name = models.CharField(max_length=256)
    arn = models.CharField(max_length=400)
    uri = models.CharField(max_length=400, db_index=True, help_text="HOST/NAME, no tag")
    tag_mutability = models.CharField(
        max_length=40, blank=True, help_text="ECR's imageTagMutability: domain.images.tag_mutability; '': not told"
    )
    tag_filters = models.JSONField(default=list, help_text="[{kind, pattern}]: the tags excluded from the mode")
    created_at = models.DateTimeField(null=True)
    synced_at = models.DateTimeField()
    images_synced_at = models.DateTimeField(null=True, help_text="when the reading of its images and tags began")
    images_problem = models.JSONField(null=True, help_text="why the last attempt at its images failed, or null")
    asked_at = models.DateTimeField(null=True, help_text="an event told of a change that was not read yet")
    gone_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "region", "name"], name="one_repository")]
        indexes = [
            models.Index(
                fields=["gone_at", "name"],
                condition=models.Q(images_problem__isnull=False),
                name="repositories_unlisted",
            )
        ]

    def __str__(self) -> str:
        return self.uri


class Image(models.Model):
    """An image by its digest: facts from ECR, its manifest and config, and the base found in it.

    `gone_at` is set when ECR no longer has it; the row stays while a version points to it.
    """

    repository = models.ForeignKey(Repository, models.CASCADE, related_name="images")
    digest = models.CharField(max_length=80, db_index=True)
    media_type = models.CharField(max_length=120)
    size_bytes = models.BigIntegerField(default=0)
    pushed_at = models.DateTimeField(null=True)
    gone_at = models.DateTimeField(null=True)
    synced_at = models.DateTimeField()
    status = models.CharField(
        max_length=30, blank=True, help_text="ECR's imageStatus, read by domain.images.statuses; '': not told"
    )
    artifact_type = models.CharField(max_length=200, blank=True, help_text="ECR's artifactMediaType")
    subject = models.CharField(max_length=80, blank=True, help_text="digest of the image that this artifact is about")
    role = models.CharField(max_length=20, blank=True, help_text="domain.images.roles.Role; '': not decided yet")
    part_of = models.CharField(max_length=80, blank=True, help_text="digest of the index or image that it belongs to")

    # from manifest and config; read once per digest, ever
    inspected_at = models.DateTimeField(null=True)
    inspect_problem = models.JSONField(null=True)
    is_index = models.BooleanField(default=False)
    os = models.CharField(max_length=30, blank=True)
    architecture = models.CharField(max_length=30, blank=True)
    variant = models.CharField(max_length=30, blank=True)
    created_at = models.DateTimeField(null=True)
    layers = models.JSONField(default=list, help_text="[{digest, size, media_type}]")
    diff_ids = models.JSONField(default=list)
    history = models.JSONField(default=list, help_text="[{created_by, empty_layer, created}]")
    settings = models.JSONField(default=dict, help_text="entrypoint, command, working_directory, env_keys (no values)")
    labels = models.JSONField(default=dict)
    annotations = models.JSONField(default=dict)
    platforms = models.JSONField(default=list, help_text="of an index: os/architecture of each image in it")
    entries = models.JSONField(
        null=True, help_text="of an index: [{digest, platform}], no platform: an attestation; null: not kept yet"
    )

    # the verdict of domain.bases; re-judged after every poll of the base streams
    base_release = models.ForeignKey("BaseRelease", models.SET_NULL, null=True, related_name="images")
    base_stream = models.ForeignKey(
        "BaseStream", models.SET_NULL, null=True, related_name="images", help_text="also where its release is unknown"
    )
    base_lineage = models.JSONField(
        default=list,
        help_text="levels, the nearest first: [{release_id, stream, label, layers, freshness, reason}]",
    )
    base_tier = models.CharField(max_length=12, default="unknown")
    base_evidence = models.JSONField(default=list, help_text="sentences")
    freshness = models.CharField(max_length=12, choices=Freshness.choices(), default=Freshness.UNKNOWN.value)
    freshness_reason = models.CharField(max_length=300, blank=True)
    releases_behind = models.IntegerField(default=0)
    days_behind = models.IntegerField(default=0)
    stale_since = models.DateTimeField(null=True, help_text="when the next release came, or its own was taken back")
    end_of_life_on = models.DateField(null=True, help_text="the first end among runtime and OS, past or to come")

    # what the repository's lifecycle policy would do, by the last forecast; the forecast tells more
    expiry_rule = models.IntegerField(null=True, help_text="priority of the rule that would take it away next")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["repository", "digest"], name="one_image")]
        indexes = [
            # A repository's sums: a row holds manifest and config, too.
            models.Index(
                fields=["repository", "gone_at", "role", "digest", "status", "size_bytes", "pushed_at", "id"],
                name="images_to_sum",
            ),
            models.Index(
                fields=["repository", "gone_at"], condition=models.Q(expiry_rule__isnull=False), name="images_expiring"
            ),
            models.Index(
                fields=["gone_at", "repository", "expiry_rule"],
                condition=models.Q(gone_at__isnull=False),
                name="images_gone",
            ),
            models.Index(
                fields=["repository"],
                condition=models.Q(inspected_at=None, gone_at=None, inspect_problem__isnull=False),
                name="images_unread",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.repository.uri}@{self.digest}"


class Tag(models.Model):
    """What a tag points to now, and since when (as far as Drydock saw)."""

    repository = models.ForeignKey(Repository, models.CASCADE, related_name="tags")
    name = models.CharField(max_length=300)
    digest = models.CharField(max_length=80, db_index=True)
    since = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["repository", "name"], name="one_tag")]
        indexes = [models.Index(fields=["repository", "digest"], name="tags_by_digest")]

    def __str__(self) -> str:
        return self.name


class TagMove(models.Model):
    """A tag that was seen to point elsewhere than before. `to_digest` is empty where it was removed."""

    repository = models.ForeignKey(Repository, models.CASCADE, related_name="tag_moves")
    tag = models.CharField(max_length=300)
    from_digest = models.CharField(max_length=80)
    to_digest = models.CharField(max_length=80, blank=True)
    seen_at = models.DateTimeField()

    class Meta:
        ordering = ["-seen_at"]

    def __str__(self) -> str:
        return f"{self.tag}: {self.from_digest} -> {self.to_digest}"


class ImageScan(models.Model):
    """What ECR's last scan of an image says. No row: Drydock has not asked yet."""

    image = models.OneToOneField(Image, models.CASCADE, related_name="scan")
    status = models.CharField(max_length=40, help_text="ECR's ScanStatus, or NOT_SCANNED where there was none")
    description = models.CharField(max_length=500, blank=True)
    enhanced = models.BooleanField(default=False, help_text="Inspector's findings, which name layers and paths")
    completed_at = models.DateTimeField(null=True)
    severities = models.JSONField(default=dict, help_text="{CRITICAL: 2}")
    findings = models.JSONField(
        default=list, help_text="the worst first: [{name, severity, title, uri, places}]; domain.images.scans.Finding"
    )
    findings_at = models.DateTimeField(null=True, help_text="when the findings were read; null: only their counts")
    due = models.BooleanField(default=False, help_text="ECR lists a scan that differs from the findings read")
    read_at = models.DateTimeField()
    problem = models.JSONField(null=True)

    def __str__(self) -> str:
        return f"scan of {self.image_id}: {self.status}"


class LifecycleForecast(models.Model):
    """What a repository's own lifecycle policy would delete next, by ECR's preview of it."""

    repository = models.OneToOneField(Repository, models.CASCADE, related_name="forecast")
    policy = models.TextField(blank=True, help_text="the policy as it was previewed; empty: there is none")
    expiring = models.JSONField(default=list, help_text="[{digest, tags, rule, action, pushed_at, members}]")
    read_at = models.DateTimeField(null=True, help_text="when a preview last ended")
    attempted_at = models.DateTimeField()
    problem = models.JSONField(null=True)

    def __str__(self) -> str:
        return f"forecast of {self.repository_id}"
