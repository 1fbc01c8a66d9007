"""A default policy is shipped, where nobody has ever said anything about policies; what is unread has indexes."""

from django.db import migrations, models


DAYS = 30


def ship_default(apps, schema_editor):
    """Overdue after 30 days. Whoever has policies, or took all away on purpose, has said what they want: no more."""
    policies = apps.get_model("functions_app", "FreshnessPolicy").objects
    said = apps.get_model("functions_app", "AuditEntry").objects.filter(
        action__startswith="freshness_policy.", result__in=("saved", "deleted")
    )
    if not policies.exists() and not said.exists():
        policies.create(account=None, tag_key="", tag_value="", max_days=DAYS, max_releases=None)


class Migration(migrations.Migration):

    dependencies = [
        ('functions_app', '0013_production_and_ticks'),
    ]

    operations = [
        migrations.AddField(
            model_name='function',
            name='unruled',
            field=models.BooleanField(default=False, help_text='its base is stale or over, and no policy speaks of it'),
        ),
        migrations.AddIndex(
            model_name='function',
            index=models.Index(condition=models.Q(('unruled', True)), fields=['gone_at', 'account', 'name'], name='functions_unruled'),
        ),
        migrations.AddIndex(
            model_name='image',
            index=models.Index(condition=models.Q(('gone_at', None), ('inspect_problem__isnull', False), ('inspected_at', None)), fields=['repository'], name='images_unread'),
        ),
        migrations.AddIndex(
            model_name='repository',
            index=models.Index(condition=models.Q(('images_problem__isnull', False)), fields=['gone_at', 'name'], name='repositories_unlisted'),
        ),
        migrations.RunPython(ship_default, migrations.RunPython.noop),
    ]
