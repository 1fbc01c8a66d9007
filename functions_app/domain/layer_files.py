"""What layers hold: the door to reading a layer's tar, storing what was found, stacking layers and comparing stacks."""

from functions_app.domain.layer_entries import FileEntry, FileKind, LayerContents, Limits
from functions_app.domain.layer_overlay import FileChange, FileDiff, diff_files, overlay
from functions_app.domain.layer_packing import pack, unpack
from functions_app.domain.layer_tar import Readable, read_tar

__all__ = [
    "FileChange", "FileDiff", "FileEntry", "FileKind", "LayerContents", "Limits", "Readable",
    "diff_files", "overlay", "pack", "read_tar", "unpack",
]  # fmt: skip
