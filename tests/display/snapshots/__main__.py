"""Write the snapshots anew: python -m tests.display.snapshots"""

from tests.display.snapshots.printed import FOLDER, snapshots

for name, text in snapshots().items():
    (FOLDER / name).write_text(text, encoding="utf-8")
