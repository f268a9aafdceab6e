"""Exercises of lesson 22: a direction conjugate to another one, and the share of rotation in a Jacobian."""

import numpy as np

from minigan.exercises import Exercise


def conjugates(conjugate_part):
    """The result for A = ((2, 1), (1, 3)), d = (1, 0), e = (1, 1), and for A = diag(1, 4), d = (1, 1), e = (1, 0)."""
    cases = (([[2.0, 1.0], [1.0, 3.0]], [1.0, 0.0], [1.0, 1.0]), ([[1.0, 0.0], [0.0, 4.0]], [1.0, 1.0], [1.0, 0.0]))
    found = [conjugate_part(*(np.array(part) for part in case)) for case in cases]
    return [float(number) for vector in found for number in np.broadcast_to(vector, (2,))]


def rotations(rotation):
    """The share for ((1, 2), (2, 5)), ((0, 3), (-3, 0)), ((1, 1), (-1, 1)) and ((0, 2), (0, 0))."""
    cases = ([[1.0, 2.0], [2.0, 5.0]], [[0.0, 3.0], [-3.0, 0.0]], [[1.0, 1.0], [-1.0, 1.0]], [[0.0, 2.0], [0.0, 0.0]])
    return [float(rotation(np.array(J))) for J in cases]


EXERCISES = [
    Exercise(
        name="22.1",
        title="A conjugate direction",
        text="Take away from e a multiple of d, so that the rest is conjugate to d: d A (rest) = 0.",
        start='''\
def conjugate_part(A, d, e):
    """e minus a multiple of d, so that d A (the result) = 0.   A (n, n) symmetric, all eigenvalues > 0; d, e (n,)."""
    return None
''',
        through=conjugates,
        expected=[-0.5, 1.0, 0.8, -0.2],
        atol=1e-9,
        hints=[
            "write the result as e - t d, and ask for d A (e - t d) = 0: this is one equation for the number t",
            "t = (d A e) / (d A d); in NumPy d @ A @ e is a number",
        ],
        answer="""\
def conjugate_part(A, d, e):
    return e - (d @ A @ e) / (d @ A @ d) * d
""",
        usual=[
            (
                [0.0, 1.0],
                "this makes e and d stand at a right angle; conjugate means d A e = 0, so A belongs into both products",
            ),
            ([2.5, 1.0], "the sign is wrong: take the multiple of d away from e"),
            ([-2.0, 1.0], "the length of d is missing: divide by d A d"),
            ([0.4, 1.0], "divide by d A d, not by e A e: t must not depend on the length of e, only on its part along d"),
            ([1.5, 0.0], "this is the part along d; the answer is what is left of e without it"),
            ([-1 / 3, 1.0], "t is (d A e) / (d A d): the products have d on their left"),
            ([1.5, 1.5], "this is the number t; the answer is a direction: e - t d"),
            ([1.0, 0.5], "the multiple must be taken of d, not of A d or of e"),
        ],
        wrong=[
            f"def conjugate_part(A, d, e):\n    return {wrong}\n"
            for wrong in (
                "e - (d @ e) / (d @ d) * d",
                "e + (d @ A @ e) / (d @ A @ d) * d",
                "e - (d @ A @ e) * d",
                "e - (d @ A @ e) / (e @ A @ e) * d * 1.4 + 0 * e",
                "(d @ A @ e) / (d @ A @ d) * d",
                "(d @ A @ e) / (d @ A @ d)",
            )
        ],
    ),
    Exercise(
        name="22.2",
        title="The share of rotation",
        text="The share of the antisymmetric part R in a matrix J: the sum of the squares of R over that of J.",
        start='''\
def rotation(J):
    """The share of the antisymmetric part of J (n, n): 0 for a Hessian, 1 for a pure rotation."""
    return None
''',
        through=rotations,
        expected=[0.0, 1.0, 0.5, 0.5],
        atol=1e-9,
        hints=[
            "the symmetric part is (J + J.T) / 2; what is left of J is the antisymmetric part",
            "R = (J - J.T) / 2; the sum of squares of a matrix is (R**2).sum()",
        ],
        answer="""\
def rotation(J):
    R = (J - J.T) / 2
    return (R**2).sum() / (J**2).sum()
""",
        usual=[
            ([0.0, 4.0], "R is *half* of J - J.T, because S + R must be J"),
            ([0.0, 1.0, np.sqrt(0.5)], "this is the share of the lengths; the share of the squares was asked for"),
            ([1.0, 0.0], "this is the share of the symmetric part"),
            (
                [0.0, 2.0],
                "R is *half* of J - J.T, because S + R must be J; and the sum of the squares of R belongs above the line",
            ),
            ([0.0, 18.0], "divide by the sum of the squares of J: a share does not depend on the unit of J"),
            ([0.0, 0.0], "the numbers of R cancel in their sum: square each of them first"),
            ([0.0, np.inf], "divide by the squares of J, not by those of the symmetric part, which may be 0"),
        ],
        wrong=[
            f"def rotation(J):\n    R, S = (J - J.T) / 2, (J + J.T) / 2\n    return {wrong}\n"
            for wrong in (
                "((J - J.T) ** 2).sum() / (J**2).sum()",
                "np.linalg.norm(R) / np.linalg.norm(J)",
                "(S**2).sum() / (J**2).sum()",
                "np.linalg.norm(J - J.T) / np.linalg.norm(J)",
                "(R**2).sum()",
                "R.sum() / (J**2).sum()",
            )
        ],
    ),
]
