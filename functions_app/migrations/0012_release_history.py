"""How far back a stream's tags were read, and a pattern of its own for them."""

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def read_again(apps: Apps, _: BaseDatabaseSchemaEditor) -> None:
    """A stream that was to be read anew when the upgrade came is read anew all the same."""
    streams = apps.get_model("functions_app", "BaseStream").objects
    streams.filter(tag_digest="anew").update(tag_digest="", history={"again": True})


class Migration(migrations.Migration):
    dependencies = [("functions_app", "0011_parts_that_were_missed")]

    operations = [
        migrations.AddField("basestream", "tag_pattern", models.CharField(
            blank=True, max_length=200, default="", help_text="tags of its releases, domain.bases.tag_patterns; empty: found by rule"
        ), preserve_default=False),
        migrations.AddField("basestream", "history", models.JSONField(
            default=dict, help_text="how far back its tags were read: domain.bases.history"
        )),
        migrations.RunPython(read_again, migrations.RunPython.noop),
    ]
