"""What every way to the service shares: routes, callers, signed requests and answers."""
