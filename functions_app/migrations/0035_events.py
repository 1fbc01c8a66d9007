from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("functions_app", "0034_approvals"),
    ]

    operations = [
        migrations.CreateModel(
            name="Event",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "number",
                    models.BigIntegerField(
                        help_text="its place, without a gap; null: not yet", null=True, unique=True
                    ),
                ),
                ("at", models.DateTimeField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("run.begun", "run.begun"),
                            ("run.waits", "run.waits"),
                            ("run.ended", "run.ended"),
                            ("plan.waits", "plan.waits"),
                            ("plan.rejected", "plan.rejected"),
                            ("alias.moved", "alias.moved"),
                            ("base.released", "base.released"),
                        ],
                        max_length=20,
                    ),
                ),
                ("text", models.CharField(max_length=300)),
                (
                    "arn",
                    models.CharField(blank=True, help_text="of the function; '' where it is of none", max_length=300),
                ),
                ("run_number", models.BigIntegerField(db_index=True, help_text="the key of its run", null=True)),
                ("facts", models.JSONField(default=dict, help_text="what is the kind's own")),
            ],
        ),
    ]
