"""Exercises of lesson 9: folds of whole groups, and a picture that moves."""

import numpy as np

from minigan.exercises import Exercise


def folded(group_folds):
    """For six groups numbered 3, 6, ..., 18 of 1 to 6 pictures, mixed, and three folds: the number of groups that are in more
    than one fold, then the number of groups in each fold."""
    groups = np.random.default_rng(0).permutation(np.repeat(3 * np.arange(1, 7), np.arange(1, 7)))
    folds = np.asarray(group_folds(groups, 3))
    if folds.shape != groups.shape:
        raise ValueError(f"one fold for each picture makes {groups.shape}, got {folds.shape}")
    torn = sum(len(set(folds[groups == group])) > 1 for group in np.unique(groups))
    return [float(torn), *(float(len(set(groups[folds == fold]))) for fold in range(3))]


def moves(move):
    """A picture of 2 rows and 3 columns with the numbers 1 to 6, moved by (0, 1), (1, 0), (1, 2) and (0, 0)."""
    x = np.arange(1.0, 7.0).reshape(2, 3)
    found = [np.asarray(move(x.copy(), *by), float) for by in ((0, 1), (1, 0), (1, 2), (0, 0))]
    return [float(number) for picture in found for number in picture.reshape(-1)]


EXERCISES = [
    Exercise(
        name="9.1",
        title="Folds of whole groups",
        text="For each picture, the number of its fold.  All pictures of one group must be in the same fold, and the groups "
        "must be shared out evenly: the first group into fold 0, the next into fold 1, and so on, then from 0 again.  The "
        "groups may have any whole numbers, such as 3, 6, 9.  np.unique may help.",
        start='''\
def group_folds(groups, k):
    """The fold of each picture, from 0 to k - 1: an array (n,).   groups (n,): the group of each picture, any whole numbers."""
    return None
''',
        through=folded,
        expected=[0.0, 2.0, 2.0, 2.0],
        hints=[
            "number the groups 0, 1, 2, ... first; then the remainder by k gives the fold",
            "np.unique(groups, return_inverse=True)[1] is the place of each picture's group in the sorted list of groups",
        ],
        answer="""\
def group_folds(groups, k):
    return np.unique(groups, return_inverse=True)[1] % k
""",
        usual=[
            ("one fold for each picture", "the result is an array with one number for each picture, not for each group"),
            (
                [0.0, 6.0, 0.0, 0.0],
                "the numbers of the groups are not 0, 1, 2, ...: here all have the same remainder; number them first",
            ),
            ([0.0, 0.0], "fold 0 is empty: the folds are numbered from 0"),
            ([0.0, 1.0, 1.0, 1.0], "there are more than k folds: take the remainder by k"),
            ([0.0, 3.0, 3.0, 0.0], "one of the folds is empty; share the groups out over all k"),
            ([5.0], "the groups are torn apart: the fold must depend on the group, not on the row"),
            ([4.0], "the groups are torn apart: the fold must depend on the group, not on the row"),
        ],
        wrong=[
            f"def group_folds(groups, k):\n    return {wrong}\n"
            for wrong in (
                "np.arange(len(groups)) % k",
                "np.random.default_rng(0).integers(0, k, len(groups))",
                "groups % k",
                "np.unique(groups) % k",
                "np.unique(groups, return_inverse=True)[1]",
                "np.unique(groups, return_inverse=True)[1] % k + 1",
                "np.unique(groups, return_inverse=True)[1] % (k - 1)",
            )
        ],
    ),
    Exercise(
        name="9.2",
        title="A picture that moves",
        text="Move the picture x, an array (H, W), down by `down` pixels and to the right by `right` pixels, both 0 or more "
        "and smaller than the picture.  What comes free is black, which is -1.  Rows count downwards, columns to the right.",
        start='''\
def move(x, down, right):
    """The picture x (H, W), moved by down and right pixels (0 or more); what comes free is -1."""
    return None
''',
        through=moves,
        expected=[-1, 1, 2, -1, 4, 5, -1, -1, -1, 1, 2, 3, -1, -1, -1, -1, -1, 1, 1, 2, 3, 4, 5, 6],
        hints=[
            "begin with a black picture, np.full_like(x, -1), and copy a part of x into a part of it",
            "x[: H - down, : W - right] goes to [down:, right:]",
        ],
        answer="""\
def move(x, down, right):
    H, W = x.shape
    moved = np.full_like(x, -1)
    moved[down:, right:] = x[: H - down, : W - right]
    return moved
""",
        usual=[
            ([3, 1, 2], "np.roll brings in what leaves on the other side; what comes free must be black"),
            ([0, 1, 2], "what comes free is grey (0); black is -1"),
            ([1, 1, 2], "what comes free must be black; here the edge is repeated, or the old pixels have stayed"),
            ([2, 3, -1], "the picture has moved to the left"),
            ([-1, -1, -1, 1, 2, 3], "down and right are in each other's place: rows come first"),
            ([-1, 1, 2, -1, 4, 5, 4, 5, 6], "the picture has moved up, not down"),
            ("could not broadcast", "the parts differ in size: a part that is moved down by `down` loses that many rows below"),
            ([-1, 1, 2, 3, -1, 4, 5, 6], "the picture has grown; cut it to its old size"),
        ],
        wrong=[
            "def move(x, down, right):\n    return np.roll(x, (down, right), (0, 1))\n",
            *(
                f"def move(x, down, right):\n    (H, W), y = x.shape, {black}\n    y[{to}] = x[{part}]\n    return y\n"
                for black, to, part in (
                    ("np.zeros_like(x)", "down:, right:", ": H - down, : W - right"),
                    ("x.copy()", "down:, right:", ": H - down, : W - right"),
                    ("np.full_like(x, -1)", ": H - down, : W - right", "down:, right:"),
                    ("np.full_like(x, -1)", "right:, down:", ": H - right, : W - down"),
                    ("np.full_like(x, -1)", ": H - down, right:", "down:, : W - right"),
                    ("np.full_like(x, -1)", "down:, right:", ":"),
                )
            ),
            "def move(x, down, right):\n    return np.pad(x, ((down, 0), (right, 0)), constant_values=-1)\n",
        ],
    ),
]
