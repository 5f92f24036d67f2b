"""A plug-in of QGIS, which imports this folder under the name that it has there."""


def classFactory(iface):  # type: ignore[no-untyped-def]  # QGIS calls it so
    """Return the plug-in."""
    from .plugin import Plugin

    return Plugin()
