"""When a release was built, as far as it tells, apart from when it came about; platforms by their usual names."""

from collections import defaultdict
from datetime import timedelta

from django.db import migrations, models

from functions_app.domain.bases.release_dates import told
from functions_app.domain.images.manifests import Platform
from functions_app.domain.images.platforms import wanted

BEFORE = timedelta(microseconds=1)


def date_anew(apps, schema_editor):
    """Releases kept with a time that cannot be, or that another one tells too, came about when they were first seen."""
    releases = apps.get_model("functions_app", "BaseRelease").objects
    tracks = defaultdict(list)
    columns = ("stream_id", "platform", "created_at", "first_seen_at", "current")
    for row in releases.order_by("pk").only(*columns):
        tracks[row.stream_id, row.platform].append(row)
    for rows in tracks.values():
        same = defaultdict(list)
        for row in rows:
            row.built_at = told(row.created_at, row.first_seen_at)
            same[row.built_at].append(row)
        doubtful = [row for built, those in same.items() if built is None or len(those) > 1 for row in those]
        # Those of one poll were stored from the newest to the oldest, and after them the current one.
        doubtful.sort(key=lambda row: (not row.current, row.pk))
        for place, row in enumerate(doubtful):
            row.created_at = row.first_seen_at - place * BEFORE
        releases.bulk_update(rows, ["built_at", "created_at"], batch_size=500)


def name_platforms_anew(apps, schema_editor):
    """Platforms that were kept as an image spells them, linux/arm64/8 or linux/x86_64, get their usual names."""
    releases = apps.get_model("functions_app", "BaseRelease").objects
    for platform in set(releases.order_by().values_list("platform", flat=True)):
        usual = str(Platform(*platform.split("/"))) if platform.count("/") in (1, 2) else platform
        if usual == platform:
            continue
        for row in releases.filter(platform=platform).only("stream_id", "chain_id"):
            if not releases.filter(stream_id=row.stream_id, platform=usual, chain_id=row.chain_id).exists():
                releases.filter(pk=row.pk).update(platform=usual)
    for stream in apps.get_model("functions_app", "BaseStream").objects.exclude(platforms=[]):
        stream.platforms = list(dict.fromkeys(wanted(platform) for platform in stream.platforms))
        stream.save(update_fields=["platforms"])


class Migration(migrations.Migration):

    dependencies = [("functions_app", "0008_engine_rules")]

    operations = [
        migrations.AddField(
            "baserelease",
            "built_at",
            models.DateTimeField(help_text="from the image config, where it tells a time that can be", null=True),
        ),
        migrations.AddField(
            "baserelease",
            "returned_at",
            models.DateTimeField(help_text="when the moving tag last came back to it from a newer one", null=True),
        ),
        migrations.AlterField(
            "baserelease",
            "created_at",
            models.DateTimeField(help_text="when it came about, its order: domain.bases.release_dates"),
        ),
        migrations.AlterField(
            "image",
            "stale_since",
            models.DateTimeField(help_text="when the next release came, or its own was taken back", null=True),
        ),
        migrations.RunPython(name_platforms_anew, migrations.RunPython.noop),
        migrations.RunPython(date_anew, migrations.RunPython.noop),
    ]
