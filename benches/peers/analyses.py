"""Features and aggregation in other tools: components, moments, Krum."""

import numpy as np

THRESHOLD_V = -0.060
V4_1_CONNECTIVITY = ((0, 1, 0), (1, 1, 1), (0, 1, 0))


def scipy_label(field):
    """Sizes of the components of the cells above the threshold, with four neighbours."""
    from scipy import ndimage

    labels, count = ndimage.label(field > THRESHOLD_V, structure=V4_1_CONNECTIVITY)
    return np.bincount(labels.ravel(), minlength=count + 1)[1:]


def cc3d_label(field):
    """The same by connected-components-3d."""
    import cc3d

    labels, count = cc3d.connected_components((field > THRESHOLD_V), connectivity=4, return_N=True)
    return np.bincount(labels.ravel(), minlength=count + 1)[1:]


def v4_1_moments(field):
    """Minimum to kurtosis as MyceliumFractalNet 4.1 computes them: a pass over the array for each operation."""
    mv = field * 1000.0
    mean, std = float(np.mean(mv)), float(np.std(mv))
    skew = float(np.mean((mv - mean) ** 3) / std**3)
    kurt = float(np.mean((mv - mean) ** 4) / std**4 - 3.0)
    return float(np.min(mv)), float(np.max(mv)), mean, std, skew, kurt


def gram_krum(gradients, byzantine):
    """Krum (Blanchard et al., 2017) with the distances from a matrix of inner products."""
    norms = np.einsum("ij,ij->i", gradients, gradients)
    squared = norms[:, None] + norms[None, :] - 2.0 * (gradients @ gradients.T)
    np.maximum(squared, 0.0, out=squared)
    np.fill_diagonal(squared, np.inf)
    nearest = len(gradients) - byzantine - 2
    return int(np.argmin(np.sum(np.partition(squared, nearest - 1, axis=1)[:, :nearest], axis=1)))


def exact_krum(gradients, byzantine):
    """The same with distances from differences, row by row: slow and without cancellation."""
    nearest = len(gradients) - byzantine - 2
    scores = []
    for index, gradient in enumerate(gradients):
        squared = np.sum((gradients - gradient) ** 2, axis=1)
        squared[index] = np.inf
        scores.append(np.sum(np.partition(squared, nearest - 1)[:nearest]))
    return int(np.argmin(scores))
