"""Pictures a chat can show: the balance card, the use plot, the receipt.

Each is a pure function from a small frozen dataclass of finished words to the bytes of a PNG;
`facts.py` makes those dataclasses from what the texts are made of, so that words are equal.
Drawing takes some tens of milliseconds: callers run it in a thread.
"""
