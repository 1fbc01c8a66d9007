"""Base streams (`python:3.12`) and every release of each that was ever seen. Releases are kept for ever."""

from django.db import models


class BaseStream(models.Model):
    """A moving tag that application images are built on."""

    name = models.CharField(max_length=120, unique=True, help_text="python:3.12")
    reference = models.CharField(max_length=400, help_text="public.ecr.aws/lambda/python:3.12")
    runtime = models.CharField(max_length=30, blank=True, help_text="key in base-streams.json: python")
    runtime_version = models.CharField(max_length=30, blank=True)
    deprecated_on = models.DateField(null=True, help_text="end of life: no more security patches from then")
    updates_blocked_on = models.DateField(null=True)
    enabled = models.BooleanField(default=True)
    polled_at = models.DateTimeField(null=True, help_text="when the last poll that succeeded ended")
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
    manifest_digest = models.CharField(max_length=80)
    index_digest = models.CharField(max_length=80, blank=True)
    tag = models.CharField(max_length=120, blank=True, help_text="the dated tag, where one is known")
    created_at = models.DateTimeField(help_text="from the image config")
    first_seen_at = models.DateTimeField()
    config = models.JSONField(default=dict)
    size_bytes = models.BigIntegerField(default=0)
    current = models.BooleanField(default=False, help_text="what the moving tag pointed to at the last poll")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["stream", "platform", "chain_id"], name="one_release")]
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.stream.name} {self.tag or self.manifest_digest[:19]} {self.platform}"
