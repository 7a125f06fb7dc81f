-- The tables of sql/tables.json.
CREATE TABLE /*_*/revision_quality_model (
  rqm_id INT UNSIGNED AUTO_INCREMENT NOT NULL,
  rqm_name VARBINARY(128) NOT NULL,
  rqm_version VARBINARY(128) NOT NULL,
  UNIQUE INDEX rqm_name_version (rqm_name, rqm_version),
  PRIMARY KEY(rqm_id)
) /*$wgDBTableOptions*/;

CREATE TABLE /*_*/revision_quality_level (
  rql_level TINYINT NOT NULL,
  rql_threshold DOUBLE PRECISION NOT NULL,
  rql_precision DOUBLE PRECISION NOT NULL,
  rql_precision_low DOUBLE PRECISION DEFAULT NULL,
  rql_precision_high DOUBLE PRECISION DEFAULT NULL,
  rql_edits_a_day DOUBLE PRECISION DEFAULT NULL,
  PRIMARY KEY(rql_level)
) /*$wgDBTableOptions*/;

CREATE TABLE /*_*/revision_quality (
  rq_rev BIGINT UNSIGNED NOT NULL,
  rq_timestamp BINARY(14) NOT NULL,
  rq_state TINYINT DEFAULT 0 NOT NULL,
  rq_score DOUBLE PRECISION DEFAULT NULL,
  rq_model INT UNSIGNED DEFAULT NULL,
  PRIMARY KEY(rq_rev)
) /*$wgDBTableOptions*/;

CREATE TABLE /*_*/revision_quality_flag (
  rqf_level TINYINT NOT NULL,
  rqf_timestamp BINARY(14) NOT NULL,
  rqf_rev BIGINT UNSIGNED NOT NULL,
  INDEX rqf_rev (rqf_rev),
  PRIMARY KEY(rqf_level, rqf_timestamp, rqf_rev)
) /*$wgDBTableOptions*/;
