"""Pages for people: what came of the missions, in HTML made by the server."""
