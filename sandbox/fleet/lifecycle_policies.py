"""The demo fleet's lifecycle policies: one that was meant well, and will delete an image that functions run."""

import json

from moto.ecr.models import ecr_backends

from sandbox.fleet.images import EUROPE, PRODUCTION

TIDY_TOOLS = {
    "rules": [
        {
            "rulePriority": 1,
            "description": "Untagged images go after two weeks",
            "selection": {
                "tagStatus": "untagged",
                "countType": "sinceImagePushed",
                "countUnit": "days",
                "countNumber": 14,
            },
            "action": {"type": "expire"},
        },
        {
            "rulePriority": 2,
            "description": "Keep three releases; nobody thought of functions that are seldom deployed",
            "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 3},
            "action": {"type": "expire"},
        },
    ]
}


def put_policies() -> None:
    """Give platform/tools of production its policy; its oldest image is what nightly-report runs."""
    backend = ecr_backends[PRODUCTION][EUROPE]
    backend.put_lifecycle_policy(PRODUCTION, "platform/tools", json.dumps(TIDY_TOOLS))
