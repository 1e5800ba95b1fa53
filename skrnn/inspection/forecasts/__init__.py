"""Pictures of forecasts, their history and their truth."""
