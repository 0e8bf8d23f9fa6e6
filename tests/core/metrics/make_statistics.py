#!/usr/bin/env python3
"""Writes statistics.json: what SciPy makes of McNemar's exact test, and of percentile bootstraps.

  python3 -m venv /tmp/peer && /tmp/peer/bin/pip install scipy==1.17.1
  /tmp/peer/bin/python tests/core/metrics/make_statistics.py tests/core/metrics/statistics.json

Holm's correction is in no part of SciPy: it is written here from its definition, over all subsets (closed testing with
Bonferroni), which is another way to the same numbers. The clustered and the weighted bootstrap are numpy's.
"""
import itertools
import json
import sys

import numpy
import scipy.stats

RESAMPLES = 200_000
random = numpy.random.default_rng(7)


def rounded(values):
    return [round(float(value), 6) for value in values]


def mcnemar():
    pairs = [(0, 0), (1, 0), (0, 5), (3, 3), (4, 5), (1, 9), (10, 2), (14, 31), (40, 21), (100, 150), (480, 520),
             (1000, 1200), (4900, 5100), (12, 4000), (0, 60)]
    return [{"only_a": a, "only_b": b, "p": scipy.stats.binomtest(a, a + b, 0.5).pvalue if a + b else 1.0}
            for a, b in pairs]


def closed_testing(p):
    """Adjusted p of i: the largest Bonferroni p of any set of hypotheses that holds i."""
    adjusted = [0.0] * len(p)
    for size in range(1, len(p) + 1):
        for chosen in itertools.combinations(range(len(p)), size):
            whole = min(1.0, size * min(p[i] for i in chosen))
            for i in chosen:
                adjusted[i] = max(adjusted[i], whole)
    return adjusted


def holm():
    lists = [[0.04], [0.01, 0.04, 0.03], [0.2, 0.001, 0.04, 0.04, 0.9], rounded(random.random(8) ** 3)]
    return [{"p": p, "adjusted": closed_testing(p)} for p in lists]


def paired(a, b):
    found = scipy.stats.bootstrap((a, b), lambda x, y, axis=-1: numpy.mean(y, axis) - numpy.mean(x, axis), paired=True,
                                  vectorized=True, n_resamples=RESAMPLES, method="percentile", batch=2000,
                                  random_state=random)
    return [found.confidence_interval.low, found.confidence_interval.high], found.standard_error


def single(a):
    found = scipy.stats.bootstrap((a,), numpy.mean, n_resamples=RESAMPLES, method="percentile", batch=2000,
                                  random_state=random)
    return [found.confidence_interval.low, found.confidence_interval.high]


def grouped(a, b, weights, clusters):
    """The interval of the difference of weighted means, clusters drawn whole."""
    groups = sorted(set(clusters))
    place = numpy.array([groups.index(each) for each in clusters])
    sums = numpy.stack([numpy.bincount(place, weights=column) for column in (a * weights, b * weights, weights)])
    differences = []
    for _ in range(RESAMPLES // 2000):
        drawn = sums[:, random.integers(0, len(groups), (2000, len(groups)))].sum(axis=2)
        differences.append((drawn[1] - drawn[0]) / drawn[2])
    differences = numpy.concatenate(differences)
    return list(numpy.percentile(differences, [2.5, 97.5])), differences.std(ddof=1)


def samples():
    cases = []
    for questions, articles in [(60, 60), (240, 40), (500, 61)]:
        a = numpy.array(rounded(numpy.clip(random.normal(0.6, 0.4, questions), 0, 1)))
        b = numpy.array(rounded(numpy.clip(a + random.normal(-0.03, 0.2, questions), 0, 1)))
        clusters = [int(each) for each in random.integers(0, articles, questions)]
        weights = numpy.array([float(each) for each in random.integers(1, 40, questions)])
        interval, error = paired(a, b)
        clustered, clustered_error = grouped(a, b, numpy.ones(questions), clusters)
        weighted, weighted_error = grouped(a, b, weights, list(range(questions)))
        cases.append({"a": list(a), "b": list(b), "clusters": clusters, "weights": list(weights), "interval_a": single(a),
                      "paired": interval, "paired_error": error, "clustered": clustered,
                      "clustered_error": clustered_error, "weighted": weighted, "weighted_error": weighted_error})
    return cases


def power():
    return [{"error": error, "detectable": (scipy.stats.norm.ppf(0.975) + scipy.stats.norm.ppf(0.8)) * error}
            for error in (0.01, 0.0147, 0.05)]


with open(sys.argv[1], "w") as file:
    json.dump({"mcnemar": mcnemar(), "holm": holm(), "samples": samples(), "power": power()}, file)
    file.write("\n")
