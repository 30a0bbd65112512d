"""The auditor: replays every decision of a log and trusts nothing but a policy given by hand."""
