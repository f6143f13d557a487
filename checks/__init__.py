"""Checkov checks that fail attachments of unapproved IAM managed policies; checkov loads nothing without this file."""
