"""Networks: functions that turn feature tensors into the answer of a head."""
