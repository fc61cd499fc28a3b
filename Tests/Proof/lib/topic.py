"""Functions for every topic: reading its options, selecting points from a large number, and trying them in parallel."""

import argparse
import concurrent.futures
import os
import pathlib
import random
import sys

from report import Report


def name():
    """The name of the topic that was started."""
    return pathlib.Path(sys.argv[0]).stem


def option_parser(description):
    """The options of every topic: how much of it is done, and the seed of its random choices."""
    parser = argparse.ArgumentParser(
        prog=name(), description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--full", action="store_true", help="try everything, instead of a bounded part")
    parser.add_argument("--seed", type=int, default=1, help="the seed of random choices (default: %(default)s)")
    return parser


def begin(description):
    """Reads the options of a topic and begins its report."""
    options = option_parser(description).parse_args()
    options.random = random.Random(options.seed)
    return options, Report(name())


def in_parallel(function, items, workers=None):
    """The results of a function for each item, in order. Threads are enough, because other processes do the work."""
    with concurrent.futures.ThreadPoolExecutor(workers or (os.cpu_count() or 1) + 1) as pool:
        return list(pool.map(function, items))


def sample(points, count, chance):
    """At most `count` of the points, spread evenly: one random point from each stretch."""
    points = list(points)
    if len(points) <= count:
        return points
    edges = [round(index * len(points) / count) for index in range(count + 1)]
    return [points[chance.randrange(edges[index], edges[index + 1])] for index in range(count)]
