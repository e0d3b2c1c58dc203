"""A reading as a DICOM Structured Report by template TID 1500 "Measurement Report"."""

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from highdicom import sr
from highdicom.coding_schemes import CodingSchemeIdentificationItem
from pydicom import Dataset
from pydicom.sr.codedict import codes as dictionary

from boneage_kedro import __version__
from boneage_kedro.dicom_output import codes
from boneage_kedro.dicom_output.instances import MAKER, derived_uid, new_instance
from boneage_kedro.evaluation.clinical.case_result import RESEARCH_USE, CaseResult
from boneage_kedro.evaluation.clinical.interpretation import STANDARD_NAME, impression

_SERIES_NUMBER = 9901
_PROPERTY = sr.RelationshipTypeValues.HAS_PROPERTIES


def structured_report(
    source: Dataset, result: CaseResult, side: Literal["L", "R"] | None, made_at: datetime
) -> Dataset:
    """Build the report (Comprehensive 3D SR) of a case whose age was read, in a new series of the same study.

    It holds bone age, interval, SD score and what it is reckoned from, the determination, the sex that was used,
    and as comments that it is for research use and all warnings. Nobody has verified it, and it says so.

    Args:
        source: from `boneage_kedro.dicom_output.source.read_source`.
        side: of the body, as the header of the source states it.

    Raises:
        ValueError: there is no bone age.
    """
    if not math.isfinite(result.bone_age_months):
        raise ValueError(f"case {result.id} has no bone age to report")
    group = sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(derived_uid("tracking", source.SOPInstanceUID), "Bone age"),
        algorithm_id=sr.AlgorithmIdentification(
            MAKER, __version__, parameters=[f"model run {result.model_run_id or 'not known'}"]
        ),
        finding_sites=[sr.FindingSite(codes.HAND, laterality=codes.SIDES[side] if side else None)],
        measurements=_measurements(result),
        qualitative_evaluations=_evaluations(result),
        source_images=[sr.SourceImageForMeasurementGroup.from_source_image(source)],
    )
    group[0].ContentSequence.extend(_comments(result))
    content = sr.MeasurementReport(
        observation_context=_observer(),
        procedure_reported=codes.BONE_AGE,
        imaging_measurements=[group],
        title=dictionary.DCM.ImagingMeasurementReport,
    )
    return sr.Comprehensive3DSR(
        [source],
        content[0],
        is_complete=True,
        coding_schemes=[_private_scheme()],
        **new_instance("report", _SERIES_NUMBER, source, result, made_at),
    )


def _observer() -> sr.ObservationContext:
    device = sr.DeviceObserverIdentifyingAttributes(
        derived_uid("device", __version__), name=MAKER, manufacturer_name=MAKER, model_name=__version__
    )
    return sr.ObservationContext(observer_device_context=sr.ObserverContext(dictionary.DCM.Device, device))


def _measurements(result: CaseResult) -> list[sr.Measurement]:
    ages = [
        sr.Measurement(
            codes.BONE_AGE, _number(result.bone_age_months), codes.MONTHS, properties=_score(result)
        )
    ]
    others = {
        codes.LOWER_END: result.lower_months,
        codes.UPPER_END: result.upper_months,
        codes.CHRONOLOGICAL_AGE: result.chronological_age_months,
    }
    for name, months in others.items():
        if math.isfinite(months):
            ages.append(sr.Measurement(name, _number(months), codes.MONTHS))
    return ages


def _score(result: CaseResult) -> sr.MeasurementProperties | None:
    """Where the bone age lies among those of children of that age, where the standards cover it."""
    found = result.interpretation
    if not math.isfinite(found.sd_score):
        return None
    values = (
        (codes.SD_SCORE, found.sd_score, codes.STANDARD_DEVIATIONS),
        (codes.POPULATION_MEAN, found.mean_months, codes.MONTHS),
        (codes.POPULATION_SD, found.sd_months, codes.MONTHS),
    )
    return sr.MeasurementProperties(
        measurement_statistical_properties=sr.MeasurementStatisticalProperties(
            [
                sr.NumContentItem(name, _number(value), unit, relationship_type=_PROPERTY)
                for name, value, unit in values
            ],
            description="Children of the same sex and chronological age. The score is (bone age - chronological age)"
            " / SD, not the distance from the mean bone age.",
            authority=STANDARD_NAME,
        )
    )


def _number(value: float) -> float:
    return round(value, 2)


def _evaluations(result: CaseResult) -> list[sr.QualitativeEvaluation]:
    return [
        sr.QualitativeEvaluation(codes.DETERMINATION, codes.DETERMINATIONS[result.determination]),
        sr.QualitativeEvaluation(codes.STATUS, codes.STATUSES[result.status]),
        sr.QualitativeEvaluation(codes.SEX_USED, codes.SEXES[result.sex]),
    ]


def _comments(result: CaseResult) -> Sequence[sr.TextContentItem]:
    texts = [RESEARCH_USE, impression(result.determination, result.interpretation.sd_score)]
    if math.isfinite(result.lower_months + result.upper_months):
        texts.append(f"The interval is made to hold the bone age of {result.coverage:.0%} of children.")
    contained = sr.RelationshipTypeValues.CONTAINS
    return [sr.TextContentItem(codes.COMMENT, text, contained) for text in (*texts, *result.all_warnings)]


def _private_scheme() -> Dataset:
    return CodingSchemeIdentificationItem(codes.PRIVATE_SCHEME, name=codes.PRIVATE_SCHEME_NAME)
