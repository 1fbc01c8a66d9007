"""What ECR says of images and tags: the status of each image, what it is and belongs to, and the mode of tags."""

from django.db import migrations, models


def listed_were_active(apps, schema_editor):
    """Until now only active images were listed. The mode of tags is not guessed: the next sync reads it."""
    apps.get_model("functions_app", "Image").objects.filter(gone_at=None).update(status="ACTIVE")


class Migration(migrations.Migration):

    dependencies = [("functions_app", "0009_releases_by_when_they_came")]

    operations = [
        migrations.AddField(
            "image",
            "status",
            models.CharField(
                blank=True,
                default="",
                help_text="ECR's imageStatus, read by domain.images.statuses; '': not told",
                max_length=30,
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            "image",
            "artifact_type",
            models.CharField(blank=True, default="", help_text="ECR's artifactMediaType", max_length=200),
            preserve_default=False,
        ),
        migrations.AddField(
            "image",
            "subject",
            models.CharField(
                blank=True, default="", help_text="digest of the image that this artifact is about", max_length=80
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            "image",
            "role",
            models.CharField(
                blank=True, default="", help_text="domain.images.roles.Role; '': not decided yet", max_length=20
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            "image",
            "part_of",
            models.CharField(
                blank=True, default="", help_text="digest of the index or image that it belongs to", max_length=80
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            "repository",
            "tag_mutability",
            models.CharField(
                blank=True,
                default="",
                help_text="ECR's imageTagMutability: domain.images.tag_mutability; '': not told",
                max_length=40,
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            "repository",
            "tag_filters",
            models.JSONField(default=list, help_text="[{kind, pattern}]: the tags excluded from the mode"),
        ),
        migrations.RemoveField("repository", "immutable_tags"),
        migrations.RunPython(listed_were_active, migrations.RunPython.noop),
    ]
