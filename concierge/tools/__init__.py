"""What an agent looks up and works out beyond its knowledge: the web, and calculations."""
