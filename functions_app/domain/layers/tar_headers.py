"""The headers of a tar, of which tarfile believes all: sizes are checked before anything is done with them.

Where the next header is said to be counts as much as a size: a sparse file is packed in another size than it has, and
the bytes of what keeps none (a whiteout, the root) are read over all the same.
"""

import tarfile
from typing import Any, ClassVar, cast

from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.layers import pax_records

HEADER_BYTES = 2 * 1024**2  # headers of one entry, with all its PAX records: tarfile holds them in memory
GLOBAL_RECORDS = 64  # PAX records for all entries that follow: tarfile copies them for each
_NO_ENTRIES = frozenset({
    tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE,
})  # fmt: skip


def members_within(limit: int) -> "type[Member]":
    """What `tarfile.open` is given as tarinfo, so that nothing reaches beyond `limit` bytes."""
    return type("Member", (Member,), {"limit": limit})


class Member(tarfile.TarInfo):
    """Fails on a size that no layer has, and on a broken header in the middle, where tarfile sees the end."""

    limit: ClassVar[int]

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> "Member":
        """Read the next header, with those that belong to it. Raises DrydockError."""
        try:
            member = super().fromtarfile(archive)
        except (tarfile.EOFHeaderError, tarfile.EmptyHeaderError):  # type: ignore[attr-defined]  # typeshed has only their parent
            raise
        except tarfile.HeaderError as error:
            raise broken(str(error)) from error
        packed = archive.offset - member.offset_data  # to the next header, as this one says
        for size in (member.size, packed):
            if size < 0:
                raise broken(f"{member.name[:60]} claims {size:,} bytes")
            if size > cls.limit:
                raise beyond(f"its files are larger than {cls.limit:,} bytes: {member.name[:60]} claims {size:,}")
        return member

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        """What tarfile calls to read on after the first block of a header."""
        if self.type in _NO_ENTRIES and not 0 <= self.size <= HEADER_BYTES:
            raise beyond(f"the headers of one entry are longer than {HEADER_BYTES:,} bytes: one claims {self.size:,}")
        return cast(tarfile.TarInfo, super()._proc_member(archive))  # type: ignore[misc]  # not in typeshed

    def _proc_pax(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        """What tarfile calls for PAX records: they are checked before its own patterns see them."""
        stream = archive.fileobj
        archive.fileobj = _Ahead(stream, self.size)  # type: ignore[assignment]  # reads and tells, no more is asked
        try:
            return cast(tarfile.TarInfo, super()._proc_pax(archive))  # type: ignore[misc]  # not in typeshed
        finally:
            archive.fileobj = stream


class _Ahead:
    """The stream of an archive, of which the first reading is checked: it brings PAX records and their padding."""

    def __init__(self, stream: Any, size: int) -> None:
        self._stream, self._size = stream, size
        self._checked = False

    def read(self, size: int) -> bytes:
        data: bytes = self._stream.read(size)
        if not self._checked:
            pax_records.check(data[: self._size])
            self._checked = True
        return data

    def tell(self) -> int:
        return cast(int, self._stream.tell())


def forget(archive: tarfile.TarFile) -> None:
    """Drop what tarfile remembers of the entries read so far."""
    archive.members = []  # type: ignore[attr-defined]
    records = archive.pax_headers
    if len(records) > GLOBAL_RECORDS or sum(map(len, records.values())) > HEADER_BYTES // GLOBAL_RECORDS:
        raise beyond("it has too many PAX records for all entries")


def broken(why: str) -> DrydockError:
    """What is no tar."""
    return DrydockError(Code.INVALID, f"The layer is no tar that can be read: {why[:200]}.")


def beyond(why: str) -> DrydockError:
    """What may be one, and is refused."""
    return DrydockError(Code.FAILED, f"The layer is beyond what Drydock reads: {why}.")
