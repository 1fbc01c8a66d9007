"""What a repository holds is summed by what each image is."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("functions_app", "0015_what_some_functions_have")]

    operations = [
        migrations.RemoveIndex("image", "images_to_sum"),
        migrations.AddIndex(
            "image",
            models.Index(
                fields=["repository", "gone_at", "role", "digest", "status", "size_bytes", "pushed_at"],
                name="images_to_sum",
            ),
        ),
    ]
