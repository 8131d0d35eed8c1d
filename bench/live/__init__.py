"""Recording live channels: what it costs, and whether anything is lost. Begun by `bench/run.py`.

cases ─▶ rounds ─▶ origin (paced, its own process) ─▶ contestant (fresh processes) ─▶ meter, marks ─▶ tables
         take turns, so that whatever else the machine does meets all of them
"""
