"""HTTP as the service speaks it: middleware, dispatch, requests, responses, documentation."""
