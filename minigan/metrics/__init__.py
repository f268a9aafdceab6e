"""Judges of samples: functions on arrays that say how good generated samples are.

digitnet    the project's own small digit classifier: which digits are there, how sure is it?
            (train_digitnet.py is the script that made it)
"""

from minigan.metrics.digitnet import classify, digit_report

__all__ = ["classify", "digit_report"]
