"""Training: game.py is the one loop, objectives.py what the players pay, session.py a run of it, run.py its folder."""
