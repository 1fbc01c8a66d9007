"""What each version is configured to is kept, so that it can be shown and compared without asking AWS."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Versions that stand have none until the next sync lists them."""

    dependencies = [("functions_app", "0041_images_summed_with_their_key")]

    operations = [
        migrations.AddField(
            model_name="version",
            name="configuration",
            field=models.JSONField(
                help_text="domain.fleet.configurations, of variables the names alone; null: no listing told it yet",
                null=True,
            ),
        )
    ]
