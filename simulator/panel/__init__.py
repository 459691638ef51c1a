"""``borsellino sim panel``: cards, slots, faults and the trace on one screen (Textual).

``hands`` does what people do with cards, in a thread of its own, and tells the screen in
``messages``; ``views`` are what it tells; one widget a module in ``widgets``.
"""
