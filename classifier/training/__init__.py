"""Training, evaluation and comparison: the part that needs scikit-learn and pandas."""
