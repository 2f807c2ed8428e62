"""The commands of `xuka` that need more than a few lines."""
