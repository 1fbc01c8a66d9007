"""What functions of Managed Instances, durable, tenant-isolated and GPU functions have; the next sync fills it."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('functions_app', '0014_default_policy'),
    ]

    operations = [
        migrations.AddField(
            model_name='function',
            name='features',
            field=models.JSONField(default=dict, help_text='of Managed Instances, durable, tenant-isolated, with a GPU: domain.fleet.functions'),
        ),
        migrations.AlterField(
            model_name='function',
            name='missed',
            field=models.JSONField(default=dict, help_text='parts that the last attempt did not get, with why: domain.fleet.parts'),
        ),
        migrations.AlterField(
            model_name='version',
            name='number',
            field=models.CharField(help_text='"$LATEST", "$LATEST.PUBLISHED" or digits', max_length=20),
        ),
        migrations.AlterField(
            model_name='version',
            name='ordinal',
            field=models.BigIntegerField(help_text='the number; $LATEST is 0, $LATEST.PUBLISHED -1'),
        ),
    ]
