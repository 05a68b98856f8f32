-- The name of a vital, a method, a feed: a handful of words, and every question about vitals looks at it in each row. As words
-- of a dictionary they are compared once a word instead of once a row.
ALTER TABLE events MODIFY COLUMN name LowCardinality(String);
