"""The second decoder of what is signed: bytes in, values out; it judges nothing."""
