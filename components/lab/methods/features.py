"""Hidden states of a data set in two dimensions.

`POINTS` in the run's folder holds, each row a text: `points` float32 [n, 2]; `rows` int64 [n], its index in
the data; `classes` int32 [n], codes of `About.labels`, or `UNUSED` where it has none; `splits` int8 [n],
codes of `SPLITS`. Texts are not repeated there: `Data.texts(rows)` has them.

The result names `layer` of `layers` and `pooling`; `projection`, that which was used; `shown` of `rows`
texts; `explained`, the shares of the variance that the two axes of a PCA hold, else None; `held_out` of a
projection that was fitted to labels, else None: how many labelled texts it was not fitted to, the share of
them that the plane puts among training texts of their class, and the share of their most frequent class; and
`cut`, how many texts were longer than the model reads.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field
from pydantic.dataclasses import dataclass

from components.lab.data import SPLITS, UNUSED
from components.lab.methods.method import Method
from components.lab.methods.options import DEFAULT_MODEL, Layer, Model, Pooling, Seed
from components.lab.runs import Run
from components.lab.sampling import spread
from components.lab.work import Work
from components.models.errors import Code, TourError
from components.tasks.fields import STRICT
from components.texts import in_folder

TEXTS = in_folder(__file__)

MOST = 5000  # rows
FEWEST = 4
NEAREST = 15  # texts in the plane whose classes are compared with that of one that it was not fitted to
POINTS = "points.npz"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Options:
    model: Model = DEFAULT_MODEL
    layer: Layer = -1
    pooling: Pooling = "mean"
    projection: Annotated[
        Literal["lda", "pca", "umap"],
        Field(
            title="Projection",
            description=TEXTS["projection"],
        ),
    ] = "lda"
    n_neighbors: Annotated[
        int,
        Field(
            ge=2,
            le=200,
            title="Neighbours",
            description="For lda and umap: few show small groups, many the whole.",
        ),
    ] = 15
    seed: Seed = 20


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Points:
    """What a run has kept, as the module says."""

    points: np.ndarray
    rows: np.ndarray
    classes: np.ndarray
    splits: np.ndarray


def points(run: Run) -> Points:
    """Raises `TourError` before the run is done."""
    file = run.folder / POINTS
    if not file.is_file():
        raise TourError(Code.EXPIRED, "This projection is not there. Compute it again.")
    with np.load(file) as content:
        return Points(**{name: content[name] for name in ("points", "rows", "classes", "splits")})


def run(work: Work, options: Options) -> None:
    from components.lab.hidden import cut_note, hidden_states

    data = work.data
    every = np.flatnonzero(data.split_codes != UNUSED)
    if len(every) < FEWEST:
        raise TourError(
            Code.INVALID_INPUT,
            TEXTS["too_few_texts"].format(texts=len(every), limit=FEWEST),
        )
    rows = spread(every, MOST)
    if len(rows) < len(every):
        work.note(TEXTS["sample"].format(texts=len(every), shown=len(rows)))
    hidden = hidden_states(work, rows, options.layer, options.pooling)
    if work.base and (note := cut_note(hidden.cut, work.base.token_limit)):
        work.note(note)

    classes, splits = data.classes(rows), np.asarray(data.split_codes[rows])
    fitted = (splits == SPLITS.index("train")) & (classes != UNUSED)
    projection = options.projection
    if projection == "lda" and len(np.unique(classes[fitted])) < 2:
        work.note(TEXTS["too_few_labels"])
        projection = "pca"
    work.progress(f"Projecting ({projection})")
    explained, held_out = None, None
    vectors = hidden.vectors
    if projection == "lda":
        vectors = _separated(vectors, classes, fitted)
    if projection == "pca":
        flat, explained = _pca(vectors)
    elif vectors.shape[1] == 2:
        flat = vectors
    else:
        flat = _umap(vectors, options.n_neighbors, options.seed, work.settings.cache_dir / "numba")
    if projection == "lda":
        held_out = _held_out(flat, classes, fitted)
    np.savez(
        work.run.folder / POINTS,
        points=flat.astype(np.float32),
        rows=rows.astype(np.int64),
        classes=classes.astype(np.int32),
        splits=splits.astype(np.int8),
    )
    work.finish(
        {
            "layer": hidden.layer,
            "layers": hidden.layers,
            "pooling": options.pooling,
            "projection": projection,
            "shown": len(rows),
            "rows": len(every),
            "explained": explained,
            "held_out": held_out,
            "cut": hidden.cut,
        }
    )


def _pca(vectors: np.ndarray) -> tuple[np.ndarray, list[float]]:
    """[n, width] to [n, 2], and the share of the variance on each axis."""
    from sklearn.decomposition import PCA

    reduction = PCA(n_components=2, svd_solver="full")
    flat: np.ndarray = reduction.fit_transform(vectors)
    return flat, [float(share) for share in np.nan_to_num(reduction.explained_variance_ratio_)]


def _separated(vectors: np.ndarray, classes: np.ndarray, fitted: np.ndarray) -> np.ndarray:
    """[n, width] to [n, at least 2]: along the directions that separate the classes of the fitted rows best.

    Linear discriminant analysis of vectors of length 1, with the covariance shrunk as Ledoit and Wolf have it
    (2004, https://doi.org/10.1016/S0047-259X(03)00096-4): there are about as many directions as texts. Two
    classes have but one such direction; the second is then the first principal component.
    """
    from sklearn.decomposition import PCA
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.preprocessing import normalize

    unit = normalize(vectors)
    analysis = LinearDiscriminantAnalysis(solver="eigen", shrinkage="auto")
    found: np.ndarray = analysis.fit(unit[fitted], classes[fitted]).transform(unit)
    if found.shape[1] > 1:
        return found
    across = PCA(n_components=1, svd_solver="full").fit_transform(unit)
    return np.hstack([found / (found.std() or 1), across / (across.std() or 1)])


def _held_out(flat: np.ndarray, classes: np.ndarray, fitted: np.ndarray) -> dict[str, float] | None:
    """What the module says of `held_out`: by the classes of the nearest fitted texts in the plane."""
    from sklearn.neighbors import KNeighborsClassifier

    others = ~fitted & (classes != UNUSED)
    if not others.any():
        return None
    neighbours = KNeighborsClassifier(min(NEAREST, int(fitted.sum()))).fit(flat[fitted], classes[fitted])
    return {
        "rows": int(others.sum()),
        "share": float(neighbours.score(flat[others], classes[others])),
        "chance": float(np.bincount(classes[others]).max() / others.sum()),
    }


def _umap(vectors: np.ndarray, neighbours: int, seed: int, cache: Path) -> np.ndarray:
    """[n, width] to [n, 2] (McInnes et al. 2018, https://arxiv.org/abs/1802.03426)."""
    import os
    import warnings

    os.environ.setdefault("NUMBA_CACHE_DIR", str(cache))
    import umap

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "n_jobs value", UserWarning)  # a seed needs one thread
        flat: np.ndarray = umap.UMAP(
            n_neighbors=min(neighbours, len(vectors) - 1),
            n_components=2,
            metric="cosine",
            random_state=seed,
            # The eigenvectors that it starts from by default need more texts than a handful.
            init="spectral" if len(vectors) > 2 * neighbours else "random",
        ).fit_transform(vectors)
    return flat


METHOD = Method(
    name="features",
    title="Features",
    about=TEXTS["about"],
    kind="features",
    options=Options,
    run=run,
    disk=6.0,
)
