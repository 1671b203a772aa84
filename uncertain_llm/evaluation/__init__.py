"""Floor 6: the offline workbench: the same decisions, from samples that were recorded before."""
