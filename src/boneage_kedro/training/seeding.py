"""Random numbers as a function of what they are for, so that a resumed run draws the same ones."""

import hashlib


def derive_seed(*parts: int | str) -> int:
    """A 63-bit seed that depends on all parts and on nothing else, on every machine alike."""
    digest = hashlib.blake2b("/".join(map(str, parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest) >> 1
