"""Columns of the compiled loop's table of rows, which has a line for each owner and rows: addresses and sizes."""

R_FIRST, R_DELAYS, R_OFFSETS, R_BASE, R_TARGETS, R_TARGET_BYTES, R_WEIGHTS, R_WEIGHT_BYTES, R_MEMBER = range(9)
R_DELAY_STEPS = 9
R_COLUMNS = 10
