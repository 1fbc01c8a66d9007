"""What was read of a stream's tags is told tag by tag, no longer by the newest and the oldest of them."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def list_again(apps: Apps, _: BaseDatabaseSchemaEditor) -> None:
    """Have all tags listed once more: between the newest and the oldest there may be some that nobody read."""
    streams = apps.get_model("functions_app", "BaseStream").objects
    for pk, history in list(streams.exclude(history={}).values_list("pk", "history")):
        kept = {name: value for name, value in history.items() if name in ("missing", "again")}
        streams.filter(pk=pk).update(history=kept)


class Migration(migrations.Migration):
    dependencies = [("functions_app", "0019_states_of_versions")]

    operations = [migrations.RunPython(list_again, migrations.RunPython.noop)]
