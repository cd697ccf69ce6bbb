"""The asset `frames`: the pictures of a session as the network will see them."""

import dagster as dg

from kart_pipeline.core.settings import Settings
from kart_pipeline.core.store import Store
from kart_pipeline.datasets import frames_info
from kart_pipeline.datasets.frames import build_frames
from kart_pipeline.datasets.health_frames import check_frames
from kart_pipeline.datasets.shared import OF_FRAMES, frames_path, shared_datasets
from kart_pipeline.games.contracts import Contracts
from kart_pipeline.orchestration import checks, pictures, tables
from kart_pipeline.orchestration.assets.session import session
from kart_pipeline.orchestration.partitions import SESSIONS
from kart_pipeline.orchestration.resources import Progress


def frames_version(digest: str, contract: str, edits: str = "") -> str:
    """The data version of a session's frames, of their labels with them: `edits` is the mark of what is left out."""
    return "-".join([digest[:16], contract, *([edits] if edits else [])])


@dg.asset(
    partitions_def=SESSIONS,
    deps=[session],
    kinds={"numpy"},
    code_version=str(frames_info.VERSION),
    check_specs=checks.specs("frames", checks.OF_FRAMES),
)
def frames(
    context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings], progress: dg.ResourceParam[Progress]
) -> dg.MaterializeResult:
    """The frames of a session, masked, cropped, resized and converted as the game's contract says, with their labels.

    `frames.npy` (uint8, mapped into memory when it is read) and `labels.parquet` lie in
    `datasets/frames/<contract>/<session>`. Another crop or size, set in `contracts.toml` of KART_HOME, is another
    contract and another folder: two are never mixed, and the sensor has the frames built anew. With KART_DATASETS they
    are brought there too, for the machines that train.
    """
    with checks.sentences():
        opened = Store(settings.store_url).open(context.partition_key)
        manifest, contract = opened.manifest, Contracts.load(settings.home).contract(opened.manifest)

        def tell(done: int) -> None:
            progress(f"Frames of {opened.id}", done, manifest.steps)

        folder, shared = frames_path(contract.hash, opened.id), shared_datasets(settings)
        if shared is not None:  # another machine may have built them
            shared.fetch([folder], OF_FRAMES, progress)
        info = build_frames(opened, contract, settings.datasets, progress=tell)
        if shared is not None:
            shared.put(folder, OF_FRAMES, progress)
        verdicts = check_frames(info, contract, simulated=manifest.source.get("kind") == "simulated")
    return dg.MaterializeResult(
        metadata=tables.present(
            {
                "as the network sees them, with labels": pictures.inputs(info, contract),
                "dagster/row_count": info.frames,
                "labelled frames": info.labelled,
                "left-out frames": len(info.left_out),
                "frames left out by hand": info.edited or None,
                "frames per second": round(info.frames / max(info.seconds, 1e-3)),
                "built in (s)": info.seconds,
                "contract hash": contract.hash,
                "folder": dg.MetadataValue.path(str(info.folder)),
                "contract": dg.MetadataValue.json(contract.to_dict()),
            }
        ),
        data_version=dg.DataVersion(frames_version(manifest.digest, contract.hash, info.edits)),
        check_results=checks.results(context, verdicts, checks.OF_FRAMES),
    )
