"""Tables of texts."""

from codec.bodies.body import Body, kept_dict


class KVTable(Body, kw_only=True):
    """Texts by name: a name space of the name server, or what a broker says of itself."""

    table: dict[str, str] = kept_dict()


class KVConfigSerializeWrapper(Body, kw_only=True):
    """All name spaces of a name server, also its file kvConfig.json."""

    config_table: dict[str, dict[str, str]] = kept_dict()
