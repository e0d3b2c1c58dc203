"""Ages by the places that they come from, laid on the picture."""

import numpy as np
import torch
from torch import Tensor, nn

from boneage_kedro.evaluation.attention.placing import even_middles, weigh_cells
from boneage_kedro.models.age_ensemble import AgeNetwork
from boneage_kedro.models.cell_grid import locate_cells
from boneage_kedro.models.regressor import AgeMaps
from boneage_kedro.training.ages.familiarity import pool
from boneage_kedro.training.ages.settings import ViewSettings
from boneage_kedro.training.ages.views import PLAIN, View, views_of
from boneage_kedro.training.batches import AgeSamples

_FINER = 4
"""Even cells to one of the network: where its cells look is then kept to a few pixels."""

_AS_IT_IS = View(flip=False, rotation_deg=0)


class AttentionMapper(nn.Module):
    """An age network whose activation maps are laid on the picture, mean over its views.

    Where the cells of a network look is not symmetric (`boneage_kedro.models.cell_grid`), so that the map of a
    mirrored or turned picture does not fit that of the picture cell by cell. Each map is first laid on cells that
    share its picture evenly.
    """

    def __init__(self, network: AgeNetwork, views: ViewSettings) -> None:
        super().__init__()
        self.network, self._views = network, views_of(views)
        side = network.config.input_px
        grid = locate_cells(network.backbone, side)
        spread = weigh_cells(grid.middles(), even_middles(_FINER * grid.cells, side))
        device = next(network.parameters()).device
        self.register_buffer("_spread", torch.tensor(spread, dtype=torch.float32, device=device))

    def forward(self, images: Tensor, is_male: Tensor) -> AgeMaps:
        """Maps (B, k, k) and rests (B,) in months of pictures (B, 1, P, P) in 0 to 1, which add up to the ages.

        The features are those of the pictures as they are, whatever the views.
        """
        seen = {view: self.network.activation_map(view.of(images), is_male) for view in self._views}
        maps = torch.stack([view.back(self._lay(one.maps)) for view, one in seen.items()]).mean(0)
        rests = torch.stack([one.rests for one in seen.values()]).mean(0)
        plain = seen.get(_AS_IT_IS)
        return AgeMaps(maps, rests, pool(self.network, images) if plain is None else plain.features)

    def _lay(self, maps: Tensor) -> Tensor:
        """Maps (B, h, h) on the even cells, with the means that they had."""
        spread = self.get_buffer("_spread")
        return spread @ maps @ spread.T


@torch.inference_mode()
def map_attention(
    model: AgeNetwork,
    samples: AgeSamples,
    batch_size: int,
    device: torch.device,
    views: ViewSettings = PLAIN,
) -> tuple[np.ndarray, np.ndarray]:
    """Class activation maps (n, k, k) and rests (n,), both float64 in months, of `AttentionMapper`."""
    mapper = AttentionMapper(model.eval(), views)
    read = [mapper(batch.images, batch.is_male) for batch in samples.batches(batch_size, device)]
    maps, rests = (
        torch.cat([part.cpu().double() for part in parts])
        for parts in zip(*(one[:2] for one in read), strict=True)
    )
    return maps.numpy(), rests.numpy()
