"""Base streams (`python:3.12`) and every release of each that was ever seen. Releases are kept for ever."""

from datetime import datetime

from django.db import models

from functions_app.domain.bases.release_dates import believed


class BaseStream(models.Model):
    """A moving tag that application images are built on."""

    name = models.CharField(max_length=120, unique=True, help_text="python:3.12")
    reference = models.CharField(max_length=400, help_text="public.ecr.aws/lambda/python:3.12")
    runtime = models.CharField(max_length=30, blank=True, help_text="key in base-streams.json: python")
    runtime_version = models.CharField(max_length=30, blank=True)
    deprecated_on = models.DateField(null=True, help_text="end of life: no more security patches from then")
    updates_blocked_on = models.DateField(null=True)
    os = models.CharField(max_length=30, blank=True, help_text="key in base-streams.json: al2023")
    os_end_of_life_on = models.DateField(null=True, help_text="no more security patches for the OS from then")
    platforms = models.JSONField(default=list, help_text='["linux/amd64"]; empty: every platform of the index')
    own = models.BooleanField(default=False, help_text="added by people: a company's base, not one of Lambda's")
    enabled = models.BooleanField(default=True)
    next_poll_at = models.DateTimeField(null=True, help_text="with jitter; null: at once")
    polled_at = models.DateTimeField(null=True, help_text="when the last poll that read the tag began")
    tag_digest = models.CharField(
        max_length=140, blank=True, help_text="what the tag pointed to when all there was could be read; empty: read it"
    )
    tag_pattern = models.CharField(
        max_length=200, blank=True, help_text="tags of its releases, domain.bases.tag_patterns; empty: found by rule"
    )
    history = models.JSONField(default=dict, help_text="how far back its tags were read: domain.bases.history")
    problem = models.JSONField(null=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class BaseRelease(models.Model):
    """One release of a stream for one platform, known by its top chain id (OCI image-spec, config.md: ChainID)."""

    stream = models.ForeignKey(BaseStream, models.CASCADE, related_name="releases")
    platform = models.CharField(max_length=40, help_text="linux/amd64")
    chain_id = models.CharField(max_length=80, db_index=True)
    diff_ids = models.JSONField()
    layers = models.JSONField(default=list, help_text="[{digest, size, media_type}], compressed, from the bottom up")
    manifest_digest = models.CharField(max_length=80)
    index_digest = models.CharField(max_length=80, blank=True)
    tag = models.CharField(max_length=120, blank=True, help_text="the dated tag, where one is known")
    built_at = models.DateTimeField(null=True, help_text="from the image config, where it tells a time that can be")
    created_at = models.DateTimeField(help_text="when it came about, its order: domain.bases.release_dates")
    first_seen_at = models.DateTimeField()
    returned_at = models.DateTimeField(null=True, help_text="when the moving tag last came back to it from a newer one")
    config = models.JSONField(default=dict)
    size_bytes = models.BigIntegerField(default=0)
    current = models.BooleanField(
        default=False, help_text="what the moving tag pointed to at the last poll, or what a patch has made of that"
    )
    patched_from = models.ForeignKey(
        "self", models.SET_NULL, null=True, related_name="+", help_text="its owner's release that a patch made it of"
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["stream", "platform", "chain_id"], name="one_release")]
        # Lists read these columns of every release; beside them a row holds its whole config.
        indexes = [
            models.Index(
                fields=["stream", "-created_at", "platform", "current", "tag", "chain_id"], name="releases_by_age"
            ),
            models.Index(fields=["stream"], condition=models.Q(current=True), name="releases_current"),
        ]
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.stream.name} {self.tag or self.manifest_digest[:19]} {self.platform}"

    @property
    def built(self) -> datetime | None:
        """When it was built; None where nothing that can be believed tells it."""
        return believed(self.built_at, self.created_at)


class LayerFiles(models.Model):
    """What one layer holds, read once per diff id, ever: every image with this layer shares the row."""

    diff_id = models.CharField(max_length=80, unique=True)
    read_at = models.DateTimeField()
    file_count = models.IntegerField(default=0)
    size_bytes = models.BigIntegerField(default=0, help_text="uncompressed")
    files = models.BinaryField(default=b"", help_text="packed contents: domain.layers.packing")
    packed_as = models.PositiveSmallIntegerField(default=1, help_text="the version of domain.layers.packing")
    packages = models.JSONField(default=list, help_text="[{kind, name, version, path}] from package databases in it")
    problem = models.JSONField(null=True)

    def __str__(self) -> str:
        return self.diff_id


class FreshnessPolicy(models.Model):
    """How long a stale base may stay until it is overdue; the most specific one that fits a function counts."""

    account = models.ForeignKey("Account", models.CASCADE, null=True, help_text="null: every account")
    tag_key = models.CharField(max_length=128, blank=True, help_text="a tag of the function; empty: any function")
    tag_value = models.CharField(max_length=256, blank=True, help_text="empty: any value")
    max_days = models.PositiveIntegerField(null=True, help_text="days since the first newer release")
    max_releases = models.PositiveIntegerField(null=True, help_text="releases behind")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "tag_key", "tag_value"], name="one_policy"),
            models.UniqueConstraint(
                fields=["tag_key", "tag_value"], condition=models.Q(account=None), name="one_policy_for_all"
            ),
        ]
        ordering = ["account__name", "tag_key", "tag_value"]

    def __str__(self) -> str:
        tag = "=".join(part for part in (self.tag_key, self.tag_value) if part)
        return " ".join(part for part in (str(self.account or "all accounts"), tag) if part)


class FreshnessDay(models.Model):
    """How many functions stood how on one day, by account and base: the burn-down. The day's last count stays."""

    day = models.DateField(help_text="UTC")
    account = models.ForeignKey("Account", models.CASCADE)
    base_name = models.CharField(max_length=120, blank=True)
    current = models.IntegerField(default=0)
    stale = models.IntegerField(default=0)
    end_of_life = models.IntegerField(default=0)
    unknown = models.IntegerField(default=0)
    overdue = models.IntegerField(default=0, help_text="of the stale and those at their end of life")
    computed = models.BooleanField(
        default=False, help_text="worked out for a day before the first count: domain.bases.days_before"
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["day", "account", "base_name"], name="one_count_a_day")]

    def __str__(self) -> str:
        return f"{self.day} {self.account} {self.base_name}"
