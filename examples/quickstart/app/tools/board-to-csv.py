#!/usr/bin/env python3
"""Turns an exported board into CSV: board-to-csv.py board.json > board.csv"""
import csv
import json
import sys

COLUMNS = ["To do", "Doing", "Done"]

if len(sys.argv) != 2:
    sys.exit(__doc__)
with open(sys.argv[1], encoding="utf-8") as file:
    tasks = json.load(file)
out = csv.writer(sys.stdout)
out.writerow(["column", "task", "made"])
for task in sorted(tasks, key=lambda task: task["column"]):
    out.writerow([COLUMNS[task["column"]], task["text"], task.get("made", "")])
