"""What the pages of search results say: fetched (`reading`), taken apart in a process of its own (`extraction`, `child`),
cut into passages (`passages`).
"""
