"""Two commits: is one of them slower, or wrong?"""
