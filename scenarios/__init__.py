"""Scenarios, one file each: a figure of the lecture or a published benchmark (see neurosim.scenario)."""
