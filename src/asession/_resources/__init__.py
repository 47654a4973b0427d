"""boto3-style resources: classes from boto3's factory, made async, on aiobotocore clients."""
