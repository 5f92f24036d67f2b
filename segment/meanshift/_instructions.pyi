VARIABLE: str
AVAILABLE: tuple[str, ...]
CHOSEN: str
