"""The command line of a file of measures: which of them, and their numbers as a table."""
import argparse
import os

from machine import TOP


def run(description, every, measure):
    """`measure(result, what)` fills in the numbers; those it had when it failed are shown, too."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", default=every)
    os.chdir(TOP)
    result = {}
    try:
        measure(result, parser.parse_args().what)
    finally:
        for key in sorted(result):
            print(f"{key:40} {result[key]:>10}")
