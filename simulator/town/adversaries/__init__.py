"""Attacks on the town: each row of PROTOCOL 1 and 8, played among honest people.

An adversary is a watcher of the town (``simulator.town.world.Watcher``) that also acts: after
a happening it does its worst with what it has (a shim, a leaked key, a till of its own), while
the checks look on. ``adversary`` says what each must tell; ``roll`` names them all.
"""
