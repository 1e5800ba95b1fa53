"""What X and y become before a network reads them."""
