"""A committee that has just learnt where hands are, and a generator that changes them, both tiny."""

from typing import Any

import numpy as np
import torch

from boneage_kedro.cohort.sex import Sex
from boneage_kedro.handover.package import Network
from boneage_kedro.imaging.geometry import rescale_transform
from boneage_kedro.imaging.preparation.prepare import prepare
from boneage_kedro.imaging.radiograph import Radiograph
from boneage_kedro.masks.label_maps import mask_to_canvas
from boneage_kedro.models.committee import Committee
from boneage_kedro.models.enhancer import Enhancer, EnhancerConfig
from boneage_kedro.models.segmenter import Segmenter, SegmenterConfig
from boneage_kedro.phantom import fabricate_hand
from boneage_kedro.training.batches import to_input

SIDE = 64


def committee(preparation: Any, threshold: str, limits: Any) -> Network:
    """Two members that have seen some phantoms for some seconds."""
    torch.manual_seed(0)
    config = SegmenterConfig("unet", SIDE, classes=2, width=4, depth=3, reduction=1)
    members = Committee([Segmenter(config) for _ in range(2)])
    images, inside = _lesson(preparation)
    steps = torch.optim.AdamW(members.parameters(), 0.02)
    for _ in range(40):
        losses = [torch.nn.functional.cross_entropy(member(images), inside) for member in members.members]
        steps.zero_grad()
        sum(losses, torch.zeros(())).backward()
        steps.step()
    described = {"members": 2, "segmenter": config.as_dict(), "input_px": SIDE, "preparation": preparation}
    return Network(members.state_dict(), described | {"threshold": threshold, "limits": limits})


def enhancer(preparation: Any, tone: Any) -> Network:
    """A generator whose last layer is not zero any more, so that it does something."""
    torch.manual_seed(0)
    model = Enhancer(EnhancerConfig(width=4, depth=2))
    with torch.no_grad():
        for parameter in model.network.head.parameters():
            parameter.copy_(0.02 * torch.randn(parameter.shape))
    described = {"generator": model.config.as_dict(), "preparation": preparation, "tone": tone}
    return Network(model.state_dict(), described | {"input_tone": "standard", "pairs": "none"})


def _lesson(preparation: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Prepared phantoms (B, 1, SIDE, SIDE) and where their hands are (B, SIDE, SIDE)."""
    pictures, masks = [], []
    for i in range(8):
        hand = fabricate_hand(40.0 + 20 * i, Sex.FEMALE, 300 + i, 200)
        made = prepare(Radiograph(hand.image, None, None, None, False), preparation)
        place = rescale_transform(made.transform, len(made.image), SIDE)
        pictures.append(made.image)
        masks.append(mask_to_canvas(hand.hand_mask.astype(np.uint8), place, SIDE))
    return to_input(torch.from_numpy(np.stack(pictures)), SIDE), torch.from_numpy(np.stack(masks)).long()
