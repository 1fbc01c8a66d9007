"""Pages of images and repositories."""
