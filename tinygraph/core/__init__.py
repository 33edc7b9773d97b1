"""Arrays and graphs: Tensor, Op, Graph, and reverse-mode differentiation. Imports NumPy only."""
