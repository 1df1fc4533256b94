"""Tests of the footprint's figures."""

import resource

from scripts.benchlib import footprint


def test_start_is_the_median_of_all():
    figures = footprint.Footprint([0.5, 9.0, 0.6], 1, 1.0, 1, 1.0)

    assert figures.start == 0.6


def test_limit_of_open_files_is_raised_as_far_as_it_may_be():
    footprint.raise_descriptor_limit()

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = footprint.CONNECTIONS_HELD + footprint.DESCRIPTORS_SPARE
    assert resource.RLIM_INFINITY in (soft, hard) or soft >= min(wanted, hard)
