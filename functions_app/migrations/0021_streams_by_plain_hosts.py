"""Streams of ECR are kept by the plain host of their registry, as repositories, events and images name it."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from functions_app.domain.errors import DrydockError
from functions_app.domain.refs import ImageRef


def by_plain_hosts(apps: Apps, _: BaseDatabaseSchemaEditor) -> None:
    """Rename them, and have them read; the second of two for one tag is switched off, its releases stay."""
    streams = apps.get_model("functions_app", "BaseStream").objects
    limit = streams.model._meta.get_field("reference").max_length
    for stream in list(streams.filter(own=True).only("reference", "enabled").order_by("pk")):
        try:
            plain = str(ImageRef.parse(stream.reference).canonical)
        except DrydockError:
            continue
        if plain == stream.reference or len(plain) > limit:
            continue
        twin = streams.filter(reference=plain, enabled=True).exists()
        streams.filter(pk=stream.pk).update(
            reference=plain, enabled=stream.enabled and not twin, tag_digest="", next_poll_at=None
        )


class Migration(migrations.Migration):
    dependencies = [("functions_app", "0020_tags_that_were_read")]

    operations = [migrations.RunPython(by_plain_hosts, migrations.RunPython.noop)]
