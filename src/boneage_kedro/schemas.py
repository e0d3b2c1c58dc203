"""Tables that cross pipelines; Kedro checks them at every load and save (``validator:`` in the catalog)."""

import pandera.pandas as pa
from pandera.typing.pandas import Series

from boneage_kedro.cohort.sex import Sex
from boneage_kedro.cohort.splits import Split

_SEXES = [str(sex) for sex in Sex]
_SPLITS = [str(split) for split in Split]


class Cases(pa.DataFrameModel):
    """One row a radiograph that was read and prepared."""

    id: Series[str] = pa.Field(unique=True)
    patient_id: Series[str]
    sex: Series[str] = pa.Field(isin=_SEXES)
    bone_age_months: Series[float] = pa.Field(ge=0, le=300)


class Splits(pa.DataFrameModel):
    """The one split of all pipelines."""

    id: Series[str] = pa.Field(unique=True)
    split: Series[str] = pa.Field(isin=_SPLITS)


class Predictions(pa.DataFrameModel):
    """Predicted beside read bone age, one row a case."""

    id: Series[str] = pa.Field(unique=True)
    split: Series[str] = pa.Field(isin=_SPLITS)
    sex: Series[str] = pa.Field(isin=_SEXES)
    bone_age_months: Series[float]
    predicted_months: Series[float]  # not null: every case of the cohort is predicted


class Intervals(Predictions):
    """Predictions with the interval about each."""

    lower_months: Series[float] = pa.Field(ge=0)
    upper_months: Series[float] = pa.Field(ge=0)
