"""Each part of a function keeps why the last attempt did not get it; what was read so far counts as read."""

from django.db import migrations, models


def those_read(apps, schema_editor):
    """Functions of which every part was read are whole; of the others the next sync tells."""
    functions = apps.get_model("functions_app", "Function").objects
    functions.filter(detailed_at__isnull=False, aliases_synced_at__isnull=False).update(partly_read=False)


class Migration(migrations.Migration):

    dependencies = [
        ('functions_app', '0010_what_ecr_says'),
    ]

    operations = [
        migrations.AddField(
            model_name='function',
            name='missed',
            field=models.JSONField(default=dict, help_text='parts that the last attempt did not get: {part: {problem, tried_at}}'),
        ),
        migrations.AddField(
            model_name='function',
            name='partly_read',
            field=models.BooleanField(default=True, help_text='some part is missing, or was never read'),
        ),
        migrations.AddField(
            model_name='repository',
            name='images_problem',
            field=models.JSONField(help_text='why the last attempt at its images failed, or null', null=True),
        ),
        migrations.AddIndex(
            model_name='function',
            index=models.Index(condition=models.Q(('partly_read', True)), fields=['gone_at', 'account', 'name'], name='functions_partly_read'),
        ),
        migrations.RunPython(those_read, migrations.RunPython.noop, elidable=True),
    ]
