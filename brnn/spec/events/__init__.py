"""What happens during a run: triggers, actions and the protocol of phases."""
