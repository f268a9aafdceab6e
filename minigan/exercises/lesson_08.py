"""Exercises of lesson 8: the time of a step on a card, and a stopwatch that does not lie."""

from minigan.exercises import Exercise


def times(step_seconds):
    """The seconds of three steps: bound by the memory, by the host, and by both kinds of ops of a card; send = 10, rate = 2,
    bandwidth = 4."""
    steps = [(8.0, 200.0), (8.0, 120.0)], [(4.0, 8.0), (8.0, 8.0), (2.0, 4.0)], [(100.0, 4.0), (8.0, 200.0)]
    return [float(step_seconds(list(ops), 10.0, 2.0, 4.0)) for ops in steps]


class Card:
    """A card with a queue, whose clock is calculated.   It is busy for 3 seconds at first."""

    def __init__(self):
        self.now, self.busy_until = 0.0, 3.0

    def clock(self):
        """The time, in seconds."""
        return self.now

    def wait(self):
        """Wait until the card is idle."""
        self.now = max(self.now, self.busy_until)

    def launch(self, seconds):
        """Send an op, which takes 0.5 seconds; the card begins with it when it is free."""
        self.now += 0.5
        self.busy_until = max(self.now, self.busy_until) + seconds


def watched(stopwatch):
    """The seconds that it shows for one op of 2 seconds, and for two ops of 4 seconds; sending an op takes 0.5 seconds."""
    found = []
    for durations in ((2.0,), (4.0, 4.0)):
        card = Card()
        found.append(float(stopwatch(card, lambda card=card, durations=durations: [card.launch(d) for d in durations])))
    return found


EXERCISES = [
    Exercise(
        name="8.1",
        title="The time of a step on a card",
        text="A step is a list of ops (operations, bytes).  The host needs `send` seconds to send each op.  The card needs, "
        "for each op, the longer of operations / rate and bytes / bandwidth.  Host and card work at the same time.  How long "
        "does the step take?  (Forget the small delay until the card gets the first op.)",
        start='''\
def step_seconds(ops, send, rate, bandwidth):
    """Seconds until all is done.   ops: a list of (operations, bytes);   send: the host's seconds for each op."""
    return None
''',
        through=times,
        expected=[80.0, 30.0, 100.0],
        atol=1e-9,
        hints=[
            "first the card's time for one op: max(operations / rate, bytes / bandwidth); then the sum of these over the ops",
            "the host's time is send * len(ops); both work at the same time, so the longer of the two counts",
        ],
        answer="""\
def step_seconds(ops, send, rate, bandwidth):
    card = sum(max(operations / rate, traffic / bandwidth) for operations, traffic in ops)
    return max(send * len(ops), card)
""",
        usual=[
            ([100.0], "host and card work at the same time: take the longer time, not the sum of both"),
            ([88.0], "the arithmetic and the traffic of an op go on at the same time: the longer one counts, not the sum"),
            ([108.0], "both pairs work at the same time: in each, the longer time counts, not the sum"),
            ([80.0, 7.0], "the host must send each op, and here this takes longer than the card's work"),
            ([80.0, 10.0], "each op must be sent: send * len(ops)"),
            (
                [80.0, 30.0, 54.0],
                "take the maximum for each op, then add: one op may be bound by arithmetic and another by memory",
            ),
            ([20.0], "for each op the longer time counts; here the shorter one does"),
            ([1280.0], "divide by the rate and by the bandwidth: both are per second"),
        ],
        wrong=[
            f"def step_seconds(ops, send, rate, bandwidth):\n    card = {card}\n    return {total}\n"
            for card, total in (
                ("sum(max(a / rate, b / bandwidth) for a, b in ops)", "send * len(ops) + card"),
                ("sum(a / rate + b / bandwidth for a, b in ops)", "max(send * len(ops), card)"),
                ("sum(a / rate + b / bandwidth for a, b in ops)", "send * len(ops) + card"),
                ("sum(max(a / rate, b / bandwidth) for a, b in ops)", "card"),
                ("sum(max(a / rate, b / bandwidth) for a, b in ops)", "max(send, card)"),
                ("max(sum(a for a, b in ops) / rate, sum(b for a, b in ops) / bandwidth)", "max(send * len(ops), card)"),
                ("sum(min(a / rate, b / bandwidth) for a, b in ops)", "max(send * len(ops), card)"),
                ("sum(max(a * rate, b * bandwidth) for a, b in ops)", "max(send * len(ops), card)"),
            )
        ],
    ),
    Exercise(
        name="8.2",
        title="A stopwatch that does not lie",
        text="work() sends ops to a card, and the card works while the host goes on.  card.clock() is the time, card.wait() "
        "waits until the card is idle.  Measure the seconds that the card needs for work().  It may be busy when you begin.",
        start='''\
def stopwatch(card, work):
    """The seconds that the card needs for work().   card.clock(): the time;   card.wait(): wait until the card is idle."""
    return None
''',
        through=watched,
        expected=[2.5, 8.5],
        atol=1e-9,
        hints=[
            "when you read the clock after work(), has the card done anything yet?",
            "and before you read it for the first time: is the card idle?",
        ],
        answer="""\
def stopwatch(card, work):
    card.wait()
    start = card.clock()
    work()
    card.wait()
    return card.clock() - start
""",
        usual=[
            ([0.5, 1.0], "you have measured the sending only: wait for the card before you read the clock at the end"),
            ([5.0, 11.0], "old work is counted too: wait until the card is idle before you read the clock for the first time"),
            ([3.5], "old work is counted, and the new work is not: wait before both readings of the clock"),
            ([5.5, 11.5], "this is a time, not a duration: subtract the time at the start"),
            ([-2.5], "end minus start, not start minus end"),
            ([0.0, 0.0], "nothing has happened between the two readings: call work() there"),
            ([2.0, 7.5], "sending is a part of the work: read the clock before work()"),
        ],
        wrong=[
            "def stopwatch(card, work):\n" + "".join(f"    {line}\n" for line in lines.split("; "))
            for lines in (
                "card.wait(); start = card.clock(); work(); return card.clock() - start",
                "start = card.clock(); work(); return card.clock() - start",
                "start = card.clock(); work(); card.wait(); return card.clock() - start",
                "start = card.clock(); card.wait(); work(); return card.clock() - start",
                "card.wait(); work(); card.wait(); return card.clock()",
                "card.wait(); start = card.clock(); work(); card.wait(); return start - card.clock()",
                "card.wait(); start = card.clock(); return card.clock() - start",
                "card.wait(); work(); start = card.clock(); card.wait(); return card.clock() - start",
            )
        ],
    ),
]
