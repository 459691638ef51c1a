"""Many towns, one a seed, on every core: the long proof behind ``./run town``.

``playing`` plays one seed with every check and says what came of it; ``book`` keeps what was
played, so that a run that was stopped goes on where it was; ``summary`` adds it all up.
"""
