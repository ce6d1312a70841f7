"""The usual Lambda function, as one file that is packaged with its libraries."""
