"""What a town shows of itself: a live picture while it plays, figures and a page at the end.

``observer`` looks on and notes what nobody else keeps: who was where, how long entries waited.
``snapshot`` is one moment, ``picture`` draws it, ``show`` chooses between picture and plain
lines. ``figures`` are the numbers of a whole run, ``page`` the same as an HTML file with plots
of ``charts``, ``failing`` what a broken law comes to: the shortest history and its command.
"""
