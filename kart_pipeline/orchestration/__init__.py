"""Dagster: assets, checks, partitions, sensor, jobs, resources. Each asset calls what the layers below offer."""
