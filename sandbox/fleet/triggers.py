"""What calls functions of the demo: by the alias, and past it, which nobody meant."""

from sandbox.fleet.images import EUROPE, PRODUCTION
from sandbox.lambda_.model import Function, new_id
from sandbox.lambda_.spaces import space

REGION = EUROPE
QUEUE = f"arn:aws:sqs:{REGION}:{PRODUCTION}:"
API = f"arn:aws:execute-api:{REGION}:{PRODUCTION}:shop/*"


def put_triggers() -> None:
    """API Gateway calls the shop's APIs by their alias; of two workers one is called past it."""
    here = space(PRODUCTION, REGION).functions
    for name in ("orders-api", "checkout-api", "cart-api"):
        _permit(here[name], "live", "apigateway.amazonaws.com", API)
    _map(here["orders-events"], "live", f"{QUEUE}order-events")
    _map(here["orders-worker"], "", f"{QUEUE}orders")
    here["orders-worker"].invoke_configs["live"] = {
        "LastModified": 1_700_000_000.0,
        "FunctionArn": f"{here['orders-worker'].arn}:live",
        "MaximumRetryAttempts": 1,
        "DestinationConfig": {"OnSuccess": {}, "OnFailure": {"Destination": f"{QUEUE}orders-failed"}},
    }
    here["orders-api"].reserved = 50


def _permit(function: Function, qualifier: str, service: str, source: str) -> None:
    function.policies[qualifier] = [
        {
            "Sid": f"{service.partition('.')[0]}-{qualifier}",
            "Effect": "Allow",
            "Principal": {"Service": service},
            "Action": "lambda:InvokeFunction",
            "Resource": f"{function.arn}:{qualifier}",
            "Condition": {"ArnLike": {"AWS:SourceArn": source}},
        }
    ]


def _map(function: Function, qualifier: str, source: str) -> None:
    function.mappings.append(
        {
            "UUID": new_id(),
            "EventSourceArn": source,
            "FunctionArn": f"{function.arn}:{qualifier}" if qualifier else function.arn,
            "BatchSize": 10,
            "State": "Enabled",
            "StateTransitionReason": "USER_INITIATED",
            "LastModified": 1_700_000_000.0,
        }
    )
