"""A till before a legacy chip: the weaker order, the limit, and what it does not prove."""
