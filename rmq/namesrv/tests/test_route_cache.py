from rmq.namesrv.route_cache import Flavour, RouteCache


def test_a_body_is_found_by_topic_and_flavour() -> None:
    cache = RouteCache()
    cache.put("t", Flavour(standard=True, host=""), b"standard")
    cache.put("t", Flavour(standard=False, host=""), b"legacy")
    cache.put("t", Flavour(standard=True, host="h"), b"seen from h")

    assert cache.get("t", True, "") == b"standard"
    assert cache.get("t", False, "") == b"legacy"
    assert cache.get("t", True, "h") == b"seen from h"
    assert cache.get("t", False, "h") is None
    assert cache.get("u", True, "") is None
    assert len(cache) == 3


def test_a_forgotten_topic_loses_all_flavours_and_others_none() -> None:
    cache = RouteCache()
    cache.put("t", Flavour(standard=True, host=""), b"1")
    cache.put("t", Flavour(standard=False, host=""), b"2")
    cache.put("u", Flavour(standard=True, host=""), b"3")

    cache.forget("t")
    cache.forget("never seen")

    assert cache.get("t", True, "") is None
    assert cache.get("u", True, "") == b"3"
    assert len(cache) == 1


def test_a_full_cache_starts_over() -> None:
    cache = RouteCache(bodies_max=2)
    for topic in ("a", "b", "c"):
        cache.put(topic, Flavour(standard=True, host=""), b"")

    assert len(cache) == 1
    assert cache.get("c", True, "") == b""


def test_a_body_made_anew_takes_no_more_room() -> None:
    cache = RouteCache()
    cache.put("t", Flavour(standard=True, host=""), b"old")
    cache.put("t", Flavour(standard=True, host=""), b"new")

    assert len(cache) == 1
    assert cache.get("t", True, "") == b"new"
