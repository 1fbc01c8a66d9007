"""A link code is for one bot: any other that hears it would speak as its person."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Codes that stand have no bot, and are worth nothing; older servers make such."""

    dependencies = [("functions_app", "0039_rotated_tokens")]

    operations = [
        migrations.AddField(
            model_name="linkcode",
            name="token",
            field=models.ForeignKey(
                help_text="of the bot that may hear it; null: none",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="functions_app.apitoken",
            ),
        )
    ]
