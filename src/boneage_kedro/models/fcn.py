"""FCN on VGG16: a classifier made convolutional, whose coarse scores are joined with those of finer maps."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from boneage_kedro.models.segmentation_network import SegmentationNetwork

STRIDES = (32, 16, 8, 4, 2)
_CONVOLUTIONS = (2, 2, 3, 3, 3)  # of VGG16 between two poolings
_WIDENING = (1, 2, 4, 8, 8)
_COARSEST = 32
_HEAD_PX = 7  # VGG16's first fully connected layer sees 7 x 7 cells
_DROPOUT = 0.5


class FCN(SegmentationNetwork):
    """FCN-32s, 16s, 8s, 4s or 2s (paper 002, section 2.2; Long et al., CVPR 2015) by its stride.

    The fully connected layers of VGG16 are convolutions, so a picture of any size gives a map of scores at 1/32.
    Until the map has the stride asked for, it is doubled and the scores of the pooling of that scale are added; one
    last step enlarges it to the picture. All enlarging is learnt, from bilinear interpolation on. All scores start at
    zero, as in section 4.3 of Long et al., so the finer scales join in as far as they help.

    The picture is padded to a multiple of 32 by repeating its edge, evenly on both sides, and the scores are cropped;
    Long et al. pad with 100 zeros and crop. Where the paper is silent, it is built as theirs, with dropout behind
    both converted layers. These start from random weights: what VGG16 has there tells objects of a whole picture
    apart, and takes 480 MB.

    Attributes:
        encoder: the convolutions, with torchvision's and timm's names. Weights are for pictures of mean 0 and
            deviation 1 in each of three channels.
    """

    encoder_name = "vgg16"
    any_size = True

    def __init__(self, classes: int, stride: int, width: int, head_channels: int) -> None:
        """Build it with random weights (He et al., 2015).

        Args:
            classes: channels of the logits.
            stride: of the finest scores, one of `STRIDES`.
            width: channels of the first convolution; 64 is VGG16.
            head_channels: of the two convolutions that were fully connected; 4096 in VGG16.

        Raises:
            ValueError: there is no such stride.
        """
        if stride not in STRIDES:
            raise ValueError(f"FCN has no stride {stride}; choose from {', '.join(map(str, STRIDES))}")
        super().__init__()
        widths = [width * times for times in _WIDENING]
        doublings = STRIDES.index(stride)
        self.encoder = VGG16Features(widths)
        self.head = nn.Sequential(
            nn.Conv2d(widths[-1], head_channels, _HEAD_PX, padding=_HEAD_PX // 2),
            nn.ReLU(inplace=True),
            nn.Dropout2d(_DROPOUT),
            nn.Conv2d(head_channels, head_channels, 1),
            nn.ReLU(inplace=True),
            nn.Dropout2d(_DROPOUT),
        )
        self.score = _zero_scores(head_channels, classes)
        self.pool_scores = nn.ModuleList(_zero_scores(own, classes) for own in widths[-2::-1][:doublings])
        self.doubling = nn.ModuleList(BilinearEnlargement(classes, 2) for _ in range(doublings))
        self.last = BilinearEnlargement(classes, stride)
        for module in (*self.encoder.modules(), *self.head.modules()):
            if isinstance(module, nn.Conv2d):
                _start_as_he(module)

    def with_features(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B, classes, H, W) of gray pictures (B, 1, H, W), and what the fully connected layers give.

        The latter are (B, head_channels, h, w) for a picture padded to 32 h x 32 w.
        """
        padded, (top, left) = _pad(x)
        *finer, coarsest = self.encoder(padded.expand(-1, 3, -1, -1))
        features = self.head(coarsest)  # (B, head_channels, h, w)
        scores = self.score(features)  # (B, classes, h, w)
        # with larger strides the finest poolings have no scores
        for enlarge, score, pooled in zip(self.doubling, self.pool_scores, reversed(finer), strict=False):
            scores = enlarge(scores) + score(pooled)  # (B, classes, 2 h, 2 w)
        scores = self.last(scores)  # (B, classes, H, W) of the padded picture
        return scores[:, :, top : top + x.shape[2], left : left + x.shape[3]], features


class VGG16Features(nn.Module):
    """The convolutions of VGG16 (Simonyan and Zisserman, ICLR 2015, table 1, column D)."""

    def __init__(self, widths: list[int]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 3
        for width, convolutions in zip(widths, _CONVOLUTIONS, strict=True):
            for _ in range(convolutions):
                layers += [nn.Conv2d(before, width, 3, padding=1), nn.ReLU(inplace=True)]
                before = width
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> list[Tensor]:
        """What the five poolings give, at 1/2 to 1/32 of a picture (B, 3, H, W), finest first."""
        pooled = []
        for layer in self.features:
            x = layer(x)
            if isinstance(layer, nn.MaxPool2d):
                pooled.append(x)
        return pooled


class BilinearEnlargement(nn.ConvTranspose2d):
    """Makes maps ``factor`` times as large; before training it interpolates bilinearly, class by class.

    Beyond its edge a map goes on as it is there, so that the scores do not fade.
    """

    def __init__(self, classes: int, factor: int) -> None:
        # the row that each side is padded by is cropped again, and half a step of the kernel
        super().__init__(
            classes, classes, 2 * factor, stride=factor, padding=factor + factor // 2, bias=False
        )
        ramp = 1 - (torch.arange(2 * factor) + 0.5 - factor).abs() / factor
        with torch.no_grad():
            self.weight.copy_(torch.eye(classes)[:, :, None, None] * ramp[:, None] * ramp)

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Maps (B, classes, factor h, factor w) from (B, classes, h, w)."""
        return super().forward(F.pad(x, (1, 1, 1, 1), mode="replicate"), output_size)


def _zero_scores(channels: int, classes: int) -> nn.Conv2d:
    score = nn.Conv2d(channels, classes, 1)
    nn.init.zeros_(score.weight)
    nn.init.zeros_(score.bias)  # type: ignore[arg-type]
    return score


def _start_as_he(convolution: nn.Conv2d) -> None:
    nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
    nn.init.zeros_(convolution.bias)  # type: ignore[arg-type]


def _pad(x: Tensor) -> tuple[Tensor, tuple[int, int]]:
    """Pictures with sides that are multiples of 32, and how many (rows, columns) were put before."""
    rows, columns = (-side % _COARSEST for side in x.shape[-2:])
    top, left = rows // 2, columns // 2
    return F.pad(x, (left, columns - left, top, rows - top), mode="replicate"), (top, left)
