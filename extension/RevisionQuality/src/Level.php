<?php

namespace MediaWiki\Extension\RevisionQuality;

/**
 * A named threshold with what it was measured to do.
 */
class Level {
	/** Name of the level below whose threshold edits are good */
	public const GOOD = 'likelygood';

	/** @var string */
	public $name;

	/** @var float */
	public $threshold;

	/** @var float Share of its edits that get reverted; for GOOD, that stay */
	public $precision;

	/** @var float|null Lower end of the interval of the precision */
	public $low;

	/** @var float|null Upper end */
	public $high;

	/** @var float|null Edits a day on this wiki */
	public $editsADay;

	/**
	 * @param string $name
	 * @param \stdClass $row Row of revision_quality_level
	 */
	public function __construct( string $name, \stdClass $row ) {
		$this->name = $name;
		$this->threshold = (float)$row->rql_threshold;
		$this->precision = (float)$row->rql_precision;
		$this->low = self::number( $row->rql_precision_low );
		$this->high = self::number( $row->rql_precision_high );
		$this->editsADay = self::number( $row->rql_edits_a_day );
	}

	/**
	 * @param float $score P(reverted), 0 to 1
	 * @return bool
	 */
	public function holds( float $score ): bool {
		return $this->name === self::GOOD ? $score < $this->threshold : $score >= $this->threshold;
	}

	/**
	 * @param mixed $value
	 * @return float|null
	 */
	private static function number( $value ): ?float {
		return $value === null ? null : (float)$value;
	}
}
