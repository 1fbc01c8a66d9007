"""`python -m tests.serving.little FOLDER NAME=SHELL-LINE ...`: keep these alive, as `manage.py serve` does its own.

A line may name $FOLDER. The program "beneath" is what the others stand on; it is ready once FOLDER/ready exists.
"""

import os
import sys
from pathlib import Path

from dashboard.serving.output import Output
from dashboard.serving.programs import Program
from dashboard.serving.supervision import keep_alive

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    os.environ["FOLDER"] = str(folder)
    given = [argument.partition("=") for argument in sys.argv[2:]]
    programs = [Program(name, line, patience=600, beneath=name == "beneath") for name, _, line in given]
    standing = any(each.beneath for each in programs)
    keep_alive(programs, lambda: not standing or (folder / "ready").exists(), Output(8))
    print("all ended")
