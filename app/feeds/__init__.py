"""What programs of people subscribe to: a calendar of agreements, and a feed of what is new."""
