"""What supervising needs beside it: the Procfile as a table, and a guard that outlives the supervisor."""
