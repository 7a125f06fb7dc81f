<?php

namespace MediaWiki\Extension\RevisionQuality;

use Wikimedia\Rdbms\ILoadBalancer;

/**
 * The levels of this wiki, as its data supports them.
 */
class Levels {
	/** Name of the filter for edits that have no score yet */
	public const UNSCORED = 'unscored';

	/** Numbers in the tables, from the mildest level to the gravest */
	public const NUMBERS = [
		self::UNSCORED => 0,
		Level::GOOD => 1,
		'maybebad' => 2,
		'likelybad' => 3,
		'verylikelybad' => 4,
	];

	/** Levels that say that an edit is bad: each one's edits are among those of the one before */
	public const NESTED = [ 'maybebad', 'likelybad', 'verylikelybad' ];

	/** Numbers of flags for either of two: the level, or UNSCORED. One ordered read finds both. */
	public const NUMBERS_OR_UNSCORED = [
		'maybebad' => 5,
		'likelybad' => 6,
		'verylikelybad' => 7,
	];

	/** @var ILoadBalancer */
	private $loadBalancer;

	/** @var Level[]|null */
	private $levels;

	/**
	 * @param ILoadBalancer $loadBalancer
	 */
	public function __construct( ILoadBalancer $loadBalancer ) {
		$this->loadBalancer = $loadBalancer;
	}

	/**
	 * @return Level[] By name, from the mildest to the gravest; none before revq has written any
	 */
	public function all(): array {
		if ( $this->levels === null ) {
			$this->levels = [];
			$rows = $this->loadBalancer->getConnection( DB_REPLICA )->newSelectQueryBuilder()
				->select( '*' )
				->from( 'revision_quality_level' )
				->orderBy( 'rql_level' )
				->caller( __METHOD__ )
				->fetchResultSet();
			foreach ( $rows as $row ) {
				$name = array_search( (int)$row->rql_level, self::NUMBERS, true );
				if ( $name !== false && $name !== self::UNSCORED ) {
					$this->levels[$name] = new Level( $name, $row );
				}
			}
		}
		return $this->levels;
	}

	/**
	 * @return string[] What can be filtered by: the levels, and UNSCORED where there are any
	 */
	public function filterNames(): array {
		$names = array_keys( $this->all() );
		return $names ? array_merge( $names, [ self::UNSCORED ] ) : [];
	}

	/**
	 * @param float $score P(reverted), 0 to 1
	 * @return Level|null The gravest level that holds, null between good and bad
	 */
	public function of( float $score ): ?Level {
		foreach ( array_reverse( $this->all() ) as $level ) {
			if ( $level->holds( $score ) ) {
				return $level;
			}
		}
		return null;
	}

	/**
	 * @param int[] $numbers Flags, of which any is to be there
	 * @return FlagQuery
	 */
	public function query( array $numbers ): FlagQuery {
		$dbr = $this->loadBalancer->getConnection( DB_REPLICA );
		return new FlagQuery( $numbers, $dbr->tableName( 'revision_quality_flag' ) );
	}

	/**
	 * Reads the value of a filter parameter.
	 *
	 * @param string $value Names separated by semicolons, or "all"
	 * @return int[] Numbers of flags, as numbersOfAny() tells them
	 */
	public function numbersOf( string $value ): array {
		return $this->numbersOfAny( $value === 'all' ? $this->filterNames() : explode( ';', strtolower( $value ) ) );
	}

	/**
	 * @param string[] $names Levels of which any is to hold; others than this wiki has are passed over
	 * @return int[] Numbers of the flags to look for, as few as will do: two at most, one of them GOOD's
	 */
	public function numbersOfAny( array $names ): array {
		$names = array_intersect( $this->filterNames(), $names );
		$mildest = array_values( array_intersect( self::NESTED, $names ) )[0] ?? null;
		$numbers = in_array( Level::GOOD, $names, true ) ? [ self::NUMBERS[Level::GOOD] ] : [];
		$isUnscored = in_array( self::UNSCORED, $names, true );
		if ( $mildest !== null ) {
			$numbers[] = $isUnscored ? self::NUMBERS_OR_UNSCORED[$mildest] : self::NUMBERS[$mildest];
		} elseif ( $isUnscored ) {
			$numbers[] = self::NUMBERS[self::UNSCORED];
		}
		return $numbers;
	}

	/**
	 * @return int[] Numbers of all flags of an edit that has no score yet
	 */
	public static function unscoredNumbers(): array {
		return array_merge( [ self::NUMBERS[self::UNSCORED] ], array_values( self::NUMBERS_OR_UNSCORED ) );
	}
}
