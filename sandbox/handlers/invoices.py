"""Renders an invoice to a small PDF in /tmp and says where it would be stored."""

import hashlib
import tempfile
from pathlib import Path
from typing import Any


def handler(event: Any, context: Any) -> dict[str, Any]:
    """Render the invoice of `number` with its `lines` (text and amount)."""
    invoice = event if isinstance(event, dict) else {}
    number = str(invoice.get("number", "2026-0001"))
    lines = invoice.get("lines", [{"text": "Berth, one week", "amount": 240.0}])
    total = sum(float(line["amount"]) for line in lines)
    print(f"INFO rendering invoice {number} with {len(lines)} lines")
    document = f"%PDF-1.4\n% invoice {number}\n% total {total:.2f} EUR\n%%EOF\n".encode()
    checksum = hashlib.sha256(document).hexdigest()
    path = Path(tempfile.gettempdir()) / f"invoice-{checksum[:16]}.pdf"
    path.write_bytes(document)
    print(f"INFO wrote {len(document)} bytes")
    return {"key": f"invoices/{number}.pdf", "total": total, "sha256": checksum}
