import numpy as np

from boneage_kedro.phantom import PHALANX_CLASSES, Bone, phalanx_mask


def test_phalanges_with_their_epiphyses_have_the_code_of_their_row() -> None:
    bones = np.array(
        [
            [Bone.DISTAL_1, Bone.DISTAL_5.epiphysis, 0],
            [Bone.MIDDLE_2, Bone.MIDDLE_5.epiphysis, Bone.SESAMOID],
            [Bone.PROXIMAL_1, Bone.PROXIMAL_5.epiphysis, Bone.METACARPAL_1],
            [Bone.RADIUS, Bone.METACARPAL_5.epiphysis, Bone.CAPITATE],
        ],
        np.uint8,
    )
    mask = phalanx_mask(bones)
    assert PHALANX_CLASSES == ("distal", "middle", "proximal")
    assert mask.dtype == np.uint8
    assert mask.tolist() == [[1, 1, 0], [2, 2, 0], [3, 3, 0], [0, 0, 0]]
