-- Part of other queries, their end: few rows are found by their id. What such a question costs is to plan it: a second thread takes
-- longer to begin than there is to read, and merging expressions finds nothing here.
SETTINGS max_threads = 1, query_plan_merge_expressions = 0
