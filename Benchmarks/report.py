"""Results of benchmarks: a table for people, JSON lines for programs."""
import json
import os

RESULTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "results.jsonl")


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
