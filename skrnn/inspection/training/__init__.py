"""Pictures of how networks learned."""
