"""Exercises of lesson 21: the dynamics of games."""

from minigan.exercises import Exercise


def matrices(function):
    """The four numbers of J for k = 3, then for k = 0."""
    return [float(number) for k in (3.0, 0.0) for row in function(k) for number in row]


def factors(function):
    """For (h, r, w) = (0.1, 0, 0.5), (0.5, -1, 2) and (1, 0.5, 0)."""
    return [float(function(*given)) for given in ((0.1, 0.0, 0.5), (0.5, -1.0, 2.0), (1.0, 0.5, 0.0))]


EXERCISES = [
    Exercise(
        name="21.1",
        title="The matrix of a game's field",
        text="a wants v(a, b) = a b + k (a^2 - b^2) / 2 to be small, b wants it to be large.  Where does each of them go?  "
        "Write the matrix of the derivatives of these two movements, as a list of two rows.",
        start='''\
def field_matrix(k):
    """[[d a'/da, d a'/db], [d b'/da, d b'/db]], where a' and b' say where the players go."""
    return None
''',
        through=matrices,
        expected=[-3.0, -1.0, 1.0, -3.0, 0.0, -1.0, 1.0, 0.0],
        atol=1e-12,
        parts=2,
        hints=["a goes down: a' = -dv/da = -b - k a", "b goes up: b' = dv/db = a - k b; now differentiate both by a and by b"],
        answer="""\
def field_matrix(k):
    return [[-k, -1.0], [1.0, -k]]
""",
        usual=[
            ([3.0, 1.0, 1.0, -3.0], "this is the Hessian of v: a goes down, so its row has the other sign"),
            ([-3.0, -1.0, -1.0, 3.0], "b wants v to be large: it goes up, so its row keeps the sign of dv/db"),
            ([3.0, 1.0, -1.0, 3.0], "the signs of both rows are wrong: a goes down, b goes up"),
            ([-3.0, 1.0], "the rows are the players, the columns are what is differentiated by: this is transposed"),
            ([-3.0, -1.0, 1.0, 3.0], "v has -k b^2 / 2, so dv/db = a - k b"),
        ],
        wrong=[
            "def field_matrix(k):\n    return [[k, 1.0], [1.0, -k]]\n",
            "def field_matrix(k):\n    return [[-k, -1.0], [-1.0, k]]\n",
            "def field_matrix(k):\n    return [[-k, 1.0], [-1.0, -k]]\n",
        ],
    ),
    Exercise(
        name="21.2",
        title="The factor of one step",
        text="By which factor does the distance to the centre change in one step of length h, if both players move at once and "
        "J has the eigenvalues r + i w and r - i w?",
        start='''\
def factor(h, r, w):
    """The length of 1 + h (r + i w)."""
    return None
''',
        through=factors,
        expected=[1.0025**0.5, 1.25**0.5, 1.5],
        atol=1e-9,
        hints=["a step multiplies by 1 + h r + i h w", "the length of p + i q is the root of p^2 + q^2"],
        answer="""\
def factor(h, r, w):
    return ((1 + h * r) ** 2 + (h * w) ** 2) ** 0.5
""",
        usual=[
            ([1.0, 0.5, 1.5], "this is the real part only; the turning makes the step longer"),
            ([1.0025], "the root is missing"),
            ([1.05], "the length of p + i q is no sum: it is the root of p^2 + q^2"),
            ([0.05], "1 is missing: a step adds to the place where one is"),
        ],
        wrong=[
            "def factor(h, r, w):\n    return 1 + h * r\n",
            "def factor(h, r, w):\n    return (1 + h * r) ** 2 + (h * w) ** 2\n",
            "def factor(h, r, w):\n    return 1 + h * r + h * w\n",
        ],
    ),
]
