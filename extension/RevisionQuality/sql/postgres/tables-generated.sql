-- The tables of sql/tables.json.
CREATE TABLE revision_quality_model (
  rqm_id SERIAL NOT NULL,
  rqm_name TEXT NOT NULL,
  rqm_version TEXT NOT NULL,
  PRIMARY KEY(rqm_id)
);

CREATE UNIQUE INDEX rqm_name_version ON revision_quality_model (rqm_name, rqm_version);

CREATE TABLE revision_quality_level (
  rql_level SMALLINT NOT NULL,
  rql_threshold DOUBLE PRECISION NOT NULL,
  rql_precision DOUBLE PRECISION NOT NULL,
  rql_precision_low DOUBLE PRECISION DEFAULT NULL,
  rql_precision_high DOUBLE PRECISION DEFAULT NULL,
  rql_edits_a_day DOUBLE PRECISION DEFAULT NULL,
  PRIMARY KEY(rql_level)
);

CREATE TABLE revision_quality (
  rq_rev BIGINT NOT NULL,
  rq_timestamp TIMESTAMPTZ NOT NULL,
  rq_state SMALLINT DEFAULT 0 NOT NULL,
  rq_score DOUBLE PRECISION DEFAULT NULL,
  rq_model INT DEFAULT NULL,
  PRIMARY KEY(rq_rev)
);

CREATE TABLE revision_quality_flag (
  rqf_level SMALLINT NOT NULL,
  rqf_timestamp TIMESTAMPTZ NOT NULL,
  rqf_rev BIGINT NOT NULL,
  PRIMARY KEY(rqf_level, rqf_timestamp, rqf_rev)
);

CREATE INDEX rqf_rev ON revision_quality_flag (rqf_rev);
