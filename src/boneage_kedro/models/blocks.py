"""The blocks of a network that paced transfer learning frees one after the other."""

from typing import Literal

Block = Literal["entry", "middle", "exit", "head"]
BLOCKS: tuple[Block, ...] = ("entry", "middle", "exit", "head")
