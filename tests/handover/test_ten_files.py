from pathlib import Path
from typing import Any

import numpy as np

from boneage_kedro.cohort.tables import read_case_table
from boneage_kedro.handover.package import ModelPackage
from boneage_kedro.imaging.sources import RadiographFolder

from ..ten_files import batch_ages, new_hands, write_files


def test_ten_files_of_every_kind_have_the_ages_of_the_batch_evaluation(
    package: ModelPackage, parameters: dict[str, Any], tmp_path: Path
) -> None:
    hands = new_hands()
    cases = write_files(tmp_path, hands)
    batches = package.assessor(parameters["assess"]).read(read_case_table(cases), RadiographFolder(tmp_path))
    ages = [package.result(reading).row()["bone_age_months"] for batch in batches for reading in batch]
    wanted = batch_ages(hands, cases, package, tmp_path / "store")
    np.testing.assert_allclose(ages, wanted, atol=0.01)
    assert np.ptp(wanted) > 1  # they are not all one age


def test_the_content_of_a_dicom_file_is_kept_for_its_results_and_that_of_others_is_not(
    package: ModelPackage, parameters: dict[str, Any], tmp_path: Path
) -> None:
    cases = read_case_table(write_files(tmp_path, new_hands())[1:4])
    (readings,) = package.assessor(parameters["assess"]).read(cases, RadiographFolder(tmp_path))
    kept = {reading.id: reading.dicom for reading in readings}
    assert kept == {"png_16": None} | {
        key: (tmp_path / f"{key}.dcm").read_bytes() for key in ("two_8", "two_10")
    }
    assert "DICM" not in repr(readings)  # its header names the patient
