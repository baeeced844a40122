"""The engines behind the contracts of `bridge.log`."""
