"""What a long-running service needs: stop signals and systemd's watchdog."""
