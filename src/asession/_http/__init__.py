"""One HTTP/1.1 transport for both event loops; it knows nothing of AWS."""
