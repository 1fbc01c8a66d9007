from django.db import migrations, models

FIELDS = ["repository", "gone_at", "role", "digest", "status", "size_bytes", "pushed_at", "id"]


class Migration(migrations.Migration):
    dependencies = [("functions_app", "0040_link_codes_of_a_bot")]

    operations = [
        # Of two that serve alike SQLite takes the later one, as long as it has not counted rows: what goes is to be
        # looked for among the few that go.
        migrations.RemoveIndex(model_name="image", name="images_to_sum"),
        migrations.RemoveIndex(model_name="image", name="images_expiring"),
        migrations.AddIndex(model_name="image", index=models.Index(fields=FIELDS, name="images_to_sum")),
        migrations.AddIndex(
            model_name="image",
            index=models.Index(
                fields=["repository", "gone_at"], condition=models.Q(expiry_rule__isnull=False), name="images_expiring"
            ),
        ),
    ]
