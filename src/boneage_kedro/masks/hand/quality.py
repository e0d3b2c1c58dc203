"""Whether a hand mask is to be trusted, and why not."""

from typing import Any, NamedTuple

import numpy as np
from typing_extensions import TypedDict

from boneage_kedro.limits import Count, NotNegative, Share
from boneage_kedro.masks.hand.region import components, hand_mask


class HandLimits(TypedDict):
    """What a mask must keep to be trusted.

    The hand covers ``least_area`` to ``most_area`` of the picture. Components of at least ``large_part`` of the
    largest count as large, and there is one. The mask meets the edge of the picture in at most ``most_contacts``
    places (the wrist is one), of which each is at least ``least_contact`` of the picture's longer side long. The
    committee's disagreement is at most ``most_disagreement``, and the Dice that its probabilities expect at least
    ``least_expected_dice``.
    """

    least_area: Share
    most_area: Share
    large_part: Share
    most_contacts: Count
    least_contact: Share
    most_disagreement: NotNegative
    least_expected_dice: Share


class HandFacts(NamedTuple):
    """What can be said of a mask without its truth.

    Attributes:
        expected_dice: between the mask and a truth drawn from the committee's probabilities (`expected_dice`).
        area_share: of the hand, as a share of the picture.
        components: large ones in the foreground, before the largest was taken.
        contacts: places in which the hand meets the edge of the picture; one may go round a corner.
    """

    expected_dice: float
    area_share: float
    components: int
    contacts: int


def describe_hand(probability: np.ndarray, foreground: np.ndarray, limits: HandLimits) -> HandFacts:
    """The facts by which `distrust` judges.

    Args:
        probability: (H, W) of the foreground, mean over the committee, 0 to 1. The frame is that of the radiograph,
            or of its exposed field: on the canvas, black bars would hide that a hand meets the edge.
        foreground: (H, W) bool, what is taken for foreground in it, before `hand_mask`.
        limits: which components and contacts count.
    """
    hand = hand_mask(foreground)
    return HandFacts(
        expected_dice=expected_dice(probability, hand),
        area_share=float(hand.mean()),
        components=_large_components(foreground, limits["large_part"]),
        contacts=_contacts(hand, limits["least_contact"]),
    )


def expected_dice(probability: np.ndarray, mask: np.ndarray) -> float:
    """Dice between a mask and a truth drawn from the probabilities, in expectation; 0 for an empty mask.

    It is near 1 where the committee is sure of every pixel, and falls with all foreground that the mask leaves out.

    Args:
        probability: (H, W) of the foreground, 0 to 1.
        mask: (H, W) bool.
    """
    total = np.count_nonzero(mask) + float(probability.sum(dtype=np.float64))
    return 2 * float(probability[mask].sum(dtype=np.float64)) / total if mask.any() else 0.0


def distrust(disagreement: float, facts: HandFacts, limits: HandLimits) -> list[str]:
    """Reasons not to trust a mask, a sentence each; none for a good one. Figures that are nan are no good."""
    if not facts.area_share:
        return ["No hand was found."]
    share = f"The hand covers {facts.area_share:.1%} of the picture"
    least_dice, most_disagreement = limits["least_expected_dice"], limits["most_disagreement"]
    doubts = {
        f"{share}, less than {limits['least_area']:.0%}.": facts.area_share < limits["least_area"],
        f"{share}, more than {limits['most_area']:.0%}.": facts.area_share > limits["most_area"],
        f"There are {facts.components} large parts.": facts.components > 1,
        f"The hand meets the edge of the picture in {facts.contacts} places.": (
            facts.contacts > limits["most_contacts"]
        ),
        f"The committee disagrees by {disagreement:.3g}, more than {most_disagreement:g}.": (
            not disagreement <= most_disagreement
        ),
        f"The committee expects a Dice of {facts.expected_dice:.3f}, less than {least_dice:g}.": (
            not facts.expected_dice >= least_dice
        ),
    }
    return [sentence for sentence, holds in doubts.items() if holds]


def quality_row(key: str, disagreement: float, facts: HandFacts, limits: HandLimits) -> dict[str, Any]:
    """A row of the table of quality.

    Returns:
        ``id``, ``disagreement``, the `HandFacts`, ``trusted``, and ``reason``: why not, empty for a trusted mask.
    """
    reasons = distrust(disagreement, facts, limits)
    return {
        "id": key,
        "disagreement": disagreement,
        **facts._asdict(),
        "trusted": not reasons,
        "reason": " ".join(reasons),
    }


def _large_components(foreground: np.ndarray, large_part: float) -> int:
    _, areas = components(foreground)
    return int(np.count_nonzero(areas >= large_part * areas.max())) if len(areas) else 0


def _contacts(mask: np.ndarray, least_contact: float) -> int:
    """Runs of the mask along the rim of the picture, which is walked once around, of at least that length."""
    rim = np.concatenate([mask[0, :-1], mask[:-1, -1], mask[-1, :0:-1], mask[:0:-1, 0]])
    if rim.all():
        return 1
    rim = np.roll(rim, -int(rim.argmin()))  # begin outside, so that no run goes over the end
    steps = np.diff(rim.astype(np.int8), prepend=0, append=0)
    lengths = np.flatnonzero(steps < 0) - np.flatnonzero(steps > 0)
    return int(np.count_nonzero(lengths >= least_contact * max(mask.shape)))
