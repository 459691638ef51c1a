"""Pictures for the docs, made from the real program: ``./run pictures [--check]``.

One module a source; each has ``pictures()``, file names under ``docs/pictures`` and their
contents, the same bytes at every run.
"""
