"""What is in layers: tar, overlay, packing, package databases."""
