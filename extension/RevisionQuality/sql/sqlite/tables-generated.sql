-- The tables of sql/tables.json.
CREATE TABLE /*_*/revision_quality_model (
  rqm_id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
  rqm_name BLOB NOT NULL,
  rqm_version BLOB NOT NULL
);

CREATE UNIQUE INDEX rqm_name_version ON /*_*/revision_quality_model (rqm_name, rqm_version);

CREATE TABLE /*_*/revision_quality_level (
  rql_level SMALLINT NOT NULL,
  rql_threshold DOUBLE PRECISION NOT NULL,
  rql_precision DOUBLE PRECISION NOT NULL,
  rql_precision_low DOUBLE PRECISION DEFAULT NULL,
  rql_precision_high DOUBLE PRECISION DEFAULT NULL,
  rql_edits_a_day DOUBLE PRECISION DEFAULT NULL,
  PRIMARY KEY(rql_level)
);

CREATE TABLE /*_*/revision_quality (
  rq_rev BIGINT UNSIGNED NOT NULL,
  rq_timestamp BLOB NOT NULL,
  rq_state SMALLINT DEFAULT 0 NOT NULL,
  rq_score DOUBLE PRECISION DEFAULT NULL,
  rq_model INTEGER UNSIGNED DEFAULT NULL,
  PRIMARY KEY(rq_rev)
);

CREATE TABLE /*_*/revision_quality_flag (
  rqf_level SMALLINT NOT NULL,
  rqf_timestamp BLOB NOT NULL,
  rqf_rev BIGINT UNSIGNED NOT NULL,
  PRIMARY KEY(rqf_level, rqf_timestamp, rqf_rev)
);

CREATE INDEX rqf_rev ON /*_*/revision_quality_flag (rqf_rev);
