"""What is made of the figures of several rounds. Pure functions: the same input gives the same output.

Two servers are compared within each round, one shortly after the other, because a machine's speed drifts. What counts is
the median of the rounds' ratios, and how far it can be trusted is found by drawing rounds again (bootstrap).
"""

import math
import random
from statistics import median

RESAMPLES = 2000
SEED = 1


def ratios(upper, lower):
    """The ratio of each round in which both were measured; None stands for a round without."""
    return [over / under for over, under in zip(upper, lower) if over is not None and under]


def geometric_mean(values):
    return math.exp(sum(math.log(value) for value in values) / len(values))


def percentile(ordered, share):
    """Between the two neighbours, in proportion."""
    at = share * (len(ordered) - 1)
    below = math.floor(at)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (at - below)


def interval(statistic, groups):
    """95 % of what `statistic(groups)` would be with other rounds: each group of values is drawn anew, with replacement."""
    draw = random.Random(SEED)
    found = sorted(statistic([draw.choices(group, k=len(group)) for group in groups]) for _ in range(RESAMPLES))
    return percentile(found, 0.025), percentile(found, 0.975)


def of_one(values):
    """(median, low, high) of one cell's ratios, or None without any."""
    if not values:
        return None
    return median(values), *interval(lambda groups: median(groups[0]), [values])


def of_many(groups):
    """(geometric mean of the groups' medians, low, high), or None without any."""
    groups = [group for group in groups if group]
    if not groups:
        return None

    def mean(drawn):
        return geometric_mean([median(group) for group in drawn])

    return mean(groups), *interval(mean, groups)


def middle(values):
    """The median of those rounds that have a value, or None."""
    present = [value for value in values if value is not None]
    return median(present) if present else None
