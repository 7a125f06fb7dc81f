"""Alarms: what is not as it usually is, told in one sentence, from when until when."""
