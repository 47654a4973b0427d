"""Profile files: the AWS config and credentials files, read into one immutable snapshot."""
