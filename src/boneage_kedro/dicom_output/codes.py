"""The codes by which a Structured Report says what it says.

LOINC 37362-1 is what the bone age of a child is filed under. For the ends of its interval and for the determination
there is no code in the dictionaries of DICOM; they get private ones, and the determination the words of RadElement
RDES14 "pediatric bone age".
"""

from collections.abc import Mapping

from highdicom.sr import CodedConcept
from pydicom.sr.codedict import codes

from boneage_kedro.cohort.sex import Sex
from boneage_kedro.evaluation.clinical.determination import Determination

PRIVATE_SCHEME = "99BONEAGE"
PRIVATE_SCHEME_NAME = "Private codes of boneage_kedro"


def _private(value: str, meaning: str) -> CodedConcept:
    return CodedConcept(value, PRIVATE_SCHEME, meaning)


MONTHS = CodedConcept("mo", "UCUM", "month")
STANDARD_DEVIATIONS = CodedConcept("{SD}", "UCUM", "standard deviations")

BONE_AGE = CodedConcept("37362-1", "LN", "XR Bone age")
LOWER_END = _private("lower_end", "Lower end of the interval of the bone age")
UPPER_END = _private("upper_end", "Upper end of the interval of the bone age")
CHRONOLOGICAL_AGE = codes.DCM.SubjectAge
SD_SCORE = codes.DCM.ZScoreOfMeasurement
POPULATION_MEAN = codes.SCT.MeanValueOfPopulation
POPULATION_SD = codes.DCM.StandardDeviationOfPopulation

SEX_USED = codes.DCM.SubjectSex
SEXES: Mapping[str, CodedConcept] = {
    Sex.FEMALE: CodedConcept("F", "DCM", "Female"),
    Sex.MALE: CodedConcept("M", "DCM", "Male"),
}

DETERMINATION = _private("determination", "Bone age determination")
DETERMINATIONS: Mapping[str, CodedConcept] = {
    verdict: _private(verdict.value, verdict.value.capitalize()) for verdict in Determination
}

STATUS = _private("status", "Status of the reading")
STATUSES: Mapping[str, CodedConcept] = {
    "ok": _private("ok", "Within what the network can read"),
    "indeterminate": _private("not_relied_on", "Not to be relied on"),
}

HAND = codes.SCT.Hand
SIDES: Mapping[str, CodedConcept] = {
    "L": CodedConcept("7771000", "SCT", "Left"),
    "R": CodedConcept("24028007", "SCT", "Right"),
}
COMMENT = codes.DCM.Comment
