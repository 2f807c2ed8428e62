"""What people read: pure functions from facts to screens."""
