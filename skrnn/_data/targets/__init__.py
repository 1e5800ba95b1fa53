"""What y and weights become."""
