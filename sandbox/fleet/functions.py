"""The demo fleet's functions: what was deployed to each, in which order, and where its aliases point."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sandbox.fleet.images import REPOSITORIES, Repository

ORDERS, DOCUMENTS, TOOLS, MEDIA, STAGING_ORDERS, STAGING_MEDIA, CATALOG, STAGING_CATALOG = REPOSITORIES


@dataclass(frozen=True)
class Trouble:
    """A state other than Active, with Lambda's reason."""

    state: str
    code: str
    reason: str


@dataclass(frozen=True)
class DemoFunction:
    """A function and its history.

    `deploys` are version tags of the repository's images: the first became version 1, and so on; $LATEST runs the
    last one. `by_tag` says that its deploys named a moving tag instead, which has moved on since. `pulls_from` is the
    repository of its images where that is another account's. `split` maps an alias to its second version and that
    one's share. Timeout in seconds, memory in MB.
    """

    name: str
    repository: Repository
    team: str
    deploys: tuple[str, ...]
    aliases: Mapping[str, int]
    split: Mapping[str, tuple[int, float]] = field(default_factory=dict)
    command: tuple[str, ...] = ()
    by_tag: str = ""
    manager: str = "terraform"
    timeout: int = 30
    memory: int = 512
    description: str = ""
    environment: tuple[str, ...] = ()
    trouble: Trouble | None = None
    pulls_from: Repository | None = None

    @property
    def stage(self) -> str:
        """The stage as people tag it."""
        return "production" if self.repository.account == ORDERS.account else "staging"

    @property
    def variables(self) -> dict[str, str]:
        """Environment variables; the values are made up."""
        extra = {name: f"example-{name.lower().replace('_', '-')}" for name in self.environment}
        return {"STAGE": self.stage, "LOG_LEVEL": "info", **extra}

    @property
    def tags(self) -> dict[str, str]:
        """Owner, team and what manages the function besides its owner."""
        owned = {"owner": f"{self.team}@harbour.example", "team": self.team, "stage": self.stage}
        return {**owned, **_managed_by(self.manager, self.name, self.team, self.repository)}


def _managed_by(manager: str, name: str, team: str, repository: Repository) -> dict[str, str]:
    if manager == "terraform":
        return {"managed-by": "terraform", "terraform:module": f"modules/{team}"}
    if manager == "cloudformation":
        stack = f"{team}-functions"
        return {
            "aws:cloudformation:stack-name": stack,
            "aws:cloudformation:logical-id": "".join(part.capitalize() for part in name.split("-")),
            "aws:cloudformation:stack-id": f"arn:aws:cloudformation:{repository.region}:{repository.account}"
            f":stack/{stack}/5f3c1d20-7a1e-11f0-9d0b-0a58a9feac02",
        }
    return {}


IDLE = Trouble("Inactive", "Idle", "The function was not invoked for weeks. The next invoke wakes it.")
DENIED = Trouble(
    "Failed",
    "ImageAccessDenied",
    "Lambda does not have permission to access the ECR image. Check the ECR permissions.",
)

SHOP = (
    DemoFunction(
        "orders-api",
        ORDERS,
        "orders",
        ("1.5.0", "1.6.0", "1.7.2", "1.8.0"),
        {"live": 4, "previous": 3},
        memory=1024,
        description="Places and reads orders behind API Gateway",
        environment=("DATABASE_URL", "PAYMENT_API_KEY"),
    ),
    DemoFunction(
        "checkout-api",
        ORDERS,
        "checkout",
        ("1.6.0", "1.7.2", "1.8.0"),
        {"live": 2, "canary": 3},
        split={"live": (3, 0.1)},
        memory=1024,
        description="Checkout: 10 % of its traffic is on the new version",
        environment=("PAYMENT_API_KEY",),
    ),
    DemoFunction("cart-api", ORDERS, "checkout", ("1.6.0", "1.7.2"), {"live": 2, "canary": 2}, timeout=10),
    DemoFunction("orders-worker", ORDERS, "orders", ("1.6.0", "1.8.0"), {"live": 2}, command=("worker.handler",)),
    DemoFunction("orders-events", ORDERS, "orders", ("1.7.2", "1.8.0"), {"live": 2}, command=("events.handler",)),
    DemoFunction(
        "price-feed",
        ORDERS,
        "pricing",
        ("1.6.0", "1.7.2"),
        {"live": 2},
        command=("events.handler",),
        by_tag="live",
        description="Deployed by the tag live, which has moved since",
    ),
    DemoFunction(
        "stock-sync", ORDERS, "warehouse", ("1.5.0", "1.5.0"), {"live": 2}, command=("worker.handler",), timeout=120
    ),
    DemoFunction("returns-api", ORDERS, "warehouse", ("1.7.2", "1.8.0"), {"live": 1, "canary": 2}, manager=""),
    DemoFunction("loyalty-points", ORDERS, "checkout", ("1.8.0", "1.9.0-rc1"), {"live": 1, "next": 2}),
)

BILLING = (
    DemoFunction(
        "invoice-pdf",
        DOCUMENTS,
        "billing",
        ("2.1.0", "2.2.0"),
        {"live": 2},
        manager="cloudformation",
        memory=2048,
        timeout=60,
        description="Still on python3.9, which is out of support",
    ),
    DemoFunction(
        "receipt-archive",
        DOCUMENTS,
        "billing",
        ("2.2.0", "2.3.0", "3.0.0"),
        {"live": 3, "rollback": 2},
        command=("export.handler",),
        manager="cloudformation",
        description="The image behind its rollback alias was deleted from ECR",
    ),
    DemoFunction(
        "invoice-mailer",
        DOCUMENTS,
        "billing",
        ("2.2.0", "3.0.0", "3.1.0"),
        {"live": 3, "previous": 2},
        command=("mailer.handler",),
        manager="cloudformation",
        environment=("SMTP_PASSWORD",),
    ),
    DemoFunction("ledger-export", DOCUMENTS, "finance", ("3.0.0", "3.0.0"), {"live": 2}, command=("export.handler",)),
    DemoFunction(
        "tax-report", DOCUMENTS, "finance", ("2.1.0", "2.2.0"), {"live": 2}, command=("export.handler",), timeout=300
    ),
    DemoFunction("dunning-letters", DOCUMENTS, "billing", ("3.0.0", "3.1.0"), {"live": 2}, manager="cloudformation"),
    DemoFunction("billing-webhook", DOCUMENTS, "billing", ("3.1.0", "3.1.0"), {"live": 2}, timeout=10, manager=""),
)

PLATFORM = (
    DemoFunction(
        "log-chatter",
        TOOLS,
        "platform",
        ("1.0.1", "1.1.0"),
        {"live": 2},
        command=("chatter.handler",),
        timeout=60,
        description="Slow and chatty: a line each 100 ms for 20 s",
    ),
    DemoFunction("echo", TOOLS, "platform", ("1.0.0", "1.0.1", "1.1.0"), {"live": 3}, timeout=5, memory=128),
    DemoFunction(
        "payment-retry",
        TOOLS,
        "checkout",
        ("1.0.0", "1.0.1"),
        {"live": 2},
        command=("failing.handler",),
        description="Fails on every call: its upstream is gone",
        environment=("PAYMENT_API_KEY",),
    ),
    DemoFunction(
        "ledger-reconcile",
        TOOLS,
        "finance",
        ("1.0.1", "1.1.0"),
        {"live": 2},
        command=("timing_out.handler",),
        timeout=3,
        description="Times out: it waits for a lock that nobody releases",
    ),
    DemoFunction("nightly-report", TOOLS, "finance", ("1.0.0", "1.0.0"), {"live": 2}, command=("report.handler",)),
    DemoFunction(
        "geo-lookup",
        TOOLS,
        "platform",
        ("0.9.4-slim", "0.9.4-slim"),
        {"live": 2},
        manager="",
        description="Built on Debian instead of a Lambda base",
    ),
    DemoFunction("feature-flags", TOOLS, "platform", ("1.0.1", "1.1.0"), {"live": 2, "canary": 2}, timeout=5),
    DemoFunction(
        "season-archive", TOOLS, "platform", ("1.0.0", "1.0.0"), {"live": 2}, command=("report.handler",), trouble=IDLE
    ),
)

PICTURES = (
    DemoFunction(
        "thumbnailer", MEDIA, "media", ("thumbs-4.0.0", "thumbs-4.1.0", "thumbs-4.2.0"), {"live": 3}, memory=1769
    ),
    DemoFunction("image-resize", MEDIA, "media", ("thumbs-4.0.0", "thumbs-4.0.0"), {"live": 2}, memory=1769),
    DemoFunction("watermark", MEDIA, "media", ("thumbs-4.1.0", "thumbs-4.2.0"), {"live": 1}, split={"live": (2, 0.25)}),
    DemoFunction(
        "avatar-crop", MEDIA, "profile", ("thumbs-4.0.0", "thumbs-4.1.0"), {"live": 2}, by_tag="thumbs-live", manager=""
    ),
    DemoFunction("video-probe", MEDIA, "media", ("probe-0.8.0", "probe-0.9.0"), {"live": 2}, memory=3008, timeout=120),
    DemoFunction("exif-strip", MEDIA, "media", ("probe-0.8.0", "probe-0.8.0"), {"live": 2}),
    DemoFunction(
        "audio-levels", MEDIA, "media", ("probe-0.8.5-arm", "probe-0.8.5-arm"), {"live": 2}, manager="cloudformation"
    ),
    DemoFunction(
        "subtitle-burn",
        MEDIA,
        "media",
        ("probe-0.7.0", "probe-0.9.0"),
        {"live": 2},
        timeout=600,
        description="Runs an image of staging, whose repository no longer lets Lambda pull it",
        trouble=DENIED,
        pulls_from=STAGING_MEDIA,
    ),
)

REHEARSAL = (
    DemoFunction("orders-api", STAGING_ORDERS, "orders", ("1.7.2", "1.8.0", "1.9.0-rc1"), {"live": 3, "previous": 2}),
    DemoFunction("checkout-api", STAGING_ORDERS, "checkout", ("1.8.0", "1.9.0-rc1"), {"live": 2}),
    DemoFunction("cart-api", STAGING_ORDERS, "checkout", ("1.7.2", "1.8.0"), {"live": 1, "canary": 2}, timeout=10),
    DemoFunction(
        "orders-worker", STAGING_ORDERS, "orders", ("1.7.2", "1.8.0"), {"live": 2}, command=("worker.handler",)
    ),
    DemoFunction("thumbnailer", STAGING_MEDIA, "media", ("thumbs-4.1.0", "thumbs-4.3.0-beta"), {"live": 2}),
    DemoFunction("image-resize", STAGING_MEDIA, "media", ("thumbs-4.1.0", "thumbs-4.1.0"), {"live": 2}, memory=1769),
    DemoFunction("video-probe", STAGING_MEDIA, "media", ("probe-0.7.0", "probe-0.9.0"), {"live": 1, "canary": 2}),
)

ON_GOLDEN = (
    DemoFunction(
        "catalog-api",
        CATALOG,
        "catalog",
        ("0.8.0", "0.9.0", "1.0.0"),
        {"live": 3, "previous": 2},
        memory=1024,
        description="On the newest golden image, which stands on an older base of AWS",
    ),
    DemoFunction(
        "catalog-search",
        CATALOG,
        "catalog",
        ("0.8.0", "0.9.0"),
        {"live": 2},
        command=("search.handler",),
        timeout=10,
        description="On an older golden image",
    ),
    DemoFunction("catalog-feed", CATALOG, "pricing", ("0.9.0", "1.0.0"), {"live": 2}, command=("feed.handler",)),
    DemoFunction("catalog-api", STAGING_CATALOG, "catalog", ("0.9.0", "1.0.0", "1.1.0-rc1"), {"live": 3}),
)

FUNCTIONS = SHOP + BILLING + PLATFORM + PICTURES + REHEARSAL + ON_GOLDEN
