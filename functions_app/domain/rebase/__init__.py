"""An image on another release of its base: layers swapped in the registry, nothing built, nothing pulled."""
