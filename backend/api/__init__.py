"""HTTP only: routes, signatures of requests and answers, errors to status codes."""
