"""Files that were changed at random are refused by a message, or read: no traceback, no hang, and no code runs."""

from mutated_files import attack


def test_a_few_changed_files():
    """`python tests/mutated_files.py --full` changes 3,000."""
    assert attack(18) == []
