"""The asset `training_set`: all good sessions of a game, split, balanced and indexed."""

import dagster as dg
from pydantic import Field

from kart_pipeline.core.contract import Contract
from kart_pipeline.core.errors import KartError
from kart_pipeline.core.manifest import Manifest
from kart_pipeline.core.settings import Settings
from kart_pipeline.core.store import Store
from kart_pipeline.datasets import training_set as sets
from kart_pipeline.datasets.balance import TAKEOVER_WEIGHT, check_balance, check_correction_weight
from kart_pipeline.datasets.labels import direction_name
from kart_pipeline.datasets.shared import OF_FRAMES, OF_TRAINING_SET, frames_path, shared_datasets, training_set_path
from kart_pipeline.datasets.split import check_fraction, check_hold_out
from kart_pipeline.games.contracts import Contracts, prevailing
from kart_pipeline.learning.figures import steering_histogram
from kart_pipeline.orchestration import checks, pictures, tables
from kart_pipeline.orchestration.assets.frames import frames
from kart_pipeline.orchestration.partitions import GAMES
from kart_pipeline.orchestration.resources import Progress


class TrainingSetConfig(dg.Config):
    """How the rows are divided and weighted."""

    val_fraction: float = Field(0.2, description="Share of what is held out, above 0, below 1.")
    hold_out: str = Field(
        "group",
        description="What is held out whole: 'group' (a track of its own where each drive has one), 'session' or "
        "'track'.",
    )
    balance: str = Field(
        "histogram",
        description="'histogram': rows of rare steering count more, up to five times; 'places': rows of places on the "
        "track that were passed quickly or seldom do; 'both'; 'none': all rows count the same.",
    )
    correction_weight: float = Field(
        1.0,
        description="How many times as much as another a row counts in which a policy acted and a teacher said what "
        "would have been right.",
    )
    takeover_weight: float = Field(
        TAKEOVER_WEIGHT, description="The same where a teacher, as a person, had taken the controls."
    )
    course: str = Field(
        "", description="Only sessions on this course, as luigi-raceway, for a model of its own; empty takes all."
    )


@dg.asset(
    partitions_def=GAMES,
    deps=[dg.AssetDep(frames, partition_mapping=dg.AllPartitionMapping())],
    kinds={"parquet"},
    code_version=str(sets.VERSION),
)
def training_set(
    context: dg.AssetExecutionContext,
    config: TrainingSetConfig,
    settings: dg.ResourceParam[Settings],
    progress: dg.ResourceParam[Progress],
) -> dg.MaterializeResult:
    """Every labelled frame of a game's good sessions, once: which session, which frame, what label, which weight.

    Sessions are held out whole, never frame by frame: neighbouring frames are near copies, and a network that knows
    one by heart would look good on the other. A session whose checks failed, or whose frames are missing, is left out
    and named; the others are used.
    """
    game = context.partition_key
    with checks.sentences():
        check(config)
        contract, manifests, unfit = _sessions(settings, game, config.course)
        store, shared = Store(settings.store_url), shared_datasets(settings)
        if shared is not None:
            shared.fetch([frames_path(contract.hash, manifest.id) for manifest in manifests], OF_FRAMES, progress)
        made = sets.build_training_set(
            settings.datasets,
            contract,
            game,
            sessions=manifests,
            edits={manifest.id: store.open(manifest.id).edits.mark for manifest in manifests},
            val_fraction=config.val_fraction,
            balance=config.balance,  # type: ignore[arg-type] # checked where it is used
            hold_out=config.hold_out,  # type: ignore[arg-type] # the same
            correction_weight=config.correction_weight,
            takeover_weight=config.takeover_weight,
        )
        if shared is not None:
            shared.put(training_set_path(game), OF_TRAINING_SET, progress)
    left_out = {**made.left_out.sessions, **unfit}
    for name, reason in left_out.items():
        context.log.warning("Session %s is left out: %s.", name, reason)
    learned, held_out = made.rows("train"), made.rows("val")
    return dg.MaterializeResult(
        metadata=tables.present(
            {
                "steering before and after balancing": _histogram(made),
                "sessions": tables.sessions(made.sessions),
                "left-out sessions": tables.reasons(left_out),
                "dagster/row_count": len(learned) + len(held_out),
                "rows to learn from": len(learned),
                "rows held out": len(held_out),
                "rows of corrections": sum(entry.corrections for entry in made.sessions),
                "split": made.split_kind,
                "steps without label": made.left_out.unlabelled,
                "steps left out by hand": made.left_out.edited or None,
                "steps without frame": made.left_out.frames,
                "contract hash": contract.hash,
                "index": dg.MetadataValue.path(str(made.path)),
                "contract": dg.MetadataValue.json(contract.to_dict()),
            }
        ),
        data_version=dg.DataVersion(made.version),
    )


def check(config: TrainingSetConfig) -> None:
    """Raise KartError for a configuration that no training set can be built by, whatever its sessions are."""
    check_fraction(config.val_fraction)
    check_hold_out(config.hold_out)
    check_balance(config.balance)
    check_correction_weight(config.correction_weight)
    check_correction_weight(config.takeover_weight)
    if config.hold_out == "frame":
        raise KartError(
            "Frames held out one by one are known from their neighbours, so their error says nothing of a drive; "
            "hold out 'group', 'session' or 'track'. `python -m benchmarks.leak` shows the difference."
        )


def _sessions(settings: Settings, game: str, course: str = "") -> tuple[Contract, list[Manifest], dict[str, str]]:
    """The contract of a game's training set, the sessions that have it, and why the others are left out.

    Sessions on other courses than is wanted are no part of it, and nothing that has to be said.
    """
    store, contracts = Store(settings.store_url), Contracts.load(settings.home)
    found: list[tuple[Manifest, Contract]] = []
    unfit: dict[str, str] = {}
    courses: set[str] = set()
    for name in store.ids():
        try:
            manifest = store.manifest(name)
        except KartError as error:
            unfit[name] = str(error).rstrip(".")
            continue
        if manifest.game == game:
            courses.add(manifest.track)
            if course in ("", manifest.track):
                found.append((manifest, contracts.contract(manifest)))
    if courses and not found:
        raise KartError(f"There are no sessions of {game} on {course!r}; there are some on {sorted(courses)}.")
    if not found:
        raise KartError(f"There are no sessions of {game}; record some with `python -m recorder capture`.")
    contract = prevailing(found)
    wanted, fit = contract.hash, []
    for manifest, own in found:
        if own.hash == wanted:
            fit.append(manifest)
        else:
            unfit[manifest.id] = "most sessions of the game have other channels or another rate"
    return contract, fit, unfit


def _histogram(made: sets.TrainingSet) -> dg.MarkdownMetadataValue | None:
    if made.steering is None:
        return None
    return pictures.figure(steering_histogram(made.steering, direction_name(made.contract.spec), pictures.MOST_BYTES))
