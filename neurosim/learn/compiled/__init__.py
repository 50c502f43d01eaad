"""Learning compiled by Numba, for NumPy arrays; :func:`neurosim.learn.engines.chosen` decides where it is used.

Formulas of activations, losses and optimizers are traced and printed as kernels (``kernels``). What they share, the
passes through dense layers on tiles of samples (``passes``), JᵀJ (``curvature``) and the loop over iterations
(``loop``), is compiled once for each type of numbers. A network is computed by one thread, in one order of sums:
results do not depend on the number of threads, nor on the networks beside it. The reference is the op-by-op path.
"""
