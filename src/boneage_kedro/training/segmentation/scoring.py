"""Scores of many pictures, kept while they are made."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from boneage_kedro.training.checkpoint import CheckpointFile

ScoreT = TypeVar("ScoreT", bound=tuple[Any, ...])


def gather_scores(
    ids: Sequence[str],
    score: Callable[[list[str]], Iterator[Mapping[str, ScoreT]]],
    kind: Callable[..., ScoreT],
    checkpoint: CheckpointFile,
    name: str,
) -> dict[str, ScoreT]:
    """Score all pictures; those that an earlier run of the same name scored before it was killed are not done again.

    Args:
        score: gives scores part by part; after each the checkpoint is saved.
        kind: the named tuple that a score is.
    """
    saved = checkpoint.load()
    scores: dict[str, ScoreT] = {}
    if saved is not None and saved["fingerprint"] == name:
        scores = {key: kind(*values) for key, values in saved["scores"].items()}
    for part in score([key for key in ids if key not in scores]):
        scores |= part
        plain = {key: list(values) for key, values in scores.items()}
        checkpoint.save({"fingerprint": name, "scores": plain})
    return scores
