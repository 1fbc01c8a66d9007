"""Since when a token has the text that it has: one that was rotated lives as long as it was made for."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """A column that older workers never write."""

    dependencies = [("functions_app", "0038_push_rule_makers")]

    operations = [
        migrations.AddField(
            model_name="apitoken",
            name="rotated_at",
            field=models.DateTimeField(null=True, help_text="since when it has the text that it has"),
        )
    ]
