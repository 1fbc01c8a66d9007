"""Which base an image stands on, and whether that is current."""
