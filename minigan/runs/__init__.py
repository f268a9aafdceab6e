"""A run: a system trained on data, from the first step to the last, in one folder.

session.py      the run in progress         hooks.py    what happens every so many steps
folder.py       its files                   feed.py     batches sent to a GPU ahead of time
evaluation.py   how good its samples are    capture.py  an iteration as a CUDA graph
report.py       the page about it           diagnosis.py    what its curves say
"""
