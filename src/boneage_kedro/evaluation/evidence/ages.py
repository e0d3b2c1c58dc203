"""Errors and intervals of the age on the test part, and where the network looked."""

from boneage_kedro.evaluation.evidence.subject import Found, Subject
from boneage_kedro.evaluation.report import Basis, Column, Table

_TEST = "the test part, in the table"
_ONE = "one network, or one set of folds"
_OVER_CASES = "95% bootstrap interval over children"
_ERRORS = (
    Column("cases", "cases"),
    Column("mae", "MAE (months)", "{:.1f}"),
    Column("rmse", "RMSE", "{:.1f}"),
    Column("bias", "bias", "{:+.1f}"),
    *(Column(f"within_{months}", f"within {months}", "{:.0%}") for months in (6, 12, 24)),
)


def _errors(source: str, found: Found) -> list[Table]:
    columns = (Column("model", "model"), Column("cohort", "children"), *_ERRORS)
    basis = Basis(source, _TEST, _ONE, _OVER_CASES)
    return [Table("errors", "Errors of the models", basis, found["model_comparison"], columns)]


def _bands(source: str, found: Found) -> list[Table]:
    columns = (Column("age_band", "read age"), Column("sex", "sex"), *_ERRORS)
    basis = Basis(source, _TEST, _ONE, "none")
    title = "Errors of paced transfer learning"
    return [Table("errors_by_age_band", title, basis, found["errors_by_age_band"], columns)]


def _agreement(source: str, found: Found) -> list[Table]:
    columns = (
        Column("cohort", "children"),
        Column("cases", "cases"),
        Column("bias", "bias (months)", "{:+.1f}"),
        Column("lower_limit", "lower limit", "{:+.1f}"),
        Column("upper_limit", "upper limit", "{:+.1f}"),
        Column("slope", "slope", "{:+.2f}"),
    )
    basis = Basis(source, _TEST, _ONE, _OVER_CASES)
    return [Table("agreement", "Limits of agreement", basis, found["agreement"], columns)]


def _intervals(source: str, found: Found) -> list[Table]:
    columns = (
        Column("age_band", "read age"),
        Column("sex", "sex"),
        Column("cases", "cases"),
        Column("coverage", "held", "{:.0%}"),
        Column("mean_width", "mean width (months)", "{:.1f}"),
    )
    basis = Basis(source, _TEST, _ONE, "95% interval of the share that was held")
    return [Table("interval_coverage", "What the intervals held", basis, found["interval_coverage"], columns)]


def _attention(source: str, found: Found) -> list[Table]:
    areas = Table(
        "attention_areas",
        "Change of the age while places are blurred (deletion) or given back (insertion)",
        Basis(source, "of the test part, in the table", _ONE, f"sd and {_OVER_CASES}"),
        found["attention_areas"],
        (
            Column("test", "test"),
            Column("order", "order of places"),
            Column("cases", "cases"),
            Column("area", "area under the curve (months)", "{:.1f}"),
            Column("minus_random", "minus random order", "{:+.1f}"),
            Column("minus_centre", "minus from the middle", "{:+.1f}"),
        ),
    )
    return [_regions(source, found), areas] if "attention_regions" in found else [areas]


def _regions(source: str, found: Found) -> Table:
    """The quartiles stand where intervals do."""
    ends = {
        f"{name}_{old}": f"{name}{new}" for name in ("attention", "enrichment") for old, new in _QUARTILES
    }
    return Table(
        "attention_regions",
        "Where the attention lies",
        Basis(source, "of the test part, in the table", _ONE, "median and quartiles over children"),
        found["attention_regions"].rename(columns=ends),
        (
            Column("sex", "sex"),
            Column("region", "region"),
            Column("cases", "cases"),
            Column("area", "share of the area", "{:.0%}"),
            Column("attention", "share of the attention", "{:.0%}"),
            Column("enrichment", "attention over area", "{:.2f}"),
        ),
    )


_QUARTILES = (("median", ""), ("q1", "_low"), ("q3", "_high"))

ERRORS = Subject(
    "Bone age on the test part",
    "Nothing has been chosen by the errors on these children.",
    _errors,
    ("model_comparison",),
    "ptl_regression",
    figures={
        "mae_bars": "Bars: mean absolute error of each model for all children, girls and boys",
        "predicted_against_read": "Scatter: predicted over read age",
        "learning_curves": "Curves: error over epochs, in training and on the validation part",
    },
)
BANDS = Subject("By age and sex", "", _bands, ("errors_by_age_band",), "ptl_regression")
AGREEMENT = Subject(
    "Agreement with the read age",
    "Differences are predicted - read, in months; 95% of them are to lie within the limits. A slope below 0 is that "
    "of guesses towards the mean.",
    _agreement,
    ("agreement",),
    "ptl_regression",
    figures={"bland_altman": "Bland-Altman plot: differences over means, with limits of agreement"},
)
INTERVALS = Subject(
    "Intervals",
    "How many read ages the intervals of the test part held. They were calibrated on other children.",
    _intervals,
    ("interval_coverage",),
    "ptl_regression",
    figures={
        "coverage_bars": "Bars: share of read ages within their interval, by age and sex",
        "width_over_age": "Scatter: width of the interval over the predicted age",
    },
)
ATTENTION = Subject(
    "What the model looked at",
    "Each map adds up, with the bias of the sex, to the very age that was predicted.",
    _attention,
    ("attention_areas",),
    "explain",
    uses=("attention_regions",),
    figures={
        "attention_sheet": "Hands with their activation maps over them",
        "mean_attention": "Mean activation maps of girls and boys by age",
        "error_panels": "Hands with small and with large errors, with their maps",
        "region_bars": "Bars: attention by rows of bones, girls and boys",
        "mean_hands": "Mean maps over mean hands",
        "deletion_curves": "Curves: change of the age while places are blurred or given back",
        "random_layers": "Curves: likeness of maps as layers are made random",
    },
    papers=("attention",),
)
