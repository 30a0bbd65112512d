"""What may happen, by area: one class a command, with its form, event, signers, decision, change and touches."""
