"""Several machines: deployments to all of them, in stages where a file says so, and a look at how they are."""
