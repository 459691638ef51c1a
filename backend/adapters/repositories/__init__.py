"""Every query of the service, one module an aggregate; a repository never commits."""
