"""A patch is one function's from now on; the lists that base pages made are plans of a kind of their own."""


from django.db import migrations, models


def renamed(before, after):
    def rename(apps, schema_editor):
        apps.get_model("functions_app", "Plan").objects.filter(kind=before).update(kind=after)

    return rename


class Migration(migrations.Migration):

    dependencies = [
        ('functions_app', '0024_sessions_with_their_people'),
    ]

    operations = [
        migrations.RunPython(renamed("patch", "patch_list"), renamed("patch_list", "patch")),
        migrations.AlterField(
            model_name='plan',
            name='kind',
            field=models.CharField(choices=[('sync', 'sync'), ('base_poll', 'base_poll'), ('deployment', 'deployment'), ('rollback', 'rollback'), ('invocation', 'invocation'), ('read_files', 'read_files'), ('forecast', 'forecast'), ('patch', 'patch'), ('undo', 'undo'), ('patch_list', 'patch_list')], max_length=20),
        ),
        migrations.AlterField(
            model_name='run',
            name='kind',
            field=models.CharField(choices=[('sync', 'sync'), ('base_poll', 'base_poll'), ('deployment', 'deployment'), ('rollback', 'rollback'), ('invocation', 'invocation'), ('read_files', 'read_files'), ('forecast', 'forecast'), ('patch', 'patch'), ('undo', 'undo'), ('patch_list', 'patch_list')], max_length=20),
        ),
    ]
