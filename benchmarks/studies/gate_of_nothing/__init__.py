"""The gate of a report on histories without any change: python -m benchmarks.studies.gate_of_nothing"""
