"""How often a patch calls Lambda and ECR: by operation, for so many aliases, where nothing has to be waited for.

Beside these go the push itself, and the reading of the function into the snapshot.
"""

from collections.abc import Mapping


def patch_calls(aliases: int, *, smoke: bool, golden: int = 0, repositories: int = 1) -> Mapping[str, int]:
    """By the names of AWS's operations; each further look while Lambda works is one more GetFunction.

    `golden`: how many golden images are patched before, each of which ECR has to give and may sign; `repositories`: of
    how many the lifecycle rules are looked at.
    """
    invoked = {"Invoke": 1} if smoke else {}
    in_ecr = {"GetLifecyclePolicy": repositories, "BatchGetImage": 1 + aliases + golden}
    in_ecr["DescribeImageSigningStatus"] = 1 + golden
    if not aliases:
        return {"GetFunction": 4, **in_ecr, "PublishVersion": 1, "UpdateFunctionCode": 1, **invoked}
    return {
        "GetFunction": 5 + aliases,  # before the plan is carried out, each step of the code twice, each alias read back
        "GetAlias": 3 * aliases,  # before, when it is pointed, read back
        "GetProvisionedConcurrencyConfig": aliases,
        **in_ecr,
        "UpdateFunctionCode": 1,
        "PublishVersion": 1,
        "UpdateAlias": aliases,
        **invoked,
    }


def lent_calls(
    aliases: int, *, smoke: bool, image: bool, settings: bool, golden: int = 0, repositories: int = 1
) -> Mapping[str, int]:
    """The same where $LATEST is lent to the patch and given back; `image`, `settings`: what of it is changed."""
    return {
        **patch_calls(aliases, smoke=smoke, golden=golden, repositories=repositories),
        # Each change is looked for before and after by three of them; a configuration is compared by two more.
        "GetFunction": 16 + 6 * image + 15 * settings + aliases,
        "UpdateFunctionCode": 2 * image,
        "UpdateFunctionConfiguration": 3 * settings,
        "PublishVersion": 2,
    }
