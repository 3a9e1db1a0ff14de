"""Results of benchmarks: a table for people, JSON lines for programs."""
import json
import os
import statistics

RESULTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "results.jsonl")


def turns(rounds, measure, *ways):
    """What each way has in each of so many turns, in every other of which the ways take their turn from the last to the first."""
    return [[measure(way) for way in ways[::(-1) ** turn]][::(-1) ** turn] for turn in range(rounds)]


def proportion(rows, index, base):
    """What a way of `turns` has in proportion to another: the median of the ratios of neighbours in time, and the bounds between
    which it is in 19 of 20 such measurements (by ranks, without a guess at the distribution).

    What else goes on on the machine, its clock and its caches change over seconds; within a turn they are nearly the same."""
    rank = int(len(rows) / 2 - 0.98 * len(rows) ** 0.5)
    ratios = sorted(row[index] / row[base] for row in rows)
    return statistics.median(ratios), ratios[rank], ratios[-1 - rank]


def compared(rows):
    """What the first way has in the median, and what each other has in proportion."""
    return statistics.median(row[0] for row in rows), [proportion(rows, index, 0) for index in range(1, len(rows[0]))]


def in_turn(rounds, measure, *ways):
    """The same of ways that are measured now."""
    return compared(turns(rounds, measure, *ways))


class Suite:
    def __init__(self, name):
        self.name, self.rows = name, []

    def add(self, figure, ours, unit, goal, method, peer=None, higher_is_better=False):
        """Records one figure. `goal` is the largest value that meets the aim, or the smallest where higher is better."""
        row = {
            "suite": self.name, "figure": figure, "ours": round(ours, 3), "peer": None if peer is None else round(peer, 3),
            "ratio": round(ours / peer, 3) if peer else None, "unit": unit, "goal": goal,
            "met": ours >= goal if higher_is_better else ours <= goal,
            "method": method,
        }
        self.rows.append(row)
        with open(RESULTS, "a") as file:
            file.write(json.dumps(row) + "\n")

    def table(self):
        head = ("figure", "ours", "peer", "ratio", "unit", "goal", "met")
        lines = [head] + [tuple("–" if row[key] is None else str(row[key]) for key in head) for row in self.rows]
        widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
        text = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines]
        return "\n".join([f"suite {self.name}"] + text + [f"  {row['figure']}: {row['method']}" for row in self.rows])
