"""The steps of a turn, independent of each other; `concierge.chat.pipeline` puts them in order."""
