<?php

namespace MediaWiki\Extension\RevisionQuality;

/**
 * Restricts a query of edits to some levels.
 */
class FlagQuery {
	/** Most edits are good: the order of recentchanges itself finds them faster */
	private const DENSE = Levels::NUMBERS[Level::GOOD];

	private const ON_RECENT_CHANGES = [ 'rqf_rev = rc_this_oldid', 'rqf_timestamp = rc_timestamp' ];
	private const ON_REVISIONS = [ 'rqf_rev = rev_id' ];

	/** @var int[] */
	private $numbers;

	/** @var string */
	private $flagTable;

	/**
	 * @param int[] $numbers Flags, of which any is to be there
	 * @param string $flagTable Name of revision_quality_flag with the wiki's prefix
	 */
	public function __construct( array $numbers, string $flagTable ) {
		$this->numbers = $numbers;
		$this->flagTable = $flagTable;
	}

	/**
	 * Restricts a page of recentchanges.
	 *
	 * @param array &$tables
	 * @param array &$conds
	 * @param array &$options
	 * @param array &$joins
	 * @param bool $walksFlags Whether the query is ordered by time, newest first, and may begin with the flags
	 */
	public function apply( &$tables, &$conds, &$options, &$joins, bool $walksFlags ): void {
		if ( count( $this->numbers ) > 1 || !$walksFlags ) {
			$conds[] = $this->anyHolds( self::ON_RECENT_CHANGES );
			if ( $walksFlags ) {
				$conds[] = $this->fromNewest();
			}
		} elseif ( $this->numbers[0] === self::DENSE ) {
			$this->join( $tables, $conds, $joins, self::ON_RECENT_CHANGES );
		} else {
			$conds['rqf_level'] = $this->numbers[0];
			// Else MySQL, which plans without the LIMIT, may sort all the flagged edits.
			$tables = array_merge( [ 'revision_quality_flag' ], $tables );
			$joins['recentchanges'] = [ 'STRAIGHT_JOIN', self::ON_RECENT_CHANGES ];
			$options['ORDER BY'] = 'rqf_timestamp DESC';
		}
	}

	/**
	 * Restricts a list of the API: the database may begin where it likes.
	 *
	 * @param array &$tables
	 * @param array &$conds
	 * @param array &$joins
	 * @param bool $isOfRecentChanges Else of revisions, of which only those in recent changes have flags
	 */
	public function applyToList( &$tables, &$conds, &$joins, bool $isOfRecentChanges ): void {
		$on = $isOfRecentChanges ? self::ON_RECENT_CHANGES : self::ON_REVISIONS;
		if ( count( $this->numbers ) > 1 ) {
			$conds[] = $this->anyHolds( $on );
		} else {
			$this->join( $tables, $conds, $joins, $on );
		}
	}

	/**
	 * @param array &$tables
	 * @param array &$conds
	 * @param array &$joins
	 * @param string[] $on What a flag has in common with its edit
	 */
	private function join( &$tables, &$conds, &$joins, array $on ): void {
		$tables[] = 'revision_quality_flag';
		$conds['rqf_level'] = $this->numbers[0];
		$joins['revision_quality_flag'] = [ 'JOIN', $on ];
	}

	/**
	 * Has the walk through recentchanges begin at the newest flag: what is newer may all wait for its score.
	 *
	 * @return string
	 */
	private function fromNewest(): string {
		return implode( ' OR ', array_map( function ( $number ) {
			return "rc_timestamp <= (SELECT MAX(rqf_timestamp) FROM {$this->flagTable} WHERE rqf_level = $number)";
		}, $this->numbers ) );
	}

	/**
	 * @param string[] $on What a flag has in common with its edit
	 * @return string
	 */
	private function anyHolds( array $on ): string {
		// A join would bring an edit twice where two flags are there, and MariaDB may begin with it
		// and collect all flags of a level; so it may with EXISTS or IN. This is looked up for each
		// edit that the page has otherwise.
		$found = "(SELECT MIN(rqf_level) FROM {$this->flagTable} WHERE " . implode( ' AND ', $on );
		return implode( ' OR ', array_map( static function ( $number ) use ( $found ) {
			return "$found AND rqf_level = $number) IS NOT NULL";
		}, $this->numbers ) );
	}
}
