"""Real processes killed at random moments: backend, agents and tills, on either database.

``./run soak --database sqlite|postgres --minutes M --seed N``. ``town`` founds a small town in
a directory, ``till_worker`` is the process that sells, ``crew`` starts, kills and restarts the
processes, ``reckoning`` ends it: everything is synchronised, every card shown, exported and
audited.
"""
