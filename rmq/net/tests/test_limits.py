import resource

import pytest

from rmq.net import limits
from rmq.net.limits import raise_descriptor_limit


@pytest.mark.parametrize(
    ("soft", "hard", "wanted"),
    [
        (1024, 4096, 4096),
        (1024, resource.RLIM_INFINITY, 1 << 20),
        (1 << 21, resource.RLIM_INFINITY, 1 << 21),
    ],
)
def test_limit_of_descriptors_is_raised_as_far_as_it_goes(monkeypatch, soft, hard, wanted):
    told = []
    monkeypatch.setattr(limits.resource, "getrlimit", lambda _: (soft, hard))
    monkeypatch.setattr(limits.resource, "setrlimit", lambda _, limit: told.append(limit))

    assert raise_descriptor_limit() == wanted
    assert told == [(wanted, hard)]


@pytest.mark.parametrize("error", [OSError(1, "not permitted"), ValueError("too high")])
def test_limit_of_descriptors_that_cannot_be_raised_stays(monkeypatch, error):
    def refuse(*_):
        raise error

    monkeypatch.setattr(limits.resource, "getrlimit", lambda _: (1024, 4096))
    monkeypatch.setattr(limits.resource, "setrlimit", refuse)

    assert raise_descriptor_limit() == 1024
