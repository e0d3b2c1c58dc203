"""Wiring of `report`."""

from kedro.pipeline import Node, Pipeline

from boneage_kedro.pipelines.report.nodes import write_report

FIGURES = (
    "age_histogram",
    "contact_sheet",
    "learning_curves",
    "mae_bars",
    "predicted_against_read",
    "bland_altman",
    "coverage_bars",
    "width_over_age",
    "attention_sheet",
    "mean_attention",
    "error_panels",
    "region_bars",
    "mean_hands",
    "deletion_curves",
    "random_layers",
)


def create_pipeline() -> Pipeline:
    """The report, from the saved tables and figures."""
    return Pipeline(
        [
            Node(
                write_report,
                inputs=[
                    "params:report",
                    "cases",
                    "splits",
                    "validation_report",
                    "model_comparison",
                    "errors_by_age_band",
                    "interval_coverage",
                    "agreement",
                    "paper_methods",
                    "paper_participants",
                    *(f"{name}@png" for name in FIGURES),
                ],
                outputs="report",
                name="write_report",
            )
        ],
        tags="report",
    )
