from pathlib import Path

import numpy as np
import pytest

from boneage_kedro.imaging.geometry import UPRIGHT, Box, Pose, canvas_transform
from boneage_kedro.imaging.store import ImageStore, ImageStoreWriter, StoreEntry, StoreHeader
from boneage_kedro.masks.drawn.labelme import write_labelme
from boneage_kedro.masks.drawn.outline_folder import OutlineFolder
from boneage_kedro.masks.forearm.block import FOREARM_LABELS, block_part, blocks_of_outlines, distal_block


@pytest.fixture
def mask() -> np.ndarray:
    """Two upright bones; the radius is 20 columns broad, the ulna 10."""
    drawn = np.zeros((100, 80), np.uint8)
    drawn[50:90, 20:40] = 1
    drawn[52:90, 50:60] = 2
    return drawn


def test_the_block_is_as_deep_as_its_bones_are_broad(mask: np.ndarray) -> None:
    np.testing.assert_allclose(distal_block(mask), [20, 50, 60, 50 + 0.74 * 20], atol=1)
    mask[mask == 2] = 0
    mask[70:90, 50:60] = 2  # a short ulna
    np.testing.assert_allclose(distal_block(mask), [20, 50, 60, 70 + 0.88 * 10], atol=1)


@pytest.mark.parametrize("missing", FOREARM_LABELS.values())
def test_without_a_bone_there_is_no_block(mask: np.ndarray, missing: int) -> None:
    mask[mask == missing] = 0
    assert np.isnan(distal_block(mask)).all()


def test_the_part_reaches_as_far_as_asked_and_as_there_is_field() -> None:
    transform = canvas_transform(Box(0, 0, 100, 100), UPRIGHT, 100)
    box = np.array([40.0, 60, 60, 70])
    whole = Box(0, 0, 100, 100)
    assert block_part(box, transform, whole, {"margin": 0.25, "reach": 1.0}) == (35, 55, 65, 90)
    assert block_part(box, transform, whole, {"margin": 0.0, "reach": 9.0}) == (40, 60, 60, 100)
    assert block_part(box, transform, Box(50, 10, 90, 80), {"margin": 0.25, "reach": 1.0}) == (50, 55, 65, 80)


def test_below_is_where_the_forearm_is_in_the_prepared_picture() -> None:
    transform = canvas_transform(Box(0, 0, 100, 100), Pose(False, 2), 100)
    part = block_part(
        np.array([40.0, 60, 60, 70]), transform, Box(0, 0, 100, 100), {"margin": 0.0, "reach": 1.0}
    )
    assert part == (40, 10, 60, 40)  # the picture lies upside down


@pytest.mark.parametrize("box", [[np.nan] * 4, [40.0, 60, 60, 70]])
def test_nothing_is_cut_out_of_nothing(box: list[float]) -> None:
    transform = canvas_transform(Box(0, 0, 100, 100), UPRIGHT, 100)
    with pytest.raises(ValueError, match="nothing to cut out"):
        block_part(np.array(box), transform, Box(0, 0, 30, 30), {"margin": 0.1, "reach": 1.0})


def test_outlines_that_cannot_be_used_are_told_and_cost_no_other(tmp_path: Path, mask: np.ndarray) -> None:
    images = store_of(tmp_path / "store", mask.shape, ["good", "lacking", "broken"])
    files = tmp_path / "outlines"
    files.mkdir()
    (files / "good.json").write_text(write_labelme(mask, FOREARM_LABELS, "good.png", 0.0))
    (files / "lacking.json").write_text(write_labelme(mask * (mask == 1), FOREARM_LABELS, "lacking.png", 0.0))
    (files / "broken.json").write_text('{"shapes": [')
    (files / "strange.json").write_text(write_labelme(mask, FOREARM_LABELS, "strange.png", 0.0))
    blocks, findings = blocks_of_outlines(OutlineFolder(files, images.index, FOREARM_LABELS), images)
    (row,) = blocks.to_dict("records")
    assert (row["id"], row["reader"], row["width"], row["height"]) == ("good", "outline", 80, 100)
    np.testing.assert_allclose([row["left"], row["top"]], [20, 50], atol=1)
    details = findings.set_index("id")["detail"]
    assert set(details.index) == {"lacking", "broken", "strange"}
    assert "lacking.json: ulna is not outlined" in details["lacking"]
    assert "broken.json" in details["broken"]
    assert "no prepared radiograph" in details["strange"]


def store_of(folder: Path, shape: tuple[int, int], ids: list[str]) -> ImageStore:
    """Black radiographs of one shape on a canvas of 100 px."""
    whole = Box(0, 0, shape[1], shape[0])
    record = {
        "source_shape": list(shape),
        "transform": canvas_transform(whole, UPRIGHT, 100).tolist(),
        "crop": whole._asdict(),
    }
    with ImageStoreWriter(folder, StoreHeader(100, {})) as writer:
        writer.append([StoreEntry(key, key, np.zeros((100, 100), np.uint8), record) for key in ids])
        writer.finish()
    return ImageStore(folder)
