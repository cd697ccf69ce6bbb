"""Keeps a scorecard at the MLflow run that a model came from: metrics, the drives, a table and a picture."""

import io
from collections.abc import Sequence
from datetime import UTC, datetime

from kart_pipeline.core.settings import Settings
from kart_pipeline.driving.figures import scores_by_seed
from kart_pipeline.driving.scorecard import Scorecard, compare
from kart_pipeline.driving.tables import markdown
from player.courses import Model

FIGURES = (  # properties of a scorecard that become metrics `score/<name>`, where they are known
    *("mean", "worst", "decile", "best", "finished", "finish_time", "laps", "lap_time", "progress", "off_track"),
    *("collisions", "stuck", "smoothness", "interventions", "recoveries", "autonomy", "hands_off"),
)


def log_scores(model: Model, cards: Sequence[Scorecard], settings: Settings) -> str:
    """Log the first scorecard, beside the others where there are any.

    Args:
        model: of the first scorecard.
        cards: at least one.
        settings: name the tracking store.

    Returns:
        Where it is kept, in a sentence.
    """
    located = model.located
    if model.courses:
        return f"{model.name} is several models, so its scores are kept at none of them; --json gives them."
    if not located.model_id:
        return f"{located.name} is a folder without an MLflow run, so its scores are kept nowhere; --json gives them."
    from mlflow import MlflowClient
    from PIL import Image

    client = MlflowClient(tracking_uri=settings.tracking_uri, registry_uri=settings.tracking_uri)
    run_id = client.get_logged_model(located.model_id).source_run_id
    card = cards[0]
    figures = {name: getattr(card, name) for name in FIGURES}
    if card.interval is not None:
        figures["low"], figures["high"] = card.interval
    if len(cards) > 1 and len(card.drives) > 1:
        lead = compare(card, cards[1])
        figures |= {"lead": lead.difference, "lead_low": lead.low, "lead_high": lead.high}
    for name, value in figures.items():
        if value is not None:
            client.log_metric(run_id, f"score/{name}", float(value))
    folder = f"scores/{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    client.log_dict(run_id, {"scorecards": [item.to_dict() for item in cards]}, f"{folder}/scorecard.json")
    client.log_text(run_id, markdown(cards) + "\n", f"{folder}/scorecard.md")
    client.log_image(run_id, Image.open(io.BytesIO(scores_by_seed(cards))), f"{folder}/scores_by_seed.png")
    return f"Kept at the model's MLflow run {run_id}: metrics score/…, and {folder}."
