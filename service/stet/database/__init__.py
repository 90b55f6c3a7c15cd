"""The way to PostgreSQL: the embedded server, the migrations, the pool."""
