"""How far a picture lies from those a network learnt from, by its pooled features: out-of-distribution detection."""

from typing import Self

import torch
from torch import Tensor, nn


class FeatureDistance(nn.Module):
    """Mahalanobis distance of features to their mean in training (Lee et al., NeurIPS 2018), with one covariance.

    The covariance is shrunk towards a multiple of the identity by the rule of Ledoit and Wolf (J Multivariate Anal 88
    (2004) 365), since there are often more features than pictures. It is kept by its eigenvectors, which are at most
    as many as the pictures.

    Args:
        features: C.
        rank: eigenvectors that are kept; others have the least eigenvalue.
    """

    mean: Tensor
    axes: Tensor
    variances: Tensor
    least: Tensor
    threshold: Tensor

    def __init__(self, features: int, rank: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("axes", torch.zeros(rank, features))
        self.register_buffer("variances", torch.ones(rank))
        self.register_buffer("least", torch.ones(()))
        self.register_buffer("threshold", torch.tensor(torch.inf))

    @classmethod
    def fit(cls, features: Tensor) -> Self:
        """Mean and covariance of (n, C) features of the pictures that the network learnt from.

        Raises:
            ValueError: there are fewer than two pictures, all features are the same, or some are not finite.
        """
        if len(features) < 2 or not features.isfinite().all():
            raise ValueError(f"need finite features of at least two pictures, got {tuple(features.shape)}")
        centred = features.double() - features.double().mean(0)
        _, spread, axes = torch.linalg.svd(centred, full_matrices=False)
        variances = spread**2 / len(features)
        if variances.max() == 0:
            raise ValueError(
                f"the features of all {len(features)} pictures are the same; no distance can be told"
            )
        mean_variance = variances.sum() / features.shape[1]
        share = _shrinkage(centred, variances, mean_variance)
        least = share * mean_variance
        fitted = cls(features.shape[1], len(axes))
        fitted.mean.copy_(features.double().mean(0))
        fitted.axes.copy_(axes)
        fitted.variances.copy_((1 - share) * variances + least)
        fitted.least.copy_(least)
        return fitted

    @classmethod
    def of(cls, state: dict[str, Tensor]) -> Self:
        """What gave this ``state_dict``, such as from a safetensors file."""
        fitted = cls(state["axes"].shape[1], state["axes"].shape[0])
        fitted.load_state_dict(state)
        return fitted

    def forward(self, features: Tensor) -> Tensor:
        """Distances (B,) of features (B, C): about 1 for a picture as those in training."""
        centred = features - self.mean
        along = centred @ self.axes.T  # (B, rank)
        across = centred - along @ self.axes  # (B, C)
        squared = (along.square() / self.variances).sum(1) + across.square().sum(1) / self.least  # (B,)
        return (squared / features.shape[1]).sqrt()

    def is_far(self, distances: Tensor) -> Tensor:
        """Whether distances (B,) are beyond the threshold, (B,) bool; what is not finite is."""
        return ~(distances <= self.threshold)


def _shrinkage(centred: Tensor, variances: Tensor, mean_variance: Tensor) -> Tensor:
    """Share of the identity in the covariance, above 0 and at most 1, with the least expected squared error.

    Args:
        centred: (n, C) features of mean 0.
        variances: (k,) eigenvalues of their covariance, all but zeros.
        mean_variance: over all C.
    """
    count, features = centred.shape
    squares = variances.square().sum()
    from_identity = squares - features * mean_variance**2
    noise = (centred.square().sum(1).square().sum() / count - squares) / count
    return (noise / from_identity.clamp(min=1e-300)).clamp(1e-6, 1)
