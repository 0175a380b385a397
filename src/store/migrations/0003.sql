-- What is usual for the metrics of a target that is watched, all of them together (src/analysis/baseline/).
CREATE TABLE baselines (
    target INTEGER PRIMARY KEY,
    bytes BLOB NOT NULL
) STRICT;
