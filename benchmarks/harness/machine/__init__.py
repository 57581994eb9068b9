"""Is the machine fit to be timed on?"""
