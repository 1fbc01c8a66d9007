"""Counts hold functions not read and functions without a policy too: accounts counted before are counted anew."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('functions_app', '0021_streams_by_plain_hosts'),
    ]

    operations = [
        migrations.RunSQL("DELETE FROM functions_app_functioncount", migrations.RunSQL.noop),
        migrations.RemoveIndex(
            model_name='function',
            name='functions_by_need',
        ),
        migrations.RemoveIndex(
            model_name='function',
            name='functions_partly_read',
        ),
        migrations.RemoveIndex(
            model_name='function',
            name='functions_unruled',
        ),
        migrations.AddIndex(
            model_name='function',
            index=models.Index(fields=['gone_at', 'account', 'freshness', 'base_name', 'state', 'problem_rank', 'drifted', 'partly_read', 'unruled', 'overdue_on', 'end_of_life_on'], name='functions_by_need'),
        ),
        migrations.AddIndex(
            model_name='function',
            index=models.Index(condition=models.Q(('gone_at', None), ('partly_read', True)), fields=['name', 'id', 'account'], name='functions_partly_read'),
        ),
        migrations.AddIndex(
            model_name='function',
            index=models.Index(condition=models.Q(('gone_at', None), ('unruled', True)), fields=['name', 'id', 'account'], name='functions_unruled'),
        ),
    ]
