"""What the state of a scan means, in words."""

from dataclasses import replace

from functions_app.domain.images.scans import ScanState
from functions_app.models import ImageScan
from functions_app.services.inventory.images.scan import ScanFacts
from functions_app.web.images.image import WORDS, scan_words

ASKED = ScanFacts(ScanState.NOT_ASKED, "", None, True, (), 0, (), 0, None)
CLEAN = replace(ASKED, state=ScanState.CLEAN, scan=ImageScan())


def test_every_state_has_its_words() -> None:
    assert set(WORDS) == set(ScanState)
    assert scan_words(ASKED, gone=False) == WORDS[ScanState.NOT_ASKED]


def test_an_image_that_is_gone_keeps_what_its_scan_told() -> None:
    assert scan_words(CLEAN, gone=True) == WORDS[ScanState.CLEAN]


def test_an_image_that_went_before_it_was_scanned_has_findings_nowhere() -> None:
    assert scan_words(ASKED, gone=True) == "ECR has neither the image nor findings of it."
